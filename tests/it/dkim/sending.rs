//! A campaign of a sender with keys: every mail goes out signed, none goes unsigned, and each has an envelope of its own.

use super::{BOTH, judges, put_keys};
use crate::support::on_both;
use crate::world::{World, people, take};
use dangol::catcher::Verdict;
use dangol::config::model::Settings;
use std::sync::Arc;

/// A world whose sender signs with both keys, with more in `[sender.hello]`.
async fn world(t: &crate::support::TestDb, verdict: impl Verdict, more: &str) -> World {
    let world = World::new(t, verdict).await;
    put_keys(&world.dir);
    sender(world, t, &format!("dkim = {BOTH}\n{more}")).await
}

/// With these lines in `[sender.hello]`.
async fn sender(world: World, t: &crate::support::TestDb, lines: &str) -> World {
    let text = crate::world::settings(&world.relay(), "");
    let from = "from = \"Haru Garden <hello@haru.example>\"";
    world.file(t, "dangol.toml", &text.replace(from, &format!("{from}\n{lines}"))).await
}

fn mails(world: &World) -> Vec<Arc<dangol::catcher::Mail>> {
    world.sink.inbox.search("", 0, 100).0
}

#[test]
fn every_mail_of_a_campaign_is_signed_with_both_keys() {
    on_both(|t| async move {
        let world = world(&t, take, "").await;
        world.customers("external_id,email,name,locale\na,hong@예시.한국,홍길동,ko\nb,ada@example.com,Ada \"the\" Lovelace,en\n").await;
        // the clock of a test stands in the future, and verifiers take no signature from there
        world.clock.set("2025-03-04T03:00:00Z".parse().unwrap());
        world.launch("spring").await;
        world.run().await;
        let raw: Vec<Vec<u8>> = mails(&world).iter().map(|mail| mail.raw.clone()).collect();
        assert_eq!(raw.len(), 2);
        judges::dkimpy(&raw);
        judges::opendkim(&raw);
    });
}

#[test]
fn without_its_key_a_campaign_is_held_and_sends_nothing() {
    on_both(|t| async move {
        let world = world(&t, take, "").await;
        world.customers(&people(5)).await;
        world.launch("spring").await;
        std::fs::remove_file(world.dir.join(".secret/e1.pem")).unwrap();
        // as after a restart
        let world = sender(world, &t, &format!("dkim = {BOTH}")).await;
        world.run().await;
        assert_eq!(world.sink.inbox.counts().mails, 0);
        assert_eq!(world.count("spring", "queued").await, 5);
        let status = dangol::report::status::status(&world.app.db, &world.app.settings(), world.now()).await.unwrap();
        let held = status.campaigns[0].held.clone().unwrap();
        assert!(held.contains("sender `hello` cannot be signed") && held.contains("e1.pem"), "{held}");
        // a reload without the key keeps what was read before, and says why
        let refused = world.app.reload().await.unwrap_err().to_string();
        assert!(refused.contains("there is no key in"), "{refused}");
        std::fs::remove_file(world.dir.join(".secret/d1.pem")).unwrap();
        put_keys(&world.dir);
        world.app.reload().await.unwrap();
        use dangol::campaign::control::{Action, control};
        control(&world.app.db, Some("spring"), Action::Resume, world.now()).await.unwrap();
        world.run().await;
        assert_eq!(world.sink.inbox.counts().mails, 5);
        assert!(mails(&world).iter().all(|mail| mail.raw.starts_with(b"DKIM-Signature: ")));
    });
}

#[test]
fn each_mail_has_an_envelope_of_its_own() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let world = sender(world, &t, "bounce = \"Bounces.Haru.Example\"").await;
        world.customers(&people(20)).await;
        world.launch("spring").await;
        world.run().await;
        let mut messages = Vec::new();
        for mail in mails(&world) {
            let from = mail.envelope.from.clone();
            let (local, domain) = from.rsplit_once('@').unwrap();
            assert!(domain == "bounces.haru.example" && local.starts_with("b+") && local.len() <= 64, "{from}");
            assert!(String::from_utf8_lossy(&mail.raw).contains("From: Haru Garden <hello@haru.example>\r\n"));
            let message = world.app.tokens.parse_bounce(&from).unwrap();
            // servers on the way may change the case
            assert_eq!(world.app.tokens.parse_bounce(&from.to_uppercase()), Some(message));
            assert!(mail.message_id.clone().unwrap().contains(&format!("{message}.")));
            messages.push(message);
        }
        messages.sort_unstable();
        messages.dedup();
        assert_eq!(messages.len(), 20);
    });
}

/// The settings are what the files say.
#[test]
fn one_key_or_a_list_of_them() {
    let text = |dkim: &str| {
        crate::world::settings("catch://", "")
            .replace("<hello@haru.example>\"", &format!("<hello@haru.example>\"\ndkim = {dkim}"))
    };
    for (dkim, n) in [("{ selector = \"d1\", key = \"k\" }", 1), (BOTH, 2), ("[]", 0)] {
        let settings: Settings = toml::from_str(&text(dkim)).unwrap();
        assert_eq!(settings.sender["hello"].dkim.as_ref().unwrap().keys().len(), n);
    }
    assert!(toml::from_str::<Settings>(&text("{ selector = \"d 1\", key = \"k\" }")).is_err());
}
