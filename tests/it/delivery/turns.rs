//! Whose turn it is: campaigns, relays and domains share what there is. Times are given, and nobody waits.

use super::office::relay_settings;
use dangol::config::model::{DomainLimit, Settings};
use dangol::deliver::buffer::{Buffer, Next, Waiting};
use dangol::deliver::relay::Relay;
use dangol::deliver::route::{For, Routes};
use dangol::deliver::server::{Server, Tls};
use dangol::deliver::{Claimed, Content, Outgoing, Policy};
use dangol::permission::Rule;
use dangol::types::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn now() -> Timestamp {
    crate::world::NOON.parse().unwrap()
}

/// A mail of a campaign; campaigns from 100 up are service mail.
fn mail(campaign: i64, id: i64, to: &str) -> Outgoing {
    let claimed = Claimed {
        id,
        token: 1,
        campaign,
        revision: 1,
        occurrence: 1,
        step: "send".into(),
        customer: id,
        address: to.into(),
        topic: if campaign == 2 { "offers".into() } else { "newsletter".into() },
        service: campaign >= 100,
        variant: None,
        attempts: 0,
        due_at: now(),
        expires_at: now(),
        next_at: now(),
        rewarded: false,
    };
    let settings: Settings = toml::from_str(&crate::world::settings("catch://", "")).unwrap();
    let policy = Policy {
        rule: Rule::of("newsletter", &settings, now()).unwrap(),
        cap: "off".parse().unwrap(),
        quiet: "off".parse().unwrap(),
        zone: "Asia/Seoul".parse().unwrap(),
    };
    let from = if campaign == 3 { "vip@haru.example" } else { "hello@haru.example" };
    let bytes = format!("From: Haru <{from}>\r\n\r\nhello\r\n").into_bytes();
    let envelope = "bounce@haru.example".parse().unwrap();
    Outgoing {
        claimed: claimed.into(),
        policy: policy.into(),
        from: envelope,
        to: to.parse().unwrap(),
        content: Content::new(bytes),
        relay: None,
    }
}

fn relays(settings: &[&str], only: &[Vec<For>]) -> Routes {
    let relays = settings.iter().enumerate().map(|(i, more)| {
        let settings = relay_settings(&format!("name = \"r{i}\"\n{more}"));
        let relay = Arc::new(Relay::new(&settings, Server::new("127.0.0.1", 1, Tls::None)));
        (relay, only.get(i).cloned().unwrap_or_default())
    });
    Routes::new(relays.collect())
}

fn buffer(routes: Routes, limits: &[DomainLimit], mails: impl IntoIterator<Item = Outgoing>) -> Buffer {
    let mut buffer = Buffer::default();
    buffer.set(routes, limits);
    for mail in mails {
        buffer.admit(&mail.claimed.address, false, now()).unwrap();
        assert!(buffer.take_in(mail, false, now()).is_ok());
    }
    buffer
}

fn next(buffer: &mut Buffer, relay: usize, at: Instant) -> Option<Waiting> {
    match buffer.next(relay, at) {
        Next::Mail(waiting) => Some(waiting),
        Next::Later(_) | Next::Nothing => None,
    }
}

fn campaigns(buffer: &mut Buffer, n: usize) -> Vec<i64> {
    let start = Instant::now();
    (0..n).filter_map(|_| next(buffer, 0, start)).map(|waiting| waiting.mail.claimed.campaign).collect()
}

fn limit(text: &str) -> DomainLimit {
    toml::from_str(text).unwrap()
}

#[test]
fn a_small_campaign_is_not_stuck_behind_a_large_one_and_service_mail_goes_first() {
    let large = (0..400).map(|i| mail(1, i, "a@example.com"));
    let small = (400..403).map(|i| mail(4, i, "a@example.com"));
    let service = (500..502).map(|i| mail(100, i, "a@example.com"));
    let mut buffer = buffer(relays(&[""], &[]), &[], large.chain(small).chain(service));
    assert_eq!(campaigns(&mut buffer, 9), [100, 100, 1, 4, 1, 4, 1, 4, 1]);
    assert_eq!(buffer.len(), 396);
}

