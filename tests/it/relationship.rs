//! The relationship: sums that take events in any order, a score that adds up, and evidence that comes to the same.

use crate::support::{TestDb, on_both};
use dangol::args;
use dangol::config::model::Settings;
use dangol::event::{self, Event, Kind, NewEvent};
use dangol::relationship::calibration::{self, Calibration};
use dangol::relationship::{self, Figures, Input, Model, Sums, engagement, figures, score, store};
use dangol::types::{Timestamp, bucket};
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;
/// 2027-03-01T12:00 in Seoul.
const NOON: i64 = 1_803_870_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn settings_with(scoring: &str) -> Settings {
    let text = format!(
        "[site]\nname = \"하루 정원\"\nurl = \"https://mail.haru.example\"\ntimezone = \"Asia/Seoul\"\nlocale = \"ko\"\ncurrency = \"KRW\"\n[scoring]\n{scoring}"
    );
    toml::from_str(&text).unwrap()
}

fn settings() -> Settings {
    settings_with("")
}

/// A shop as the other stages write it.
struct Shop<'t> {
    t: &'t TestDb,
    settings: Settings,
    keys: std::sync::atomic::AtomicI64,
}

impl<'t> Shop<'t> {
    fn new(t: &'t TestDb) -> Shop<'t> {
        Shop { t, settings: settings(), keys: 0.into() }
    }

    fn key(&self) -> i64 {
        self.keys.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    async fn customers(&self, n: i64) {
        let mut tx = self.t.db.begin().await.unwrap();
        for id in 1..=n {
            let sql =
                "INSERT INTO customer (id, bucket, name, email, created_at, updated_at) VALUES (?, ?, ?, ?, 0, 0)";
            let args = args![id, bucket::bucket(id), "홍길동 🙂 مرحبا", format!("c{id}@xn--6o2b11p.example")];
            tx.execute(sql, args).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn event(&self, event: NewEvent) -> i64 {
        event::append(self.t.db.begin().await.unwrap(), &[event], at(0)).await.unwrap()[0].unwrap()
    }

    fn new_event(&self, kind: &str, customer: i64, millis: i64, message: Option<i64>, data: Value) -> NewEvent {
        let mut event = NewEvent::new(Kind::of(kind), customer, at(millis), "test", format!("k{}", self.key()));
        (event.message, event.data) = (message, data);
        event
    }

    async fn say(&self, kind: &str, customer: i64, millis: i64, message: Option<i64>, data: Value) -> i64 {
        self.event(self.new_event(kind, customer, millis, message, data)).await
    }

    /// An order and its projection, in one transaction.
    async fn order(&self, customer: i64, millis: i64, amount: i64, discount: Option<i64>) -> i64 {
        let mut event = self.new_event("order", customer, millis, None, json!({}));
        event.value = Some(amount);
        let mut tx = self.t.db.begin().await.unwrap();
        let id = event::append_in(&mut tx, &[event], at(0)).await.unwrap()[0].unwrap();
        let sql = "INSERT INTO purchase (event_id, order_key, customer_id, at, amount, currency, margin, discount, status, updated_at) \
                   VALUES (?, ?, ?, ?, ?, 'KRW', ?, ?, 'paid', 0)";
        let args = args![id, format!("o{id}"), customer, millis, amount, amount / 4, discount];
        tx.execute(sql, args).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// An order turns out otherwise.
    async fn correct(&self, customer: i64, order: i64, set: &str) {
        let correction = self.new_event("correction", customer, NOON, None, json!({"corrects": order}));
        let mut tx = self.t.db.begin().await.unwrap();
        event::append_in(&mut tx, &[correction], at(0)).await.unwrap();
        tx.execute(&format!("UPDATE purchase SET {set} WHERE event_id = ?"), args![order]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn message(&self, id: i64, customer: i64, sent: i64) {
        let sql = "INSERT INTO message (id, enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, address, state, topic, due_at, next_at, expires_at, sent_at, created_at, updated_at) \
                   VALUES (?, ?, 1, 1, 1, 'send', ?, ?, 'accepted', 'newsletter', 0, 0, 0, ?, 0, 0)";
        self.t.db.execute(sql, args![id, id, customer, format!("m{id}@x.example"), sent]).await.unwrap();
    }

    async fn catch_up(&self, now: i64) -> relationship::Progress {
        relationship::catch_up(&self.t.db, &self.settings, at(now)).await.unwrap()
    }

    async fn sums(&self, customer: i64) -> Sums {
        store::load(&mut &self.t.db, &[customer]).await.unwrap().remove(0).1
    }

    async fn column(&self, name: &str, customer: i64) -> Option<f64> {
        let sql = format!("SELECT {name} FROM relationship WHERE customer_id = ?");
        (&self.t.db).optional_real(&sql, customer).await
    }

    async fn lifecycle(&self, customer: i64) -> String {
        let sql = "SELECT lifecycle FROM relationship WHERE customer_id = ?";
        let (found,): (String,) = dangol::db::Query::one(&mut &self.t.db, sql, args![customer]).await.unwrap();
        found
    }

    async fn credit(&self, message: i64) -> f64 {
        store::messages(&mut &self.t.db, &[message]).await.unwrap()[0].1
    }

    async fn explain(&self, customer: i64, now: i64) -> relationship::Explanation {
        relationship::explain(&self.t.db, &self.settings, customer, at(now)).await.unwrap()
    }

    async fn rewind(&self) {
        self.t.db.execute("DELETE FROM relationship", args![]).await.unwrap();
        self.t.db.execute("UPDATE cursor SET position = 0", args![]).await.unwrap();
    }
}

trait OptionalReal {
    async fn optional_real(self, sql: &str, customer: i64) -> Option<f64>;
}

impl OptionalReal for &dangol::db::Db {
    async fn optional_real(mut self, sql: &str, customer: i64) -> Option<f64> {
        let row: Option<(Option<f64>,)> = dangol::db::Query::optional(&mut self, sql, args![customer]).await.unwrap();
        row.and_then(|(value,)| value)
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// The same sums, up to rounding, looked at from `now`; the reference times may differ.
fn same(a: &Sums, b: &Sums, now: i64) {
    let model = Model::new(&settings());
    let whole = |s: &Sums| {
        (
            s.purchases,
            s.first_purchase_at,
            s.previous_purchase_at,
            s.last_purchase_at,
            s.revenue,
            s.margin,
            s.discounted,
            s.delivered,
            s.last_human_at,
        )
    };
    assert_eq!(whole(a), whole(b));
    let decayed = |s: &Sums| {
        let [buying] = s.buying.value(now, model.half_life);
        let [trials, credit] = s.engagement.value(now, model.engagement_half_life);
        let [weight, value] = s.attitude.value(now, model.attitude_half_life);
        [buying, trials, credit, weight, value]
    };
    for (x, y) in decayed(a).into_iter().zip(decayed(b)) {
        assert!(close(x, y), "{x} {y}\n{a:?}\n{b:?}");
    }
}

#[test]
fn repeat_purchases_are_discounted_and_a_day_counts_once() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(1).await;
        let first = NOON - 364 * DAY;
        shop.order(1, first, 10_000, None).await;
        // one half-life (182 days) later: the same evening in Seoul, which is two days in UTC
        shop.order(1, first + 182 * DAY, 20_000, Some(1_000)).await;
        shop.order(1, first + 182 * DAY + 11 * 3_600_000, 5_000, Some(500)).await;
        shop.order(1, NOON, 8_000, None).await;
        shop.catch_up(NOON).await;
        let sums = shop.sums(1).await;
        assert_eq!((sums.purchases, sums.discounted, sums.revenue, sums.margin), (3, 1, 43_000, 10_750));
        assert_eq!(sums.first_purchase_at, Some(first));
        assert_eq!(sums.previous_purchase_at, Some(first + 182 * DAY + 11 * 3_600_000));
        assert_eq!(sums.last_purchase_at, Some(NOON));
        let midnight = NOON - 12 * 3_600_000;
        let [s] = sums.buying.value(midnight, Model::new(&shop.settings).half_life);
        assert!(close(s, 1.5), "today's counts 1, the one a half-life ago .5, the first nothing: {s}");
        // at midnight T = 2h, so e = .75 · 26 / ln 2 = 28.13255…
        relationship::refresh_all(&t.db, &shop.settings, at(midnight)).await.unwrap();
        let rate = 1.75 / (4.4 + 0.75 * 26.0 / std::f64::consts::LN_2);
        let p = 1.0 - (-26.0 * rate).exp();
        assert!(close(shop.column("buying", 1).await.unwrap(), p), "{p}");
        assert!((p - 0.753).abs() < 0.001, "by hand: rate .0538 a week, 1 − e^(−1.3988)");
    });
}

#[test]
fn what_was_returned_is_taken_back_and_comes_back_when_it_stands_after_all() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(1).await;
        let order = shop.order(1, NOON - 30 * DAY, 10_000, Some(1)).await;
        shop.order(1, NOON - 20 * DAY, 7_000, None).await;
        shop.catch_up(NOON).await;
        let before = shop.sums(1).await;
        shop.correct(1, order, "status = 'returned'").await;
        shop.catch_up(NOON).await;
        let returned = shop.sums(1).await;
        assert_eq!((returned.purchases, returned.discounted, returned.revenue), (1, 0, 7_000));
        assert_eq!(returned.first_purchase_at, Some(NOON - 20 * DAY), "the second is now the first");
        assert!(close(returned.buying.sums[0], 0.0));
        shop.correct(1, order, "status = 'paid', refunded = 4000").await;
        shop.catch_up(NOON).await;
        let again = shop.sums(1).await;
        assert_eq!((again.revenue, again.margin), (13_000, 1_500 + 1_750));
        same(&Sums { revenue: 0, margin: 0, ..again }, &Sums { revenue: 0, margin: 0, ..before }, NOON);
        shop.correct(1, order, "refunded = 10000").await;
        shop.catch_up(NOON).await;
        assert_eq!(shop.sums(1).await.purchases, 1, "refunded in full is as good as returned");
        let foreign = shop.order(1, NOON, 99, None).await;
        shop.correct(1, foreign, "currency = 'USD'").await;
        shop.catch_up(NOON).await;
        let sums = shop.sums(1).await;
        assert_eq!((sums.purchases, sums.revenue), (2, 7_000), "foreign money is not added to won");
    });
}

#[test]
fn a_mail_earns_the_best_of_its_hits_and_a_bounce_takes_it_back() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(1).await;
        for message in 1..=3 {
            shop.message(message, 1, NOON).await;
        }
        let hit = |kind: &'static str, message, class: &'static str| {
            shop.say(kind, 1, NOON + DAY, Some(message), json!({"class": class}))
        };
        shop.say("delivered", 1, NOON, Some(1), json!({})).await;
        hit("open", 1, "machine").await;
        hit("click", 1, "machine").await;
        shop.catch_up(NOON).await;
        assert!(close(shop.credit(1).await, 0.0), "a scanner earns nothing, whatever it opens and clicks");
        hit("open", 1, "proxy").await;
        shop.catch_up(NOON).await;
        assert!(close(shop.credit(1).await, 0.05));
        assert_eq!(shop.sums(1).await.last_human_at, None);
        hit("open", 1, "human").await;
        shop.catch_up(NOON).await;
        assert!(close(shop.credit(1).await, 0.3));
        let click = hit("click", 1, "human").await;
        hit("open", 1, "human").await;
        // answered before it is known to have arrived, and bounced after that
        shop.say("reply", 1, NOON + DAY, Some(2), json!({})).await;
        shop.catch_up(NOON).await;
        let sums = shop.sums(1).await;
        assert_eq!((sums.delivered, sums.last_human_at), (1, Some(NOON + DAY)));
        assert!(close(sums.engagement.sums[1], 0.8), "{sums:?}");
        shop.say("delivered", 1, NOON, Some(2), json!({})).await;
        shop.say("delivered", 1, NOON - 60 * DAY, Some(3), json!({})).await;
        shop.catch_up(NOON).await;
        let sums = shop.sums(1).await;
        assert!(close(sums.engagement.sums[0], 2.5) && close(sums.engagement.sums[1], 1.8), "{sums:?}");
        // an hour later: by the time of the delivery, not of the hit
        let later = figures::engagement(&sums, 0.1, &Model::new(&shop.settings), NOON);
        assert!(close(later.1, (1.8 + 0.2) / 4.5));
        shop.say("bounce", 1, NOON + DAY, Some(2), json!({})).await;
        shop.say("bounce", 1, NOON + 2 * DAY, Some(2), json!({})).await;
        shop.catch_up(NOON).await;
        let sums = shop.sums(1).await;
        assert_eq!(sums.delivered, 2);
        assert!(close(sums.engagement.sums[0], 1.5) && close(sums.engagement.sums[1], 0.8), "{sums:?}");
        // the click was a scanner's after all
        shop.say("correction", 1, NOON + 2 * DAY, None, json!({"corrects": click, "class": "machine"})).await;
        shop.catch_up(NOON).await;
        assert!(close(shop.credit(1).await, 0.3));
        assert!(close(shop.sums(1).await.engagement.sums[1], 0.3));
    });
}

