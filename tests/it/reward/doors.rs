//! What comes in by files, and what is kept of those who are forgotten.

use super::{COUPON, Shop, day, given, points};
use crate::support::{TestDb, on_both};
use dangol::args;
use dangol::customer::{self, ErasureKey};
use dangol::import::{self, Input, Kind, Options, Report};
use dangol::reward::{self, Grant};

const BONUS: &str = "kind = \"points\"\nunit = \"1 KRW\"\n";

async fn events(t: &TestDb, shop: &Shop, csv: &str) -> Report {
    let file = t.dir.path().join("events.csv");
    std::fs::write(&file, csv).unwrap();
    let options = Options::new(&shop.settings, ErasureKey::new([7; 32]));
    let input = Input::of(file.to_str().unwrap());
    import::run(&shop.db, Kind::Events, input, &options, &mut |_| {}, day(2)).await.unwrap()
}

async fn shop(t: &TestDb) -> Shop {
    let shop = Shop::new(t, 2).await;
    for id in 1..=2 {
        let sql = "UPDATE customer SET external_id = ? WHERE id = ?";
        shop.db.execute(sql, args![format!("C-{id}"), id]).await.unwrap();
    }
    shop
}

#[test]
fn redemptions_come_in_with_the_events_and_are_judged_by_the_ledger() {
    on_both(async |t| {
        let shop = shop(&t).await;
        let bonus = shop.live("bonus", BONUS, day(0)).await;
        shop.grant(&[points(1, 100, "p", None)], &bonus, day(0)).await;
        let line = |key: &str, data: &str| {
            format!("C-1,redemption,2027-03-02T10:00:00+09:00,{key},\"{}\"\n", data.replace('"', "\"\""))
        };
        let csv = "customer,kind,at,key,data\n".to_owned()
            + &line("k1", r#"{"reward":"bonus","points":30}"#)
            + "C-1,visit,2027-03-02T10:00:00+09:00,v1,\n"
            + &line("k1", r#"{"reward":"bonus","points":30}"#)
            + &line("k2", r#"{"reward":"bonus","points":71}"#)
            + &line("k3", r#"{"reward":"bonus"}"#)
            + &line("k4", r#"{"reward":"bonus","points":"5"}"#)
            + &line("k1", r#"{"reward":"bonus","points":31}"#)
            + &line("", r#"{"reward":"bonus","points":5}"#)
            + &line("", r#"{"reward":"bonus","points":5}"#);
        let report = events(&t, &shop, &csv).await;
        assert_eq!((report.inserted, report.unchanged, report.rejected), (4, 1, 4), "{report:?}");
        assert_eq!(shop.account(1, "bonus").await, [0, 60, 40, 0, 0]);
        let again = events(&t, &shop, &csv).await;
        assert_eq!((again.inserted, again.unchanged, again.rejected), (0, 5, 4), "{again:?}");
        assert_eq!(shop.account(1, "bonus").await, [0, 60, 40, 0, 0]);
        let (n,): (i64,) = shop
            .db
            .one("SELECT count(*) FROM event WHERE kind = 'redemption' AND batch_id = 1", args![])
            .await
            .unwrap();
        assert_eq!(n, 3);
        shop.audit().await;
    });
}

#[test]
fn who_is_forgotten_leaves_amounts_and_no_codes() {
    on_both(async |t| {
        let shop = shop(&t).await;
        let five = shop.live("five", COUPON, day(0)).await;
        reward::add_codes(&shop.db, "five", "AAA-1\nBBB-2\n", day(0)).await.unwrap();
        shop.mail(1, 1, "queued").await;
        let grant = |period: &str, message: Option<i64>| Grant {
            customer: 1,
            rule: "comeback".into(),
            period: period.into(),
            message,
            ..Grant::default()
        };
        let granted = shop.grant(&[grant("a", None), grant("b", Some(1))], &five, day(0)).await;
        assert_eq!(given(&granted[0]).coupon.as_deref(), Some("AAA-1"));
        let csv = "customer,kind,at,key,data\nC-1,redemption,2027-03-02T10:00:00+09:00,홍길동 1,\"{\"\"reward\"\":\"\"five\"\",\"\"code\"\":\"\"AAA-1\"\"}\"\n";
        assert_eq!(events(&t, &shop, csv).await.inserted, 1);

        let export = customer::export(&mut &shop.db, 1).await.unwrap().unwrap();
        let lines = export["rewards"].as_array().unwrap();
        assert_eq!(lines.len(), 3);
        assert_eq!((&lines[2]["kind"], &lines[2]["spent"]), (&"spend".into(), &1.into()));
        assert_eq!((&lines[2]["coupon"], &lines[2]["redemption"]), (&"AAA-1".into(), &"홍길동 1".into()));

        let mut tx = shop.db.begin().await.unwrap();
        customer::erase(&mut tx, 1, &ErasureKey::new([7; 32]), "test", day(3)).await.unwrap();
        tx.commit().await.unwrap();
        shop.upkeep(day(3)).await;
        shop.audit().await;
        assert_eq!(shop.account(1, "five").await, [0, 0, 1, 0, 1], "the mail will not go out");
        for table in ["reward_lot", "reward_entry", "reward_redemption", "event"] {
            let columns = match table {
                "reward_lot" => "COALESCE(coupon, '')",
                "reward_entry" => "reward",
                "reward_redemption" => "key || content",
                _ => "data || dedupe_key",
            };
            let found: Vec<(String,)> =
                shop.db.all(&format!("SELECT {columns} FROM {table} WHERE customer_id = 1"), args![]).await.unwrap();
            let leaks = |(text,): &(String,)| ["AAA-1", "BBB-2", "홍길동"].iter().any(|code| text.contains(code));
            assert!(!found.iter().any(leaks), "{table}: {found:?}");
        }
        let free: Vec<(String, String)> =
            shop.db.all("SELECT code, state FROM reward_coupon ORDER BY code", args![]).await.unwrap();
        assert_eq!(free, [("AAA-1".into(), "void".into()), ("BBB-2".into(), "void".into())]);
    });
}
