//! A relay that is down, refuses the login or refuses us: told in plain words, nothing lost, and the campaign goes on by
//! itself when it is mended.

use super::office::{Office, relay, relay_settings, until};
use super::server::{At, Can, Does, Server};
use crate::support::on_both;
use crate::world::{World, people, take};
use dangol::deliver::relay::Relay;
use dangol::engine::{Roles, Running};
use dangol::report::status::{Status, status};
use std::collections::HashSet;
use std::sync::Arc;

async fn told(world: &World) -> Status {
    status(&world.app.db, &world.app.settings(), world.now()).await.unwrap()
}

async fn trouble(world: &World) -> Option<String> {
    told(world).await.relays[0].trouble.clone()
}

/// Each recipient once, and so many.
fn all_once(server: &Server, n: usize) {
    let taken = server.taken();
    let people: HashSet<&String> = taken.iter().map(|(to, _)| to).collect();
    assert_eq!((taken.len(), people.len()), (n, n));
}

#[test]
fn a_relay_that_is_down_at_launch_is_told_of_and_when_it_comes_up_all_mail_arrives_once() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(20)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let gone = Server::start(Can::default()).await;
        let (address, to) = (gone.address, relay(&gone, "connections = 3"));
        drop(gone);
        until("the port is free", async || tokio::net::TcpStream::connect(address).await.is_err()).await;
        let senders = office.send(vec![(to, vec![])], &[]);
        let wrong = senders.until_idle().await.unwrap_err();
        assert!(wrong.contains("primary") && wrong.contains("cannot connect"), "{wrong}");
        until("status tells", async || trouble(&world).await.is_some_and(|why| why.contains("cannot connect"))).await;
        assert_eq!(world.report("spring").await.messages["accepted"], 0);
        let server = Server::on(address, Can::default()).await;
        until("all have arrived", async || server.taken().len() == 20).await;
        until("status is content", async || trouble(&world).await.is_none()).await;
        senders.until_idle().await.unwrap();
        senders.stop().await;
        all_once(&server, 20);
        assert_eq!(world.count("spring", "accepted").await, 20);
    });
}

#[test]
fn a_refused_login_is_told_of_in_the_servers_words_and_goes_on_when_mended() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(10)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can { extensions: vec!["AUTH LOGIN PLAIN"], login: Some(("u", "p")) }).await;
        server.always(Some((At::Auth, Does::Says("535 5.7.8 no such user\r\n"))));
        let mut to = relay(&server, "").server.clone();
        to.login = Some(("u".into(), "p".to_owned().into()));
        let senders = office.send(vec![(Arc::new(Relay::new(&relay_settings(""), to)), vec![])], &[]);
        until("status tells", async || trouble(&world).await.is_some_and(|why| why.contains("535 5.7.8"))).await;
        server.always(None);
        until("all have arrived", async || server.taken().len() == 10).await;
        senders.until_idle().await.unwrap();
        senders.stop().await;
        all_once(&server, 10);
    });
}

#[test]
fn refusals_of_us_hold_the_campaign_back_blame_no_reader_and_mend_themselves() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(30)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        for at in [At::Mail, At::Data] {
            let server = Server::start(Can { extensions: vec!["PIPELINING"], login: None }).await;
            server.always(Some((at, Does::Says("550 5.7.1 this sender is not allowed\r\n"))));
            let senders = office.send(vec![(relay(&server, ""), vec![])], &[]);
            let said = async || told(&world).await.campaigns[0].trouble.clone();
            until("status tells", async || said().await.is_some_and(|why| why.contains("not allowed"))).await;
            let messages = world.report("spring").await.messages;
            assert_eq!((messages["refused"], messages["accepted"]), (0, 0), "{messages:?}");
            assert!(messages["deferred"] < 30, "most were not even tried: {messages:?}");
            server.always(None);
            if at == At::Mail {
                // as if the process ended here, and another began
                senders.stop().await;
                world.later("1m");
                continue;
            }
            // the probe finds it mended
            until("it is mended", async || said().await.is_none()).await;
            world.later("1h");
            senders.wake();
            until("all have arrived", async || server.taken().len() == 30).await;
            senders.until_idle().await.unwrap();
            senders.stop().await;
            all_once(&server, 30);
        }
        assert_eq!(world.count("spring", "accepted").await, 30);
    });
}