#[test]
fn answers_replace_each_other_and_a_resolved_complaint_counts_half() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(2).await;
        shop.message(1, 1, NOON).await;
        let nps = |answer: Value| json!({"survey": "추천", "kind": "nps", "answer": answer});
        shop.say("survey_answer", 1, NOON, Some(1), nps(json!("9"))).await;
        shop.say("survey_answer", 1, NOON, None, json!({"kind": "scale", "answer": "0"})).await;
        shop.say("survey_answer", 1, NOON, None, json!({"kind": "nps", "answer": "no number"})).await;
        shop.catch_up(NOON).await;
        let model = Model::new(&shop.settings);
        let attitude = async || figures::attitude(&shop.sums(1).await, &model, NOON);
        assert_eq!(attitude().await, (1.0, 2.0 / 3.0));
        let mut changed = nps(json!(7));
        changed["previous"] = json!("9");
        shop.say("survey_answer", 1, NOON, Some(1), changed).await;
        shop.catch_up(NOON).await;
        assert_eq!(attitude().await, (1.0, 1.6 / 3.0), "the passive answer stands in place of the promoter's");
        let mut review = shop.new_event("review", 1, NOON, None, json!({}));
        review.value = Some(5);
        shop.event(review).await;
        shop.say("review", 1, NOON, None, json!({"rating": 2})).await;
        shop.say("referral", 1, NOON, None, json!({})).await;
        shop.catch_up(NOON).await;
        assert_eq!(attitude().await, (3.0, 3.6 / 5.0));
        shop.say("complaint", 1, NOON, None, json!({})).await;
        shop.catch_up(NOON).await;
        assert_eq!(attitude().await, (5.0, 3.6 / 7.0));
        shop.say("complaint_resolved", 1, NOON + 6 * DAY, None, json!({})).await;
        shop.say("complaint_resolved", 1, NOON + 6 * DAY, None, json!({})).await;
        shop.catch_up(NOON).await;
        assert_eq!(attitude().await, (4.0, 3.6 / 6.0));
        shop.say("complaint", 2, NOON, None, json!({})).await;
        shop.say("complaint_resolved", 2, NOON + 8 * DAY, None, json!({})).await;
        shop.catch_up(NOON).await;
        assert_eq!(shop.sums(2).await.attitude.sums[0], 2.0, "too late");
    });
}

