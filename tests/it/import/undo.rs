//! Taking an import back: afterwards the shop is one that never had it, whoever had read of it; and what stays is said.

use super::*;
use dangol::event::purchase::Status;
use dangol::relationship;

const HEAD: &str = "customer,order_id,at,amount,margin,discount,status,refunded,items\n";

/// All that is known of orders and of what customers come to, as of one moment: words and whole numbers, and fractions.
#[derive(Debug)]
struct Seen {
    rows: Vec<(String, String, i64, i64)>,
    figures: Vec<(i64, Vec<Option<f64>>)>,
}

impl Seen {
    async fn of(door: &Door) -> Seen {
        relationship::refresh_all(&door.t.db, &door.settings, now()).await.unwrap();
        let db = &door.t.db;
        let mut rows: Vec<(String, String, i64, i64)> = Vec::new();
        for sql in [
            "SELECT order_key, status || ' ' || currency || ' ' || CAST(coalesce(margin, -1) AS TEXT) || ' ' || \
             CAST(coalesce(discount, -1) AS TEXT) || ' ' || CAST(refunded AS TEXT), at, amount FROM purchase ORDER BY order_key",
            "SELECT p.order_key, coalesce(i.name, ''), CAST(i.quantity AS BIGINT), coalesce(i.amount, -1) FROM order_item i \
             JOIN purchase p ON p.event_id = i.event_id ORDER BY p.order_key, i.id",
            "SELECT coalesce(external_id, email), coalesce(name, ''), bucket, bucket FROM customer ORDER BY id",
            "SELECT lifecycle, CAST(coalesce(first_purchase_at, 0) AS TEXT) || ' ' || CAST(coalesce(previous_purchase_at, 0) AS TEXT) \
             || ' ' || CAST(coalesce(last_purchase_at, 0) AS TEXT) || ' ' || CAST(discounted AS TEXT), purchases, revenue - 7 * margin \
             FROM relationship ORDER BY customer_id",
        ] {
            rows.extend(db.all::<(String, String, i64, i64)>(sql, args![]).await.unwrap());
        }
        let mut figures: Vec<(i64, Vec<Option<f64>>)> = Vec::new();
        let sql = "SELECT customer_id, score, buying, buying_points, buy_sum, engagement, attitude FROM relationship ORDER BY customer_id";
        type Line = (i64, Option<f64>, Option<f64>, Option<f64>, Option<f64>, Option<f64>, Option<f64>);
        for (customer, a, b, c, d, e, f) in db.all::<Line>(sql, args![]).await.unwrap() {
            figures.push((customer, vec![a, b, c, d, e, f]));
        }
        Seen { rows, figures }
    }

    fn is(&self, other: &Seen) -> bool {
        let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs()),
            (a, b) => a.is_none() && b.is_none(),
        };
        let alike = |((a, xs), (b, ys)): (&(i64, Vec<Option<f64>>), &(i64, Vec<Option<f64>>))| {
            a == b && xs.iter().zip(ys).all(|(x, y)| close(*x, *y))
        };
        self.rows == other.rows
            && self.figures.len() == other.figures.len()
            && self.figures.iter().zip(&other.figures).all(alike)
    }
}

/// A source of numbers that is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// Rows about the orders of `keys`, by the customers E0 to E5, each order always of the same one.
    fn orders(&mut self, rows: u64, keys: std::ops::Range<u64>) -> String {
        let mut file = String::from(HEAD);
        for _ in 0..rows {
            let key = keys.start + self.roll(keys.end - keys.start);
            let at = format!("2026-{:02}-{:02}", 1 + self.roll(10), 1 + self.roll(28));
            let amount = 1_000 * (1 + self.roll(9));
            let maybe = |n: u64, d: &mut Dice| if d.roll(2) == 0 { String::new() } else { n.to_string() };
            let (margin, discount) = (maybe(amount / 4, self), maybe(100, self));
            let status = Status::names().nth(self.roll(6) as usize).unwrap();
            let refunded = maybe(amount / (1 + self.roll(3)), self);
            let items = match self.roll(3) {
                0 => String::new(),
                n => format!(
                    "\"[{}]\"",
                    vec![format!("{{\"\"name\"\":\"\"씨앗 {amount} 🌱\"\",\"\"quantity\"\":{n}}}"); n as usize]
                        .join(",")
                ),
            };
            file += &format!("E{},O{key},{at},{amount},{margin},{discount},{status},{refunded},{items}\n", key % 6);
        }
        file
    }
}

