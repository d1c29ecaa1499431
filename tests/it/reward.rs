//! Rewards: a ledger that balances whatever happens, budgets that nobody overruns, orders that earn what they should,
//! codes and points that are used once. Orders, mails and grants are written as the other stages write them.

mod coupons;
mod doors;
mod files;
mod grants;
mod orders;
mod random;
mod redemption;

use crate::support::TestDb;
use dangol::args;
use dangol::config::model::Settings;
use dangol::db::Db;
use dangol::event::purchase::{self, Purchase, Status};
use dangol::event::{self, Kind, NewEvent};
use dangol::reward::{self, Grant, Granted, Reward};
use dangol::types::{Currency, Timestamp};
use serde_json::json;

pub const DAY: i64 = 86_400_000;
/// 2027-03-01T12:00 in Seoul.
pub const NOON: i64 = 1_803_870_000_000;

pub const PETALS: &str = "title = \"꽃잎\"\nkind = \"points\"\nearn = \"1%\"\nunit = \"1 KRW\"\nconfirm_after = \"14d\"\nexpires = \"24mo\"\n";
pub const COUPON: &str = "kind = \"coupon\"\nvalue = \"5000 KRW\"\ncodes = \"pool\"\n";

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

pub fn day(n: i64) -> Timestamp {
    at(NOON + n * DAY)
}

pub fn settings() -> Settings {
    let text = "[site]\nname = \"하루 정원\"\nurl = \"https://mail.haru.example\"\ntimezone = \"Asia/Seoul\"\nlocale = \"ko\"\ncurrency = \"KRW\"\n";
    toml::from_str(text).unwrap()
}

pub fn define(name: &str, toml: &str) -> Reward {
    Reward::read(name, toml, &settings()).unwrap()
}

/// A shop's database.
pub struct Shop {
    pub db: Db,
    pub settings: Settings,
}

impl Shop {
    /// With customers 1 to `n`.
    pub async fn new(t: &TestDb, n: i64) -> Shop {
        let shop = Shop { db: t.db.clone(), settings: settings() };
        for id in 1..=n {
            let sql = "INSERT INTO customer (id, bucket, name, created_at, updated_at) VALUES (?, ?, '홍길동', ?, ?)";
            shop.db.execute(sql, args![id, id, NOON - 900 * DAY, NOON - 900 * DAY]).await.unwrap();
        }
        shop
    }

    pub async fn live(&self, name: &str, toml: &str, now: Timestamp) -> Reward {
        let mut tx = self.db.begin().await.unwrap();
        reward::put_live(&mut tx, name, toml, &self.settings, now).await.unwrap();
        tx.commit().await.unwrap();
        define(name, toml)
    }

    /// A mail, as it stands in the queue.
    pub async fn mail(&self, id: i64, customer: i64, state: &str) {
        let sql = "INSERT INTO message (id, enrolment_id, campaign_id, revision_id, occurrence_id, step, customer_id, state, topic, \
                   due_at, next_at, expires_at, created_at, updated_at) VALUES (?, ?, 1, 1, 1, 'thanks', ?, ?, 'offers', ?, ?, ?, ?, ?)";
        let now = NOON;
        self.db.execute(sql, args![id, id, customer, state, now, now, now, now, now]).await.unwrap();
    }

    pub async fn grant(&self, grants: &[Grant], reward: &Reward, now: Timestamp) -> Vec<Granted> {
        let mut tx = self.db.begin().await.unwrap();
        let granted = reward::grant(&mut tx, grants, reward, now).await.unwrap();
        tx.commit().await.unwrap();
        granted
    }

    pub async fn settle(&self, accepted: &[i64], fallen: &[i64], now: Timestamp) -> reward::Settled {
        let mut tx = self.db.begin().await.unwrap();
        let settled = reward::settle(&mut tx, accepted, fallen, now).await.unwrap();
        tx.commit().await.unwrap();
        settled
    }

    /// An order comes in; gives its event.
    pub async fn order(&self, key: &str, customer: i64, at: Timestamp, amount: i64) -> i64 {
        self.order_of(key, customer, at, amount, Currency::KRW, None).await
    }