/// splitmix64: the same history everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.cast_unsigned()).cast_signed()
    }
}

/// Two years of everything that can happen, out of order, corrections among it, read in between now and then.
async fn history(shop: &Shop<'_>, customers: i64, steps: i64, seed: u64) {
    let mut dice = Dice(seed);
    shop.customers(customers).await;
    for message in 1..=customers * 4 {
        shop.message(message, 1 + message % customers, NOON - 100 * DAY).await;
    }
    let (mut orders, mut hits) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        let message = 1 + dice.below(customers * 4);
        let (reader, customer) = (1 + message % customers, 1 + dice.below(customers));
        let when = NOON - dice.below(700) * DAY - dice.below(24) * 3_600_000;
        let hit_at = NOON - 99 * DAY + dice.below(99 * DAY);
        let class = ["human", "proxy", "machine", "unknown"][usize::try_from(dice.below(4)).unwrap()];
        match dice.below(16) {
            0..4 => {
                let discount = (dice.below(2) == 0).then_some(100);
                orders.push((customer, shop.order(customer, when, 1_000 + dice.below(9_000), discount).await));
            }
            4 if !orders.is_empty() => {
                let (customer, order) = orders[usize::try_from(dice.below(orders.len() as i64)).unwrap()];
                let set = ["status = 'cancelled'", "status = 'paid'", "refunded = 500", "discount = 0"];
                shop.correct(customer, order, set[usize::try_from(dice.below(4)).unwrap()]).await;
            }
            5..8 => {
                shop.say("delivered", reader, NOON - 100 * DAY + message, Some(message), json!({})).await;
            }
            8 => {
                shop.say("bounce", reader, hit_at, Some(message), json!({})).await;
            }
            9 | 10 => {
                hits.push((reader, shop.say("open", reader, hit_at, Some(message), json!({"class": class})).await))
            }
            11 => hits.push((reader, shop.say("click", reader, hit_at, Some(message), json!({"class": class})).await)),
            12 if !hits.is_empty() => {
                let (reader, hit) = hits[usize::try_from(dice.below(hits.len() as i64)).unwrap()];
                shop.say("correction", reader, hit_at, None, json!({"corrects": hit, "class": class})).await;
            }
            13 => {
                let answer = json!({"survey": "s", "kind": "nps", "answer": dice.below(11)});
                shop.say("survey_answer", customer, when, None, answer).await;
            }
            14 => {
                shop.say("complaint", customer, when, None, json!({})).await;
            }
            _ => {
                let kind = ["referral", "complaint_resolved", "visit"][usize::try_from(dice.below(3)).unwrap()];
                shop.say(kind, customer, when, None, json!({})).await;
            }
        }
        if dice.below(40) == 0 {
            shop.catch_up(NOON).await;
        }
    }
}

