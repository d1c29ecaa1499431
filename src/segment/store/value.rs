//! Values as SQL: numbers are compared as doubles on both databases, moments as milliseconds, days and texts by bytes.

use super::super::catalogue::Kind;
use super::super::expr::{Aggregate, Sign, Value};
use super::condition::Writer;
use crate::types::Period;

const DAY: &str = "86400000";
/// What a grant `l` counts for as earned.
const EARNED: &str = "l.granted - l.reversed - l.pending";

impl Writer<'_> {
    pub(super) fn value(&mut self, value: &Value) -> String {
        let (now, zone) = (self.context.now, self.context.zone);
        match value {
            Value::Field { sql, kind } => self.field(sql, *kind),
            Value::Attribute { key, number: false } => {
                self.bind(key);
                self.context.dialect.json_text("c.attributes")
            }
            Value::Attribute { key, number: true } => {
                self.bind(key);
                self.bind(key);
                format!("({})", self.context.dialect.json_number("c.attributes"))
            }
            Value::Text(text) => self.bind(text).to_owned(),
            Value::Number(n) => self.bind(*n).to_owned(),
            Value::Moment(moment) => self.bind(moment.at(now, zone)).to_owned(),
            Value::Day(moment) => self.bind(moment.day(now, zone)).to_owned(),
            Value::Count { kind, window } => format!("(SELECT count(*) {})", self.events(kind, *window)),
            Value::Sum { how, kind, margin, window } => self.sum(*how, kind, *margin, *window),
            Value::DaysSince(kind) => {
                let now = self.bind(now);
                let at = at_of(kind);
                format!("(({now} - (SELECT max({at}) {})) / {DAY})", self.events(kind, None))
            }
            Value::Edge { last, kind } => {
                let (how, at) = (if *last { "max" } else { "min" }, at_of(kind));
                format!("(SELECT {how}({at}) {})", self.events(kind, None))
            }
            Value::RewardBalance(reward) => {
                let lots = self.usable(reward);
                format!("(SELECT CAST(COALESCE(sum(l.active), 0) AS BIGINT) {lots})")
            }
            Value::RewardEarned { reward, window } => {
                let reward = self.bind(reward);
                let during = self.during("l.granted_at", *window);
                format!(
                    "(SELECT CAST(COALESCE(sum({EARNED}), 0) AS BIGINT) FROM reward_lot l WHERE l.customer_id = c.id AND l.reward = {reward} AND {during})"
                )
            }
            Value::RewardTier(reward) => {
                let (now, reward) = (self.bind(now), self.bind(reward));
                // a tier of no points is everybody's
                format!(
                    "(SELECT t.name FROM reward_tier t JOIN (SELECT CAST({now} AS BIGINT) AS now) AS n ON true WHERE t.reward = {reward} AND t.from_points <= \
                     (SELECT COALESCE(sum({EARNED}), 0) FROM reward_lot l WHERE l.customer_id = c.id AND l.reward = t.reward \
                     AND l.granted_at <= n.now AND l.granted_at > n.now - t.within_ms) ORDER BY t.from_points DESC LIMIT 1)"
                )
            }
            Value::Arithmetic(left, sign, right) => {
                let (left, right) = (self.operand(left), self.operand(right));
                match sign {
                    Sign::Plus => format!("({left} + {right})"),
                    Sign::Minus => format!("({left} - {right})"),
                    Sign::Times => format!("({left} * {right})"),
                    // nothing divided by nothing is absent on both, where PostgreSQL would fail the statement
                    Sign::Over => format!("({left} / NULLIF({right}, 0))"),
                }
            }
            Value::Days(later, earlier) => {
                let (later, earlier) = (self.value(later), self.value(earlier));
                format!("({} / {DAY}.0)", self.context.dialect.real(&format!("({later} - {earlier})")))
            }
        }
    }

    fn field(&mut self, sql: &str, kind: Kind) -> String {
        self.reads(sql);
        let scale = self.context.currency.scale();
        match kind {
            Kind::Money if scale != 1 => format!("({} / {scale})", self.context.dialect.real(sql)),
            _ => sql.to_owned(),
        }
    }

    /// A number within arithmetic: a double, and where it comes from outside, of a size that overflows nothing.
    fn operand(&mut self, value: &Value) -> String {
        let sql = self.value(value);
        match value {
            Value::Field { .. } | Value::Attribute { .. } => {
                let number = self.context.dialect.real(&sql);
                format!(
                    "(SELECT CASE WHEN abs(v.n) < 0.000000001 THEN 0.0 WHEN abs(v.n) <= 1000000000000000 THEN v.n END FROM (SELECT {number} AS n) AS v)"
                )
            }
            Value::Count { .. } | Value::DaysSince(_) | Value::RewardBalance(_) | Value::RewardEarned { .. } => {
                self.context.dialect.real(&sql)
            }
            _ => sql,
        }
    }

    /// Of orders in the site's currency what was paid less what was refunded, or the margin; of other events their
    /// value, in major units where it is money. Whole numbers as doubles: a sum of integers could overflow.
    fn sum(&mut self, how: Aggregate, kind: &str, margin: bool, window: Option<Period>) -> String {
        let dialect = self.context.dialect;
        let currency = self.context.currency;
        let scale = format!("{}.0", currency.scale());
        let amount = match (kind, margin) {
            ("order", true) => format!("{} / {scale}", dialect.real("p.margin")),
            ("order", false) => format!("({} - {}) / {scale}", dialect.real("p.amount"), dialect.real("p.refunded")),
            _ => {
                let ours = self.bind(currency.code());
                let value = dialect.real("e.value");
                format!("CASE WHEN e.currency IS NULL THEN {value} WHEN e.currency = {ours} THEN {value} / {scale} END")
            }
        };
        let what = match how {
            Aggregate::Sum => format!("COALESCE(sum({amount}), 0.0)"),
            Aggregate::Min => format!("min({amount})"),
            Aggregate::Max => format!("max({amount})"),
            Aggregate::Avg => format!("avg({amount})"),
        };
        let events = self.events(kind, window);
        let ours = match kind {
            "order" => format!(" AND p.currency = {}", self.bind(currency.code())),
            _ => String::new(),
        };
        format!("(SELECT {what} {events}{ours})")
    }
}

fn at_of(kind: &str) -> &'static str {
    if kind == "order" { "p.at" } else { "e.at" }
}