    pub async fn order_of(
        &self,
        key: &str,
        customer: i64,
        at: Timestamp,
        amount: i64,
        currency: Currency,
        margin: Option<i64>,
    ) -> i64 {
        let event = NewEvent {
            value: Some(amount),
            currency: Some(currency.to_string()),
            ..NewEvent::new(Kind::Order, customer, at, "import", format!("order:{key}"))
        };
        let mut tx = self.db.begin().await.unwrap();
        let id = event::append_in(&mut tx, &[event], at).await.unwrap()[0].unwrap();
        let order = Purchase {
            event: id,
            key: key.into(),
            customer,
            at,
            amount,
            currency,
            margin,
            discount: None,
            refunded: 0,
            status: Status::Paid,
            batch: None,
        };
        purchase::insert(&mut tx, &[&order], at).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// An order turns out otherwise.
    pub async fn correct(&self, key: &str, now: Timestamp, change: impl FnOnce(&mut Purchase)) {
        let mut tx = self.db.begin().await.unwrap();
        let before = purchase::by_keys(&mut tx, &[key]).await.unwrap().remove(key).unwrap();
        let mut order = before.clone();
        change(&mut order);
        let (n,): (i64,) = self.db.one("SELECT count(*) FROM event", args![]).await.unwrap();
        let event = NewEvent {
            data: json!({ "corrects": order.event, "kind": "order" }),
            ..NewEvent::new(Kind::Correction, order.customer, now, "import", format!("correction:{n}"))
        };
        event::append_in(&mut tx, &[event], now).await.unwrap();
        purchase::update(&mut tx, &[&order], now).await.unwrap();
        if order.customer != before.customer {
            let sql = "UPDATE purchase SET customer_id = ? WHERE event_id = ?";
            tx.execute(sql, args![order.customer, order.event]).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub async fn catch_up(&self, now: Timestamp) -> reward::Progress {
        reward::catch_up(&self.db, &self.settings, now).await.unwrap()
    }

    pub async fn upkeep(&self, now: Timestamp) -> reward::Upkeep {
        reward::upkeep(&self.db, &self.settings, now).await.unwrap()
    }

    /// Pending, active, spent, expired, reversed.
    pub async fn account(&self, customer: i64, reward: &str) -> [i64; 5] {
        let (_, a) = reward::entries(&mut &self.db, customer, reward).await.unwrap();
        assert!(a.balance());
        [a.pending, a.active, a.spent, a.expired, a.reversed]
    }

    pub async fn budget(&self, reward: &str, period: &str) -> i64 {
        reward::budget_used(&mut &self.db, reward, period).await.unwrap()
    }

    /// Everything that has to be true of the ledger at any moment.
    pub async fn audit(&self) {
        let none = async |what: &str, sql: &str| {
            let wrong: Vec<(i64,)> = self.db.all(sql, args![]).await.unwrap();
            assert!(wrong.is_empty(), "{what}: {wrong:?}");
        };
        let columns = ["granted", "pending", "active", "spent", "expired", "reversed"];
        for column in columns {
            none(
                "a balance is the sum of its lines",
                &format!(
                    "SELECT b.customer_id FROM reward_balance b WHERE b.{column} <> COALESCE((SELECT sum(e.{column}) FROM reward_entry e \
                     WHERE e.customer_id = b.customer_id AND e.reward = b.reward), 0)"
                ),
            )
            .await;
            none(
                "a lot is the sum of its lines",
                &format!(
                    "SELECT l.id FROM reward_lot l WHERE l.{column} <> (SELECT sum(e.{column}) FROM reward_entry e WHERE e.lot_id = l.id)"
                ),
            )
            .await;
        }
        for (what, sql) in [
            (
                "every line has its balance",
                "SELECT e.id FROM reward_entry e WHERE NOT EXISTS (SELECT 1 FROM reward_balance b WHERE b.customer_id = e.customer_id AND b.reward = e.reward)",
            ),
            (
                "every line has its lot, of the same customer",
                "SELECT e.id FROM reward_entry e WHERE NOT EXISTS (SELECT 1 FROM reward_lot l WHERE l.id = e.lot_id AND l.customer_id = e.customer_id AND l.reward = e.reward)",
            ),
            (
                "granted = pending + active + spent + expired + reversed",
                "SELECT customer_id FROM reward_balance WHERE granted <> pending + active + spent + expired + reversed",
            ),
            (
                "nothing is negative but a debt",
                "SELECT id FROM reward_lot WHERE pending < 0 OR spent < 0 OR expired < 0 OR reversed < 0 OR reversed > granted",
            ),
            (
                "nobody has a debt and points",
                "SELECT a.id FROM reward_lot a JOIN reward_lot b ON b.customer_id = a.customer_id AND b.reward = a.reward WHERE a.active < 0 AND b.active > 0",
            ),
            (
                "a lot counts its lines",
                "SELECT l.id FROM reward_lot l WHERE l.moves <> (SELECT count(*) FROM reward_entry e WHERE e.lot_id = l.id)",
            ),
            (
                "a budget is the sum of its lines",
                "SELECT b.used FROM reward_budget b WHERE b.used <> COALESCE((SELECT sum(e.cost) FROM reward_entry e WHERE e.reward = b.reward AND e.budget = b.period), 0)",
            ),
            (
                "what was granted costs what stands",
                "SELECT l.id FROM reward_lot l WHERE (l.granted - l.reversed) * l.unit <> (SELECT sum(e.cost) FROM reward_entry e WHERE e.lot_id = l.id)",
            ),
            (
                "nothing is granted twice for one rule and period",
                "SELECT customer_id FROM reward_lot GROUP BY customer_id, rule, period HAVING count(*) > 1",
            ),
            (
                "a code that was given is on its lot",
                "SELECT k.lot_id FROM reward_coupon k LEFT JOIN reward_lot l ON l.id = k.lot_id AND l.coupon = k.code WHERE k.state = 'given' AND l.id IS NULL",
            ),
            (
                "a lot's code was given with it",
                "SELECT l.id FROM reward_lot l LEFT JOIN reward_coupon k ON k.lot_id = l.id AND k.code = l.coupon AND k.state = 'given' WHERE l.coupon IS NOT NULL AND k.code IS NULL",
            ),
            (
                "what was redeemed was spent under that key",
                "SELECT r.id FROM reward_redemption r WHERE r.points <> (SELECT COALESCE(sum(e.spent), 0) FROM reward_entry e WHERE e.redemption_id = r.id)",
            ),
        ] {
            none(what, sql).await;
        }
    }
}

pub fn points(customer: i64, points: i64, period: &str, message: Option<i64>) -> Grant {
    Grant {
        customer,
        points: Some(points),
        rule: "thank-regulars/thanks".into(),
        period: period.into(),
        message,
        pending: false,
    }
}

pub fn given(granted: &Granted) -> &reward::Yes {
    match granted {
        Granted::Yes(yes) => yes,
        other => panic!("{other:?}"),
    }
}
