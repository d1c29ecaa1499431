//! Conditions: AND, OR, NOT, comparisons, IN, BETWEEN, LIKE, IS NULL.

use super::{Checker, Typed, name};
use crate::segment::ExprError;
use crate::segment::expr::{Op, Test, Type, Value, What};
use sqlparser::ast::{BinaryOperator as Binary, Expr as Sql, UnaryOperator as Unary, Value as Literal};
use std::ops::Range;

/// The longest pattern of LIKE, in bytes, and the most `%` in it: each can make the match slower by a power.
const LONGEST_PATTERN: usize = 300;
const MOST_PERCENTS: usize = 6;

impl Checker<'_> {
    /// A condition.
    pub(super) fn test(&mut self, tree: &Sql) -> Option<Test> {
        let whole = 0..self.source.text.len();
        let span = self.span(tree, &whole);
        match tree {
            Sql::Nested(inner) => self.test(inner),
            Sql::BinaryOp { op: Binary::And, .. } => self.chain(tree, &Binary::And).map(Test::And),
            Sql::BinaryOp { op: Binary::Or, .. } => self.chain(tree, &Binary::Or).map(Test::Or),
            Sql::UnaryOp { op: Unary::Not, expr } => Some(not(self.test(expr)?)),
            Sql::IsTrue(inner) | Sql::IsNotFalse(inner) => self.test(inner),
            Sql::IsFalse(inner) | Sql::IsNotTrue(inner) => Some(not(self.test(inner)?)),
            Sql::Value(value) if matches!(value.value, Literal::Boolean(_)) => {
                Some(Test::Const(value.value == Literal::Boolean(true)))
            }
            Sql::BinaryOp { left, op, right } => match comparison(op) {
                Some(op) => self.compare(span, left, op, right),
                None => self.stray(tree, span),
            },
            Sql::IsNull(inner) => self.absent(span, inner),
            Sql::IsNotNull(inner) => self.absent(span, inner).map(not),
            Sql::InList { expr, list, negated } => self.one_of(span, expr, list).map(|test| maybe_not(*negated, test)),
            Sql::Between { expr, negated, low, high } => {
                let (value, low, high) = (self.value(expr), self.value(low), self.value(high));
                let (mut value, mut low, mut high) = (value?, low?, high?);
                if !self.fit_all(&mut value, [&mut low, &mut high]) {
                    return None;
                }
                let test = self.leaf(span, What::Between(value.value, low.value, high.value))?;
                Some(maybe_not(*negated, test))
            }
            Sql::Like { negated, any: false, expr, pattern, escape_char } => {
                let test = self.like(span, expr, pattern, escape_char.as_deref())?;
                Some(maybe_not(*negated, test))
            }
            Sql::Function(function) => self.condition_function(function, span),
            _ => self.stray(tree, span),
        }
    }

    /// What stands where a condition is expected, and is a value or something that we do not know.
    fn stray(&mut self, tree: &Sql, span: Range<usize>) -> Option<Test> {
        let typed = self.value(tree)?;
        if let Value::Field { sql, .. } = typed.value
            && typed.value.kind() == Type::Bool
        {
            return self.leaf(span, What::Flag(sql));
        }
        let message = format!("{}, where a condition is expected", self.is_a(&typed));
        let example = match typed.value.kind() {
            Type::Number => "0",
            Type::Moment | Type::Day => "'2026-01-31'",
            _ => "'…'",
        };
        let help = format!("compare it: {} = {example}", self.source.slice(&typed.span));
        self.fail(ExprError::new(typed.span, "type", message).help(help))
    }

    /// The parts of `a AND b AND c`, which the parser leans to the left, one level for each.
    fn chain(&mut self, tree: &Sql, joined: &Binary) -> Option<Vec<Test>> {
        let mut parts = Vec::new();
        let mut rest = tree;
        while let Sql::BinaryOp { left, op, right } = rest
            && op == joined
        {
            parts.push(&**right);
            rest = left;
        }
        parts.push(rest);
        let tests: Vec<Option<Test>> = parts.into_iter().rev().map(|part| self.test(part)).collect();
        tests.into_iter().collect()
    }

    fn compare(&mut self, span: Range<usize>, left: &Sql, op: Op, right: &Sql) -> Option<Test> {
        for (truth, other) in [(left, right), (right, left)] {
            if let Some(truth) = boolean(truth) {
                return self.compare_truth(span, other, op, truth);
            }
        }
        let (left, right) = (self.value(left), self.value(right));
        let (mut left, mut right) = (left?, right?);
        if !self.fit(&mut left, &mut right) {
            return None;
        }
        for (side, other) in [(&left, &right), (&right, &left)] {
            if matches!(op, Op::Eq | Op::NotEq) && is_day_of(&side.value, &other.value) {
                return self.day_for_a_moment(span, &other.span);
            }
        }
        self.leaf(span, What::Compare(left.value, op, right.value))
    }

    fn day_for_a_moment(&mut self, span: Range<usize>, field: &Range<usize>) -> Option<Test> {
        let field = self.source.slice(field);
        let message = format!("`{field}` is a moment, and would have to be the very first of that day");
        let help = format!("ask for a span of time: {field} >= 'DAY' AND {field} < 'NEXT DAY'");
        self.fail(ExprError::new(span, "date", message).help(help))
    }

    /// `consents('x') = TRUE`, `attr.vip = TRUE`.
    fn compare_truth(&mut self, span: Range<usize>, other: &Sql, op: Op, truth: bool) -> Option<Test> {
        let wanted = match op {
            Op::Eq => truth,
            Op::NotEq => !truth,
            _ => {
                let message = "TRUE and FALSE have no order";
                return self.fail(ExprError::new(span, "type", message).help("write = or <>"));
            }
        };
        if !is_value(other) {
            return self.test(other).map(|test| maybe_not(!wanted, test));
        }
        let typed = self.value(other)?;
        match typed.value {
            Value::Field { sql, .. } if typed.value.kind() == Type::Bool => {
                self.leaf(span, What::Flag(sql)).map(|test| maybe_not(!wanted, test))
            }
            Value::Attribute { number: false, .. } => {
                let text = Value::Text(truth.to_string());
                self.leaf(span, What::Compare(typed.value, op, text))
            }
            _ => {
                let message = format!("{}, and {} is not", self.is_a(&typed), truth.to_string().to_uppercase());
                let error = ExprError::new(span, "type", message);
                let text = typed.value.kind() == Type::Text;
                self.fail(if text { error.help(format!("write the text in quotes: '{truth}'")) } else { error })
            }
        }
    }

    fn absent(&mut self, span: Range<usize>, inner: &Sql) -> Option<Test> {
        let typed = self.value(inner)?;
        if !typed.value.may_be_absent() {
            let message = format!("`{}` is never absent", self.source.slice(&typed.span));
            return self.fail(ExprError::new(span, "type", message).help("over nothing it is 0: compare it with 0"));
        }
        self.leaf(span, What::Absent(typed.value))
    }

    fn one_of(&mut self, span: Range<usize>, expr: &Sql, list: &[Sql]) -> Option<Test> {
        let value = self.value(expr);
        let items: Vec<Option<Typed>> = list.iter().map(|item| self.value(item)).collect();
        let mut value = value?;
        let mut items: Vec<Typed> = items.into_iter().collect::<Option<_>>()?;
        if !self.fit_all(&mut value, items.iter_mut()) {
            return None;
        }
        if let Some(day) = items.iter().find(|item| is_day_of(&item.value, &value.value)) {
            return self.day_for_a_moment(day.span.clone(), &value.span);
        }
        self.leaf(span, What::In(value.value, items.into_iter().map(|item| item.value).collect()))
    }

    fn like(&mut self, span: Range<usize>, expr: &Sql, pattern: &Sql, escape: Option<&Sql>) -> Option<Test> {
        let (value, pattern) = (self.value(expr), self.value(pattern));
        let escape = match escape {
            None => None,
            Some(escape) => {
                let typed = self.value(escape)?;
                let one = match &typed.value {
                    Value::Text(text) if text.chars().count() == 1 => text.chars().next(),
                    _ => None,
                };
                if one.is_none() {
                    return self.fail(ExprError::new(typed.span, "literal", "ESCAPE takes one character in quotes"));
                }
                one
            }
        };
        let (value, pattern) = (value?, pattern?);
        let Value::Text(text) = &pattern.value else {
            let message = format!("{}, and LIKE takes a pattern in quotes", self.is_a(&pattern));
            return self.fail(ExprError::new(pattern.span, "type", message).help("such as LIKE '%garden%'"));
        };
        if !matches!(value.value.kind(), Type::Text | Type::Open) || matches!(value.value, Value::Text(_)) {
            let message = format!("{}, and LIKE is for fields of text", self.is_a(&value));
            return self.fail(ExprError::new(value.span, "type", message));
        }
        match canonical(text, escape) {
            Ok(pattern) => self.leaf(span, What::Like(value.value, pattern)),
            Err(message) => self.fail(ExprError::new(pattern.span, "literal", message)),
        }
    }

    /// Makes a value and all that it is compared with of one type.
    fn fit_all<'t>(&mut self, value: &mut Typed, others: impl IntoIterator<Item = &'t mut Typed>) -> bool {
        let mut others: Vec<&mut Typed> = others.into_iter().collect();
        // twice, because an attribute takes its type from any of them, and then has to fit all
        (0..2).all(|_| {
            let fits: Vec<bool> = others.iter_mut().map(|other| self.fit(value, other)).collect();
            !fits.contains(&false)
        })
    }

    /// Makes both sides of a comparison of one type, or says why they are not.
    fn fit(&mut self, left: &mut Typed, right: &mut Typed) -> bool {
        if let Some(error) = self.misfit(left, right).or_else(|| self.misfit(right, left)) {
            self.error(error);
            return false;
        }
        let (a, b) = (left.value.kind(), right.value.kind());
        if let (Value::Text(_), Value::Text(_)) = (&left.value, &right.value) {
            let span = left.span.start.min(right.span.start)..left.span.end.max(right.span.end);
            let message = "two texts are compared here, and nothing of the customer";
            self.error(ExprError::new(span, "type", message).help("a field stands without quotes"));
            return false;
        }
        let text = |kind| matches!(kind, Type::Text | Type::Open);
        // an attribute beside a day is the text of a day
        let day = |kind| matches!(kind, Type::Day | Type::Open);
        if a == b || (text(a) && text(b)) || (day(a) && day(b)) {
            return self.known_value(left, right) & self.known_value(right, left);
        }
        let span = left.span.start.min(right.span.start)..left.span.end.max(right.span.end);
        let message = format!("{}, and {}", self.is_a(left), self.is_a(right));
        let error = ExprError::new(span, "type", message);
        let help = [&*left, &*right].iter().find_map(|side| match &side.value {
            Value::Text(text) if text.trim().parse::<f64>().is_ok() => {
                Some(format!("write {} without quotes", text.trim()))
            }
            Value::Number(_) if matches!((a, b), (Type::Moment | Type::Day, _) | (_, Type::Moment | Type::Day)) => {
                Some("write a date as '2026-01-31'".to_owned())
            }
            Value::Number(_) => Some(format!("write it as a text: '{}'", self.source.slice(&side.span))),
            Value::Text(_) if a == Type::Number || b == Type::Number => Some("compare it with a number".to_owned()),
            _ => None,
        });
        self.error(error.maybe_help(help));
        false
    }

    /// Turns `side` into what `other` is, where that can be: a text into a date, an attribute into a number.
    fn misfit(&self, side: &mut Typed, other: &Typed) -> Option<ExprError> {
        use crate::segment::moment::Moment;
        match (&side.value, other.value.kind()) {
            (Value::Text(text), wanted @ (Type::Moment | Type::Day)) => match Moment::parse(text) {
                Some(moment) if wanted == Type::Day => side.value = Value::Day(moment),
                Some(moment) => side.value = Value::Moment(moment),
                None => {
                    let message = format!(
                        "'{}' is no date, and {} is {}",
                        short(text),
                        self.source.slice(&other.span),
                        name(wanted)
                    );
                    return Some(
                        ExprError::new(side.span.clone(), "date", message)
                            .help("write '2026-01-31', '2026-01-31 09:30' or ago('90d')"),
                    );
                }
            },
            // a day against a moment that is written, not read: the day on which it falls
            (Value::Moment(moment), Type::Day | Type::Open) => side.value = Value::Day(moment.clone()),
            (Value::Attribute { key, number: false }, Type::Number) => {
                side.value = Value::Attribute { key: key.clone(), number: true };
            }
            _ => {}
        }
        None
    }

    /// Whether a text that `field` is compared with is one that it can have.
    fn known_value(&mut self, field: &Typed, other: &Typed) -> bool {
        let (Value::Field { .. }, Value::Text(text)) = (&field.value, &other.value) else { return true };
        let Some(known) = self.catalogue.field(self.source.slice(&field.span)).filter(|f| !f.values.is_empty()) else {
            return true;
        };
        if known.values.contains(&text.as_str()) {
            return true;
        }
        let message = format!("`{}` is never '{}'", known.name, short(text));
        let help = crate::config::nearest(text, known.values.iter().copied());
        self.error(ExprError::new(other.span.clone(), "unknown-value", message).maybe_help(help));
        false
    }
}