#[test]
fn reading_bit_by_bit_reading_anew_and_the_evidence_itself_come_to_the_same() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        history(&shop, 12, 1_100, 7).await;
        shop.catch_up(NOON).await;
        let mut bit_by_bit = Vec::new();
        for customer in 1..=12 {
            bit_by_bit.push(shop.sums(customer).await);
            let why = shop.explain(customer, NOON).await;
            let stored = shop.column("score", customer).await.unwrap();
            assert!(close(why.score, stored), "customer {customer}: {} by evidence, {stored} by sums", why.score);
            let points: f64 = why.contributions.iter().map(|part| part.points).sum();
            assert!(close(points, why.score), "{points} {}", why.score);
        }
        assert!(bit_by_bit.iter().any(|s| s.purchases > 3) && bit_by_bit.iter().any(|s| s.delivered > 2));
        shop.rewind().await;
        let progress = shop.catch_up(NOON).await;
        assert!(progress.events >= 1_000 && progress.at_end, "several slices: {progress:?}");
        for (customer, before) in (1..=12).zip(&bit_by_bit) {
            same(before, &shop.sums(customer).await, NOON);
        }
        let position = event::cursor(&mut &t.db, "relationship").await.unwrap();
        assert_eq!(shop.catch_up(NOON).await.events, 0, "nothing is read twice");
        assert_eq!(event::cursor(&mut &t.db, "relationship").await.unwrap(), position);
    });
}

