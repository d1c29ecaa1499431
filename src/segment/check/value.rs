//! Values: fields, attributes, literals, arithmetic.

use super::{Checker, Typed, test::short};
use crate::config::nearest;
use crate::segment::ExprError;
use crate::segment::expr::{Sign, Type, Value};
use crate::types::Period;
use sqlparser::ast::{BinaryOperator as Binary, Expr as Sql, Ident, UnaryOperator as Unary, Value as Literal};
use std::ops::Range;

/// The largest number that a condition writes.
const LARGEST: f64 = 1e15;
/// The smallest beside zero.
const SMALLEST: f64 = 1e-9;

impl Checker<'_> {
    /// A value.
    pub(super) fn value(&mut self, tree: &Sql) -> Option<Typed> {
        let whole = 0..self.source.text.len();
        let span = self.span(tree, &whole);
        let value = match tree {
            Sql::Nested(inner) => return self.value(inner),
            Sql::Identifier(ident) => self.field(ident, &span)?,
            Sql::CompoundIdentifier(parts) => self.attribute(parts, &span)?,
            Sql::Value(literal) => self.literal(&literal.value, &span)?,
            Sql::UnaryOp { op: Unary::Minus | Unary::Plus, expr } if matches!(**expr, Sql::UnaryOp { .. }) => {
                return self.fail(ExprError::new(span, "syntax", "one sign is enough"));
            }
            Sql::UnaryOp { op: Unary::Minus, expr } => match self.number(expr)? {
                Value::Number(n) => Value::Number(-n),
                value => Value::Arithmetic(Box::new(Value::Number(0.0)), Sign::Minus, Box::new(value)),
            },
            Sql::UnaryOp { op: Unary::Plus, expr } => self.number(expr)?,
            Sql::BinaryOp { left, op, right } => self.arithmetic(left, op, right, &span)?,
            Sql::Function(function) => self.value_function(function, &span)?,
            tree => return self.unsupported(tree, span),
        };
        Some(Typed { value, span })
    }

    fn field(&mut self, ident: &Ident, span: &Range<usize>) -> Option<Value> {
        if ident.quote_style.is_none()
            && ["AND", "OR", "NOT", "IN", "LIKE", "IS"].contains(&ident.value.to_uppercase().as_str())
        {
            let message = format!("`{}` stands where a value is expected", ident.value);
            return self.fail(ExprError::new(span.clone(), "syntax", message));
        }
        if ident.quote_style.is_some() {
            let text = &ident.value;
            let message = format!("\"{}\" in double quotes would be the name of a field", short(text));
            let help = format!("texts stand in single quotes: '{}'", short(&text.replace('\'', "''")));
            self.error(ExprError::new(span.clone(), "quotes", message).help(help));
            return None;
        }
        if let Some(field) = self.catalogue.field(&ident.value) {
            return Some(Value::Field { sql: field.sql, kind: field.kind });
        }
        let word = &ident.value;
        let error = ExprError::new(span.clone(), "unknown-field", format!("`{word}` is not a field"));
        let known: Vec<&str> = self.catalogue.fields().map(|field| field.name).chain(["attr.NAME"]).collect();
        let near = nearest(word, known).filter(|help| help.starts_with("did you mean"));
        let function = super::super::catalogue::FUNCTIONS.iter().find(|f| f.name.eq_ignore_ascii_case(word));
        let help = match (function, near) {
            (Some(function), _) => format!("it is a function: {}", function.usage),
            (None, Some(near)) => near,
            (None, None) => format!("an attribute is attr.{word}; a text stands in single quotes: '{word}'"),
        };
        self.fail(error.help(help))
    }

    fn attribute(&mut self, parts: &[Ident], span: &Range<usize>) -> Option<Value> {
        let [first, key] = parts else {
            let message = format!("`{}` is not a field", self.source.slice(span));
            let help = "an attribute is attr.NAME; one with dots in its name is attr.\"A.B\"";
            return self.fail(ExprError::new(span.clone(), "unknown-field", message).help(help));
        };
        if first.quote_style.is_some() || !first.value.eq_ignore_ascii_case("attr") {
            let message = format!("`{}` is not a field", self.source.slice(span));
            let whole = [key.value.as_str(), "attr"];
            let help = match (self.catalogue.field(&key.value), nearest(&first.value, whole)) {
                (Some(field), _) => format!("did you mean `{}`?", field.name),
                (None, Some(near)) if near.ends_with("`attr`?") => format!("did you mean `attr.{}`?", key.value),
                _ => "what a customer has beside the fields is attr.NAME".to_owned(),
            };
            return self.fail(ExprError::new(span.clone(), "unknown-field", message).help(help));
        }
        let wrong = |c: char| c.is_control() || c == '"' || c == '\\';
        if key.value.is_empty() || key.value.len() > 100 || key.value.contains(wrong) {
            let message = "the name of an attribute has 1 to 100 bytes, no quote and no backslash";
            return self.fail(ExprError::new(span.clone(), "unknown-field", message));
        }
        Some(Value::Attribute { key: key.value.clone(), number: false })
    }

    fn literal(&mut self, literal: &Literal, span: &Range<usize>) -> Option<Value> {
        let error = |code, message: &str| ExprError::new(span.clone(), code, message);
        match literal {
            Literal::SingleQuotedString(text) => Some(Value::Text(text.clone())),
            Literal::Number(digits, _) => match digits.replace('_', "").parse::<f64>() {
                Ok(n) if n == 0.0 || (SMALLEST..=LARGEST).contains(&n) => Some(Value::Number(n)),
                _ => self.fail(error(
                    "literal",
                    "this number is out of range: numbers go from 0.000000001 to 1,000,000,000,000,000",
                )),
            },
            Literal::Null => self.fail(
                error("type", "nothing is equal to NULL, or greater, or in a list with it")
                    .help("write `x IS NULL` or `x IS NOT NULL`"),
            ),
            Literal::Boolean(_) => self.fail(error("type", "TRUE and FALSE are conditions, not values")),
            _ => self.fail(
                error("literal", "this way to write a text is not known here")
                    .help("write it in single quotes: 'text'"),
            ),
        }
    }

    /// A value that is a number, or an attribute taken as one.
    fn as_number(&mut self, mut typed: Typed) -> Option<Typed> {
        if let Value::Attribute { key, .. } = &typed.value {
            typed.value = Value::Attribute { key: key.clone(), number: true };
        }
        if typed.value.kind() == Type::Number {
            return Some(typed);
        }
        let message = format!("{}, and arithmetic takes numbers", self.is_a(&typed));
        let help = match &typed.value {
            Value::Text(text) if text.parse::<f64>().is_ok() => Some(format!("write {text} without quotes")),
            Value::Text(text) if text.parse::<Period>().is_ok() => Some(format!("such as now() - '{text}'")),
            _ => None,
        };
        self.fail(ExprError::new(typed.span, "type", message).maybe_help(help))
    }

    fn number(&mut self, tree: &Sql) -> Option<Value> {
        let typed = self.value(tree)?;
        self.as_number(typed).map(|typed| typed.value)
    }

    fn arithmetic(&mut self, left: &Sql, op: &Binary, right: &Sql, span: &Range<usize>) -> Option<Value> {
        let sign = match op {
            Binary::Plus => Sign::Plus,
            Binary::Minus => Sign::Minus,
            Binary::Multiply => Sign::Times,
            Binary::Divide => Sign::Over,
            Binary::And
            | Binary::Or
            | Binary::Eq
            | Binary::NotEq
            | Binary::Lt
            | Binary::LtEq
            | Binary::Gt
            | Binary::GtEq => {
                let message = format!("`{}` is a condition, where a value is expected", self.source.slice(span));
                let help = "join conditions with AND or OR, and put parentheses around them";
                return self.fail(ExprError::new(span.clone(), "type", message).help(help));
            }
            op => {
                let message = format!("the operator {op} is not known here");
                let help = "known are = <> < <= > >= + - * / AND OR NOT IN BETWEEN LIKE IS NULL";
                return self.fail(ExprError::new(span.clone(), "unsupported", message).help(help));
            }
        };
        let (first, second) = (self.value(left), self.value(right));
        let (first, second) = (first?, second?);
        if first.value.kind() == Type::Moment {
            return self.move_moment(first, sign, second, span);
        }
        let (first, second) = (self.as_number(first), self.as_number(second));
        let (first, second) = (first?.value, second?.value);
        if let (Value::Number(a), Value::Number(b)) = (&first, &second) {
            let folded = match sign {
                Sign::Plus => a + b,
                Sign::Minus => a - b,
                Sign::Times => a * b,
                Sign::Over => a / b,
            };
            if folded == 0.0 || (SMALLEST..=LARGEST).contains(&folded.abs()) {
                return Some(Value::Number(folded));
            }
            return self.fail(ExprError::new(
                span.clone(),
                "arithmetic",
                "this comes to no number, or one out of all measure",
            ));
        }
        if sign == Sign::Over && second == Value::Number(0.0) {
            return self.fail(ExprError::new(span.clone(), "arithmetic", "nothing can be divided by 0"));
        }
        let typed = Typed { value: Value::Arithmetic(Box::new(first), sign, Box::new(second)), span: span.clone() };
        self.range_fits(&typed).then_some(typed.value)
    }

    /// `now() - '90d'`, or the days between two moments.
    fn move_moment(&mut self, moment: Typed, sign: Sign, right: Typed, span: &Range<usize>) -> Option<Value> {
        match (moment.value, sign, right.value) {
            (Value::Moment(at), Sign::Plus | Sign::Minus, Value::Text(text)) => match text.parse::<Period>() {
                Ok(by) => Some(Value::Moment(at.moved(sign == Sign::Plus, by))),
                Err(message) => self.fail(ExprError::new(right.span, "date", message)),
            },
            (from, Sign::Minus, to) if to.kind() == Type::Moment => Some(Value::Days(Box::new(from), Box::new(to))),
            (Value::Moment(_), ..) => {
                let message = "a moment takes a period: now() - '90d'";
                self.fail(ExprError::new(span.clone(), "date", message))
            }
            _ => {
                let field = self.source.slice(&moment.span);
                let message = format!("periods are taken from now() and from dates, not from `{field}`");
                let help = format!("take it to the other side: {field} < now() - '90d'");
                self.fail(ExprError::new(span.clone(), "date", message).help(help))
            }
        }
    }

    fn unsupported<T>(&mut self, tree: &Sql, span: Range<usize>) -> Option<T> {
        let condition = matches!(
            tree,
            Sql::IsTrue(_)
                | Sql::IsFalse(_)
                | Sql::IsNotTrue(_)
                | Sql::IsNotFalse(_)
                | Sql::IsNull(_)
                | Sql::IsNotNull(_)
                | Sql::InList { .. }
                | Sql::Between { .. }
                | Sql::Like { .. }
                | Sql::UnaryOp { op: Unary::Not, .. }
        );
        let error = if condition {
            let message = format!("`{}` is a condition, where a value is expected", self.source.slice(&span));
            ExprError::new(span, "type", message)
                .help("join conditions with AND or OR, and put parentheses around them")
        } else {
            ExprError::new(span, "unsupported", "something in this is SQL that a condition does not know")
                .help("known are fields, texts, numbers, functions and their comparison")
        };
        self.fail(error)
    }
}
