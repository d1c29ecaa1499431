//! Who is held out, and what the report makes of it.

use super::{TWO, campaign, world};
use crate::support::on_both;
use crate::world::{World, people};
use dangol::args;
use dangol::import::Kind;

/// Customers of each arm, and how many passes they made.
async fn arms(world: &World) -> Vec<(i64, String, i64)> {
    let sql = "SELECT customer_id, min(arm), count(*) FROM enrolment GROUP BY customer_id HAVING min(arm) = max(arm) ORDER BY customer_id";
    world.app.db.all(sql, args![]).await.unwrap()
}

#[test]
fn a_tenth_is_held_out_of_marketing_that_is_triggered_and_stays_so() {
    on_both(async |t| {
        let text = TWO.replace("holdout = \"0%\"\n", "").replace("buyers\"\n", "recent\"\nreenter = \"20d\"\n");
        let goal = "[goal]\nevent = \"visit\"\nwithin = \"5d\"\n";
        let world = campaign(world(&t, 200).await, &t, "two", &format!("{goal}{text}")).await;
        world.import(Kind::Customers, "external_id,email\nx1,silent@example.com\n", None).await;
        world.launch("two").await;
        world.buy(1..=200).await;
        world.run().await;
        let first = world.report("two").await;
        let (treated, holdout) = (first.assigned.treated, first.assigned.holdout);
        assert_eq!(treated + holdout, 200);
        assert!((8..=35).contains(&holdout), "{holdout} of 200");
        assert_eq!(first.skipped["holdout"], holdout);
        assert_eq!(world.sink.inbox.counts().deliveries as i64, treated);
        // both arms' windows open at once
        let opens: Vec<(String, i64, i64)> = world
            .app
            .db
            .all("SELECT arm, min(opens_at), max(opens_at) FROM enrolment GROUP BY arm ORDER BY arm", args![])
            .await
            .unwrap();
        let now = world.now().as_millisecond();
        assert_eq!(opens, [("holdout".to_owned(), now, now), ("treated".to_owned(), now, now)]);
        let goal = first.goal.unwrap();
        assert_eq!(goal.open, 200);
        assert!(goal.verdict.contains("not enough evidence yet"), "{}", goal.verdict);

        world.later("25d");
        world.run().await;
        world.buy(1..=150).await; // again: the same arms, and customers are counted, not passes
        world.run().await;
        let again = world.report("two").await;
        assert_eq!((again.assigned.treated, again.assigned.holdout), (treated, holdout));
        assert_eq!(again.goal.unwrap().open, 0, "a customer's window is that of the first pass");
        let arms = arms(&world).await;
        assert_eq!(arms.len(), 200, "nobody is in two arms");
        assert_eq!(arms.iter().filter(|(.., passes)| *passes == 2).count(), 150);
        // another share for newcomers moves nobody
        let more = format!("holdout = \"60%\"\n{text}");
        world.later("25d");
        world.run().await;
        let world = campaign(world, &t, "two", &more).await;
        world.launch("two").await;
        world.buy(1..=200).await;
        world.run().await;
        let moved = world.report("two").await;
        assert_eq!((moved.assigned.treated, moved.assigned.holdout), (treated, holdout));
    });
}

#[test]
fn only_closed_windows_are_judged_and_a_real_effect_is_seen() {
    on_both(async |t| {
        let text = "holdout = \"50%\"\nsend = \"j/one\"\n[goal]\nevent = \"visit\"\nwithin = \"5d\"\n[trigger]\nenters = \"buyers\"\n";
        let world = campaign(world(&t, 120).await, &t, "thanks", text).await;
        world.launch("thanks").await;
        world.buy(1..=100).await;
        world.run().await;
        world.later("1d");
        let treated: Vec<(i64,)> =
            world.app.db.all("SELECT customer_id FROM enrolment WHERE arm = 'treated'", args![]).await.unwrap();
        let visit = |id: i64| {
            format!("{{\"customer\":\"c{id}\",\"kind\":\"visit\",\"at\":\"{}\",\"key\":\"v{id}\"", world.now())
        };
        // plain counts, money of the site's currency, and of another
        let worth = ["\"value\":7", "\"value\":1000,\"currency\":\"KRW\"", "\"value\":9,\"currency\":\"USD\""];
        let visits =
            treated.iter().take(30).enumerate().map(|(i, (id,))| format!("{},{}}}\n", visit(*id), worth[i % 3]));
        let visits: String = visits.collect();
        world.import(Kind::Events, &visits, None).await;
        world.later("3d");
        world.buy(101..=120).await;
        world.run().await;
        world.later("1d");
        let report = world.report("thanks").await;
        assert_eq!(report.assigned.treated + report.assigned.holdout, 120);
        let goal = report.goal.unwrap();
        assert_eq!((goal.treated.n + goal.holdout.n, goal.open), (100, 20), "twenty have had no time yet");
        assert_eq!((goal.treated.converted, goal.holdout.converted), (20, 0));
        assert_eq!(goal.treated.value, "10000", "won alone: neither counts nor dollars");
        assert!(goal.low.unwrap() > 0.0 && goal.verdict.contains("it brought more"), "{}", goal.verdict);
    });
}

#[test]
fn none_is_held_out_of_service_mail_nor_of_what_is_sent_once() {
    on_both(async |t| {
        let service = "topic = \"account\"\nsend = \"j/one\"\n[trigger]\nenters = \"buyers\"\n";
        let world = campaign(world(&t, 0).await, &t, "service", service).await;
        let once = "send = \"j/two\"\n[audience]\nsegment = \"subscribers\"\n";
        let world = campaign(world, &t, "once", once).await;
        world.customers(&people(60)).await;
        world.launch("service").await;
        world.launch("once").await;
        world.buy(1..=60).await;
        world.run().await;
        for name in ["service", "once"] {
            let assigned = world.report(name).await.assigned;
            assert_eq!((assigned.treated, assigned.holdout), (60, 0), "{name}");
        }
    });
}

#[test]
fn a_part_refund_takes_its_share_of_the_margin_along() {
    on_both(async |t| {
        let text = "holdout = \"0%\"\nsend = \"j/one\"\n[goal]\nevent = \"order\"\nwithin = \"5d\"\nvalue = \"margin\"\n\
                    [trigger]\nenters = \"buyers\"\n";
        let world = campaign(world(&t, 2).await, &t, "thanks", text).await;
        world.launch("thanks").await;
        world.buy(1..=2).await;
        world.run().await;
        world.later("1d");
        let at = world.now();
        let csv = format!(
            "customer,order_id,at,amount,margin,refunded\nc1,M-1,{at},1000,400,250\nc2,M-2,{at},1000,100,0\nc2,M-3,{at},1000,,0\n"
        );
        let report = world.import(Kind::Orders, &csv, None).await;
        assert_eq!(report.inserted, 3, "{report:?}");
        world.later("6d");
        world.run().await;
        let goal = world.report("thanks").await.goal.unwrap();
        assert_eq!(goal.treated.value, "400", "three quarters of 400, and 100");
    });
}
