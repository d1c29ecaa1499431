//! `reward`, and what `check` says of ceilings when it may ask the database.

use super::{Shop, keys};

const COUPON: &str = "kind = \"coupon\"\nvalue = \"5000 KRW\"\ncodes = \"pool\"\nbudget = \"100000 KRW per month\"\n";
const PERK: &str = "kind = \"perk\"\ntitle = { ko = \"먼저 보기\", en = \"Early access\" }\n";

/// With a folder for rewards.
fn shop() -> Shop {
    let shop = Shop::new();
    std::fs::create_dir_all(shop.path("rewards")).unwrap();
    shop
}

#[test]
fn a_reward_is_launched_and_its_pool_filled() {
    let shop = shop();
    shop.write("rewards/five.toml", COUPON);
    shop.write("rewards/early.toml", PERK);
    shop.write("codes.txt", "AAA-1\nBBB-2\nAAA-1\nnot a code\n");
    let listed = shop.json(&["reward", "list"]);
    assert_eq!(listed["rewards"][1]["name"], "five");
    assert!(listed["rewards"][1]["live_since"].is_null());
    let said = shop.run(&["reward", "list"]).done();
    assert!(
        said.contains("not live") && said.contains("먼저 보기") && said.contains("0 KRW of 100000 KRW per month"),
        "{said}"
    );

    let said = shop.json(&["reward", "launch", "five"]);
    assert_eq!((keys(&said), said["changed"].as_bool()), (vec!["reward", "changed", "live_since"], Some(true)));
    assert!(shop.run(&["reward", "launch", "five"]).done().contains("live as it was"));
    shop.edit("rewards/five.toml", "100000", "200000");
    assert!(shop.run(&["reward", "list"]).done().contains("the file has changed since"));

    let said = shop.run(&["reward", "coupons", "five", "codes.txt"]).done();
    assert!(said.contains("2 codes added") && said.contains("AAA-1") && said.contains("line 4"), "{said}");
    let again = shop.json(&["reward", "coupons", "five", "codes.txt"]);
    assert_eq!((again["added"].as_i64(), again["duplicates"].as_array().map(Vec::len)), (Some(0), Some(3)));
    assert!(shop.run(&["reward", "show", "five"]).done().contains("2 free"));
    shop.run(&["reward", "coupons", "early", "codes.txt"]).failed("only a coupon has codes");
    shop.run(&["reward", "coupons", "five", "none.txt"]).failed("none.txt cannot be read");
    shop.run(&["reward", "show", "fve"]).failed("did you mean `five`");
}

#[test]
fn what_is_redeemed_is_told_and_what_cannot_be_is_refused() {
    let shop = shop();
    shop.write("rewards/early.toml", PERK);
    let redeem = ["reward", "redeem", "early", "--customer", "K-0", "--key", "계산대 1"];
    let with = |more: &[&'static str]| shop.run(&[&redeem[..], more].concat());
    with(&["--points", "1"]).failed("no reward `early` is live");
    shop.run(&["reward", "launch", "early"]).done();
    with(&["--points", "1"]).failed("1 points were asked for, and 0 are usable");
    with(&["--code", "X"]).failed("give how many `points`");
    with(&[]).misused("--points");
    with(&["--points", "1", "--code", "X"]).misused("cannot be used with");
    let shown = shop.json(&["reward", "show", "early", "--customer", "K-0"]);
    assert_eq!(keys(&shown), ["reward", "customer", "lines", "balance"]);
    assert!(shop.run(&["reward", "show", "early", "--customer", "K-0"]).done().contains("together"));
}

#[test]
fn a_ceiling_without_margins_is_told() {
    let shop = shop();
    shop.write("rewards/early.toml", format!("{PERK}ceiling = \"30% of margin\"\n"));
    assert!(shop.run(&["check"]).done().contains("no order in the database has a margin"));
    assert!(shop.run(&["check", "--offline"]).done().contains("cannot be known without the database"));
    shop.write("orders.csv", "customer,at,amount,margin\nK-1,2026-01-05,10000,4000\n");
    shop.run(&["import", "orders", "orders.csv"]).done();
    assert!(!shop.run(&["check"]).done().contains("margin"));
}