#[test]
fn of_one_campaign_the_first_comes_first_and_what_is_put_back_comes_next() {
    let mut buffer = buffer(relays(&[""], &[]), &[], (1..4).map(|i| mail(1, i, "a@example.com")));
    let start = Instant::now();
    let first = next(&mut buffer, 0, start).unwrap();
    assert_eq!(first.mail.claimed.id, 1);
    buffer.put_back(first);
    let ids: Vec<i64> = (0..3).map(|_| next(&mut buffer, 0, start).unwrap().mail.claimed.id).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn a_domains_rate_and_connections_hold_its_own_mail_and_no_other() {
    let slow = limit("name = \"느린.한국\"\nrate = \"2/s\"\nconnections = 2");
    let mails = (0..6).map(|i| mail(1, i, "a@느린.한국")).chain([mail(1, 9, "b@fast.example")]);
    let mut buffer = buffer(relays(&[""], &[]), &[slow], mails);
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let first = next(&mut buffer, 0, at(0)).unwrap();
    assert_eq!(next(&mut buffer, 0, at(0)).unwrap().mail.claimed.id, 9, "the fast one passes");
    assert!(matches!(buffer.next(0, at(0)), Next::Later(when) if when == at(500)));
    let second = next(&mut buffer, 0, at(500)).unwrap();
    assert!(matches!(buffer.next(0, at(5_000)), Next::Nothing), "two are on their way");
    assert!(buffer.landed(&first), "there is room for another");
    assert_eq!(next(&mut buffer, 0, at(5_000)).unwrap().mail.claimed.id, 2);
    drop(second);
}

#[test]
fn of_a_slow_domains_mail_only_a_little_waits_here() {
    let mut buffer = Buffer::default();
    buffer.set(relays(&[""], &[]), &[limit("name = \"gmail.com\"\nrate = \"1/s\"")]);
    let put_off: Vec<Timestamp> =
        (0..20).filter_map(|_| buffer.admit("a@gmail.com", false, now()).err()).map(|(_, at)| at).collect();
    assert_eq!(put_off.len(), 12);
    assert!(put_off.is_sorted() && put_off[0] > now());
    assert_eq!(buffer.horizon(), put_off[11].checked_add(jiff::SignedDuration::from_secs(1)).ok());
    assert!(buffer.admit("a@example.com", false, now()).is_ok());
}

#[test]
fn relays_take_by_weight_and_the_other_takes_all_when_one_cannot() {
    let mut all = buffer(relays(&["weight = 3", "weight = 1"], &[]), &[], (0..400).map(|i| mail(1, i, "a@b.example")));
    let start = Instant::now();
    let mut taken = [0, 0];
    for _ in 0..200 {
        for relay in [0, 1] {
            taken[relay] += i32::from(next(&mut all, relay, start).is_some());
        }
    }
    assert!((taken[0] - 3 * taken[1]).abs() <= 4, "{taken:?}");
    // one asks for less: the other need not wait for it
    all.routes.relays[1].slow_down();
    let before = all.len();
    for _ in 0..50 {
        assert!(next(&mut all, 0, start).is_some());
    }
    assert_eq!(before - all.len(), 50);
}

#[test]
fn mail_of_a_topic_or_sender_goes_through_the_relays_that_are_for_it_and_waits_for_them() {
    let only = [vec![], vec![For::Topic("offers".into())], vec![For::From("vip@haru.example".into())]];
    let mails = [mail(1, 1, "a@b.example"), mail(2, 2, "a@b.example"), mail(3, 3, "a@b.example")];
    let mut pinned = mail(1, 4, "a@b.example");
    pinned.relay = Some("r2".into());
    let mut buffer = buffer(relays(&["", "", ""], &only), &[], mails.into_iter().chain([pinned]));
    let start = Instant::now();
    let mut ids = |relay| -> Vec<i64> {
        std::iter::from_fn(|| next(&mut buffer, relay, start)).map(|waiting| waiting.mail.claimed.id).collect()
    };
    assert_eq!((ids(0), ids(1), ids(2)), (vec![1], vec![2], vec![3, 4]));
}

#[test]
fn mail_for_a_slow_or_missing_relay_goes_back_and_leaves_room_for_the_rest() {
    let only = [vec![], vec![For::Topic("offers".into())]];
    let mut buffer = Buffer::default();
    buffer.set(relays(&["", "rate = \"1/s\""], &only), &[]);
    let back = (0..20).filter_map(|i| buffer.take_in(mail(2, i, "a@b.example"), false, now()).err()).count();
    assert_eq!(back, 12);
    assert!(buffer.take_in(mail(1, 30, "a@b.example"), false, now()).is_ok());
    let mut gone = mail(1, 31, "a@b.example");
    gone.relay = Some("old".into());
    let (_, why, _) = buffer.take_in(gone, false, now()).err().unwrap();
    assert!(why.contains("`old`"), "{why}");
}