/// The start of a text, for a message.
pub(super) fn short(text: &str) -> String {
    let start: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

fn boolean(tree: &Sql) -> Option<bool> {
    match tree {
        Sql::Nested(inner) => boolean(inner),
        Sql::Value(value) => match value.value {
            Literal::Boolean(truth) => Some(truth),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a day is written where the moment of a field is asked for.
fn is_day_of(day: &Value, field: &Value) -> bool {
    let reads = matches!(field, Value::Field { .. } | Value::Edge { .. });
    reads && matches!(day, Value::Moment(moment) if moment.is_day())
}

/// Whether it is a field, a literal or arithmetic rather than a condition or a function, of which a few are conditions.
fn is_value(tree: &Sql) -> bool {
    match tree {
        Sql::Nested(inner) => is_value(inner),
        Sql::Identifier(_) | Sql::CompoundIdentifier(_) => true,
        Sql::Value(value) => !matches!(value.value, Literal::Boolean(_)),
        _ => false,
    }
}

fn comparison(op: &Binary) -> Option<Op> {
    Some(match op {
        Binary::Eq => Op::Eq,
        Binary::NotEq => Op::NotEq,
        Binary::Lt => Op::Lt,
        Binary::LtEq => Op::LtEq,
        Binary::Gt => Op::Gt,
        Binary::GtEq => Op::GtEq,
        _ => return None,
    })
}

fn not(test: Test) -> Test {
    match test {
        Test::Const(truth) => Test::Const(!truth),
        Test::Not(inner) => *inner,
        test => Test::Not(Box::new(test)),
    }
}

fn maybe_not(negated: bool, test: Test) -> Test {
    if negated { not(test) } else { test }
}

/// A pattern with `\` as its escape, whatever it was written with; without ESCAPE a `\` stands for itself.
fn canonical(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars();
    let mut percents = 0;
    while let Some(c) = chars.next() {
        let literal = if Some(c) == escape {
            match chars.next() {
                Some(next) if next == '%' || next == '_' || Some(next) == escape => Some(next),
                _ => return Err(format!("`{c}` is the escape here, and stands before %, _ or itself only")),
            }
        } else if c == '\\' {
            Some(c)
        } else {
            None
        };
        match literal {
            Some(literal) => {
                if matches!(literal, '%' | '_' | '\\') {
                    out.push('\\');
                }
                out.push(literal);
            }
            None => {
                percents += usize::from(c == '%');
                out.push(c);
            }
        }
    }
    if pattern.len() > LONGEST_PATTERN || percents > MOST_PERCENTS {
        return Err(format!("a pattern has at most {LONGEST_PATTERN} bytes and {MOST_PERCENTS} %"));
    }
    Ok(out)
}
