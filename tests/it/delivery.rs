//! Who gets a mail, who does not and why, and that nobody gets two.

mod conversation;
mod faults;
mod mending;
mod office;
mod pace;
mod server;
mod settings;
mod storms;
mod tls;
mod turns;

use crate::support::on_both;
use crate::world::{World, people, take};
use dangol::campaign::control::{Action, control};
use dangol::campaign::launch::Inside;
use dangol::catcher::Reply;
use dangol::db::Query;
use dangol::deliver::node::Node;
use dangol::deliver::queue;
use dangol::import::Kind;
use dangol::permission::{self, NewSuppression};
use dangol::types::Email;
use dangol::{args, campaign, report};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn everyone_gets_one_mail_and_the_report_counts_what_the_server_counted() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(120)).await;
        world.launch("spring").await;
        world.run().await;
        let counts = world.sink.inbox.counts();
        assert_eq!((counts.deliveries, counts.twice), (120, 0));
        let report = world.report("spring").await;
        assert_eq!((report.assigned.treated, report.messages["accepted"]), (120, 120));
        // again: nothing is due, and nobody gets a second one
        world.launch("spring").await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 120);
    });
}

#[test]
fn two_customers_with_one_address_get_one_mail() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers("external_id,email\na,Same@example.com\nb,same@EXAMPLE.com\nc,other@example.com\nd,\n").await;
        world.launch("spring").await;
        world.run().await;
        let expected = [("other@example.com".to_owned(), 1), ("same@example.com".to_owned(), 1)];
        assert_eq!(world.received(), expected);
        let report = world.report("spring").await;
        assert_eq!(report.skipped.get("same address"), Some(&1));
        assert_eq!(report.skipped.get("no address"), Some(&1));
    });
}

#[test]
fn permission_is_judged_again_when_the_mail_is_due() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(5)).await;
        world.launch("spring").await;
        let settings = world.app.settings();
        campaign::enrol::tick(&world.app.db, &world.app.cache, &settings, 10, world.now()).await.unwrap();
        assert_eq!(world.count("spring", "queued").await, 5);
        // between the queue and the sending: one withdraws, one is suppressed, one asks for a pause
        let mut tx = world.app.db.begin().await.unwrap();
        permission::withdraw(&mut tx, 1, &["newsletter"], "test", world.now(), world.now()).await.unwrap();
        let new = NewSuppression {
            address: "reader2@example.com".into(),
            reason: "complaint".into(),
            source: "test".into(),
            message: None,
            batch: None,
            until: None,
            note: None,
        };
        permission::suppress(&mut tx, &new, "test", world.now()).await.unwrap();
        tx.execute("UPDATE customer SET paused_until = ? WHERE id = 3", args![world.now().as_millisecond() + 1_000])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        world.run().await;
        let got: Vec<String> = world.received().into_iter().map(|(address, _)| address).collect();
        assert_eq!(got, ["reader4@example.com", "reader5@example.com"]);
        let skipped = world.report("spring").await.skipped;
        let reasons: Vec<&str> = skipped.keys().map(String::as_str).collect();
        assert_eq!(reasons, ["no consent", "paused", "suppressed"]);
        // and why says so
        let why = report::why::why(&world.app.db, &settings, 1, None, world.now()).await.unwrap();
        assert_eq!(why.messages[0].reason.as_deref(), Some("no consent"));
    });
}

#[test]
fn quiet_hours_are_on_the_readers_own_clock_and_put_off() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let relay = world.relay();
        let world = world.with_settings(&t, &relay, "[limits]\nquiet = \"11:00-14:00\"\ncap = \"off\"\n").await;
        let csv = "external_id,email,timezone\na,seoul@example.com,Asia/Seoul\nb,london@example.com,Europe/London\n";
        world.customers(csv).await;
        world.launch("spring").await;
        world.run().await; // noon in Seoul, three in the morning in London
        assert_eq!(world.received(), [("london@example.com".to_owned(), 1)]);
        assert_eq!(world.count("spring", "deferred").await, 1);
        world.later("119m");
        world.run().await;
        assert_eq!(world.received().len(), 1, "13:59 in Seoul is quiet");
        world.later("1m");
        world.run().await;
        assert_eq!(world.received().len(), 2);
    });
}