#[test]
fn two_readers_at_once_count_each_event_once() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        history(&shop, 6, 700, 11).await;
        shop.catch_up(NOON).await;
        let mut alone = Vec::new();
        for customer in 1..=6 {
            alone.push(shop.sums(customer).await);
        }
        shop.rewind().await;
        let (now, settings) = (at(NOON), settings());
        let (a, b, c) = tokio::join!(
            relationship::catch_up(&t.db, &settings, now),
            relationship::catch_up(&t.db, &settings, now),
            relationship::refresh_all(&t.db, &settings, now),
        );
        assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
        for (customer, alone) in (1..=6).zip(&alone) {
            same(alone, &shop.sums(customer).await, NOON);
        }
    });
}

#[test]
fn every_order_of_events_gives_the_same_sums() {
    use proptest::prelude::*;
    let model = Model::new(&settings());
    let purchase = |day: i64| Input::Purchase {
        at: NOON - day * DAY,
        first_of_day: true,
        first_discount_of_day: day % 2 == 0,
        revenue: day,
        margin: 1,
    };
    let mut runner = proptest::test_runner::TestRunner::default();
    let days = prop::collection::btree_set(0..900_i64, 1..25);
    let strategy = (days, prop::collection::vec((0..900_i64, 0.0..1.0_f64), 0..25), any::<u64>());
    runner
        .run(&strategy, |(days, mails, seed)| {
            let mut inputs: Vec<Input> = days.into_iter().map(purchase).collect();
            inputs.extend(mails.iter().flat_map(|(day, credit)| {
                let at = NOON - day * DAY;
                [
                    Input::Trial { at, credit: 0.05 },
                    Input::Credit { at, more: *credit },
                    Input::Opinion { at, weight: 1.0, value: *credit },
                    Input::Human { at },
                ]
            }));
            let of = |inputs: &[Input]| {
                let mut sums = Sums::default();
                inputs.iter().for_each(|input| sums.apply(input, &model));
                sums
            };
            let in_order = of(&inputs);
            let mut dice = Dice(seed);
            for i in (1..inputs.len()).rev() {
                inputs.swap(i, usize::try_from(dice.below(i as i64 + 1)).unwrap());
            }
            same(&in_order, &of(&inputs), NOON);
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_median_active_customer_is_at_fifty_and_ranks_are_shares() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(43).await;
        for customer in 1..=41 {
            for n in 0..=customer % 8 {
                shop.order(customer, NOON - (5 + customer * 3 + n * 20) * DAY, 1_000 * customer, None).await;
            }
        }
        shop.catch_up(NOON).await;
        assert_eq!(shop.column("calibration_id", 1).await, None);
        relationship::refresh(&t.db, &shop.settings, at(NOON)).await.unwrap();
        let mut scores = Vec::new();
        let mut ranks = Vec::new();
        for customer in 1..=41 {
            scores.push(shop.column("score", customer).await.unwrap());
            ranks.push(shop.column("buying_rank", customer).await.unwrap());
        }
        scores.sort_by(f64::total_cmp);
        ranks.sort_by(f64::total_cmp);
        assert!(close(scores[20], 50.0), "{scores:?}");
        assert!(ranks[0] < 0.02 && ranks[40] > 0.98 && (ranks[20] - 0.5).abs() < 0.02, "{ranks:?}");
        assert_eq!(shop.lifecycle(43).await, "prospect", "who never did anything has figures too");
        assert_eq!(shop.column("buying_rank", 43).await, None);

        // between calibrations, nobody's figures move because of somebody else's
        let before = shop.column("score", 7).await;
        let first = store::calibration(&mut &t.db).await.unwrap();
        for customer in 20..=41 {
            shop.order(customer, NOON, 1_000, None).await;
        }
        shop.catch_up(NOON).await;
        relationship::refresh(&t.db, &shop.settings, at(NOON + 3_600_000)).await.unwrap();
        assert_eq!(shop.column("score", 7).await, before);
        assert_eq!(store::calibration(&mut &t.db).await.unwrap(), first, "at most daily");
        relationship::refresh(&t.db, &shop.settings, at(NOON + DAY)).await.unwrap();
        let second = store::calibration(&mut &t.db).await.unwrap();
        assert!(second.id > first.id && second.active == 41);
        assert_ne!(shop.column("score", 7).await, before);
        let (behind,): (i64,) = dangol::db::Query::one(
            &mut &t.db,
            "SELECT count(*) FROM relationship WHERE calibration_id <> ?",
            args![second.id],
        )
        .await
        .unwrap();
        assert_eq!(behind, 0);
    });
}

