//! What happens to those who are inside.

use super::{TWO, campaign, pairs, world};
use crate::support::on_both;
use crate::world::people;
use dangol::campaign::launch::Inside;
use dangol::import::Kind;
use dangol::report;

#[test]
fn steps_wait_and_a_guard_skips_one_while_the_next_one_comes() {
    on_both(async |t| {
        let text = "holdout = \"0%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nid = \"one\"\nwait = \"1d\"\nsend = \"j/one\"\n\
                    [[step]]\nid = \"two\"\nwait = \"1mo\"\nwhen = \"count('order') >= 2\"\nsend = \"j/two\"\n\
                    [[step]]\nid = \"three\"\nwait = \"1h\"\nsend = \"j/three\"\n";
        let world = campaign(world(&t, 2).await, &t, "three", text).await;
        world.launch("three").await;
        world.later("28d"); // to 30 March
        world.buy([1, 2]).await;
        world.run().await;
        world.later("23h");
        world.run().await;
        assert!(world.got().is_empty());
        world.later("1h");
        world.run().await; // 31 March
        assert_eq!(world.got().len(), 2);
        world.buy([2]).await;
        world.later("29d");
        world.run().await;
        assert_eq!(world.got().len(), 2, "a month later is 30 April");
        world.later("1d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader2 one", "reader2 two"]);
        world.later("1h");
        world.run().await;
        assert_eq!(world.lines(1).await, ["one accepted", "two skipped when", "three accepted"]);
        assert_eq!(world.lines(2).await, ["one accepted", "two accepted", "three accepted"]);
        assert_eq!(world.passes("three").await, pairs(&[("done", 2)]));
        let report = world.report("three").await;
        assert_eq!((report.steps["two"]["accepted"], report.steps["two"]["skipped"]), (1, 1));
        let settings = world.app.settings();
        let why = report::why::why(&world.app.db, &settings, 1, None, world.now()).await.unwrap();
        let steps: Vec<&str> = why.messages.iter().rev().map(|message| message.step.as_str()).collect();
        assert_eq!(steps, ["one", "two", "three"]);
    });
}

#[test]
fn a_step_waits_for_the_mail_before_it() {
    on_both(async |t| {
        let world = world(&t, 1).await;
        let relay = world.relay();
        let quiet = "[limits]\nquiet = \"11:00-23:00\"\ncap = \"off\"\n";
        let world = world.with_settings(&t, &relay, quiet).await;
        let world = campaign(world, &t, "two", &TWO.replace("14d", "2h")).await;
        world.launch("two").await;
        world.buy([1]).await;
        world.run().await; // noon: put off until eleven at night
        world.later("10h");
        world.run().await;
        assert_eq!(world.lines(1).await, ["one deferred quiet hours"]);
        world.later("1h");
        world.run().await;
        // the second looks again within an hour
        assert_eq!(world.lines(1).await[0], "one accepted");
        world.later("1h");
        world.run().await;
        assert_eq!(world.lines(1).await, ["one accepted", "two accepted"]);
    });
}

#[test]
fn whoever_reaches_the_goal_leaves() {
    on_both(async |t| {
        let text = format!(
            "[goal]\nevent = \"visit\"\nwithin = \"30d\"\nexit = true\n{}",
            TWO.replace("holdout = \"0%\"\n", "")
        );
        let world = campaign(world(&t, 2).await, &t, "two", &format!("holdout = \"0%\"\n{text}")).await;
        world.launch("two").await;
        world.buy([1, 2]).await;
        world.run().await;
        world.later("1d");
        let visit = format!("{{\"customer\":\"c2\",\"kind\":\"visit\",\"at\":\"{}\",\"key\":\"v\"}}\n", world.now());
        world.import(Kind::Events, &visit, None).await;
        world.later("13d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 two", "reader2 one"]);
        assert_eq!(world.passes("two").await, pairs(&[("done", 1), ("exited", 1)]));
    });
}

#[test]
fn a_step_without_a_mail_only_grants() {
    on_both(async |t| {
        let text = "holdout = \"0%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nid = \"gift\"\nreward = { grant = \"petals\", points = 70 }\n\
                    [[step]]\nid = \"tell\"\nsend = \"j/one\"\n";
        let world = campaign(world(&t, 2).await, &t, "gift", text).await;
        world.launch("gift").await;
        world.buy([1]).await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 one"]);
        assert_eq!(world.lines(1).await, ["gift skipped granted", "tell accepted"]);
        // what the order earned is pending: 120
        assert_eq!(world.ledger().await.account(1, "petals").await, [120, 70, 0, 0, 0]);
    });
}

