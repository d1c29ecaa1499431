//! What becomes of a checked condition: SQL of constant fragments, with every value a parameter.

use super::super::expr::{Leaf, Test};
use super::super::{Expr, Segments, segments::MOST_LEAVES};
use crate::db::{Args, dialect::Dialect};
use crate::types::{Currency, Timestamp};
use jiff::tz::TimeZone;

/// What a condition is compiled for.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The database.
    pub dialect: Dialect,
    /// The moment that `now()`, periods and suppressions are measured from; events after it do not count.
    pub now: Timestamp,
    /// The site's zone: its days are those of `today()`, dates without a time, and birthdays.
    pub zone: &'a TimeZone,
    /// The site's currency: amounts in a condition are in its major units, and orders in others are not summed.
    pub currency: Currency,
    /// What `in_segment` refers to.
    pub segments: &'a Segments,
}

/// A condition for a `WHERE`: two-valued SQL over `c` (customer) and `r` (relationship, when [`from`](Condition::from)
/// joins it), fit to stand under `NOT`, with its parameters. To embed it:
///
/// ```ignore
/// let sql = format!("SELECT c.id FROM {} WHERE c.id > ? AND c.id <= ? AND c.erased_at IS NULL AND {}", condition.from(), condition.sql);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// In parentheses, or one term.
    pub sql: String,
    /// Its parameters, in order.
    pub args: Args,
    relationship: bool,
}

impl Condition {
    /// Customers with their relationships: good for every condition, and for several in one statement.
    pub const FROM: &'static str = "customer c LEFT JOIN relationship r ON r.customer_id = c.id";

    /// What the condition reads from: [`FROM`](Condition::FROM), or customers alone when it asks for nothing else.
    pub fn from(&self) -> &'static str {
        if self.relationship { Condition::FROM } else { "customer c" }
    }
}

/// Why a condition that was checked cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// It names a segment that is not there, or has a mistake.
    #[error("the segment `{0}` is not there, or is not right; run `dangol check`")]
    Segment(String),
    /// It grew too large.
    #[error("with the segments in it, the condition comes to more than {MOST_LEAVES} tests: name fewer segments")]
    TooLarge,
}

impl Expr {
    /// Writes the condition for a database and a moment.
    ///
    /// # Errors
    /// When a segment in it is not among the context's, or the whole becomes too large.
    pub fn compile(&self, context: &Context<'_>) -> Result<Condition, CompileError> {
        write(&self.test, context)
    }
}

/// Each test of a condition alone, with its words.
pub(super) fn leaves(expr: &Expr, context: &Context<'_>) -> Result<Vec<(String, Condition)>, CompileError> {
    fn collect<'e>(test: &'e Test, found: &mut Vec<&'e Leaf>) {
        match test {
            Test::Const(_) => {}
            Test::And(parts) | Test::Or(parts) => parts.iter().for_each(|part| collect(part, found)),
            Test::Not(inner) => collect(inner, found),
            Test::Leaf(leaf) => found.push(leaf),
        }
    }
    let mut found = Vec::new();
    collect(&expr.test, &mut found);
    let compile = |leaf: &Leaf| {
        let text = expr.text.get(leaf.span.clone()).unwrap_or(&expr.text);
        Ok((text.to_owned(), write(&Test::Leaf(leaf.clone()), context)?))
    };
    found.into_iter().map(compile).collect()
}

fn write(test: &Test, context: &Context<'_>) -> Result<Condition, CompileError> {
    let mut writer = Writer { context, args: Args::new(), leaves: 0, relationship: false };
    let sql = writer.test(test)?;
    Ok(Condition { sql, args: writer.args, relationship: writer.relationship })
}

/// Writes from left to right, so that parameters come in the order of their places.
pub(super) struct Writer<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) args: Args,
    pub(super) leaves: usize,
    pub(super) relationship: bool,
}

impl Writer<'_> {
    /// Adds a parameter.
    pub(super) fn bind(&mut self, value: impl Into<crate::db::Value>) -> &'static str {
        self.args.push(value.into());
        "?"
    }

    /// Notes that a field is read.
    pub(super) fn reads(&mut self, sql: &str) {
        self.relationship |= sql.contains("r.");
    }

    fn test(&mut self, test: &Test) -> Result<String, CompileError> {
        Ok(match test {
            Test::Const(true) => "true".to_owned(),
            Test::Const(false) => "false".to_owned(),
            Test::And(parts) => self.joined(parts, " AND ")?,
            Test::Or(parts) => self.joined(parts, " OR ")?,
            Test::Not(inner) => format!("(NOT {})", self.test(inner)?),
            Test::Leaf(leaf) => {
                self.leaves += 1;
                if self.leaves > MOST_LEAVES {
                    return Err(CompileError::TooLarge);
                }
                if let super::super::expr::What::Segment(name) = &leaf.what {
                    let expr = self.context.segments.get(name).ok_or_else(|| CompileError::Segment(name.clone()))?;
                    return self.test(&expr.test);
                }
                self.leaf(&leaf.what)
            }
        })
    }

    /// Halves in halves: SQLite takes a chain of terms as a tree as deep as the chain is long, and refuses 1,000.
    fn joined(&mut self, parts: &[Test], word: &str) -> Result<String, CompileError> {
        match parts {
            [] => Ok("true".to_owned()),
            [one] => self.test(one),
            parts => {
                let (left, right) = parts.split_at(parts.len() / 2);
                Ok(format!("({}{word}{})", self.joined(left, word)?, self.joined(right, word)?))
            }
        }
    }
}
