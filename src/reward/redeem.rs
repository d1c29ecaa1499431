//! Redemption: the shop says that points or a code were used. Once for each key of the shop, and never more than there is.
//! The API and `dangol import events` come through here.

use super::book::Book;
use super::error::RewardError;
use super::store;
use crate::db::Tx;
use crate::event::{self, Kind, NewEvent};
use crate::types::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt;

/// The kind of the event that a redemption appends.
pub const EVENT: &str = "redemption";
/// A longer key is a mistake.
const LONGEST_KEY: usize = 200;

/// What is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeem {
    /// So many points, or so many of a perk.
    Points(i64),
    /// A coupon, by its code.
    Coupon(String),
}

/// A redemption as the shop tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// Whose.
    pub customer: i64,
    /// Of which reward.
    pub reward: String,
    /// What.
    pub what: Redeem,
    /// The shop's key: the same redemption comes under the same key, and is taken once.
    pub key: String,
    /// When it was used.
    pub at: Timestamp,
    /// Who says so: `import`, `api`, `cli`.
    pub source: &'static str,
    /// The import that brought it.
    pub batch: Option<i64>,
}

/// The answer; the same for the same key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redeemed {
    /// Points that were used; 1 for a coupon.
    pub points: i64,
    /// What that cost, in minor units.
    pub cost: i64,
    /// The currency of `cost`.
    pub currency: String,
    /// Usable points that were left.
    pub balance: i64,
    /// It was taken before, under this key.
    pub again: bool,
}

/// Why a redemption is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the sentence of each says it")]
pub enum Refusal {
    UnknownReward { reward: String },
    WrongKind { reward: String, kind: String },
    NoPoints { points: i64 },
    NotEnough { asked: i64, active: i64 },
    UnknownCode { code: String },
    OthersCode { code: String },
    Used { code: String },
    Expired { code: String },
    KeyUsed { key: String },
    BadKey,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().take(60).collect::<String>();
        match self {
            Refusal::UnknownReward { reward } => {
                write!(f, "no reward `{}` is live: `dangol reward list` names those that are", short(reward))
            }
            Refusal::WrongKind { reward, kind } if kind == "coupon" => {
                write!(f, "`{reward}` is a coupon: give the `code` that was used, not points")
            }
            Refusal::WrongKind { reward, kind } => {
                write!(f, "`{reward}` is {kind}: give how many `points` were used, not a code")
            }
            Refusal::NoPoints { points } => write!(f, "{points} points cannot be used: give 1 or more"),
            Refusal::NotEnough { asked, active } => {
                write!(f, "{asked} points were asked for, and {active} are usable")
            }
            Refusal::UnknownCode { code } => write!(f, "the code `{}` was given to nobody", short(code)),
            Refusal::OthersCode { code } => write!(f, "the code `{}` belongs to another customer", short(code)),
            Refusal::Used { code } => write!(f, "the code `{}` was used already", short(code)),
            Refusal::Expired { code } => write!(f, "the code `{}` has expired, or was taken back", short(code)),
            Refusal::KeyUsed { key } => {
                write!(f, "another redemption came under the key `{}`: a key stands for one", short(key))
            }
            Refusal::BadKey => write!(f, "a redemption has a `key` of 1 to {LONGEST_KEY} characters"),
        }
    }
}

/// Takes a redemption and appends its event, which has to be the last act of the transaction but for a cursor and the
/// commit. The same key with the same content gives the same answer, and changes nothing.
///
/// # Errors
/// [`RewardError::Refused`], after which nothing has changed and the transaction can go on; what the database says.
pub async fn redeem(tx: &mut Tx, ask: &Redemption, now: Timestamp) -> Result<Redeemed, RewardError> {
    let (redeemed, event) = redeem_in(tx, ask, now).await?;
    if let Some(event) = event {
        event::append_in(tx, &[event], now).await?;
    }
    Ok(redeemed)
}