#[test]
fn a_template_that_fails_takes_the_grant_back_and_a_mended_one_grants_anew() {
    on_both(async |t| {
        let broken = "---\nsubject = \"hi\"\n---\n{{customer.attr.garden}} {{grant.points}}\n";
        let world = world(&t, 2).await.file(&t, "templates/j/gift.txt", broken).await;
        let text = "holdout = \"0%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nid = \"gift\"\nsend = \"j/gift\"\n\
                    reward = { grant = \"petals\", points = 70 }\n[[step]]\nid = \"tell\"\nwait = \"1d\"\nsend = \"j/one\"\n";
        let world = campaign(world, &t, "gift", text).await;
        world.launch("gift").await;
        world.buy([1]).await;
        world.run().await;
        assert!(world.lines(1).await[0].starts_with("gift skipped render"), "{:?}", world.lines(1).await);
        assert_eq!(world.ledger().await.account(1, "petals").await, [120, 0, 0, 0, 70]);
        let world = world.file(&t, "templates/j/gift.txt", "---\nsubject = \"hi\"\n---\n{{grant.points}}\n").await;
        let launched = world.try_launch("gift", Inside::Move).await.unwrap();
        assert_eq!(launched.moved, 2, "one pass, one mail");
        world.run().await;
        assert_eq!(world.got(), ["reader1 hi"]);
        assert_eq!(world.ledger().await.account(1, "petals").await, [120, 70, 0, 0, 70]);
        world.try_launch("gift", Inside::Move).await.unwrap();
        world.later("1d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 hi", "reader1 one"]);
        assert_eq!(world.ledger().await.account(1, "petals").await, [120, 70, 0, 0, 70]);
    });
}

#[test]
fn several_steps_on_a_schedule_come_on_each_readers_own_clock_and_it_is_finished_at_the_end() {
    on_both(async |t| {
        let text = "[audience]\nsegment = \"subscribers\"\n[schedule]\nat = 2027-03-03T09:30:00\n\
                    [[step]]\nid = \"one\"\nsend = \"j/one\"\n[[step]]\nid = \"two\"\nwait = \"2d\"\nsend = \"j/two\"\n";
        let world = campaign(world(&t, 0).await, &t, "course", text).await;
        let csv = "external_id,email,timezone\nc1,seoul@example.com,Asia/Seoul\nc2,london@example.com,Europe/London\n\
                   c3,nowhere@example.com,\nc4,seoul@example.com,Asia/Seoul\n";
        world.customers(csv).await;
        world.launch("course").await;
        world.clock.set("2027-03-03T00:29:00Z".parse().unwrap());
        world.run().await;
        assert!(world.got().is_empty());
        world.later("1m"); // 9:30 in Seoul
        world.run().await;
        assert_eq!(world.got(), ["nowhere one", "seoul one"]);
        world.later("9h");
        world.run().await;
        assert_eq!(world.got(), ["london one", "nowhere one", "seoul one"]);
        assert_eq!(world.state("course").await, "running");
        world.later("39h");
        world.run().await;
        assert_eq!(world.got().len(), 5);
        world.later("9h");
        world.run().await;
        assert_eq!(world.got().len(), 6);
        assert_eq!(world.state("course").await, "finished");
        let report = world.report("course").await;
        assert_eq!((report.assigned.treated, report.assigned.holdout), (3, 0));
        assert_eq!(report.skipped.into_iter().collect::<Vec<_>>(), pairs(&[("same address", 1)]));
        assert_eq!(world.sink.inbox.counts().deliveries, 6);
    });
}

#[test]
fn whoever_is_erased_while_inside_is_out_of_it_and_their_grant_is_taken_back() {
    on_both(async |t| {
        let world = world(&t, 0).await;
        world.customers(&people(2)).await;
        let text = format!("{TWO}reward = {{ grant = \"petals\", points = 70 }}\n").replace("wait = \"14d\"\n", "");
        let relay = world.relay();
        let world = world.with_settings(&t, &relay, "[limits]\nquiet = \"11:00-23:00\"\ncap = \"off\"\n").await;
        let world = campaign(
            world,
            &t,
            "two",
            &text.replace("id = \"one\"\n", "id = \"one\"\nreward = { grant = \"petals\", points = 50 }\n"),
        )
        .await;
        world.launch("two").await;
        world.buy([1, 2]).await;
        world.run().await;
        assert_eq!(world.ledger().await.account(1, "petals").await, [170, 0, 0, 0, 0]);
        let key = dangol::customer::ErasureKey::new(world.app.secret.erasure_key());
        let mut tx = world.app.db.begin().await.unwrap();
        dangol::customer::erase(&mut tx, 1, &key, "test", world.now()).await.unwrap();
        tx.commit().await.unwrap();
        world.later("12h");
        world.run().await;
        // the other one's pass has gone on or not yet: that is not what this is about
        assert!(world.passes("two").await.contains(&("exited".to_owned(), 1)));
        assert_eq!(world.lines(1).await, ["one skipped erased"]);
        let account = world.ledger().await.account(1, "petals").await;
        assert_eq!((account[1], account[4]), (0, 50), "{account:?}");
        assert!(world.got().iter().all(|mail| mail.starts_with("reader2 ")), "{:?}", world.got());
    });
}
