//! What happens to people: nobody gets a mail twice, and nobody who said no since the backup gets one.

use super::shop::{Shop, at, kept};
use crate::support::on_both;
use dangol::args;
use dangol::customer::{self, ErasureKey};
use dangol::db::Db;
use dangol::engine::App;
use dangol::engine::journal::{FILE, Journal};
use dangol::engine::restore;
use dangol::permission::{self, NewConsent, NewSuppression, State};
use dangol::types::Email;

async fn customer(db: &Db, email: &str) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let id = customer::ensure(&mut tx, &email.parse::<Email>().unwrap(), "form", at(1_000)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn withdraw(db: &Db, customer: i64, millis: i64) {
    let mut tx = db.begin().await.unwrap();
    permission::withdraw(&mut tx, customer, &["newsletter"], "unsubscribe", at(millis), at(millis)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn grant(db: &Db, customer: i64, millis: i64) {
    let mut tx = db.begin().await.unwrap();
    let line = NewConsent {
        customer,
        topic: "newsletter".into(),
        state: State::Granted,
        basis: None,
        text: None,
        source: "form".into(),
        address: None,
        at: at(millis),
        own_act: true,
        batch: None,
    };
    permission::record_consents(&mut tx, &[line], at(millis)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn suppress(db: &Db, address: &str, millis: i64) {
    let mut tx = db.begin().await.unwrap();
    let new = NewSuppression {
        address: address.into(),
        reason: "complaint".into(),
        source: "test".into(),
        message: None,
        batch: None,
        until: None,
        note: Some("수신거부".into()),
    };
    permission::suppress(&mut tx, &new, "test", at(millis)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn lift(db: &Db, address: &str, millis: i64) {
    let mut tx = db.begin().await.unwrap();
    permission::lift(&mut tx, address, "test", at(millis)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn erase(app: &App, customer: i64, millis: i64) {
    let key = ErasureKey::new(app.secret.erasure_key());
    let mut tx = app.db.begin().await.unwrap();
    assert!(customer::erase(&mut tx, customer, &key, "test", at(millis)).await.unwrap());
    tx.commit().await.unwrap();
}

async fn stands(db: &Db, customer: i64) -> Option<State> {
    permission::state(&mut &*db, customer).await.unwrap().first().map(|standing| standing.state)
}

/// All rows that a backup of those tables would have; and their return.
const TABLES: [&str; 8] =
    ["customer", "consent", "consent_state", "suppression", "erased", "journal", "message", "audit"];

/// As another tool brings a database back: every row as it was.
struct Snapshot(tempfile::TempDir);

impl Snapshot {
    async fn of(db: &Db) -> Snapshot {
        for table in TABLES {
            db.execute(&format!("CREATE TABLE was_{table} AS SELECT * FROM {table}"), args![]).await.unwrap();
        }
        Snapshot(tempfile::tempdir().unwrap())
    }
    async fn back(&self, db: &Db) {
        assert!(self.0.path().exists());
        for table in TABLES {
            db.execute(&format!("DELETE FROM {table}"), args![]).await.unwrap();
            db.execute(&format!("INSERT INTO {table} SELECT * FROM was_{table}"), args![]).await.unwrap();
            db.execute(&format!("DROP TABLE was_{table}"), args![]).await.unwrap();
        }
    }
}

#[test]
fn whoever_said_no_since_the_backup_has_said_no_after_it() {
    on_both(|t| async move {
        let t = &t;
        let shop = Shop::on(&t.location);
        let app = shop.app().await;
        let db = &app.db;
        let (leaves, erased) = (customer(db, "leaves@예시.kr").await, customer(db, "erased@example.org").await);
        let (returns, stays) = (customer(db, "returns@example.org").await, customer(db, "stays@example.org").await);
        for id in [leaves, erased, returns, stays] {
            grant(db, id, 2_000).await;
        }
        withdraw(db, returns, 2_500).await;
        grant(db, returns, 2_600).await;
        suppress(db, "old@example.org", 2_700).await;
        app.journal.keep(db).await.unwrap();
        let snapshot = Snapshot::of(db).await;

        withdraw(db, leaves, 3_000).await;
        suppress(db, "new@example.org", 3_100).await;
        lift(db, "old@example.org", 3_200).await;
        suppress(db, "twice@example.org", 3_300).await;
        lift(db, "twice@example.org", 3_400).await;
        let late = customer(db, "late@example.org").await;
        withdraw(db, late, 3_500).await;
        withdraw(db, erased, 3_550).await;
        app.journal.keep(db).await.unwrap();
        assert!(std::fs::read_to_string(shop.path(FILE)).unwrap().contains("erased@example.org"));
        erase(&app, erased, 3_600).await;
        assert!(app.journal.keep(db).await.unwrap() > 0);
        assert_eq!(app.journal.keep(db).await.unwrap(), 0);
        let text = std::fs::read_to_string(shop.path(FILE)).unwrap();
        assert!(!text.contains("erased@example.org"), "who was forgotten is forgotten here too: {text}");
        assert!(text.contains("late@example.org"));

        snapshot.back(db).await;
        assert_eq!((stands(db, leaves).await, stands(db, late).await), (Some(State::Granted), None));
        let restored = restore::external(&shop.open()).await.unwrap();
        let replayed = restored.replayed;
        assert_eq!((replayed.withdrawals, replayed.customers), (2, 1), "{restored:?}");
        assert_eq!((replayed.suppressions, replayed.lifted, replayed.erasures), (1, 1, 1), "{restored:?}");
        assert_eq!(stands(db, leaves).await, Some(State::Withdrawn));
        assert_eq!(stands(db, late).await, Some(State::Withdrawn), "under the id that old links carry");
        assert_eq!(stands(db, returns).await, Some(State::Granted), "what the backup knew is not done again");
        assert_eq!(stands(db, stays).await, Some(State::Granted));
        let of = |address| async move { permission::is_suppressed(&mut &*db, address, at(9_000)).await.unwrap() };
        assert!(of("new@example.org").await && !of("old@example.org").await && !of("twice@example.org").await);
        assert!(customer::load(&mut &*db, erased).await.unwrap().unwrap().erased_at.is_some());
        let hashes: (i64,) = db.one("SELECT count(*) FROM erased", args![]).await.unwrap();
        assert_eq!(hashes.0, 1);
        let fresh = customer(db, "fresh@example.org").await;
        assert!(fresh > late, "an id that was given is not given again");

        let again = restore::external(&shop.open()).await.unwrap();
        assert_eq!(again.replayed, dangol::engine::journal::Replayed::default(), "a second time changes nothing");
        app.db.close().await;
    });
}

#[test]
fn a_person_who_came_back_is_not_forgotten_a_second_time() {
    on_both(|t| async move {
        let t = &t;
        let shop = Shop::on(&t.location);
        let app = shop.app().await;
        let db = &app.db;
        let first = customer(db, "a@example.org").await;
        let snapshot = Snapshot::of(db).await;
        erase(&app, first, 3_000).await;
        app.journal.keep(db).await.unwrap();
        snapshot.back(db).await;
        let mut tx = db.begin().await.unwrap();
        // another with the same address and a name of their own, and one whose withdrawal came after the erasure
        let sql = "INSERT INTO customer (bucket, external_id, email, created_at, updated_at) VALUES (1, 'c-2', 'a@example.org', 1, 1) RETURNING id";
        let (other,): (i64,) = dangol::db::Query::one(&mut tx, sql, args![]).await.unwrap();
        tx.commit().await.unwrap();
        let journal = Journal::new(shop.dir.path(), ErasureKey::new(app.secret.erasure_key()));
        let replayed = journal.replay(db, at(5_000)).await.unwrap();
        assert_eq!(replayed.erasures, 1);
        let find = |id| async move { customer::load(&mut &*db, id).await.unwrap().unwrap() };
        assert!(find(first).await.erased_at.is_some() && find(other).await.erased_at.is_none());
        let mut tx = db.begin().await.unwrap();
        let email = "a@example.org".parse::<Email>().unwrap();
        // their own sign-up, later
        tx.execute("UPDATE customer SET email = NULL WHERE id = ?", args![other]).await.unwrap();
        let back = customer::ensure(&mut tx, &email, "form", at(6_000)).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(back, first);
        let replayed = journal.replay(db, at(7_000)).await.unwrap();
        assert_eq!(replayed.erasures, 0);
        assert!(find(back).await.erased_at.is_none());
        app.db.close().await;
    });
}

#[test]
fn the_file_knows_how_far_it_has_come_and_which_database_it_knows() {
    on_both(|t| async move {
        let t = &t;
        let dir = tempfile::tempdir().unwrap();
        let journal = || Journal::new(dir.path(), ErasureKey::new([7; 32]));
        let one = journal();
        assert_eq!(one.keep(&t.db).await.unwrap(), 0);
        assert!(!dir.path().join(FILE).exists(), "nothing to say, no file");
        suppress(&t.db, "a@example.org", 1).await;
        assert_eq!(one.keep(&t.db).await.unwrap(), 1);
        suppress(&t.db, "b@example.org", 2).await;
        assert_eq!(journal().keep(&t.db).await.unwrap(), 1, "another process goes on where the file ends");
        assert_eq!(one.keep(&t.db).await.unwrap(), 0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        // put in by hand, without a restore: read from the beginning rather than to miss something
        t.db.execute("UPDATE journal SET at = at + 1", args![]).await.unwrap();
        suppress(&t.db, "c@example.org", 3).await;
        assert_eq!(one.keep(&t.db).await.unwrap(), 3);
        let lines = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert_eq!(lines.lines().count(), 5);
        // an import of withdrawals that was taken back does not come back
        let id = customer(&t.db, "d@example.org").await;
        let mut tx = t.db.begin().await.unwrap();
        let line = NewConsent {
            customer: id,
            topic: "newsletter".into(),
            state: State::Withdrawn,
            basis: None,
            text: None,
            source: "import".into(),
            address: None,
            at: at(4),
            own_act: true,
            batch: Some(3),
        };
        permission::record_consents(&mut tx, &[line], at(4)).await.unwrap();
        tx.commit().await.unwrap();
        one.keep(&t.db).await.unwrap();
        let mut tx = t.db.begin().await.unwrap();
        assert_eq!(permission::forget_batch(&mut tx, 3, &[id], at(5)).await.unwrap(), 1);
        tx.commit().await.unwrap();
        one.keep(&t.db).await.unwrap();
        t.db.execute("DELETE FROM journal", args![]).await.unwrap();
        let replayed = one.replay(&t.db, at(6)).await.unwrap();
        assert_eq!((replayed.withdrawals, replayed.suppressions), (0, 0));
        assert_eq!(stands(&t.db, id).await, None);
    });
}

#[test]
fn what_was_due_since_the_backup_is_unknown_and_the_rest_waits() {
    on_both(|t| async move {
        let t = &t;
        let shop = Shop::on(&t.location);
        let app = shop.app().await;
        let db = &app.db;
        db.execute(
            "INSERT INTO campaign (id, name, state, created_at, updated_at) VALUES (1, 'spring', 'running', 1, 1)",
            args![],
        )
        .await
        .unwrap();
        db.execute("INSERT INTO lane (campaign_id, state, since) VALUES (1, 'open', 1)", args![]).await.unwrap();
        let later = app.clock.now().as_millisecond() + 3_600_000;
        for (i, (state, next)) in [
            ("queued", 5),
            ("deferred", 5),
            ("claimed", later),
            ("transmitting", 5),
            ("queued", later),
            ("accepted", 5),
            ("skipped", 5),
        ]
        .iter()
        .enumerate()
        {
            let sql = "INSERT INTO message (enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, state, topic, due_at, next_at, expires_at, token, created_at, updated_at) \
                       VALUES (?, 1, 1, 1, 's', 1, ?, 'newsletter', 1, ?, 1, 5, 1, 1)";
            db.execute(sql, args![i as i64, *state, *next]).await.unwrap();
        }
        let restored = restore::external(&shop.open()).await.unwrap();
        assert_eq!((restored.paused, restored.unknown), (1, 4));
        let states: Vec<(String, Option<String>)> =
            db.all("SELECT state, reason FROM message ORDER BY id", args![]).await.unwrap();
        let names: Vec<&str> = states.iter().map(|(state, _)| state.as_str()).collect();
        assert_eq!(names, ["unknown", "unknown", "unknown", "unknown", "queued", "accepted", "skipped"]);
        assert!(states[0].1.as_deref().unwrap().contains("due since the backup"));
        let (state, lane, why): (String, String, String) = db
            .one("SELECT c.state, l.state, l.reason FROM campaign c JOIN lane l ON l.campaign_id = c.id", args![])
            .await
            .unwrap();
        assert_eq!((state.as_str(), lane.as_str()), ("paused", "held"));
        assert!(why.contains("restored from a backup"), "{why}");
        app.db.close().await;
    });
}

#[test]
fn a_campaign_that_went_out_after_the_backup_does_not_go_out_again() {
    let shop = Shop::new();
    shop.import(&["a@example.org", "b@example.org", "c@example.org"]);
    shop.dangol(&["launch", "spring", "--yes"]).fine();
    // before its audience was taken
    shop.dangol(&["db", "backup", "b.db"]).fine();
    shop.dangol(&["run", "--until-idle"]).fine();
    let sent =
        shop.dangol(&["message", "list", "--state", "accepted", "--json"]).fine().matches("\"accepted\"").count();
    assert!(sent > 0);
    shop.dangol(&["suppression", "add", "홍길동@example.org"]).fine();
    assert_eq!(shop.journal().len(), 1);

    let said = shop.dangol(&["db", "restore", "b.db", "--yes"]).fine();
    assert!(said.contains("1 campaign paused") && said.contains("1 suppression,"), "{said}");
    let found = kept(shop.dir.path());
    assert!(found.len() == 1 && found[0].starts_with("dangol.db.before-restore-"), "{found:?}");
    assert_eq!(shop.journal().len(), 2, "the file says where the restored database stands");
    shop.dangol(&["resume", "--all"]).fine();
    let idle = shop.dangol(&["run", "--until-idle"]).fine();
    assert!(!idle.contains("accepted") && idle.contains(&format!("{sent} unknown")), "{idle}");
    // and its journal goes on
    shop.dangol(&["suppression", "lift", "홍길동@example.org"]).fine();
    let last = shop.journal().pop().unwrap();
    assert_eq!((last["kind"].as_str(), last["lifted_by"].as_str()), (Some("suppression"), Some("command line")));

    // the loops keep it too
    std::fs::write(
        shop.path("no.csv"),
        "customer,topic,state,at\nb@example.org,newsletter,withdrawn,2026-01-02T03:04:05Z\n",
    )
    .unwrap();
    shop.dangol(&["import", "consents", "no.csv"]).fine();
    shop.dangol(&["run", "--until-idle"]).fine();
    let last = shop.journal().pop().unwrap();
    assert_eq!((last["kind"].as_str(), last["email"].as_str()), (Some("withdrawal"), Some("b@example.org")));

    // the same backup a second time: what was lifted stays lifted, what was withdrawn stays withdrawn
    let json = shop.dangol(&["db", "restore", "b.db", "--yes", "--json"]).json();
    assert_eq!((json["suppressions"].as_i64(), json["lifted"].as_i64()), (Some(1), Some(1)), "{json}");
    assert_eq!(json["withdrawals"].as_i64(), Some(1), "{json}");
    assert_eq!(kept(shop.dir.path()).len(), 2);
    let standing = shop.dangol(&["suppression", "list", "--json"]).json();
    assert_eq!(standing["suppressions"].as_array().unwrap().len(), 0, "{standing}");
    assert!(std::fs::read_to_string(shop.path(".gitignore")).unwrap().contains(".journal.ndjson"));
}
