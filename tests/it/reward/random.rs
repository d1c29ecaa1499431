//! Random lives of a ledger: grants, settlements, refunds, redemptions, expiries, replays, and transactions that are
//! broken off at their end. After each step everything that has to be true of a ledger is true.

use super::{DAY, NOON, Shop, at, points};
use crate::support::on_both;
use dangol::args;
use dangol::event::purchase::Status;
use dangol::reward::{self, Grant, Granted, No, Redeem, Redemption, Reward, RewardError};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

const LIVES: usize = 6;
const STEPS: usize = 70;
const PEOPLE: i64 = 4;
const BUDGET: i64 = 900;

#[derive(Clone, Debug)]
enum Step {
    /// Points with a budget; with a mail or without; whom, how many, which period.
    Grant(i64, i64, u8, bool, bool),
    /// A coupon of a small pool.
    Coupon(i64, u8, bool),
    /// A mail's fate, told by delivery or only written by somebody else.
    Fate(usize, &'static str, bool, bool),
    Order(i64, i64),
    /// Which order, and what becomes of it.
    Correct(usize, u8, i64),
    CatchUp,
    Replay,
    Spend(i64, i64, u8, bool, bool),
    UseCode(i64, usize, u8, bool),
    /// The last redemption comes again.
    Again,
    /// An order is confirmed, its points spent, and the goods sent back.
    Sour(i64, i64),
    Later(i64),
    Upkeep,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 1..=PEOPLE;
    prop_oneof![
        4 => (who.clone(), 1_i64..120, 0_u8..6, any::<bool>(), prop::bool::weighted(0.25))
            .prop_map(|(c, n, p, mail, crash)| Step::Grant(c, n, p, mail, crash)),
        2 => (who.clone(), 0_u8..6, prop::bool::weighted(0.25)).prop_map(|(c, p, crash)| Step::Coupon(c, p, crash)),
        4 => (any::<usize>(), prop::sample::select(vec!["accepted", "bounced", "skipped", "unknown"]), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(m, state, told, crash)| Step::Fate(m, state, told, crash)),
        3 => (who.clone(), 0_i64..30_000).prop_map(|(c, n)| Step::Order(c, n)),
        4 => (any::<usize>(), 0_u8..6, 0_i64..30_000).prop_map(|(o, what, n)| Step::Correct(o, what, n)),
        3 => Just(Step::CatchUp),
        1 => Just(Step::Replay),
        4 => (who.clone(), 1_i64..200, 0_u8..20, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(c, n, key, earned, crash)| Step::Spend(c, n, key, earned, crash)),
        2 => (who, any::<usize>(), 0_u8..20, prop::bool::weighted(0.2))
            .prop_map(|(c, code, key, crash)| Step::UseCode(c, code, key, crash)),
        2 => Just(Step::Again),
        2 => (1..=PEOPLE, 1_000_i64..30_000).prop_map(|(c, n)| Step::Sour(c, n)),
        2 => (1_i64..40).prop_map(Step::Later),
        2 => Just(Step::Upkeep),
    ]
}

#[test]
fn whatever_happens_the_ledger_balances() {
    // the same lives on both databases
    let mut runner = TestRunner::deterministic();
    let lives: Vec<Vec<Step>> =
        (0..LIVES).map(|_| prop::collection::vec(step(), STEPS).new_tree(&mut runner).unwrap().current()).collect();
    on_both(|t| {
        let lives = lives.clone();
        async move {
            let mut seen = Seen::default();
            let shop = Shop::new(&t, PEOPLE).await;
            for steps in lives {
                let mut life = Life::begin(&shop).await;
                for (n, step) in steps.iter().enumerate() {
                    life.take(n, step, &mut seen).await;
                    shop.audit().await;
                    let used: Vec<(i64,)> =
                        shop.db.all("SELECT used FROM reward_budget WHERE reward = 'bonus'", args![]).await.unwrap();
                    assert!(used.iter().all(|(used,)| (0..=BUDGET).contains(used)), "{step:?}: {used:?}");
                }
            }
            // a life in which nothing happens proves nothing
            let Seen { yes, already, no, refused, redeemed, again, debts, crashed } = seen;
            for n in [yes, already, no, refused, redeemed, again, debts, crashed] {
                assert!(n > 0, "{seen:?}");
            }
        }
    });
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    yes: u32,
    already: u32,
    no: u32,
    refused: u32,
    redeemed: u32,
    again: u32,
    debts: u32,
    crashed: u32,
}

struct Life<'s> {
    shop: &'s Shop,
    now: i64,
    bonus: Reward,
    five: Reward,
    mails: i64,
    orders: Vec<String>,
    last: Option<Redemption>,
}

