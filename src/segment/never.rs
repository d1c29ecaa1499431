//! Conditions that a trigger can wait for in vain: those that ask for what has not happened yet.

use super::Expr;
use super::expr::{Leaf, Op, Test, Value, What};
use super::moment::Moment;
use std::ops::Range;

/// Why nobody can be in a condition now, and where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// The bytes of the condition that are meant.
    pub span: Range<usize>,
    /// Why, as the rest of a sentence that begins with "this".
    pub why: String,
}

impl Expr {
    /// What makes it true of nobody before a mail of `campaign` has gone out, or before a moment that is still to come.
    pub fn waits_for_the_future(&self, campaign: &str) -> Option<Never> {
        needs(&self.test, campaign)
    }
}

fn needs(test: &Test, campaign: &str) -> Option<Never> {
    match test {
        Test::And(parts) => parts.iter().find_map(|part| needs(part, campaign)),
        // one way in is enough
        Test::Or(parts) => {
            let all: Option<Vec<Never>> = parts.iter().map(|part| needs(part, campaign)).collect();
            all.and_then(|all| all.into_iter().next())
        }
        Test::Leaf(leaf) => one(leaf, campaign),
        Test::Const(_) | Test::Not(_) => None,
    }
}

fn one(leaf: &Leaf, campaign: &str) -> Option<Never> {
    let never = |why: &str| Some(Never { span: leaf.span.clone(), why: why.to_owned() });
    match &leaf.what {
        What::Reacted { campaign: named, .. } | What::Received { campaign: named, .. } if named == campaign => {
            never("asks for a mail of this very campaign, which only goes to those who are in it")
        }
        What::Compare(left, op, right) => {
            let past = |value: &Value| matches!(value, Value::Edge { .. });
            let turned = (past(right) || matches!(right, Value::DaysSince(_))).then(|| (right, op.turned(), left));
            let (value, op, limit) = turned.unwrap_or((left, *op, right));
            let above = matches!(op, Op::Gt | Op::GtEq);
            let below = matches!(op, Op::Lt | Op::LtEq);
            match (value, limit) {
                (Value::DaysSince(_), Value::Number(days)) if below && *days < 0.0 => {
                    never("asks for an event that is still to come")
                }
                (value, Value::Moment(moment)) if past(value) && above && moment.is_later_than_now() => {
                    never("asks for an event later than now")
                }
                _ => None,
            }
        }
        _ => None,
    }
}

impl Moment {
    /// Whether it is `now()` or `today()` and some time.
    fn is_later_than_now(&self) -> bool {
        let now = crate::types::Timestamp::UNIX_EPOCH;
        self.is_relative() && self.at(now, &jiff::tz::TimeZone::UTC) > now
    }
}
