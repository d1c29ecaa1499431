//! A condition that was checked: names exist, types fit. What the database is asked is written from this tree alone.

use super::catalogue::{Catalogue, Kind, Names};
use super::moment::Moment;
use super::source::Source;
use super::{ExprError, check, parse};
use crate::types::Period;
use std::ops::Range;

/// The stack on which a condition is read; only what is used of it is ever taken.
const STACK: usize = 32 << 20;

/// A checked condition.
#[derive(Clone, Debug)]
pub struct Expr {
    pub(super) text: String,
    pub(super) test: Test,
    /// The segments that it names, and where.
    pub(super) segments: Vec<(String, Range<usize>)>,
    /// How many tests it is made of.
    pub(super) leaves: usize,
}

impl Expr {
    /// Reads and checks a condition.
    ///
    /// # Errors
    /// Everything that is wrong with it; a condition that is no SQL gives the first mistake alone.
    pub fn parse(text: &str, catalogue: &Catalogue, names: &Names) -> Result<Expr, Vec<ExprError>> {
        let read = || {
            let mut source = Source::new(text);
            let tree = parse::parse(&mut source)?;
            check::check(&source, &tree, catalogue, names)
        };
        // the parser takes tens of kilobytes of stack for each parenthesis, more than a worker of the runtime has
        let failed =
            |why: &str| Err(vec![ExprError::new(0..0, "syntax", format!("the condition cannot be read: {why}"))]);
        std::thread::scope(|scope| match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read) {
            Ok(reading) => reading.join().unwrap_or_else(|_| failed("the parser gave up")),
            Err(e) => failed(&format!("no thread can be started: {e}")),
        })
    }

    /// The condition as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The segments that it names with `in_segment`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map(|(name, _)| name.as_str())
    }
}

/// True or false, never neither.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Const(bool),
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Leaf(Leaf),
}

/// One test, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    pub(super) span: Range<usize>,
    pub(super) what: What,
}

/// What is tested.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Compare(Value, Op, Value),
    In(Value, Vec<Value>),
    Between(Value, Value, Value),
    /// With `\` as its escape.
    Like(Value, String),
    Absent(Value),
    Flag(&'static str),
    Consent {
        topic: String,
        state: &'static str,
    },
    Suppressed,
    /// A person opened (or clicked) a mail of the campaign.
    Reacted {
        clicked: bool,
        campaign: String,
        window: Option<Period>,
    },
    Received {
        campaign: String,
        window: Option<Period>,
    },
    Answered {
        survey: String,
        answer: Option<String>,
    },
    Bought {
        column: &'static str,
        value: String,
        window: Option<Period>,
    },
    /// A usable grant of which nothing was spent.
    RewardUnused(String),
    Segment(String),
    /// Within so many days.
    Birthday(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

impl Op {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Op::Eq => "=",
            Op::NotEq => "<>",
            Op::Lt => "<",
            Op::LtEq => "<=",
            Op::Gt => ">",
            Op::GtEq => ">=",
        }
    }

    /// The same with its sides exchanged.
    pub(super) fn turned(self) -> Op {
        match self {
            Op::Lt => Op::Gt,
            Op::LtEq => Op::GtEq,
            Op::Gt => Op::Lt,
            Op::GtEq => Op::LtEq,
            same => same,
        }
    }
}

/// Something that is compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Field {
        sql: &'static str,
        kind: Kind,
    },
    /// An attribute: a text, until it meets a number.
    Attribute {
        key: String,
        number: bool,
    },
    Text(String),
    Number(f64),
    Moment(Moment),
    /// The same as a day of the calendar.
    Day(Moment),
    Count {
        kind: String,
        window: Option<Period>,
    },
    Sum {
        how: Aggregate,
        kind: String,
        margin: bool,
        window: Option<Period>,
    },
    DaysSince(String),
    /// The moment of the first or last event.
    Edge {
        last: bool,
        kind: String,
    },
    /// Usable points of a reward.
    RewardBalance(String),
    /// The tier of a reward.
    RewardTier(String),
    /// Points of a reward that were earned.
    RewardEarned {
        reward: String,
        window: Option<Period>,
    },
    Arithmetic(Box<Value>, Sign, Box<Value>),
    /// Days from the second moment to the first.
    Days(Box<Value>, Box<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Avg,
    Min,
    Max,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
    Times,
    Over,
}

/// What a value is, as far as comparing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Moment,
    Day,
    Bool,
    /// An attribute: whatever it is compared with.
    Open,
}

impl Value {
    pub(super) fn kind(&self) -> Type {
        match self {
            Value::Field { kind, .. } => match kind {
                Kind::Text => Type::Text,
                Kind::Number | Kind::Money => Type::Number,
                Kind::Date => Type::Moment,
                Kind::Day => Type::Day,
                Kind::Bool => Type::Bool,
            },
            Value::Attribute { number: true, .. } => Type::Number,
            Value::Attribute { .. } => Type::Open,
            Value::Text(_) | Value::RewardTier(_) => Type::Text,
            Value::Moment(_) | Value::Edge { .. } => Type::Moment,
            Value::Day(_) => Type::Day,
            Value::Number(_)
            | Value::Count { .. }
            | Value::Sum { .. }
            | Value::DaysSince(_)
            | Value::RewardBalance(_)
            | Value::RewardEarned { .. }
            | Value::Arithmetic(..)
            | Value::Days(..) => Type::Number,
        }
    }

    /// Whether it can be missing.
    pub(super) fn may_be_absent(&self) -> bool {
        match self {
            Value::Text(_) | Value::Number(_) | Value::Moment(_) | Value::Day(_) | Value::Count { .. } => false,
            Value::RewardBalance(_) | Value::RewardEarned { .. } => false,
            Value::Sum { how, .. } => *how != Aggregate::Sum,
            _ => true,
        }
    }
}
