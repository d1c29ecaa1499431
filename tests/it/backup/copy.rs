//! SQLite into PostgreSQL, ids and all.

use super::shop::{Shop, file, run};
use crate::support::on_both;
use dangol::args;
use dangol::db::dialect::Dialect;
use dangol::db::location::Location;
use dangol::db::{Db, copy};

const NASTY: [&str; 6] = ["홍길동 🙂 مرحبا", "a\\b\tc\nd\re", "\\N", "", "\\.", "'; DROP TABLE meta; --"];

async fn fill(db: &Db) {
    for (i, text) in NASTY.iter().enumerate() {
        let sql =
            "INSERT INTO customer (id, bucket, name, external_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)";
        let id = 10 + i as i64 * 7;
        db.execute(sql, args![id, id, *text, None::<&str>, i64::MAX, i64::MIN]).await.unwrap();
        let sql = "INSERT INTO blob (hash, content) VALUES (?, ?)";
        db.execute(sql, args![format!("h{i}"), vec![0_u8, 255, b'\\', i as u8]]).await.unwrap();
        let sql = "INSERT INTO relationship (customer_id, score, buying, churn_risk) VALUES (?, ?, ?, ?)";
        db.execute(sql, args![id, 0.1 + i as f64, -1e300, 5e-324]).await.unwrap();
    }
    db.execute("INSERT INTO meta (key, value) VALUES ('nul', 'a' || char(0) || 'b')", args![]).await.unwrap();
    // an id that was given and whose row is gone is not given again
    db.execute("INSERT INTO message (id, enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, state, topic, due_at, next_at, expires_at, created_at, updated_at) VALUES (500, 1, 1, 1, 1, 's', 10, 'queued', 't', 1, 1, 1, 1, 1)", args![]).await.unwrap();
    db.execute("DELETE FROM message", args![]).await.unwrap();
    // more rows than one slice
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO segment_member (campaign_id, customer_id, since) SELECT 1, i, i FROM n";
    db.execute(many, args![]).await.unwrap();
}

type People = Vec<(i64, String, Option<String>, i64, i64)>;

async fn people(db: &Db) -> People {
    db.all("SELECT id, name, external_id, created_at, updated_at FROM customer ORDER BY id", args![]).await.unwrap()
}

async fn blobs(db: &Db) -> Vec<(String, Vec<u8>)> {
    db.all("SELECT hash, content FROM blob ORDER BY hash", args![]).await.unwrap()
}

async fn figures(db: &Db) -> Vec<(f64, f64, f64)> {
    let sql = "SELECT score, buying, churn_risk FROM relationship ORDER BY customer_id";
    db.all(sql, args![]).await.unwrap()
}

#[test]
fn a_copy_has_every_row_under_its_id_and_goes_on_counting() {
    on_both(|t| async move {
        let t = &t;
        if t.db.dialect() == Dialect::Sqlite {
            return;
        }
        // as createdb leaves it
        t.db.execute("DROP SCHEMA public CASCADE", args![]).await.unwrap();
        t.db.execute("CREATE SCHEMA public", args![]).await.unwrap();
        let source = crate::support::sqlite().await;
        fill(&source.db).await;
        let mut told = Vec::new();
        let copied = copy::copy(&source.db, &t.location, &mut |table, rows| told.push((table.to_owned(), rows))).await;
        let copied = copied.unwrap();
        assert_eq!((copied["customer"], copied["segment_member"], copied["message"]), (6, 2_500, 0));
        assert!(told.contains(&("segment_member".to_owned(), 1_000)), "{told:?}");
        assert_eq!(people(&t.db).await, people(&source.db).await);
        assert_eq!(blobs(&t.db).await, blobs(&source.db).await);
        assert_eq!(figures(&t.db).await, figures(&source.db).await);
        let nul: (String,) = t.db.one("SELECT value FROM meta WHERE key = 'nul'", args![]).await.unwrap();
        assert_eq!(nul.0, "ab", "PostgreSQL holds no NUL");

        let mut tx = t.db.begin().await.unwrap();
        assert_eq!(tx.next_ids("customer", 1).await.unwrap(), [46]);
        assert_eq!(tx.next_ids("message", 1).await.unwrap(), [501]);
        assert_eq!(tx.next_ids("event", 1).await.unwrap(), [1]);
        drop(tx);
        let again = copy::copy(&source.db, &t.location, &mut |_, _| {}).await.unwrap_err().to_string();
        assert!(again.contains("is not empty (there are rows in"), "{again}");
    });
}

