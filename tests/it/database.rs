//! The ground: values go in and come out alike on both databases, and the log keeps its order.

use crate::support::on_both;
use dangol::args;
use dangol::db::{Rows, Type};
use dangol::event::{self, Kind, NewEvent};
use dangol::types::Timestamp;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

#[test]
fn values_come_out_as_they_went_in() {
    on_both(|t| async move {
        let mut tx = t.db.begin().await.unwrap();
        let mut rows = Rows::new(&[Type::Int, Type::Text, Type::Text, Type::Int]);
        rows.push(args![7, "홍길동 '?' \"🙂\" مرحبا", None::<&str>, 1]);
        rows.push(args![8, "", "x", 2]);
        let sql = "INSERT INTO customer (bucket, name, locale, created_at, updated_at) SELECT a, b, c, d, d FROM (WITH input(a, b, c, d) AS ({rows}) SELECT * FROM input) AS i";
        assert_eq!(tx.execute_rows(sql, rows, args![]).await.unwrap(), 2);
        tx.commit().await.unwrap();
        let found: Vec<(i64, String, Option<String>)> =
            t.db.all("SELECT bucket, name, locale FROM customer WHERE bucket < ? ORDER BY id", args![9]).await.unwrap();
        assert_eq!(found, [(7, "홍길동 '?' \"🙂\" مرحبا".to_owned(), None), (8, String::new(), Some("x".to_owned()))]);
    });
}

#[test]
fn an_event_is_kept_once_and_readers_move_exactly_once() {
    on_both(|t| async move {
        let visit = |key: &str| NewEvent::new(Kind::Visit, 1, at(1_000), "test", key);
        let first =
            event::append(t.db.begin().await.unwrap(), &[visit("a"), visit("b"), visit("a")], at(5)).await.unwrap();
        assert!(first[0].is_some() && first[1].is_some() && first[2].is_none(), "{first:?}");
        let again = event::append(t.db.begin().await.unwrap(), &[visit("b"), visit("c")], at(6)).await.unwrap();
        assert!(again[0].is_none() && again[1].is_some());
        let seen = event::read_after(&mut &t.db, 0, 10).await.unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen.windows(2).all(|pair| pair[0].id < pair[1].id));

        let mut tx = t.db.begin().await.unwrap();
        assert!(event::move_cursor(&mut tx, "reader", 0, seen[2].id).await.unwrap());
        tx.commit().await.unwrap();
        let mut tx = t.db.begin().await.unwrap();
        assert!(!event::move_cursor(&mut tx, "reader", 0, 1).await.unwrap(), "a stale reader moves nothing");
    });
}