#[test]
fn a_cap_puts_off_until_there_is_room_and_counts_all_campaigns() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let relay = world.relay();
        let world =
            world.with_settings(&t, &relay, "[limits]\ncap = \"1 per 2d\"\n[delivery]\nexpires = \"7d\"\n").await;
        let second = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let world = world.file(&t, "campaigns/second.toml", &second).await;
        world.customers(&people(3)).await;
        world.launch("spring").await;
        world.run().await;
        world.later("1h");
        world.launch("second").await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 3);
        assert_eq!(world.count("second", "deferred").await, 3);
        world.later("47h");
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 6);
    });
}

#[test]
fn a_refusal_is_that_readers_and_a_full_mailbox_is_tried_again() {
    on_both(|t| async move {
        let full = Arc::new(AtomicBool::new(true));
        let mailbox = full.clone();
        let verdict = move |address: &Email| match address.local() {
            "reader1" => Some(Reply::new(550, "5.1.1", "no such user")),
            "reader2" if mailbox.load(Ordering::SeqCst) => Some(Reply::new(452, "4.2.2", "mailbox full")),
            _ => None,
        };
        let world = World::new(&t, verdict).await;
        world.customers(&people(4)).await;
        world.launch("spring").await;
        world.run().await;
        let messages = world.report("spring").await.messages;
        assert_eq!((messages["accepted"], messages["refused"], messages["deferred"]), (2, 1, 1));
        full.store(false, Ordering::SeqCst);
        world.run().await;
        assert_eq!(world.count("spring", "deferred").await, 1, "its minute has not passed");
        world.later("1m");
        world.run().await;
        let messages = world.report("spring").await.messages;
        assert_eq!((messages["accepted"], messages["refused"], messages["deferred"]), (3, 1, 0));
        assert_eq!(world.sink.inbox.counts().twice, 0);
    });
}

#[test]
fn what_stays_refused_for_now_ends_when_its_time_has_passed() {
    on_both(|t| async move {
        let world = World::new(&t, |_: &Email| Some(Reply::new(451, "4.3.0", "later"))).await;
        world.customers(&people(1)).await;
        world.launch("spring").await;
        for _ in 0..30 {
            world.run().await;
            world.later("4h");
        }
        let report = world.report("spring").await;
        assert_eq!((report.messages["skipped"], report.skipped.get("expired")), (1, Some(&1)));
        assert_eq!(world.sink.inbox.counts().deliveries, 0);
    });
}

const PICKY: &str = "---\nsubject = \"Hello\"\n---\n<p>Dear {{customer.first_name}}</p>\n";

#[test]
fn a_mail_that_cannot_be_made_for_one_skips_that_one_and_says_why() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let world = world.file(&t, "templates/letters/picky.html", PICKY).await;
        let toml = "topic = \"newsletter\"\nsender = \"hello\"\nsend = \"letters/picky\"\n[audience]\nsegment = \"subscribers\"\n";
        let world = world.file(&t, "campaigns/picky.toml", toml).await;
        world.customers("external_id,email,first_name\na,a@example.com,민지\nb,b@example.com,\n").await;
        world.launch("picky").await;
        world.run().await;
        assert_eq!(world.received(), [("a@example.com".to_owned(), 1)]);
        let why = report::why::why(&world.app.db, &world.app.settings(), 2, None, world.now()).await.unwrap();
        let reason = why.messages[0].reason.clone().unwrap();
        assert!(reason.starts_with("render:") && reason.contains("customer.first_name"), "{reason}");
    });
}

#[test]
fn a_template_that_fails_for_many_holds_the_campaign_until_it_is_mended() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let world = world.file(&t, "templates/letters/picky.html", PICKY).await;
        let toml = "topic = \"newsletter\"\nsender = \"hello\"\nsend = \"letters/picky\"\n[audience]\nsegment = \"subscribers\"\n";
        let world = world.file(&t, "campaigns/picky.toml", toml).await;
        world.customers(&people(60)).await; // none of them has a first name
        world.launch("picky").await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 0);
        let status = report::status::status(&world.app.db, &world.app.settings(), world.now()).await.unwrap();
        let held = status.campaigns[0].held.clone().unwrap();
        assert!(held.contains("template") && held.contains("60"), "{held}");
        let mended = PICKY.replace("{{customer.first_name}}", "{{default customer.first_name \"friend\"}}");
        let world = world.file(&t, "templates/letters/picky.html", &mended).await;
        let launched = world.try_launch("picky", Inside::Move).await.unwrap();
        assert_eq!((launched.revision, launched.moved), (2, 60));
        world.run().await;
        assert_eq!((world.sink.inbox.counts().deliveries, world.sink.inbox.counts().twice), (60, 0));
    });
}

