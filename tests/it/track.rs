//! Tracking: hits that are not lost, and scanners that are not people.

mod answers;
mod bounces;
mod honeypot;
mod secret;
mod tokens;

use crate::support::{TestDb, on_both, sqlite};
use dangol::args;
use dangol::config::secret::SiteSecret;
use dangol::event::{self, Event, Kind};
use dangol::track::settle::settle;
use dangol::track::token::HONEYPOT;
use dangol::track::{Hit, HitKind, HitLog};
use dangol::types::{Period, Timestamp};

pub const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
const SECRET: &str = "x0J7dY3mPq9sVb2nLk5tRw8zCf1hGe4u";
const OLD: &str = "oldoldoldoldoldoldoldoldoldoldoldold";

/// Minute `m` and millisecond `ms` of the day on which everything happens.
pub fn at(m: i64, ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + m * 60_000 + ms).unwrap()
}

pub fn secret() -> SiteSecret {
    SiteSecret::from_lines(SECRET).unwrap()
}

/// A customer with a message of the given state, accepted at minute 0.
pub async fn mail(t: &TestDb, name: &str, state: &str) -> (i64, i64) {
    let mut tx = t.db.begin().await.unwrap();
    let customer = tx.next_ids("customer", 1).await.unwrap()[0];
    let sql = "INSERT INTO customer (id, bucket, email, name, locale, created_at, updated_at) VALUES (?, 1, ?, ?, 'ko', 0, 0)";
    tx.execute(sql, args![customer, format!("c{customer}@example.com"), name]).await.unwrap();
    let message = tx.next_ids("message", 1).await.unwrap()[0];
    let sql = "INSERT INTO message (id, enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, topic, \
               due_at, next_at, expires_at, sent_at, settled_at, created_at, updated_at) \
               VALUES (?, ?, 7, 1, 1, '1', ?, ?, ?, 'newsletter', 0, 0, 0, ?, ?, 0, 0)";
    let settled = (state == "accepted").then_some(at(0, 0));
    let address = format!("c{customer}@example.com");
    tx.execute(sql, args![message, message, customer, address, state, at(0, 0), settled]).await.unwrap();
    tx.commit().await.unwrap();
    (customer, message)
}

fn hit(kind: HitKind, message: i64, at: Timestamp) -> Hit {
    Hit {
        kind,
        message,
        link: None,
        url: None,
        at,
        method: "GET".into(),
        ip: Some("203.0.113.7".parse().unwrap()),
        agent: Some(CHROME.into()),
        prefetch: false,
    }
}

fn click(message: i64, link: u32, at: Timestamp) -> Hit {
    Hit { link: Some((link, 5)), url: Some(format!("https://x.example/{link}")), ..hit(HitKind::Click, message, at) }
}

/// Keeps hits, to be settled after 15 minutes.
async fn keep(t: &TestDb, hits: impl IntoIterator<Item = Hit>) {
    let (log, writer) = HitLog::start(t.db.clone(), t.dir.path().join("hits.ndjson"));
    for hit in hits {
        log.record(hit, Period::millis(15 * 60_000)).await.unwrap();
    }
    drop(log);
    writer.await.unwrap();
}

async fn events(t: &TestDb) -> Vec<Event> {
    event::read_after(&mut &t.db, 0, 10_000).await.unwrap()
}

/// What the log says, as `kind class` lines.
async fn said(t: &TestDb) -> Vec<String> {
    let line = |e: &Event| format!("{} {}", e.kind, e.data["class"].as_str().unwrap_or("-"));
    events(t).await.iter().map(line).collect()
}

async fn count(t: &TestDb, table: &str) -> i64 {
    t.db.one::<(i64,)>(&format!("SELECT count(*) FROM {table}"), args![]).await.unwrap().0
}

#[test]
fn hits_become_opens_and_clicks_when_their_time_has_come() {
    on_both(|t| async move {
        let (customer, message) = mail(&t, "홍길동", "accepted").await;
        keep(&t, [hit(HitKind::Open, message, at(1, 0)), click(message, 1, at(2, 0))]).await;
        assert_eq!(settle(&t.db, at(15, 59_999)).await.unwrap(), 0, "not yet");
        assert_eq!(settle(&t.db, at(16, 0)).await.unwrap(), 1);
        assert_eq!(said(&t).await, ["open human"]);
        assert_eq!(settle(&t.db, at(17, 0)).await.unwrap(), 1);
        assert_eq!(settle(&t.db, at(18, 0)).await.unwrap(), 0, "once");
        assert_eq!(said(&t).await, ["open human", "click human"], "no open is implied where one is");
        let event = events(&t).await.pop().unwrap();
        assert_eq!((event.customer, event.message, event.campaign), (Some(customer), Some(message), Some(7)));
        assert_eq!((event.at, event.value), (at(2, 0), None));
        assert_eq!(event.data["url"], "https://x.example/1");
        assert_eq!(event.data["link"], 1);
    });
}

