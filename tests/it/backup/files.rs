//! Files: what `backup` writes, and what `restore` takes and refuses.

use super::shop::{Shop, at, file, kept, run};
use dangol::args;
use dangol::db::file::backup;

#[test]
fn a_backup_is_written_once_and_says_what_is_not_inside() {
    let shop = Shop::new();
    shop.dangol(&["db", "backup", "b.db"]).failed(&["there is no database at", "dangol db migrate"]);
    assert!(!shop.path("dangol.db").exists(), "asking for a backup makes no database");
    shop.import(&["a@example.org"]);
    let said = shop.dangol(&["db", "backup", "b.db"]).fine();
    assert!(said.contains("secret is not inside") && said.contains(".secret/"), "{said}");
    let before = std::fs::read(shop.path("b.db")).unwrap();
    shop.dangol(&["db", "backup", "b.db"]).failed(&["b.db exists already", "another name"]);
    assert!(std::fs::read(shop.path("b.db")).unwrap() == before, "the first backup changed");
    shop.dangol(&["db", "backup", "no/where/b.db"]).failed(&["there is no folder no/where"]);
    let json = shop.dangol(&["db", "backup", "c.db", "--json"]).json();
    assert_eq!((json["file"].as_str(), json["secret_inside"].as_bool()), (Some("c.db"), Some(false)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(shop.path("b.db")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_backup_is_of_one_moment_while_others_write() {
    run(async {
        let t = crate::support::sqlite().await;
        let (writer, other) = (t.db.clone(), super::shop::file(t.dir.path().join("test.db")).await);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let (began, mut begun) = tokio::sync::mpsc::channel(1);
        let writing = tokio::spawn(async move {
            let mut n = 0_i64;
            while !*stopped.borrow() {
                let mut tx = writer.begin().await.unwrap();
                // two rows at once: a copy of one moment has both or none
                for key in ["a", "b"] {
                    let sql = "INSERT INTO meta (key, value) VALUES (?, 'x')";
                    tx.execute(sql, args![format!("{key}{n}")]).await.unwrap();
                }
                tx.commit().await.unwrap();
                n += 1;
                if n == 50 {
                    began.send(()).await.unwrap();
                }
            }
        });
        begun.recv().await.unwrap();
        let to = t.dir.path().join("b.db");
        backup(&other, &to).await.unwrap();
        stop.send(true).unwrap();
        writing.await.unwrap();
        let copy = file(to).await;
        let count = "SELECT count(*) FROM meta WHERE key LIKE ?";
        let (a,): (i64,) = copy.one(count, args!["a%"]).await.unwrap();
        let (b,): (i64,) = copy.one(count, args!["b%"]).await.unwrap();
        assert!(a >= 50 && a == b, "{a} {b}");
    });
}

#[test]
fn what_is_no_backup_of_this_site_is_refused_and_nothing_changes() {
    let (shop, stranger) = (Shop::new(), Shop::new());
    shop.import(&["a@example.org"]);
    shop.dangol(&["db", "backup", "b.db"]).fine();
    stranger.import(&["b@example.org"]);
    stranger.dangol(&["db", "backup", "s.db"]).fine();
    std::fs::write(shop.path("text.db"), "홍길동").unwrap();
    std::fs::write(shop.path("dump"), "PGDMP\x01").unwrap();
    let whole = std::fs::read(shop.path("b.db")).unwrap();
    std::fs::write(shop.path("short.db"), &whole[..whole.len() / 2]).unwrap();
    run(async {
        let newer = shop.path("newer.db");
        std::fs::write(&newer, &whole).unwrap();
        let db = file(newer).await;
        let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999, 'later', 1, x'00', 0)";
        db.execute(sql, args![]).await.unwrap();
        db.close().await;
        let other = file(shop.path("other.db")).await;
        other.execute("CREATE TABLE notes (id INTEGER)", args![]).await.unwrap();
        other.close().await;
    });
    let before = std::fs::read(shop.path("dangol.db")).unwrap();
    let restore = |name: &str| shop.dangol(&["db", "restore", name, "--yes"]);
    restore("none.db").failed(&["cannot read none.db"]);
    restore(".").failed(&["is no file"]);
    restore("text.db").failed(&["text.db is no SQLite database", "dangol db backup"]);
    restore("dump").failed(&["dump of PostgreSQL", "--external"]);
    restore("short.db").failed(&["short.db is damaged"]);
    restore("other.db").failed(&["not one of dangol's"]);
    restore("newer.db").failed(&["version 999", "run a newer dangol"]);
    restore("dangol.db").failed(&["is the database itself"]);
    let strange = stranger.path("s.db");
    restore(strange.to_str().unwrap()).failed(&["another secret"]);
    shop.dangol(&["db", "restore", "b.db"]).failed(&["nothing was restored", "--yes"]);
    assert_eq!(shop.dangol(&["db", "restore"]).code, 2);
    assert_eq!(shop.dangol(&["db", "restore", "b.db", "--external"]).code, 2);
    assert!(std::fs::read(shop.path("dangol.db")).unwrap() == before, "the database changed");
    assert_eq!(kept(shop.dir.path()), Vec::<String>::new());
}

#[test]
fn nobody_says_that_a_database_was_restored_while_somebody_sends() {
    crate::support::on_both(|t| async move {
        let shop = Shop::on(&t.location);
        let app = shop.app().await;
        let node = dangol::deliver::node::Node::start(&app.db, &app.location, at(1)).await.unwrap();
        let refused = dangol::engine::restore::external(&shop.open()).await.unwrap_err().to_string();
        assert!(refused.contains("another dangol is sending"), "{refused}");
        node.stop(&app.db, at(2)).await.unwrap();
        dangol::engine::restore::external(&shop.open()).await.unwrap();
        app.db.close().await;
        drop(t);
    });
}

#[test]
fn nothing_is_restored_under_the_feet_of_others() {
    let shop = Shop::new();
    shop.import(&["a@example.org"]);
    shop.dangol(&["db", "backup", "b.db"]).fine();
    run(async {
        let app = shop.app().await;
        let node = dangol::deliver::node::Node::start(&app.db, &app.location, at(1)).await.unwrap();
        shop.dangol(&["db", "restore", "b.db", "--yes"]).failed(&["another dangol is sending"]);
        shop.dangol(&["db", "restore", "--external", "--yes"]).failed(&["another dangol is sending"]);
        shop.dangol(&["db", "copy", "--to", "postgres://nobody@127.0.0.1:1/x"]).failed(&["another dangol is sending"]);
        node.stop(&app.db, at(2)).await.unwrap();
        shop.dangol(&["db", "restore", "b.db", "--yes"]).failed(&["another process has", "open", "stop every dangol"]);
        app.db.close().await;
    });
    shop.dangol(&["db", "restore", "b.db", "--yes"]).fine();
}

#[test]
fn a_damaged_database_does_not_keep_its_backup_from_coming_back() {
    let shop = Shop::new();
    shop.import(&["a@example.org"]);
    shop.dangol(&["db", "backup", "b.db"]).fine();
    std::fs::write(shop.path("dangol.db"), vec![7; 10_000]).unwrap();
    let json = shop.dangol(&["db", "restore", "b.db", "--yes", "--json"]).json();
    assert!(json["unreadable_database"].as_str().unwrap().contains("no SQLite database"), "{json}");
    let found = kept(shop.dir.path());
    assert_eq!(found.len(), 1);
    assert!(std::fs::read(shop.path(&found[0])).unwrap() == vec![7; 10_000], "the damaged one is kept as it was");
    assert!(shop.dangol(&["customer", "show", "a@example.org"]).fine().contains("a@example.org"));
    // nobody knows which ids were given since, so they jump
    shop.import(&["b@example.org"]);
    let shown = shop.dangol(&["customer", "export", "b@example.org"]).json();
    assert!(shown["customer"]["id"].as_i64().unwrap() > 1_000_000, "{shown}");
    std::fs::remove_file(shop.path("dangol.db")).unwrap();
    shop.dangol(&["db", "restore", "b.db", "--yes"]).fine();
}