impl<'s> Life<'s> {
    async fn begin(shop: &'s Shop) -> Life<'s> {
        for table in [
            "reward_entry",
            "reward_lot",
            "reward_balance",
            "reward_budget",
            "reward_coupon",
            "reward_redemption",
            "reward_tier",
            "reward",
            "event",
            "purchase",
            "message",
            "cursor",
        ] {
            shop.db.execute(&format!("DELETE FROM {table}"), args![]).await.unwrap();
        }
        let bonus =
            format!("kind = \"points\"\nunit = \"3 KRW\"\nexpires = \"60d\"\nbudget = \"{BUDGET} KRW per week\"\n");
        let petals = "kind = \"points\"\nearn = \"1%\"\nunit = \"1 KRW\"\nconfirm_after = \"14d\"\nexpires = \"90d\"\n\
                      [[tier]]\nname = \"Rose\"\nfrom = 300\nearn = \"2%\"\n";
        let five = "kind = \"coupon\"\nvalue = \"50 KRW\"\ncodes = \"pool\"\nexpires = \"30d\"\n";
        let now = at(NOON);
        let (bonus, five) = (shop.live("bonus", &bonus, now).await, shop.live("five", five, now).await);
        shop.live("petals", petals, now).await;
        let codes: Vec<String> = (0..5).map(|n| format!("CODE-{n}")).collect();
        reward::add_codes(&shop.db, "five", &codes.join("\n"), now).await.unwrap();
        Life { shop, now: NOON, bonus, five, mails: 0, orders: Vec::new(), last: None }
    }

    async fn take(&mut self, n: usize, step: &Step, seen: &mut Seen) {
        let (shop, now) = (self.shop, at(self.now));
        match step {
            Step::Grant(customer, n, period, mail, crash) => {
                let message = self.mail(*customer, *mail, *crash).await;
                let grant = points(*customer, *n, &period.to_string(), message);
                self.grant(&[grant], &self.bonus.clone(), *crash, seen).await;
            }
            Step::Coupon(customer, period, crash) => {
                let message = self.mail(*customer, true, *crash).await;
                let grant = Grant {
                    customer: *customer,
                    rule: "coupon".into(),
                    period: period.to_string(),
                    message,
                    ..Grant::default()
                };
                self.grant(&[grant], &self.five.clone(), *crash, seen).await;
            }
            Step::Fate(which, state, told, crash) if self.mails > 0 => {
                let id = 1 + (*which as i64).rem_euclid(self.mails);
                let sql = "UPDATE message SET state = ? WHERE id = ?";
                shop.db.execute(sql, args![*state, id]).await.unwrap();
                let (accepted, fallen): (&[i64], &[i64]) = match *state {
                    "accepted" => (&[id], &[]),
                    "unknown" => (&[], &[]),
                    _ => (&[], &[id]),
                };
                if *told {
                    let mut tx = shop.db.begin().await.unwrap();
                    reward::settle(&mut tx, accepted, fallen, now).await.unwrap();
                    end(tx, *crash, seen).await;
                }
            }
            Step::Order(customer, amount) => {
                let key = format!("{n}");
                shop.order(&key, *customer, now, *amount).await;
                self.orders.push(key);
            }
            Step::Correct(which, what, n) if !self.orders.is_empty() => {
                let key = self.orders[which % self.orders.len()].clone();
                let (what, n) = (*what, *n);
                shop.correct(&key, now, |order| match what {
                    0 => order.refunded = n,
                    1 => order.amount = n,
                    2 => order.status = Status::Returned,
                    3 => order.status = Status::Paid,
                    4 => order.customer = 1 + n % PEOPLE,
                    _ => order.status = Status::Confirmed,
                })
                .await;
            }
            Step::CatchUp => drop(shop.catch_up(now).await),
            Step::Replay => {
                for moves in [None, Some(0)] {
                    let sql = "UPDATE cursor SET position = 0 WHERE name = 'reward'";
                    shop.db.execute(sql, args![]).await.unwrap();
                    let progress = shop.catch_up(now).await;
                    assert_eq!(progress.moved, moves.unwrap_or(progress.moved), "a replay gives nothing twice");
                }
            }
            Step::Spend(customer, n, key, earned, crash) => {
                let reward = if *earned { "petals" } else { "bonus" };
                self.redeem(*customer, reward, Redeem::Points(*n), *key, *crash, seen).await;
            }
            Step::UseCode(customer, code, key, crash) => {
                let code = format!("CODE-{}", code % 6);
                self.redeem(*customer, "five", Redeem::Coupon(code), *key, *crash, seen).await;
            }
            Step::Again => {
                if let Some(Redemption { customer, reward, what, key, .. }) = self.last.clone() {
                    self.redeem(customer, &reward, what, key.parse().unwrap(), false, seen).await;
                }
            }
            Step::Sour(customer, amount) => {
                let key = format!("sour {n}");
                shop.order(&key, *customer, now, *amount).await;
                for (status, spend) in [(Status::Confirmed, true), (Status::Returned, false)] {
                    shop.correct(&key, now, |order| order.status = status).await;
                    shop.catch_up(now).await;
                    let active = shop.account(*customer, "petals").await[1];
                    if spend && active > 0 {
                        let key = u8::try_from(100 + n).unwrap();
                        self.redeem(*customer, "petals", Redeem::Points(active), key, false, seen).await;
                    }
                }
                self.orders.push(key);
            }
            Step::Later(days) => self.now += days * DAY,
            Step::Upkeep => drop(shop.upkeep(now).await),
            Step::Fate(..) | Step::Correct(..) => {}
        }
        let debts: Vec<(i64,)> = shop.db.all("SELECT id FROM reward_lot WHERE active < 0", args![]).await.unwrap();
        seen.debts += debts.len() as u32;
    }

    async fn mail(&mut self, customer: i64, wanted: bool, crash: bool) -> Option<i64> {
        if !wanted {
            return None;
        }
        if crash {
            return Some(self.mails + 1);
        }
        self.mails += 1;
        self.shop.mail(self.mails, customer, "queued").await;
        Some(self.mails)
    }

    async fn grant(&self, grants: &[Grant], reward: &Reward, crash: bool, seen: &mut Seen) {
        let mut tx = self.shop.db.begin().await.unwrap();
        let granted = reward::grant(&mut tx, grants, reward, at(self.now)).await.unwrap();
        for granted in granted {
            match granted {
                Granted::Yes(_) => seen.yes += 1,
                Granted::Already(_) => seen.already += 1,
                Granted::No(No::Budget | No::NoCoupon) => seen.no += 1,
                Granted::No(other) => panic!("{other:?}"),
            }
        }
        end(tx, crash, seen).await;
    }

    async fn redeem(&mut self, customer: i64, reward: &str, what: Redeem, key: u8, crash: bool, seen: &mut Seen) {
        let (key, reward, now) = (key.to_string(), reward.to_owned(), at(self.now));
        let ask = Redemption { customer, reward, what, key, at: now, source: "api", batch: None };
        let mut tx = self.shop.db.begin().await.unwrap();
        match reward::redeem(&mut tx, &ask, now).await {
            Ok(redeemed) if redeemed.again => seen.again += 1,
            Ok(_) => {
                seen.redeemed += 1;
                self.last = (!crash).then(|| ask.clone());
            }
            Err(RewardError::Refused(_)) => seen.refused += 1,
            Err(other) => panic!("{other}"),
        }
        end(tx, crash, seen).await;
    }
}

/// Commits, or is broken off.
async fn end(tx: dangol::db::Tx, crash: bool, seen: &mut Seen) {
    if crash {
        seen.crashed += 1;
        drop(tx);
    } else {
        tx.commit().await.unwrap();
    }
}