#[test]
fn a_human_click_implies_one_open() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        let apple = Hit { agent: Some("Mozilla/5.0".into()), ..hit(HitKind::Open, message, at(0, 1)) };
        keep(&t, [apple, click(message, 1, at(5, 0)), click(message, 2, at(6, 0))]).await;
        settle(&t.db, at(60, 0)).await.unwrap();
        let mut said = said(&t).await;
        said.sort();
        assert_eq!(said, ["click human", "click human", "open human", "open proxy"]);
    });
}

#[test]
fn a_scanner_that_clicks_everything_is_a_machine() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        keep(&t, (1..=5).map(|link| click(message, link, at(3, i64::from(link) * 400)))).await;
        settle(&t.db, at(60, 0)).await.unwrap();
        assert_eq!(said(&t).await, vec!["click machine"; 5]);
    });
}

#[test]
fn surely_a_machine_is_settled_at_once() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        let head = Hit { method: "HEAD".into(), ..click(message, 1, at(3, 0)) };
        let bot = Hit { agent: Some("curl/8.5.0".into()), ..hit(HitKind::Open, message, at(3, 0)) };
        keep(&t, [head, bot, click(message, 2, at(3, 0))]).await;
        assert_eq!(settle(&t.db, at(3, 0)).await.unwrap(), 2);
        assert_eq!(said(&t).await, ["click machine", "open machine"]);
    });
}

#[test]
fn who_touches_the_honeypot_is_a_machine_on_every_mail() {
    on_both(|t| async move {
        let (_, trapped) = mail(&t, "a", "accepted").await;
        let (_, other) = mail(&t, "b", "accepted").await;
        let elsewhere = |hit: Hit| Hit { ip: Some("198.51.100.9".parse().unwrap()), ..hit };
        keep(
            &t,
            [
                click(trapped, HONEYPOT, at(20, 0)),
                click(other, 1, at(5, 0)),
                click(other, 2, at(35, 0)),
                click(other, 3, at(35, 1)),
                elsewhere(click(other, 4, at(20, 0))),
                Hit { agent: Some("Mozilla/5.0 (Macintosh) Safari/605.1.15".into()), ..click(other, 5, at(21, 0)) },
            ],
        )
        .await;
        settle(&t.db, at(90, 0)).await.unwrap();
        let sql = "SELECT link, class FROM hit WHERE message_id = ? ORDER BY link";
        let found: Vec<(i64, String)> = t.db.all(sql, args![other]).await.unwrap();
        let classes: Vec<&str> = found.iter().map(|(_, class)| class.as_str()).collect();
        // 15 minutes before and after are in, one millisecond more is out; so are another address and another agent
        assert_eq!(classes, ["machine", "machine", "human", "human", "human"]);
    });
}

#[test]
fn one_network_over_many_recipients_is_a_scanner() {
    on_both(|t| async move {
        let mut hits = Vec::new();
        for i in 0..12 {
            let (_, message) = mail(&t, "a", "accepted").await;
            let from = |network: &str| Some(format!("{network}.{}", 10 + i).parse().unwrap());
            // ten within a minute; the last two come later
            let time = if i < 10 { at(3, i * 5_000) } else { at(10 + i, 0) };
            hits.push(Hit { ip: from("203.0.113"), ..click(message, 1, time) });
            hits.push(Hit { ip: from("192.168.0"), ..hit(HitKind::Open, message, time) });
        }
        keep(&t, hits).await;
        settle(&t.db, at(90, 0)).await.unwrap();
        let sql = "SELECT kind, class, count(*) FROM hit GROUP BY kind, class ORDER BY kind, class";
        let found: Vec<(String, String, i64)> = t.db.all(sql, args![]).await.unwrap();
        let expected = [("click", "human", 2), ("click", "machine", 10), ("open", "human", 12)];
        let found: Vec<_> = found.iter().map(|(kind, class, n)| (kind.as_str(), class.as_str(), *n)).collect();
        assert_eq!(found, expected, "a private address says nothing about a network");
    });
}

#[test]
fn what_turns_out_otherwise_is_corrected() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        keep(&t, [click(message, 1, at(3, 0))]).await;
        settle(&t.db, at(20, 0)).await.unwrap();
        assert_eq!(said(&t).await, ["click human", "open human"]);
        // what a spool held back arrives late and shows a scanner
        keep(&t, [click(message, 2, at(3, 500)), click(message, 3, at(3, 900))]).await;
        settle(&t.db, at(40, 0)).await.unwrap();
        let found = events(&t).await;
        let corrections: Vec<_> = found.iter().filter(|e| e.kind == Kind::Correction).collect();
        assert_eq!(corrections.len(), 2, "the click, and the open that followed from it");
        for event in corrections {
            assert_eq!((event.data["was"].as_str(), event.data["class"].as_str()), (Some("human"), Some("machine")));
            let about = found.iter().find(|e| Some(e.id) == event.data["corrects"].as_i64()).unwrap();
            assert_eq!(event.data["kind"], about.kind.name());
        }
        let machines: i64 =
            t.db.one::<(i64,)>("SELECT count(*) FROM hit WHERE class = 'machine'", args![]).await.unwrap().0;
        assert_eq!(machines, 3);
    });
}