#[test]
fn pause_holds_resume_goes_on_and_cancel_is_for_good() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(10)).await;
        world.launch("spring").await;
        let db = &world.app.db;
        control(db, Some("spring"), Action::Pause, world.now()).await.unwrap();
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 0);
        control(db, Some("spring"), Action::Resume, world.now()).await.unwrap();
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 10);
        control(db, None, Action::Cancel, world.now()).await.unwrap();
        let wrong = control(db, Some("spring"), Action::Resume, world.now()).await.unwrap_err().to_string();
        assert!(wrong.contains("for good"), "{wrong}");
        let wrong = control(db, Some("sprin"), Action::Pause, world.now()).await.unwrap_err().to_string();
        assert!(wrong.contains("did you mean `spring`"), "{wrong}");
    });
}

#[test]
fn a_campaign_cancelled_half_way_leaves_the_rest_unsent() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(10)).await;
        world.launch("spring").await;
        let settings = world.app.settings();
        campaign::enrol::tick(&world.app.db, &world.app.cache, &settings, 10, world.now()).await.unwrap();
        let done = control(&world.app.db, Some("spring"), Action::Cancel, world.now()).await.unwrap();
        assert_eq!((done[0].state.as_str(), done[0].cancelled), ("cancelled", 10));
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 0);
        assert!(world.try_launch("spring", Inside::Stay).await.is_err());
    });
}

#[test]
fn a_time_without_an_offset_is_each_readers_own() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let toml = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let toml = toml.replace("at    = \"now\"", "at    = 2027-03-03T09:30:00");
        let world = world.file(&t, "campaigns/spring.toml", &toml).await;
        let csv = "external_id,email,timezone\na,seoul@example.com,Asia/Seoul\nb,paris@example.com,Europe/Paris\nc,none@example.com,\n";
        world.customers(csv).await;
        let launched = world.launch("spring").await;
        assert_eq!(launched.begins.to_string(), "2027-03-02T19:30:00Z");
        world.run().await;
        assert!(world.received().is_empty());
        let at = |text: &str| world.clock.set(text.parse().unwrap());
        at("2027-03-03T00:29:59Z");
        world.run().await;
        assert!(world.received().is_empty());
        at("2027-03-03T00:30:00Z"); // 9:30 in Seoul, the site's zone too
        world.run().await;
        let got: Vec<String> = world.received().into_iter().map(|(address, _)| address).collect();
        assert_eq!(got, ["none@example.com", "seoul@example.com"]);
        at("2027-03-03T08:30:00Z"); // 9:30 in Paris
        world.run().await;
        assert_eq!(world.received().len(), 3);
    });
}

#[test]
fn a_schedule_found_too_late_asks_first() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let toml = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let toml = toml.replace("at    = \"now\"", "at    = 2027-03-02T13:00:00+09:00");
        let world = world.file(&t, "campaigns/spring.toml", &toml).await;
        world.customers(&people(2)).await;
        world.launch("spring").await;
        world.later("8h"); // the process was down all the while
        world.run().await;
        assert!(world.received().is_empty());
        let status = report::status::status(&world.app.db, &world.app.settings(), world.now()).await.unwrap();
        assert!(status.campaigns[0].held.as_ref().unwrap().contains("too late"));
        control(&world.app.db, Some("spring"), Action::Resume, world.now()).await.unwrap();
        world.run().await;
        assert_eq!(world.received().len(), 2);
    });
}

#[test]
fn a_relay_that_cannot_be_reached_loses_nothing() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let relay = world.relay();
        // a port that was free a moment ago
        let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let world = world.with_settings(&t, &format!("smtp://{dead}"), "").await;
        world.customers(&people(20)).await;
        world.launch("spring").await;
        let wrong = world.try_run().await.unwrap_err();
        assert!(wrong.contains("primary") && wrong.contains("cannot connect"), "{wrong}");
        assert_eq!(world.count("spring", "queued").await, 20);
        let world = world.with_settings(&t, &relay, "").await;
        world.run().await;
        let counts = world.sink.inbox.counts();
        assert_eq!((counts.deliveries, counts.twice), (20, 0));
    });
}

