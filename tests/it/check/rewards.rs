//! Mistakes in `rewards/*.toml`.

use super::{Shop, shown};

const PETALS: &str = "rewards/petals.toml";
const GOOD: &str = "title = \"꽃잎\"\nkind = \"points\"\nearn = \"1%\"\nunit = \"1 KRW\"\nconfirm_after = \"14d\"\nexpires = \"24mo\"\nbudget = \"3000000 KRW per month\"\nceiling = \"30% of margin\"\n[[tier]]\nname = \"Rose\"\nfrom = 10000\nearn = \"2%\"\n";

fn with(shop: &Shop, from: &str, to: &str) {
    shop.write(PETALS, GOOD);
    shop.edit(PETALS, from, to);
}

#[test]
fn rewards() {
    shown(
        "rewards",
        &[
            ("a budget of nothing", &|shop| with(shop, "3000000 KRW", "0 KRW")),
            ("amounts in another currency", &|shop| with(shop, "1 KRW", "0.01 USD")),
            ("a point that costs nothing", &|shop| with(shop, "1 KRW", "0 KRW")),
            ("expires at once", &|shop| with(shop, "24mo", "0d")),
            ("a budget of nobody's calendar", &|shop| with(shop, "per month", "per fortnight")),
            ("a ceiling on what is not known", &|shop| with(shop, "30% of margin", "30% of revenue")),
            ("points without a unit, a word wrong", &|shop| with(shop, "unit = \"1 KRW\"", "uint = \"1 KRW\"")),
            ("tiers twice and out of order", &|shop| {
                shop.write(
                    PETALS,
                    format!("{GOOD}[[tier]]\nname = \"Rose\"\nfrom = 5000\n[[tier]]\nname = \"\"\nfrom = -1\n"),
                );
            }),
            ("tiers that earn where nothing is earned", &|shop| with(shop, "earn = \"1%\"\n", "")),
            ("a coupon that earns, without a cost", &|shop| {
                shop.write(
                    "rewards/ten.toml",
                    "kind = \"coupon\"\nvalue = \"10%\"\nearn = \"1%\"\ncodes = \"HARU-####\"\n",
                );
            }),
            ("a coupon of which nothing is known", &|shop| shop.write("rewards/ten.toml", "kind = \"coupon\"\n")),
            ("codes that are all the same, or unreadable", &|shop| {
                let coupon = |codes: &str| format!("kind = \"coupon\"\nvalue = \"5000 KRW\"\ncodes = \"{codes}\"\n");
                shop.write("rewards/five.toml", coupon("SPRING"));
                shop.write("rewards/six.toml", coupon("봄-########"));
            }),
            ("a perk with points' keys", &|shop| {
                shop.write("rewards/early.toml", "kind = \"perk\"\nunit = \"1 KRW\"\ncodes = \"pool\"\n");
            }),
            ("a condition on a reward that is not there", &|shop| {
                shop.write(PETALS, GOOD);
                shop.write(
                    "segments/rich.toml",
                    "where = \"reward_balance('petal') > 100 AND reward_tier('petals') = 3\"\n",
                );
            }),
            ("a folder with a slip", &|shop| shop.write("reward/petals.toml", GOOD)),
        ],
    );
}

#[test]
fn a_good_reward_has_no_mistakes() {
    let shop = Shop::new();
    shop.write(PETALS, GOOD);
    shop.write(
        "rewards/five.toml",
        "kind = \"coupon\"\nvalue = \"10%\"\ncost = \"3000 KRW\"\ncodes = \"HARU-########\"\n",
    );
    shop.write("rewards/먼저.toml", "kind = \"perk\"\ntitle = { ko = \"먼저 보기\", en = \"Early access\" }\n");
    shop.write("segments/rich.toml", "where = \"reward_earned('petals', '365d') > 100 AND reward_tier('petals') = 'Rose' OR reward_unused('먼저')\"\n");
    assert_eq!(shop.problems(), []);
}
