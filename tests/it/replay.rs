//! A year and a half of a real shop, week by week through the real scheduler on a stepped clock: whoever comes to the best
//! fifth is rewarded. Needs a table of purchases (`customer_id,date,amount`) that is not part of the project:
//!
//! ```text
//! DANGOL_REPLAY=transactions.csv cargo test --test it -- --ignored --nocapture replay
//! ```

use crate::support::on_both;
use crate::world::{World, take};
use dangol::args;
use dangol::import::Kind;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

const REWARD: &str = "kind = \"points\"\nearn = \"1%\"\nunit = \"0.01 USD\"\nconfirm_after = \"14d\"\nexpires = \"12mo\"\n\
                      budget = \"2000 USD per month\"\n";
const CAMPAIGN: &str = "topic = \"newsletter\"\nsender = \"hello\"\nholdout = \"20%\"\n\
                        [trigger]\nenters = \"best\"\n[goal]\nevent = \"order\"\nwithin = \"8w\"\n\
                        [[step]]\nid = \"thanks\"\nsend = \"loyalty/thanks\"\nreward = { grant = \"petals\", points = 500 }\n\
                        [[step]]\nid = \"remind\"\nwait = \"4w\"\nwhen = \"reward_unused('petals')\"\nsend = \"loyalty/reminder\"\n";

#[test]
#[ignore = "wants a table of purchases in DANGOL_REPLAY"]
fn a_loyalty_reward_for_those_who_come_to_the_best_fifth() {
    let path = std::env::var("DANGOL_REPLAY").expect("DANGOL_REPLAY names a CSV of customer_id,date,amount");
    let text = std::fs::read_to_string(path).unwrap();
    let mut weeks: BTreeMap<i64, Vec<(String, Date, String)>> = BTreeMap::new();
    let start = date(1997, 1, 1);
    for line in text.lines().skip(1) {
        let mut cells = line.split(',');
        let (customer, day, amount) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        let day: Date = day.parse().unwrap();
        let week = i64::from(day.since(start).unwrap().get_days()) / 7;
        weeks.entry(week).or_default().push((customer.to_owned(), day, amount.to_owned()));
    }
    let weeks = &weeks;
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let settings = std::fs::read_to_string(world.dir.join("dangol.toml")).unwrap();
        let settings = settings.replace("\"KRW\"", "\"USD\"").replace("Asia/Seoul", "America/New_York");
        let world = world.file(&t, "dangol.toml", &settings).await;
        let world = world.file(&t, "rewards/petals.toml", REWARD).await;
        let world =
            world.file(&t, "segments/best.toml", "where = \"buying_rank >= 0.8 AND count('order') >= 2\"\n").await;
        let world = world.file(&t, "campaigns/thank-regulars.toml", CAMPAIGN).await;
        let zone = TimeZone::get("America/New_York").unwrap();
        let at = |day: Date| day.at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp();
        world.clock.set(at(start));
        let mut csv = String::from("external_id,email,name\n");
        let all: std::collections::BTreeSet<u32> =
            weeks.values().flatten().map(|(customer, ..)| customer.parse().unwrap()).collect();
        for customer in &all {
            csv += &format!("c{customer},c{customer}@cdnow.example,Customer {customer}\n");
        }
        world.customers(&csv).await;
        world.launch("thank-regulars").await;
        let last = *weeks.keys().last().unwrap();
        for week in 0..=last {
            world.clock.set(at(start.checked_add(jiff::Span::new().days((week + 1) * 7)).unwrap()));
            let mut csv = String::from("customer,order_id,at,amount,currency\n");
            for (i, (customer, day, amount)) in weeks.get(&week).into_iter().flatten().enumerate() {
                csv += &format!("c{customer},w{week}-{i},{day},{amount},USD\n");
            }
            let imported = world.import(Kind::Orders, &csv, None).await;
            assert_eq!(imported.rejected, 0, "week {week}: {imported:?}");
            world.run().await;
            balanced(&world, week).await;
        }
        // the last windows close
        world.later("8w");
        world.run().await;
        balanced(&world, last + 8).await;
        let report = world.report("thank-regulars").await;
        println!("{}", serde_json::to_string_pretty(&report).unwrap());
        let db = &world.app.db;
        for (what, sql) in [
            (
                "lines by kind",
                "SELECT kind, count(*), sum(pending), sum(active) FROM reward_entry GROUP BY kind ORDER BY kind",
            ),
            ("points", "SELECT 'all', sum(granted), sum(active), sum(expired) FROM reward_balance"),
        ] {
            let rows: Vec<(String, i64, i64, i64)> = { db }.all(sql, args![]).await.unwrap();
            println!("{what}: {rows:?}");
        }
    });
}

/// The ledger balances, budgets hold, and nobody has the same thing twice.
async fn balanced(world: &World, week: i64) {
    for (what, sql) in [
        (
            "a balance is not the sum of its lines",
            "SELECT count(*) FROM reward_balance b WHERE (b.granted, b.pending, b.active, b.spent, b.expired, b.reversed) <> \
             (SELECT sum(e.granted), sum(e.pending), sum(e.active), sum(e.spent), sum(e.expired), sum(e.reversed) \
             FROM reward_entry e WHERE e.customer_id = b.customer_id AND e.reward = b.reward)",
        ),
        (
            "an account does not add up",
            "SELECT count(*) FROM reward_balance WHERE granted <> pending + active + spent + expired + reversed",
        ),
        (
            "a budget is not the sum of its lines",
            "SELECT count(*) FROM reward_budget b WHERE b.used <> \
             (SELECT sum(e.cost) FROM reward_entry e WHERE e.reward = b.reward AND e.budget = b.period)",
        ),
        ("a budget is overrun", "SELECT count(*) FROM reward_budget WHERE used > 200000"),
        (
            "somebody is rewarded twice",
            "SELECT count(*) FROM (SELECT customer_id, rule FROM reward_lot WHERE rule LIKE 'campaign%' \
             GROUP BY customer_id, rule HAVING count(*) > 1) AS twice",
        ),
        (
            "somebody has a mail twice",
            "SELECT count(*) FROM (SELECT customer_id, step FROM message WHERE state = 'accepted' \
             GROUP BY customer_id, step HAVING count(*) > 1) AS twice",
        ),
    ] {
        let (n,): (i64,) = { &world.app.db }.one(sql, args![]).await.unwrap();
        assert_eq!(n, 0, "week {week}: {what}");
    }
}