#[test]
fn a_machine_never_turns_into_a_person() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        keep(&t, [click(message, 1, at(3, 0)), click(message, 2, at(3, 500)), click(message, 3, at(3, 900))]).await;
        settle(&t.db, at(20, 0)).await.unwrap();
        // fifteen minutes after the last of the three, and so too far from the others for them to be looked at again
        keep(&t, [click(message, 4, at(18, 900))]).await;
        settle(&t.db, at(60, 0)).await.unwrap();
        let said = said(&t).await;
        assert_eq!(said, ["click machine", "click machine", "click machine", "click human", "open human"]);
    });
}

#[test]
fn a_hit_proves_that_mail_of_unknown_fate_arrived() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "unknown").await;
        let (_, other) = mail(&t, "b", "refused").await;
        let bot = |message| Hit { agent: Some("curl/8".into()), ..click(message, 1, at(3, 0)) };
        keep(&t, [bot(message), bot(other)]).await;
        settle(&t.db, at(3, 0)).await.unwrap();
        let sql = "SELECT state, reason, settled_at FROM message ORDER BY id";
        let found: Vec<(String, Option<String>, Option<Timestamp>)> = t.db.all(sql, args![]).await.unwrap();
        assert_eq!(found[0], ("accepted".into(), Some("evidence: click".into()), Some(at(3, 0))));
        assert_eq!(found[1], ("refused".into(), None, None));
        assert_eq!(said(&t).await, ["delivered -", "click machine", "click machine"]);
    });
}

#[test]
fn nothing_is_recorded_of_the_erased_and_of_those_who_do_not_want_it() {
    on_both(|t| async move {
        let (erased, a) = mail(&t, "a", "accepted").await;
        let (unwilling, b) = mail(&t, "b", "accepted").await;
        t.db.execute("UPDATE customer SET erased_at = 1 WHERE id = ?", args![erased]).await.unwrap();
        t.db.execute("UPDATE customer SET tracking_off = 1 WHERE id = ?", args![unwilling]).await.unwrap();
        keep(&t, [click(a, 1, at(3, 0)), click(b, 1, at(3, 0)), click(999_999, 1, at(3, 0))]).await;
        assert_eq!(count(&t, "hit").await, 0);
    });
}

#[test]
fn many_hits_at_once_are_all_kept() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        let (log, writer) = HitLog::start(t.db.clone(), t.dir.path().join("hits.ndjson"));
        let all = (0..1_200).map(|i| {
            let (log, hit) = (log.clone(), hit(HitKind::Open, message, at(1, i)));
            async move { log.record(hit, Period::days(1)).await }
        });
        assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
        assert_eq!(count(&t, "hit").await, 1_200);
        drop(log);
        writer.await.unwrap();
    });
}

#[test]
fn hits_wait_on_the_disk_while_the_database_is_away() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        let spool = t.dir.path().join("spool/hits.ndjson");
        let away = dangol::db::Db::open(&t.location).await.unwrap();
        away.close().await;
        let (log, writer) = HitLog::start(away, &spool);
        for second in 0..3 {
            log.record(click(message, 1, at(3, second * 1_000)), Period::millis(60_000)).await.unwrap();
        }
        assert!(!log.flush().await, "it is away still");
        log.record(click(message, 2, at(4, 0)), Period::millis(60_000)).await.unwrap();
        drop(log);
        writer.await.unwrap();
        assert_eq!(count(&t, "hit").await, 0);
        // a crash may cut the last line short
        let mut text = std::fs::read_to_string(&spool).unwrap();
        text.push_str("{\"key\":\"77\",\"ent");
        std::fs::write(&spool, &text).unwrap();

        let (log, _writer) = HitLog::start(t.db.clone(), &spool);
        assert!(log.flush().await);
        assert_eq!(count(&t, "hit").await, 4);
        assert!(!spool.exists());
        // the same file once more, as after a crash between the commit and the end of the replay
        std::fs::write(spool.with_extension("ndjson.replaying"), &text).unwrap();
        let (log, _writer) = HitLog::start(t.db.clone(), &spool);
        assert!(log.flush().await);
        assert_eq!(count(&t, "hit").await, 4, "replayed once");
    });
}

#[test]
fn a_flood_on_one_mail_is_settled_in_bearable_slices() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let t = sqlite().await;
        let (_, message) = mail(&t, "a", "accepted").await;
        let (log, _writer) = HitLog::start(t.db.clone(), t.dir.path().join("hits.ndjson"));
        let all = (0..7_000).map(|i| log.record(click(message, 1, at(3, i)), Period::millis(60_000)));
        assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
        assert_eq!(settle(&t.db, at(60, 0)).await.unwrap(), 7_000);
        let human: (i64,) = t.db.one("SELECT count(*) FROM hit WHERE class = 'human'", args![]).await.unwrap();
        assert_eq!(human.0, 0, "seven clicks a second are no person's");
    });
}
