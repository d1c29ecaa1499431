//! Not everybody gets what there is.

use super::{TWO, campaign, world};
use crate::support::on_both;
use crate::world::{World, people};
use dangol::args;
use dangol::catcher::Reply;
use dangol::report;
use dangol::types::Email;

const GIFT: &str = "holdout = \"0%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nid = \"gift\"\nsend = \"j/one\"\n\
    reward = { grant = \"bonus\", points = 100 }\n";
const BONUS: &str = "kind = \"points\"\nunit = \"1 KRW\"\nbudget = \"300 KRW per month\"\n";

#[test]
fn the_highest_score_gets_it_first_and_then_the_lowest_id() {
    on_both(async |t| {
        let world = world(&t, 6).await.file(&t, "rewards/bonus.toml", BONUS).await;
        let world = campaign(world, &t, "gift", GIFT).await;
        world.launch("gift").await;
        world.buy(1..=6).await;
        let settings = world.app.settings();
        dangol::relationship::catch_up(&world.app.db, &settings, world.now()).await.unwrap();
        dangol::reward::catch_up(&world.app.db, &settings, world.now()).await.unwrap();
        for (id, score) in [(1, 10.0), (2, 20.0), (3, 90.0), (4, 20.0), (5, 80.0), (6, 20.0)] {
            let sql = "UPDATE relationship SET score = ? WHERE customer_id = ?";
            world.app.db.execute(sql, args![score, id]).await.unwrap();
        }
        world.run().await;
        assert_eq!(world.got(), ["reader2 one", "reader3 one", "reader5 one"]);
        assert_eq!(world.lines(4).await, ["gift skipped reward: budget"]);
        let why = report::why::why(&world.app.db, &settings, 6, Some("gift"), world.now()).await.unwrap();
        assert_eq!(why.messages[0].reason.as_deref(), Some("reward: budget"));
        let ledger = world.ledger().await;
        assert_eq!(ledger.budget("bonus", "2027-03").await, 300);
        assert_eq!(ledger.account(3, "bonus").await, [0, 100, 0, 0, 0]);
        assert_eq!(ledger.account(4, "bonus").await, [0; 5]);
    });
}

#[test]
fn what_falls_through_gives_its_grant_back_and_service_mail_grants_as_well() {
    on_both(async |t| {
        let verdict = |address: &Email| match address.local() {
            "reader1" => Some(Reply::new(550, "5.1.1", "no such user")),
            "reader2" => Some(Reply::new(452, "4.2.2", "mailbox full")),
            _ => None,
        };
        let world = World::new(&t, verdict).await;
        crate::world::write(&world.dir, "templates/j/one.txt", "---\nsubject = \"one\"\n---\n{{grant.points}}\n");
        crate::world::write(&world.dir, "segments/buyers.toml", super::BUYERS);
        let world = world.file(&t, "rewards/bonus.toml", BONUS).await;
        let world = campaign(
            world,
            &t,
            "gift",
            &format!("topic = \"account\"\nexpires = \"2h\"\n{}", GIFT.replace("holdout = \"0%\"\n", "")),
        )
        .await;
        world.customers(&people(3)).await;
        world.launch("gift").await;
        world.buy(1..=3).await;
        world.run().await;
        let ledger = world.ledger().await;
        assert_eq!(ledger.account(1, "bonus").await, [0, 0, 0, 0, 100], "refused");
        assert_eq!(ledger.account(2, "bonus").await, [100, 0, 0, 0, 0], "put off");
        assert_eq!(ledger.account(3, "bonus").await, [0, 100, 0, 0, 0]);
        assert_eq!(ledger.budget("bonus", "2027-03").await, 200);
        for _ in 0..12 {
            world.later("20m");
            world.run().await;
        }
        assert_eq!(world.lines(2).await, ["gift skipped expired"]);
        let ledger = world.ledger().await;
        assert_eq!(ledger.account(2, "bonus").await, [0, 0, 0, 0, 100]);
        assert_eq!(ledger.budget("bonus", "2027-03").await, 100);
    });
}

#[test]
fn two_steps_each_grant_once_in_a_pass() {
    on_both(async |t| {
        let text = TWO.replace("send = \"j/one\"\n", "send = \"j/one\"\nreward = { grant = \"bonus\", points = 10 }\n");
        let text =
            text.replace("send = \"j/two\"\n", "send = \"j/two\"\nreward = { grant = \"bonus\", points = 20 }\n");
        let world = world(&t, 2).await.file(&t, "rewards/bonus.toml", BONUS).await;
        let world = campaign(world, &t, "two", &text).await;
        world.launch("two").await;
        world.buy([1, 2]).await;
        world.run().await;
        world.later("14d");
        world.run().await;
        world.run().await;
        assert_eq!(world.ledger().await.account(1, "bonus").await, [0, 30, 0, 0, 0]);
    });
}