#[test]
fn a_database_of_others_is_left_alone() {
    on_both(|t| async move {
        let t = &t;
        if t.db.dialect() == Dialect::Sqlite {
            return;
        }
        t.db.execute("DROP SCHEMA public CASCADE", args![]).await.unwrap();
        t.db.execute("CREATE SCHEMA public", args![]).await.unwrap();
        t.db.execute("CREATE TABLE invoices (id BIGINT)", args![]).await.unwrap();
        let source = crate::support::sqlite().await;
        let refused = copy::copy(&source.db, &t.location, &mut |_, _| {}).await.unwrap_err().to_string();
        assert!(refused.contains("tables of others: invoices"), "{refused}");
        let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
        assert_eq!(t.db.one::<(i64,)>(tables, args![]).await.unwrap(), (1,));
    });
}

#[test]
fn what_is_written_meanwhile_undoes_the_copy() {
    on_both(|t| async move {
        let t = &t;
        if t.db.dialect() == Dialect::Sqlite {
            return;
        }
        let source = crate::support::sqlite().await;
        fill(&source.db).await;
        let path = source.dir.path().join("test.db");
        let mut other = Some(path);
        let failed = copy::copy(&source.db, &t.location, &mut |_, _| {
            // another process, in the middle of it
            let Some(path) = other.take() else { return };
            std::thread::spawn(|| {
                run(async {
                    let db = file(path).await;
                    db.execute("INSERT INTO meta (key, value) VALUES ('late', '')", args![]).await.unwrap();
                    db.close().await;
                });
            })
            .join()
            .unwrap();
        })
        .await
        .unwrap_err()
        .to_string();
        assert!(failed.contains("somebody wrote to the database while it was copied"), "{failed}");
        assert_eq!(people(&t.db).await, People::new());
        copy::copy(&source.db, &t.location, &mut |_, _| {}).await.unwrap();
    });
}

#[test]
fn the_command_moves_a_shop_and_old_links_work() {
    on_both(|t| async move {
        let t = &t;
        let Location::Postgres(url) = &t.location else { return };
        let shop = Shop::new();
        shop.import(&["a@example.org", "b@example.org"]);
        let app = shop.app().await;
        let old = app.tokens.unsubscribe(7, 2, Some("newsletter"));
        app.db.close().await;
        assert!(shop.dangol(&["db", "copy", "--to", "sqlite://x.db"]).code == 2);
        let wrong = shop.dangol(&["db", "copy", "--to", "mysql://u:s3cr3t@h/x"]);
        assert!(wrong.code == 2 && !wrong.err.contains("s3cr3t"), "{}", wrong.err);
        let wrong = shop.dangol(&["db", "copy", "--to", "postgres://u:s3cr3t@127.0.0.1:1/x"]);
        assert!(wrong.code == 1 && !wrong.err.contains("s3cr3t") && wrong.err.contains("cannot open"), "{}", wrong.err);
        let json = shop.dangol(&["db", "copy", "--to", url, "--json"]).json();
        assert_eq!(json["tables"]["customer"], 2);
        shop.dangol(&["db", "copy", "--to", url]).failed(&["is not empty"]);

        // another folder with the same secret, on the new database
        let moved = Shop::on(&t.location);
        moved.dangol(&["segment", "list"]).failed(&["another secret"]);
        std::fs::copy(shop.path(".secret/site.key"), moved.path(".secret/site.key")).unwrap();
        let app = moved.app().await;
        let link = app.tokens.parse_unsubscribe(&old).expect("the old link is read");
        assert_eq!((link.message, link.customer), (7, 2));
        app.db.close().await;
        moved.dangol(&["db", "backup", "x.db"]).failed(&["pg_dump"]);
        moved.dangol(&["db", "restore", "x.db", "--yes"]).failed(&["pg_restore", "--external"]);
        moved.dangol(&["db", "copy", "--to", url]).failed(&["uses PostgreSQL already"]);
        moved.dangol(&["suppression", "add", "c@example.org"]).fine();
    });
}