#[test]
fn time_alone_moves_figures_when_their_time_comes() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(2).await;
        shop.order(1, NOON - 20 * DAY, 5_000, None).await;
        shop.order(1, NOON, 5_000, None).await;
        shop.catch_up(NOON).await;
        assert_eq!(shop.lifecycle(1).await, "active");
        let (score, as_of) = (shop.column("score", 1).await.unwrap(), NOON);
        assert_eq!(relationship::refresh(&t.db, &shop.settings, at(NOON)).await.unwrap(), 2, "both are newcomers");
        assert_eq!(relationship::refresh(&t.db, &shop.settings, at(NOON + 3_600_000)).await.unwrap(), 0);
        let due: (i64,) =
            dangol::db::Query::one(&mut &t.db, "SELECT refresh_at FROM relationship WHERE customer_id = 1", args![])
                .await
                .unwrap();
        assert!(due.0 > as_of);
        assert_eq!(relationship::refresh(&t.db, &shop.settings, at(due.0 - 1)).await.unwrap(), 0);
        assert_eq!(relationship::refresh(&t.db, &shop.settings, at(due.0)).await.unwrap(), 1);
        let moved = shop.column("score", 1).await.unwrap();
        assert!((moved - score).abs() >= 0.5 && (moved - score).abs() < 0.6, "{score} {moved}");
        for (days, stage) in [(181, "active"), (182, "slipping"), (363, "slipping"), (364, "lapsed")] {
            relationship::refresh_all(&t.db, &shop.settings, at(NOON + days * DAY)).await.unwrap();
            assert_eq!(shop.lifecycle(1).await, stage, "after {days} days");
        }
        shop.order(1, NOON + 365 * DAY, 5_000, None).await;
        shop.catch_up(NOON + 366 * DAY).await;
        assert_eq!(shop.lifecycle(1).await, "won_back");
        shop.order(2, NOON + 360 * DAY, 5_000, None).await;
        shop.catch_up(NOON + 366 * DAY).await;
        assert_eq!(shop.lifecycle(2).await, "new");
    });
}

#[test]
fn refresh_never_misses_a_drift_of_half_a_point() {
    use proptest::prelude::*;
    let model = Model::new(&settings());
    let calibration = Calibration::default();
    let strategy = (prop::collection::vec((0..500_i64, 0.0..1.0_f64), 1..12), 0..40_i64);
    proptest::test_runner::TestRunner::default()
        .run(&strategy, |(mails, days)| {
            let mut sums = Sums::default();
            for (day, credit) in mails {
                sums.apply(&Input::Trial { at: NOON - day * DAY, credit }, &model);
            }
            let now = Figures::at(&sums, &calibration, &model, NOON);
            let refresh = now.refresh_at.unwrap();
            prop_assert!(refresh > NOON);
            let before = NOON + (refresh - NOON) * days / 41;
            let then = Figures::at(&sums, &calibration, &model, before);
            prop_assert!((then.score - now.score).abs() < 0.51, "{} {}", then.score, now.score);
            Ok(())
        })
        .unwrap();
}