impl Door {
    async fn catch_up(&self) {
        relationship::catch_up(&self.t.db, &self.settings, now()).await.unwrap();
    }

    async fn undo(&self, report: &Report) -> import::Undone {
        import::undo(&self.t.db, report.batch.unwrap(), "test", now()).await.unwrap()
    }
}

#[test]
fn a_shop_whose_import_was_undone_is_one_that_never_had_it() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id,name\nE0,홍길동\nE1,مريم\nE2,🙂\nE3,Ann\n").await;
        let create = |o: &mut Options<'_>| o.create = true;
        let mut dice = Dice(42);
        for round in 0..8 {
            // the shop grows from round to round; E4 and E5 are made by the import that is undone
            let base = dice
                .orders(6, 0..40)
                .lines()
                .filter(|l| !l.starts_with("E4") && !l.starts_with("E5"))
                .fold(String::new(), |file, line| file + line + "\n");
            door.take(Kind::Orders, &base).await;
            door.catch_up().await;
            let before = Seen::of(&door).await;

            let file = dice.orders(12, 0..60);
            let report = door.with(Kind::Orders, &file, create).await.unwrap();
            assert!(report.inserted > 0 && report.rejected == 0, "{report:?}");
            // whether all, some or nobody has read of it
            match round % 3 {
                0 => door.catch_up().await,
                1 => drop(relationship::catch_up_slice(&door.t.db, &door.settings, now()).await.unwrap()),
                _ => {}
            }
            let with_it = Seen::of(&door).await;
            assert!(!with_it.is(&before));
            let undone = door.undo(&report).await;
            assert_eq!((undone.events, undone.kept.as_slice()), (report.inserted, &[][..]), "{undone:?}");
            door.catch_up().await;
            let after = Seen::of(&door).await;
            assert!(after.is(&before), "round {round}: {after:#?}\n{before:#?}");

            // again: nothing is left to take back
            let events = door.count("event").await;
            let again = door.undo(&report).await;
            assert_eq!((again.events, again.corrections, again.customers), (0, 0, 0), "{again:?}");
            assert_eq!((again.kept.len(), door.count("event").await), (0, events));
            door.catch_up().await;
            assert!(Seen::of(&door).await.is(&before));

            // the same file again is as if for the first time, and goes again
            if round % 2 == 0 {
                let report = door.with(Kind::Orders, &file, create).await.unwrap();
                assert_eq!((report.inserted, report.rejected), (undone.events, 0));
                door.catch_up().await;
                let anew = Seen::of(&door).await;
                let orders =
                    |seen: &Seen| seen.rows.iter().filter(|row| row.0.starts_with('O')).cloned().collect::<Vec<_>>();
                assert_eq!(orders(&anew), orders(&with_it));
                door.undo(&report).await;
                door.catch_up().await;
                assert!(Seen::of(&door).await.is(&before));
            }
        }
    });
}

#[test]
fn what_a_later_import_changed_stays_until_that_one_is_undone() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id\nE1\n").await;
        let row = |amount: i64, status: &str| format!("{HEAD}E1,O1,2026-01-01,{amount},,,{status},,\n");
        let first = door.take(Kind::Orders, row(1_000, "paid")).await;
        let second = door.take(Kind::Orders, row(1_200, "paid")).await;
        let third = door.take(Kind::Orders, row(1_300, "returned")).await;
        door.catch_up().await;
        let stands = async || {
            let row: Option<(i64, String)> =
                door.t.db.all("SELECT amount, status FROM purchase", args![]).await.unwrap().pop();
            row
        };

        let undone = door.undo(&first).await;
        let number = third.batch.unwrap();
        let said = format!(
            "1 orders stay: import {number} changed them since; `dangol import undo {number}` first, then this one again"
        );
        assert_eq!((undone.events, undone.kept), (0, vec![said]));
        let undone = door.undo(&second).await;
        assert!(undone.corrections == 0 && undone.kept[0].contains("undo the later import first"), "{undone:?}");
        assert_eq!(stands().await, Some((1_300, "returned".into())));

        assert_eq!(door.undo(&third).await.corrections, 1);
        assert_eq!(stands().await, Some((1_200, "paid".into())));
        let undone = door.undo(&second).await;
        assert_eq!((undone.corrections, undone.kept.len()), (1, 0), "{undone:?}");
        assert_eq!(stands().await, Some((1_000, "paid".into())));
        assert_eq!(door.undo(&first).await.events, 1);
        assert_eq!(stands().await, None);
        door.catch_up().await;
        let (purchases,): (i64,) = door.t.db.one("SELECT purchases FROM relationship", args![]).await.unwrap();
        assert_eq!(purchases, 0);
        // the log tells it all: one order, two changes, and three times that something was put right
        assert_eq!(door.count("event").await, 6);
    });
}

