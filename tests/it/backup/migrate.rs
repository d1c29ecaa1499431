//! Versions: the old is copied before it is changed, the newer is refused, PostgreSQL waits for a word.

use super::shop::{Shop, file, run};
use crate::support::on_both;
use dangol::args;
use dangol::db::location::Location;
use dangol::db::migrate::{Step, apply, apply_steps, known, steps};
use dangol::db::{Db, DbError};

/// All versions that there are, and one more.
fn one_more(db: &Db, next: &'static str) -> &'static [Step] {
    let mut steps = steps(db).to_vec();
    steps.push((known() + 1, "next", next));
    steps.leak()
}

#[test]
fn an_existing_database_is_copied_or_asks_before_it_changes() {
    on_both(|t| async move {
        let t = &t;
        t.db.execute("INSERT INTO meta (key, value) VALUES ('who', '홍길동')", args![]).await.unwrap();
        let broken = one_more(&t.db, "CREATE TABLE more (id BIGINT); CREATE TABLE nonsense nonsense");
        let good = one_more(&t.db, "CREATE TABLE more (id BIGINT)");
        match &t.location {
            Location::Sqlite(path) => {
                let failed = apply_steps(&t.db, &t.location, false, broken).await.unwrap_err();
                assert!(failed.to_string().contains("rolled back"), "{failed}");
                let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'more'";
                assert_eq!(t.db.one::<(i64,)>(tables, args![]).await.unwrap(), (0,));
                let applied = apply_steps(&t.db, &t.location, false, good).await.unwrap();
                assert_eq!((applied.from, applied.to), (known(), known() + 1));
                // the first attempt's copy is not written over
                assert_eq!(
                    applied.backup.as_deref(),
                    Some(path.with_file_name(format!("test.db.before-v{}-2", known() + 1)).as_path())
                );
                let old = file(path.with_file_name(format!("test.db.before-v{}", known() + 1))).await;
                let (who,): (String,) = old.one("SELECT value FROM meta WHERE key = 'who'", args![]).await.unwrap();
                assert_eq!(who, "홍길동");
                assert_eq!(dangol::db::migrate::version(&old).await.unwrap(), known());
            }
            Location::Postgres(_) => {
                let waits = apply_steps(&t.db, &t.location, false, good).await.unwrap_err();
                assert!(matches!(waits, DbError::Behind { .. }), "{waits}");
                assert!(waits.to_string().contains("pg_dump") && waits.to_string().contains("--migrate"), "{waits}");
                let applied = apply_steps(&t.db, &t.location, true, good).await.unwrap();
                assert_eq!((applied.from, applied.to, applied.backup), (known(), known() + 1, None));
            }
        }
        let newer = apply(&t.db, &t.location, true).await.unwrap_err();
        assert!(matches!(newer, DbError::Newer { .. }), "{newer}");
    });
}

#[test]
fn a_newer_database_is_refused_in_words_that_help() {
    let shop = Shop::new();
    assert!(shop.dangol(&["db", "migrate"]).fine().contains(&format!("from version 0 to {}", known())));
    assert!(shop.dangol(&["db", "migrate"]).fine().contains("as it should be"));
    assert_eq!(shop.dangol(&["db", "migrate", "--json"]).json()["to"], known());
    run(async {
        let db = file(shop.path("dangol.db")).await;
        let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999, 'later', 1, x'00', 0)";
        db.execute(sql, args![]).await.unwrap();
        db.close().await;
    });
    for command in [&["db", "migrate"][..], &["segment", "list"], &["run", "--until-idle"]] {
        shop.dangol(command).failed(&["version 999", "run a newer dangol", "restore a backup"]);
    }
}

/// A campaign of two who may get its letter, one who is held out, and one who may not, by the first five versions.
const SENT: &[&str] = &[
    "INSERT INTO campaign (id, name, state, created_at, updated_at) VALUES (1, '봄', 'finished', 0, 0)",
    "INSERT INTO occurrence (id, campaign_id, revision_id, key, due_at, state, last_id, finished_at) \
     VALUES (1, 1, 1, 'send', 0, 'enrolled', 4, 5)",
    "INSERT INTO enrolment (id, campaign_id, revision_id, occurrence_id, customer_id, arm, state, created_at, updated_at) \
     VALUES (1, 1, 1, 1, 1, 'treated', 'done', 0, 0), (2, 1, 1, 1, 2, 'treated', 'done', 0, 0), \
     (3, 1, 1, 1, 3, 'holdout', 'done', 0, 0), (4, 1, 1, 1, 4, 'none', 'skipped', 0, 0)",
    "INSERT INTO message (enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, topic, \
     due_at, next_at, expires_at, created_at, updated_at) \
     VALUES (1, 1, 1, 1, 'send', 1, 'a@example.com', 'accepted', 'newsletter', 0, 0, 0, 0, 0)",
];

#[test]
fn letters_that_went_out_before_are_a_measure_for_the_next() {
    on_both(|t| async move {
        let (db, location) = match &t.location {
            Location::Sqlite(path) => {
                let old = Location::Sqlite(path.with_file_name("old.db"));
                (Db::open(&old).await.unwrap(), old)
            }
            Location::Postgres(_) => {
                for sql in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
                    t.db.execute(sql, args![]).await.unwrap();
                }
                (t.db.clone(), t.location.clone())
            }
        };
        apply_steps(&db, &location, true, &steps(&db)[..5]).await.unwrap();
        for sql in SENT {
            db.execute(sql, args![]).await.unwrap();
        }
        apply(&db, &location, true).await.unwrap();
        let last = dangol::campaign::store::last_audience(&mut &db, "newsletter", 0).await.unwrap();
        assert_eq!(last, Some(3));
        assert_eq!(dangol::campaign::store::last_audience(&mut &db, "offers", 0).await.unwrap(), None);
        db.close().await;
    });
}