/// The same without the event: for those who take many in one transaction and append the events of all at its end.
///
/// # Errors
/// As [`redeem`].
pub async fn redeem_in(
    tx: &mut Tx,
    ask: &Redemption,
    now: Timestamp,
) -> Result<(Redeemed, Option<NewEvent>), RewardError> {
    let refused = |why: Refusal| Err(RewardError::Refused(why));
    if ask.key.trim().is_empty() || ask.key.chars().count() > LONGEST_KEY {
        return refused(Refusal::BadKey);
    }
    let Some(live) = store::reward(tx, &ask.reward).await? else {
        return refused(Refusal::UnknownReward { reward: ask.reward.clone() });
    };
    let account = (ask.customer, ask.reward.clone());
    let mut book = Book::load(tx, &BTreeSet::from([account.clone()])).await?;
    let content = ask.content();
    if let Some(known) = store::by_key(tx, &ask.key).await? {
        if known.content != content {
            return refused(Refusal::KeyUsed { key: ask.key.clone() });
        }
        let (points, cost, balance) = (known.points, known.cost, known.balance);
        return Ok((Redeemed { points, cost, currency: live.currency, balance, again: true }, None));
    }
    let at = ask.at.min(now);
    let id = tx.next_ids("reward_redemption", 1).await?.first().copied().unwrap_or(0);
    let (points, cost) = match (&ask.what, live.kind.as_str()) {
        (Redeem::Points(n), "points" | "perk") => {
            if *n < 1 {
                return refused(Refusal::NoPoints { points: *n });
            }
            book.expire(&account, at.as_millisecond());
            let active = book.active(&account);
            if *n > active {
                return refused(Refusal::NotEnough { asked: *n, active });
            }
            (*n, book.spend(&account, *n, id))
        }
        (Redeem::Coupon(code), "coupon") => match use_code(tx, ask, code.trim(), at, id, &mut book).await? {
            Ok(cost) => (1, cost),
            Err(why) => return refused(why),
        },
        (_, kind) => {
            let kind = kind.to_owned();
            return refused(Refusal::WrongKind { reward: ask.reward.clone(), kind });
        }
    };
    let balance = book.active(&account);
    let known = store::Known { content, points, cost, balance };
    if !store::insert(tx, id, (&ask.key, ask.customer, &ask.reward), &known, at, now).await? {
        return refused(Refusal::KeyUsed { key: ask.key.clone() });
    }
    book.save(tx, now).await?;
    let event = ask.event(cost, &live.currency, at);
    Ok((Redeemed { points, cost, currency: live.currency, balance, again: false }, Some(event)))
}

/// Uses a code in the book; gives what it cost.
async fn use_code(
    tx: &mut Tx,
    ask: &Redemption,
    code: &str,
    at: Timestamp,
    id: i64,
    book: &mut Book,
) -> Result<Result<i64, Refusal>, RewardError> {
    let named = || code.to_owned();
    let lot = match store::coupon(tx, &ask.reward, code).await? {
        Some((state, Some(lot))) if state == "given" => lot,
        _ => return Ok(Err(Refusal::UnknownCode { code: named() })),
    };
    let found = store::lots(tx, &[lot]).await?;
    let Some(known) = found.first() else { return Ok(Err(Refusal::UnknownCode { code: named() })) };
    if known.customer != ask.customer {
        return Ok(Err(Refusal::OthersCode { code: named() }));
    }
    if known.amounts.spent > 0 {
        return Ok(Err(Refusal::Used { code: named() }));
    }
    if known.is_due(at.as_millisecond()) || known.amounts.pending + known.amounts.active < 1 {
        return Ok(Err(Refusal::Expired { code: named() }));
    }
    // who can name the code has had the mail, whatever its server said of it
    book.write(lot, super::lot::Lot::activate);
    book.write(lot, |lot| lot.spend(1, Some(id)).map(|(_, line)| line));
    Ok(Ok(known.unit))
}

impl Redemption {
    /// What is asked for, as a hash: a retry may tell another time, and a code is not kept in two places.
    fn content(&self) -> String {
        let what = match &self.what {
            Redeem::Points(n) => format!("points\n{n}"),
            Redeem::Coupon(code) => format!("code\n{}", code.trim()),
        };
        blake3::hash(format!("{}\n{}\n{what}", self.customer, self.reward).as_bytes()).to_hex().to_string()
    }

    fn event(&self, cost: i64, currency: &str, at: Timestamp) -> NewEvent {
        let data = match &self.what {
            Redeem::Points(n) => json!({ "reward": self.reward, "points": n }),
            Redeem::Coupon(code) => json!({ "reward": self.reward, "code": code.trim() }),
        };
        NewEvent {
            value: Some(cost),
            currency: Some(currency.to_owned()),
            batch: self.batch,
            data,
            ..NewEvent::new(
                Kind::Custom(EVENT.to_owned()),
                self.customer,
                at,
                self.source,
                format!("{EVENT}:{}", self.key),
            )
        }
    }
}