#[test]
fn why_shows_evidence_and_numbers_that_add_up_in_both_languages() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(2).await;
        let sql =
            "INSERT INTO campaign (id, name, state, created_at, updated_at) VALUES (1, '봄 편지 🌱', 'running', 0, 0)";
        t.db.execute(sql, args![]).await.unwrap();
        let sql = "INSERT INTO consent_state (customer_id, topic, state, at, consent_id) VALUES (1, 'newsletter', 'granted', ?, 1)";
        t.db.execute(sql, args![NOON - 40 * DAY]).await.unwrap();
        let sql = "INSERT INTO suppression (address, reason, source, created_at) VALUES ('c1@xn--6o2b11p.example', 'complaint', 'arf', ?)";
        t.db.execute(sql, args![NOON]).await.unwrap();
        for n in 0..15 {
            shop.order(1, NOON - (15 - n) * 10 * DAY, 30_000, None).await;
        }
        shop.message(1, 1, NOON - DAY).await;
        shop.say("delivered", 1, NOON - DAY, Some(1), json!({})).await;
        shop.say("click", 1, NOON, Some(1), json!({"class": "human"})).await;
        shop.say("survey_answer", 1, NOON, None, json!({"kind": "nps", "answer": "3"})).await;
        // not caught up: why reads the log itself
        let why = shop.explain(1, NOON).await;
        let json = serde_json::to_value(&why).unwrap();
        let parts = json["contributions"].as_array().unwrap();
        assert_eq!(
            parts.iter().map(|p| p["component"].as_str().unwrap()).collect::<Vec<_>>(),
            ["base", "buying", "engagement", "attitude"]
        );
        let sum: f64 = parts.iter().map(|part| part["points"].as_f64().unwrap()).sum();
        assert!(close(sum, json["score"].as_f64().unwrap()));
        assert_eq!(parts[1]["evidence"].as_array().unwrap().len(), 12);
        assert_eq!(parts[1]["more"], 3);
        assert_eq!(parts[1]["evidence"][0]["what"], "purchase");
        assert_eq!(parts[1]["evidence"][0]["detail"], "30000 KRW");
        assert_eq!(parts[2]["evidence"][0]["what"], "click");
        assert!(parts[2]["evidence"][0]["detail"].as_str().unwrap().contains("봄 편지 🌱"));
        assert!(parts[3]["points"].as_f64().unwrap() < 0.0);
        assert_eq!(json["permission"][0]["topic"], "newsletter");
        assert_eq!(json["permission"][1]["state"], "complaint");
        for (locale, word) in [("ko-KR", "구매"), ("en", "buying")] {
            let text = why.to_text(&locale.parse().unwrap());
            assert!(text.contains(word), "{text}");
            let tenths = |s: &str| s.replace('.', "").parse::<i64>().unwrap();
            let shown: i64 = text
                .lines()
                .filter(|line| line.starts_with("  ") && !line.starts_with("        "))
                .map(|line| tenths(line.split_whitespace().next().unwrap()))
                .sum();
            let head = text.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
            assert_eq!(shown, tenths(&head), "{text}");
        }
        let nobody = relationship::explain(&t.db, &shop.settings, 99, at(NOON)).await;
        assert!(nobody.unwrap_err().to_string().contains("no customer 99"));
        let base_only = shop.explain(2, NOON).await;
        assert_eq!(base_only.score, 50.0);
    });
}

#[test]
fn the_erased_get_no_row_and_other_constants_make_the_sums_anew() {
    on_both(|t| async move {
        let mut shop = Shop::new(&t);
        shop.customers(3).await;
        for customer in 1..=3 {
            shop.order(customer, NOON - 182 * DAY, 1_000, None).await;
            shop.order(customer, NOON - 91 * DAY, 1_000, None).await;
        }
        t.db.execute("UPDATE customer SET erased_at = 1 WHERE id = 2", args![]).await.unwrap();
        shop.catch_up(NOON).await;
        relationship::refresh_all(&t.db, &shop.settings, at(NOON)).await.unwrap();
        assert_eq!(store::count(&mut &t.db).await.unwrap(), 2);
        let before = shop.column("buying", 1).await.unwrap();
        shop.settings = settings_with("half_life = \"13w\"");
        let progress = shop.catch_up(NOON).await;
        assert_eq!(progress.events, 6, "the log is read again");
        relationship::refresh(&t.db, &shop.settings, at(NOON)).await.unwrap();
        let model = Model::new(&shop.settings);
        let [s] = shop.sums(1).await.buying.value(NOON - 12 * 3_600_000, model.half_life);
        assert!(close(s, 0.5), "91 days are now a half-life: {s}");
        assert_ne!(shop.column("buying", 1).await.unwrap(), before);
        assert_eq!(store::count(&mut &t.db).await.unwrap(), 2);
        assert_eq!(shop.catch_up(NOON).await.events, 0, "and once only");
    });
}

#[test]
fn every_field_can_be_asked_for() {
    on_both(|t| async move {
        let shop = Shop::new(&t);
        shop.customers(1).await;
        shop.order(1, NOON, 1_000, None).await;
        shop.catch_up(NOON).await;
        for field in relationship::FIELDS {
            let sql =
                format!("SELECT count(*) FROM relationship r WHERE {} IS NULL OR {} IS NOT NULL", field.sql, field.sql);
            let (n,): (i64,) = dangol::db::Query::one(&mut &t.db, &sql, args![]).await.unwrap();
            assert_eq!(n, 1, "{}", field.name);
        }
        let lifecycle = relationship::FIELDS.iter().find(|field| field.name == "lifecycle").unwrap();
        assert!(lifecycle.values.contains(&shop.lifecycle(1).await.as_str()));
        let constants = relationship::constants(&shop.settings, &Calibration::default());
        assert!(constants.iter().any(|c| c.name == "scoring.half_life" && c.value == "26w"));
        assert!(constants.iter().all(|c| !c.meaning.is_empty()));
    });
}

