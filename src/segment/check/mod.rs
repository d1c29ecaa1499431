//! From the parser's tree to ours: every name looked up, every type fitted, and all mistakes told, not the first alone.
//! What a part cannot be made of gives `None`, after its mistake was written down, and the rest is checked all the same.

mod function;
mod range;
mod test;
mod value;

use super::catalogue::{Catalogue, Names};
use super::error::ExprError;
use super::expr::{Expr, Leaf, Test, Type, Value, What};
use super::source::Source;
use sqlparser::ast::{Expr as Sql, Spanned};
use std::ops::Range;

/// The most tests in one expression.
const MOST_LEAVES: usize = 400;
/// More mistakes than this are not told at once.
pub(super) const MOST_ERRORS: usize = 50;

/// Checks `tree`, the parse of `source`.
pub(super) fn check(
    source: &Source<'_>,
    tree: &Sql,
    catalogue: &Catalogue,
    names: &Names,
) -> Result<Expr, Vec<ExprError>> {
    let mut checker = Checker { source, catalogue, names, errors: Vec::new(), segments: Vec::new(), leaves: 0 };
    let test = checker.test(tree);
    let Checker { mut errors, segments, leaves, .. } = checker;
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    errors.dedup();
    errors.truncate(MOST_ERRORS);
    if leaves > MOST_LEAVES {
        let message = format!("the condition is made of {leaves} tests, and at most {MOST_LEAVES} are taken");
        errors.push(
            ExprError::new(0..source.text.len(), "too-long", message)
                .help("write `x IN ('a', 'b', …)` for many values of one field, or name parts with in_segment('…')"),
        );
    }
    match test {
        Some(test) if errors.is_empty() => Ok(Expr { text: source.text.to_owned(), test, segments, leaves }),
        _ => Err(errors),
    }
}

struct Checker<'a> {
    source: &'a Source<'a>,
    catalogue: &'a Catalogue,
    names: &'a Names,
    errors: Vec<ExprError>,
    segments: Vec<(String, Range<usize>)>,
    leaves: usize,
}

/// A value and where it stands.
struct Typed {
    value: Value,
    span: Range<usize>,
}

impl Checker<'_> {
    /// Where a part of the tree stands; `around` for parts that we do not know.
    fn span(&self, tree: &Sql, around: &Range<usize>) -> Range<usize> {
        let from = |first: &Sql, last: &Sql| self.span(first, around).start..self.span(last, around).end;
        let through = |inner: &Sql, word| self.source.through(self.span(inner, around), word);
        match tree {
            Sql::Nested(inner) => {
                let inner = self.span(inner, around);
                self.source.balanced(self.source.with_previous(inner))
            }
            Sql::UnaryOp { expr, .. } => {
                let inner = self.span(expr, around);
                self.source.with_previous(inner)
            }
            Sql::BinaryOp { left, right, .. } => {
                // leaning to the left, as long chains do, it is walked, not descended
                let mut first = left;
                while let Sql::BinaryOp { left, .. } = &**first {
                    first = left;
                }
                from(first, right)
            }
            Sql::IsNull(inner) | Sql::IsNotNull(inner) => through(inner, "null"),
            Sql::IsTrue(inner) | Sql::IsNotTrue(inner) => through(inner, "true"),
            Sql::IsFalse(inner) | Sql::IsNotFalse(inner) => through(inner, "false"),
            Sql::InList { expr, list, .. } => self.source.balanced(from(expr, list.last().unwrap_or(expr))),
            Sql::Between { expr, high, .. } => from(expr, high),
            Sql::Like { expr, pattern, escape_char, .. } => from(expr, escape_char.as_ref().unwrap_or(pattern)),
            Sql::Function(function) => {
                let name = self.source.range(function.name.span());
                name.map_or_else(|| around.clone(), |name| self.source.call(name))
            }
            Sql::Identifier(_) | Sql::CompoundIdentifier(_) | Sql::Value(_) => {
                self.source.range(tree.span()).unwrap_or_else(|| around.clone())
            }
            _ => around.clone(),
        }
    }

    fn error(&mut self, error: ExprError) {
        self.errors.push(error);
    }

    /// Writes the mistake down; for `return self.fail(…)`.
    fn fail<T>(&mut self, error: ExprError) -> Option<T> {
        self.errors.push(error);
        None
    }

    fn leaf(&mut self, span: Range<usize>, what: What) -> Option<Test> {
        self.leaves += 1;
        Some(Test::Leaf(Leaf { span, what }))
    }

    /// `` `score` is a number ``.
    fn is_a(&self, typed: &Typed) -> String {
        format!("`{}` is {}", self.source.slice(&typed.span), name(typed.value.kind()))
    }
}

fn name(kind: Type) -> &'static str {
    match kind {
        Type::Text => "a text",
        Type::Number => "a number",
        Type::Moment => "a moment",
        Type::Day => "a day",
        Type::Bool => "true or false",
        Type::Open => "an attribute",
    }
}