#[test]
fn what_a_dead_process_was_sending_is_unknown_and_service_mail_goes_again() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let letter = "topic = \"account\"\nsender = \"hello\"\nsend = \"letters/spring\"\n[audience]\nsegment = \"subscribers\"\n";
        let world = world.file(&t, "campaigns/receipt.toml", letter).await;
        world.customers(&people(3)).await;
        world.launch("spring").await;
        world.launch("receipt").await;
        let settings = world.app.settings();
        let app = &world.app;
        campaign::enrol::tick(&app.db, &app.cache, &settings, 10, world.now()).await.unwrap();
        // a process claims all, gets as far as MAIL with one of each, and dies without a word
        let dead = 9_999;
        let sql = "INSERT INTO node (id, name, started_at) VALUES (?, 'dead', 0)";
        app.db.execute(sql, args![dead]).await.unwrap();
        let claimed = queue::claim(&app.db, dead, 100, world.now()).await.unwrap();
        assert_eq!(claimed.len(), 6);
        let mut tx = app.db.begin().await.unwrap();
        let sql = "UPDATE message SET state = 'transmitting', sent_at = ? WHERE customer_id = 1";
        assert_eq!(tx.execute(sql, args![world.now()]).await.unwrap(), 2);
        tx.commit().await.unwrap();
        world.run().await;
        assert_eq!(world.count("spring", "unknown").await, 1);
        assert_eq!(world.count("spring", "accepted").await, 2);
        assert_eq!(
            world.count("receipt", "accepted").await,
            3,
            "service mail is sent again, under the same Message-ID"
        );
        let mut db = &app.db;
        let (open,): (i64,) =
            Query::one(&mut db, "SELECT count(*) FROM message WHERE state IN ('claimed', 'transmitting')", args![])
                .await
                .unwrap();
        assert_eq!(open, 0);
    });
}

#[test]
fn one_process_sends_from_an_sqlite_file() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let first = Node::start(&world.app.db, &world.app.location, world.now()).await.unwrap();
        let second = Node::start(&world.app.db, &world.app.location, world.now()).await;
        match world.app.location {
            dangol::db::location::Location::Sqlite(_) => {
                assert!(second.unwrap_err().to_string().contains("another dangol is sending"));
            }
            dangol::db::location::Location::Postgres(_) => {
                let second = second.unwrap();
                assert_ne!(first.id, second.id);
                // a live node is not robbed
                assert_eq!(second.recover(&world.app.db, world.now()).await.unwrap(), Default::default());
            }
        }
    });
}

#[test]
fn a_holdout_gets_nothing_and_is_the_share_that_was_asked_for() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let toml = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let toml = toml.replace("topic   =", "holdout = \"25%\"\ntopic   =");
        let world = world.file(&t, "campaigns/spring.toml", &toml).await;
        world.customers(&people(400)).await;
        world.launch("spring").await;
        world.run().await;
        let report = world.report("spring").await;
        let held = report.assigned.holdout;
        assert_eq!(report.assigned.treated + held, 400);
        // five standard deviations of a binomial
        assert!((held - 100).abs() < 44, "{held}");
        assert_eq!(world.sink.inbox.counts().deliveries, u64::try_from(report.assigned.treated).unwrap());
        assert_eq!(report.skipped.get("holdout"), Some(&held));
    });
}

#[test]
fn names_in_every_script_arrive_and_no_name_becomes_a_header() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let csv = "external_id,email,name,locale\n\
            a,홍길동@예시.한국,홍길동,ko\n\
            b,b@example.com,مرحبا بالعالم,en\n\
            c,c@example.com,\"Eve\r\nBcc: victim@example.com\",en\n\
            d,d@bücher.example,🌱 Grün,de\n";
        let report = world.import(Kind::Customers, csv, Some(("newsletter".into(), "test".into()))).await;
        let rejected = i64::try_from(report.rejected).unwrap();
        world.launch("spring").await;
        world.run().await;
        assert_eq!(world.count("spring", "accepted").await + rejected, 4);
        let (mails, _) = world.sink.inbox.search("", 0, 10);
        for mail in &mails {
            let raw = String::from_utf8_lossy(&mail.raw);
            let head = raw.split("\r\n\r\n").next().unwrap();
            assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
            assert!(head.lines().all(|line| line.len() <= 998));
        }
        assert!(world.received().iter().any(|(address, _)| address == "홍길동@xn--vv4b11d.xn--3e0b707e"));
        assert!(world.received().iter().any(|(address, _)| address == "d@xn--bcher-kva.example"));
    });
}