/// The worked example of docs/relationship.md: its numbers, recomputed.
#[test]
fn the_worked_example_is_true() {
    let model = Model::new(&settings());
    let calibration = Calibration { buying: 0.5, engagement: 0.2, logit: 0.0, ..Calibration::default() };
    let midnight = NOON - 12 * 3_600_000;
    let mut sums = Sums::default();
    for weeks in [52, 26, 13] {
        let at = midnight - weeks * 7 * DAY;
        sums.apply(
            &Input::Purchase { at, first_of_day: true, first_discount_of_day: false, revenue: 0, margin: 0 },
            &model,
        );
    }
    for (days, credit) in [(60, engagement::HUMAN_OPEN), (30, engagement::HUMAN_CLICK), (0, 0.0)] {
        sums.apply(&Input::Trial { at: midnight - days * DAY, credit }, &model);
    }
    sums.apply(&Input::Opinion { at: midnight, weight: 1.0, value: 1.0 }, &model);
    let figures = Figures::at(&sums, &calibration, &model, midnight);
    let parts = figures::parts(&sums, &calibration, &model, midnight);
    let doc = include_str!("../../docs/relationship.md");
    let [repeats] = sums.buying.value(midnight, model.half_life);
    let numbers = [
        ("S", repeats),
        ("rate", model.rate(repeats, 52 * 7 * DAY)),
        ("p buying", parts[0].p),
        ("c buying", parts[0].contribution()),
        ("trials", parts[1].n),
        ("p engagement", parts[1].p),
        ("c engagement", parts[1].contribution()),
        ("p attitude", parts[2].p),
        ("c attitude", parts[2].contribution()),
        ("points buying", figures.points[0]),
        ("points engagement", figures.points[1]),
        ("points attitude", figures.points[2]),
        ("score", figures.score),
    ];
    for (name, value) in numbers {
        let wanted = format!("| {name} | {value:.4} |");
        assert!(doc.contains(&wanted), "docs/relationship.md should say {wanted}");
    }
    let shown = score::tenths(&[figures.base, figures.points[0], figures.points[1], figures.points[2]]);
    assert_eq!(shown.iter().sum::<i64>(), (figures.score * 10.0).round() as i64);
}

#[test]
fn a_calibration_of_too_few_is_none_and_ties_share_a_rank() {
    let model = Model::new(&settings());
    let buyer = |days: i64| {
        let mut sums = Sums::default();
        let at = NOON - days * DAY;
        sums.apply(
            &Input::Purchase { at, first_of_day: true, first_discount_of_day: false, revenue: 0, margin: 0 },
            &model,
        );
        sums
    };
    let few: Vec<Sums> = (0..5).map(buyer).collect();
    let found = Calibration::of(&few, &model, NOON);
    assert_eq!((found.active, found.buying, found.logit), (5, Calibration::default().buying, 0.0));
    let alike: Vec<Sums> = (0..50).map(|_| buyer(10)).collect();
    let found = Calibration::of(&alike, &model, NOON);
    let rate = figures::buying(&alike[0], &model, NOON).unwrap().rate;
    assert_eq!(found.rank(rate), 0.5);
    assert_eq!((found.rank(0.0), found.rank(9.0)), (0.0, 1.0));
    assert!(
        calibration::is_active(&alike[0], &model, NOON) && !calibration::is_active(&alike[0], &model, NOON + 400 * DAY)
    );
}

#[test]
fn what_an_event_says_about_a_mail() {
    let event = |kind: &str, data: Value| Event {
        id: 1,
        customer: Some(1),
        kind: Kind::of(kind),
        at: at(NOON),
        value: None,
        currency: None,
        campaign: None,
        message: Some(1),
        data,
    };
    let credit = |kind: &str, class: &str| match engagement::seen(&event(kind, json!({"class": class})), None) {
        Some(engagement::Seen::Earned { credit, .. }) => Some(credit),
        _ => None,
    };
    assert_eq!(credit("open", "human"), Some(0.3));
    assert_eq!(
        (credit("open", "proxy"), credit("open", "unknown"), credit("open", "")),
        (Some(0.05), Some(0.05), Some(0.05))
    );
    assert_eq!(credit("open", "machine"), None);
    assert_eq!(
        (credit("click", "human"), credit("click", "machine"), credit("click", "unknown")),
        (Some(0.8), None, None)
    );
    assert_eq!(
        (credit("reply", ""), credit("survey_answer", ""), credit("order", "")),
        (Some(1.0), Some(1.0), Some(1.0))
    );
}