#[test]
fn undo_takes_back_what_nothing_has_used_and_says_what_it_kept() {
    on_both(|t| async move {
        let door = Door::new(t);
        let consent = |o: &mut Options<'_>| o.consent = Some(("newsletter".into(), "form".into()));
        let people = door
            .with(Kind::Customers, "email\na@haru.example\nb@haru.example\nc@haru.example\n", consent)
            .await
            .unwrap();
        let visits = door.take(Kind::Events, "customer,kind,at\na@haru.example,visit,2026-01-01\n").await;
        let orders = door.take(Kind::Orders, "customer,order_id,at,amount\nb@haru.example,O1,2026-01-01,5\n").await;
        door.catch_up().await;
        let more = door.take(Kind::Events, "customer,kind,at\nc@haru.example,visit,2026-01-02\n").await;
        let undone = door.undo(&more).await;
        assert_eq!((undone.events, undone.kept.len()), (1, 0), "nobody has read of it: {undone:?}");
        let undone = door.undo(&visits).await;
        assert!(undone.events == 0 && undone.kept[0].starts_with("1 events stay: scores have seen them"), "{undone:?}");
        assert_eq!(door.undo(&orders).await.events, 1);
        let undone = door.undo(&people).await;
        assert_eq!((undone.customers, undone.consents), (2, 3), "{undone:?}");
        assert_eq!(undone.kept, ["1 customers stay: 1 have events or orders"]);
        assert_eq!((door.count("customer").await, door.count("consent").await), (1, 0));
        assert_eq!(door.count("consent_state").await, 0);
        // the correction about somebody who is no more is read all the same
        door.catch_up().await;
        assert!(matches!(import::undo(&door.t.db, 999, "test", now()).await, Err(ImportError::NoBatch(999))));
        let batches = import::batches(&mut &door.t.db, 10).await.unwrap();
        assert!(batches.len() == 4 && batches.iter().all(|b| b.state == "undone"));
        let blocked = door.take(Kind::Suppressions, "email\nx@haru.example\n").await;
        let undone = door.undo(&blocked).await;
        assert_eq!(undone.suppressions, 1);
        assert!(!permission::is_suppressed(&mut &door.t.db, "x@haru.example", now()).await.unwrap());
    });
}

#[test]
fn an_order_that_earned_a_reward_stays_and_an_erased_persons_change_too() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id\nE1\nE2\n").await;
        let first = door
            .take(Kind::Orders, format!("{HEAD}E1,O1,2026-01-01,1000,,,paid,,\nE2,O2,2026-01-01,1000,,,paid,,\n"))
            .await;
        let second = door.take(Kind::Orders, format!("{HEAD}E2,O2,2026-01-01,1500,,,paid,,\n")).await;
        let (event,): (i64,) =
            door.t.db.one("SELECT event_id FROM purchase WHERE order_key = 'O1'", args![]).await.unwrap();
        let sql = "INSERT INTO reward_lot (customer_id, reward, rule, period, granted, pending, active, spent, expired, reversed, moves, \
                   unit, budget, order_id, granted_at) VALUES (1, 'petals', 'r', 'p', 10, 10, 0, 0, 0, 0, 1, 1, 'all', ?, 0)";
        door.t.db.execute(sql, args![event]).await.unwrap();
        let sql = "SELECT id FROM customer WHERE external_id = 'E2'";
        let (who,): (i64,) = door.t.db.one(sql, args![]).await.unwrap();
        let mut tx = door.t.db.begin().await.unwrap();
        assert!(erase(&mut tx, who, &key(), "test", now()).await.unwrap());
        tx.commit().await.unwrap();

        let undone = door.undo(&second).await;
        assert!(
            undone.corrections == 0 && undone.kept[0].starts_with("1 changes of known orders stay: the log no longer"),
            "{undone:?}"
        );
        let undone = door.undo(&first).await;
        assert_eq!(undone.events, 1, "{undone:?}");
        assert_eq!(undone.kept, ["1 orders stay: rewards were granted for them"]);
    });
}