#[test]
fn a_relay_that_breaks_under_every_mail_is_left_alone_and_few_mails_suffer() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        world.customers(&people(40)).await;
        world.launch("spring").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let server = Server::start(Can::default()).await;
        server.always(Some((At::Dot, Does::Closes)));
        let senders = office.send(vec![(relay(&server, ""), vec![])], &[]);
        until("status tells", async || trouble(&world).await.is_some_and(|why| why.contains("broke under a mail")))
            .await;
        senders.stop().await;
        assert_eq!(world.count("spring", "unknown").await, 5, "and not all forty");
        assert_eq!(world.count("spring", "queued").await, 35);
    });
}

#[test]
fn a_pinned_mail_waits_for_its_relay_and_others_take_the_other_way() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let spring = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        let settings = crate::world::settings("catch://", "[[relay]]\nname = \"second\"\nurl = \"catch://\"\n");
        let world = world.file(&t, "dangol.toml", &settings).await;
        let pinned = spring.replacen("topic ", "relay = \"second\"\ntopic ", 1);
        assert_ne!(pinned, spring);
        let world = world.file(&t, "campaigns/pinned.toml", &pinned).await;
        world.customers(&people(30)).await;
        world.launch("spring").await;
        world.launch("pinned").await;
        let office = Office::new(&world).await;
        office.enrol().await;
        let (first, second) = (Server::start(Can::default()).await, Server::start(Can::default()).await);
        let ways = [relay(&first, ""), relay(&second, "name = \"second\"")];
        second.always(Some((At::Greeting, Does::SaysAndCloses("421 4.3.2 down\r\n"))));
        let senders = office.send(ways.map(|way| (way, vec![])).to_vec(), &[]);
        until("the others have gone", async || first.taken().len() == 30).await;
        assert_eq!(world.count("pinned", "accepted").await, 0);
        second.always(None);
        until("those that were in hand have gone", async || second.taken().len() >= 8).await;
        senders.stop().await;
        world.later("1h");
        let again = [relay(&first, ""), relay(&second, "name = \"second\"")];
        let senders = office.send(again.map(|way| (way, vec![])).to_vec(), &[]);
        until("all have gone", async || second.taken().len() == 30).await;
        senders.stop().await;
        all_once(&first, 30);
        all_once(&second, 30);
    });
}

#[test]
fn relays_that_are_read_again_take_over_without_a_restart() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let (old, new) = (Server::start(Can::default()).await, Server::start(Can::default()).await);
        let text = |server: &Server| crate::world::settings(&format!("smtp://{}", server.address), "");
        let world = world.file(&t, "dangol.toml", &text(&old)).await;
        world.customers(&people(10)).await;
        world.launch("spring").await;
        let mut running = Running::start(world.app.clone(), Roles::ALL).await.unwrap();
        running.schedule();
        until("the first campaign has gone", async || old.taken().len() == 10).await;
        std::fs::write(world.dir.join("dangol.toml"), text(&new)).unwrap();
        world.app.reload().await.unwrap();
        until("the old connections have closed", async || old.commands().iter().any(|line| line == "QUIT")).await;
        let spring = std::fs::read_to_string(world.dir.join("campaigns/spring.toml")).unwrap();
        std::fs::write(world.dir.join("campaigns/second.toml"), spring).unwrap();
        let content = {
            let files = dangol::config::Workspace::load(&world.dir).0.unwrap();
            dangol::campaign::content::Content::of(&files, "second").unwrap()
        };
        let settings = world.app.settings();
        let live = dangol::campaign::Live::compile("second", &content, &settings).unwrap();
        let stay = dangol::campaign::launch::Inside::Stay;
        dangol::campaign::launch::launch(&world.app.db, "second", &content, &live, &settings, stay, world.now())
            .await
            .unwrap();
        until("the second campaign has gone", async || new.taken().len() == 10).await;
        running.stop().await.unwrap();
        all_once(&old, 10);
        all_once(&new, 10);
    });
}