#[test]
fn whoever_is_erased_with_mail_queued_gets_none_and_the_others_theirs() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(5)).await;
        world.launch("spring").await;
        let settings = world.app.settings();
        let app = &world.app;
        campaign::enrol::tick(&app.db, &app.cache, &settings, 10, world.now()).await.unwrap();
        let key = dangol::customer::ErasureKey::new(app.secret.erasure_key());
        let mut tx = app.db.begin().await.unwrap();
        assert!(dangol::customer::erase(&mut tx, 2, &key, "test", world.now()).await.unwrap());
        tx.commit().await.unwrap();
        world.run().await;
        let got: Vec<String> = world.received().into_iter().map(|(address, _)| address).collect();
        assert_eq!(got.len(), 4);
        assert!(!got.contains(&"reader2@example.com".to_owned()));
        assert_eq!(world.report("spring").await.skipped.get("erased"), Some(&1));
    });
}

#[test]
fn what_comes_back_of_a_cancelled_campaign_goes_no_more() {
    on_both(|t| async move {
        let full = Arc::new(AtomicBool::new(true));
        let mailbox = full.clone();
        let verdict = move |_: &Email| mailbox.load(Ordering::SeqCst).then(|| Reply::new(452, "4.2.2", "mailbox full"));
        let world = World::new(&t, verdict).await;
        world.customers(&people(3)).await;
        world.launch("spring").await;
        world.run().await;
        assert_eq!(world.count("spring", "deferred").await, 3);
        // as if the answers had come after the cancel: rows are deferred in a campaign that has ended
        control(&world.app.db, Some("spring"), Action::Cancel, world.now()).await.unwrap();
        world.app.db.execute("UPDATE message SET state = 'deferred', reason = NULL", args![]).await.unwrap();
        full.store(false, Ordering::SeqCst);
        world.later("2h");
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 0);
        assert_eq!(world.report("spring").await.skipped.get("cancelled"), Some(&3));
    });
}

#[test]
fn a_relays_daily_quota_is_kept_and_the_rest_goes_tomorrow() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let relay = world.relay();
        let toml = crate::world::settings(&relay, "").replace("rate = \"5000/s\"", "rate = \"5000/s\"\ndaily = 4");
        // one connection, so that the quota is met to the mail
        let toml = toml.replace("connections = 4", "connections = 1");
        let world = world.file(&t, "dangol.toml", &toml).await;
        world.customers(&people(6)).await;
        world.launch("spring").await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 4);
        // one that was claimed before the day's last had gone is put off, the others were never touched
        assert_eq!(world.count("spring", "queued").await + world.count("spring", "deferred").await, 2);
        world.later("24h");
        world.run().await;
        assert_eq!((world.sink.inbox.counts().deliveries, world.sink.inbox.counts().twice), (6, 0));
    });
}

#[test]
fn a_topic_that_is_gone_holds_the_campaign_and_loses_no_mail() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(3)).await;
        world.launch("spring").await;
        let settings = world.app.settings();
        campaign::enrol::tick(&world.app.db, &world.app.cache, &settings, 10, world.now()).await.unwrap();
        let relay = world.relay();
        let renamed = crate::world::settings(&relay, "").replace("[topic.newsletter]", "[topic.letters]");
        let world = world.file(&t, "dangol.toml", &renamed).await;
        world.run().await;
        assert_eq!(world.count("spring", "queued").await, 3);
        let status = report::status::status(&world.app.db, &world.app.settings(), world.now()).await.unwrap();
        assert!(status.campaigns[0].held.as_ref().unwrap().contains("newsletter"), "{status:?}");
        let world = world.file(&t, "dangol.toml", &crate::world::settings(&relay, "")).await;
        control(&world.app.db, Some("spring"), Action::Resume, world.now()).await.unwrap();
        world.run().await;
        assert_eq!(world.sink.inbox.counts().deliveries, 3);
    });
}

#[test]
fn a_plan_tells_the_readers_own_times() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let toml = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let toml = toml.replace("at    = \"now\"", "at    = 2027-03-03T09:30:00");
        let world = world.file(&t, "campaigns/spring.toml", &toml).await;
        world.customers("external_id,email,timezone\na,a@example.com,Asia/Seoul\nb,b@example.com,Europe/Paris\n").await;
        let settings = world.app.settings();
        let content = campaign::content::Content::of(&world.app.workspace, "spring").unwrap();
        let live = campaign::Live::compile("spring", &content, &settings).unwrap();
        let plan = campaign::plan::plan(&world.app.db, &settings, &live, "", world.now()).await.unwrap();
        assert_eq!(plan.first_at.unwrap().to_string(), "2027-03-03T00:30:00Z");
        assert!(plan.last_at.unwrap().to_string().starts_with("2027-03-03T08:30:00"));
        assert_eq!((plan.mails, plan.change.as_str()), (2, "new"));
    });
}
