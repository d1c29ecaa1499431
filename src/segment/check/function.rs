//! Functions: their arguments, and the names in them.

use super::{Checker, test::short};
use crate::config::nearest;
use crate::event::Kind;
use crate::segment::ExprError;
use crate::segment::catalogue::FUNCTIONS;
use crate::segment::expr::{Aggregate, Test, Value, What};
use crate::segment::moment::Moment;
use crate::types::Period;
use sqlparser::ast::{Expr as Sql, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value as Literal};
use std::collections::BTreeSet;
use std::ops::Range;

/// The longest time over which `birthday_in` looks.
const LONGEST_BIRTHDAY: i64 = 364;
const DAY: i64 = 86_400_000;

/// What a function gave.
enum Given {
    Test(What),
    Value(Value),
}

/// An argument: a text, or a number as it was written.
struct Argument {
    text: String,
    number: bool,
    span: Range<usize>,
}

impl Checker<'_> {
    /// A function where a condition is expected.
    pub(super) fn condition_function(&mut self, function: &Function, span: Range<usize>) -> Option<Test> {
        match self.function(function, &span)? {
            Given::Test(what) => self.leaf(span, what),
            Given::Value(_) => {
                let text = self.source.slice(&span);
                let message = format!("`{text}` is a value, where a condition is expected");
                let help = format!("compare it: {text} >= {}", if text.starts_with("count") { "1" } else { "…" });
                self.fail(ExprError::new(span, "type", message).help(help))
            }
        }
    }

    /// A function where a value is expected.
    pub(super) fn value_function(&mut self, function: &Function, span: &Range<usize>) -> Option<Value> {
        match self.function(function, span)? {
            Given::Value(value) => Some(value),
            Given::Test(_) => {
                let message = format!("`{}` is a condition by itself", self.source.slice(span));
                self.fail(
                    ExprError::new(span.clone(), "type", message)
                        .help("leave out the comparison, or write NOT before it"),
                )
            }
        }
    }

    fn function(&mut self, function: &Function, span: &Range<usize>) -> Option<Given> {
        let written = function.name.to_string();
        let name = written.to_lowercase();
        let name_span = span.start..span.start + self.source.slice(span).find('(').unwrap_or(0).max(1);
        let Some(known) = FUNCTIONS.iter().find(|f| f.name == name) else {
            let message = format!("`{}` is not a function", short(&written));
            let help = nearest(&name, FUNCTIONS.iter().map(|f| f.name));
            return self.fail(ExprError::new(name_span, "unknown-function", message).maybe_help(help));
        };
        let args = self.arguments(function, span, known.usage)?;
        let (least, most) = match known.name {
            "now" | "today" | "suppressed" => (0, 0),
            "count" | "sum" | "avg" | "min" | "max" | "opened" | "clicked" | "received" | "answered"
            | "reward_earned" => (1, 2),
            "bought" => (2, 3),
            _ => (1, 1),
        };
        if args.len() < least || args.len() > most {
            let message = format!("`{}` was given {} arguments", known.name, args.len());
            return self.fail(ExprError::new(span.clone(), "argument", message).help(format!("write {}", known.usage)));
        }
        self.given(known.name, &args)
    }

    fn given(&mut self, name: &'static str, args: &[Argument]) -> Option<Given> {
        let test = |what| Some(Given::Test(what));
        let value = |value| Some(Given::Value(value));
        match name {
            "now" => value(Value::Moment(Moment::now())),
            "today" => value(Value::Moment(Moment::today())),
            "ago" => value(Value::Moment(Moment::now().moved(false, self.period(&args[0])?))),
            "suppressed" => test(What::Suppressed),
            "consents" | "withdrew" => {
                let names = self.names;
                let topic = self.known("topic", names.topics.as_ref(), &args[0])?;
                test(What::Consent { topic, state: if name == "consents" { "granted" } else { "withdrawn" } })
            }
            "count" => {
                let (kind, window) = (self.kind(&args[0]), self.window(args.get(1)));
                value(Value::Count { kind: kind?, window: window? })
            }
            "sum" | "avg" | "min" | "max" => {
                let how = match name {
                    "sum" => Aggregate::Sum,
                    "avg" => Aggregate::Avg,
                    "min" => Aggregate::Min,
                    _ => Aggregate::Max,
                };
                let (amount, window) = (self.amount(&args[0]), self.window(args.get(1)));
                let (kind, margin) = amount?;
                value(Value::Sum { how, kind, margin, window: window? })
            }
            "days_since" => value(Value::DaysSince(self.kind(&args[0])?)),
            "first" | "last" => value(Value::Edge { last: name == "last", kind: self.kind(&args[0])? }),
            "opened" | "clicked" | "received" => {
                let names = self.names;
                let campaign = self.known("campaign", names.campaigns.as_ref(), &args[0]);
                let window = self.window(args.get(1));
                let (campaign, window) = (campaign?, window?);
                test(match name {
                    "received" => What::Received { campaign, window },
                    _ => What::Reacted { clicked: name == "clicked", campaign, window },
                })
            }
            "answered" => {
                let names = self.names;
                let survey = self.known("survey", names.surveys.as_ref(), &args[0])?;
                test(What::Answered { survey, answer: args.get(1).map(|answer| answer.text.clone()) })
            }
            "reward_unused" | "reward_balance" | "reward_tier" => {
                let reward = self.reward(&args[0])?;
                match name {
                    "reward_unused" => test(What::RewardUnused(reward)),
                    "reward_balance" => value(Value::RewardBalance(reward)),
                    _ => value(Value::RewardTier(reward)),
                }
            }
            "reward_earned" => {
                let (reward, window) = (self.reward(&args[0]), self.window(args.get(1)));
                value(Value::RewardEarned { reward: reward?, window: window? })
            }
            "bought" => {
                let column = ["category", "sku", "name"].into_iter().find(|column| *column == args[0].text);
                if column.is_none() {
                    let message = format!("articles have no '{}'", short(&args[0].text));
                    let help = nearest(&args[0].text, ["category", "sku", "name"]);
                    self.error(ExprError::new(args[0].span.clone(), "argument", message).maybe_help(help));
                }
                let window = self.window(args.get(2));
                test(What::Bought { column: column?, value: args[1].text.clone(), window: window? })
            }
            "in_segment" => {
                let names = self.names;
                let segment = self.known("segment", names.segments.as_ref(), &args[0])?;
                self.segments.push((segment.clone(), args[0].span.clone()));
                test(What::Segment(segment))
            }
            _ => {
                let period = self.period(&args[0])?;
                let days = period.as_millis() / DAY;
                if period.as_millis() % DAY != 0 || days > LONGEST_BIRTHDAY {
                    let message = format!("birthday_in takes whole days, at most {LONGEST_BIRTHDAY}");
                    return self.fail(
                        ExprError::new(args[0].span.clone(), "argument", message).help("such as birthday_in('7d')"),
                    );
                }
                test(What::Birthday(days))
            }
        }
    }

    fn arguments(&mut self, function: &Function, span: &Range<usize>, usage: &str) -> Option<Vec<Argument>> {
        let plain = function.filter.is_none()
            && function.over.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && function.parameters == FunctionArguments::None
            && !function.uses_odbc_syntax;
        let list = match &function.args {
            FunctionArguments::List(list) if plain && list.duplicate_treatment.is_none() && list.clauses.is_empty() => {
                list
            }
            _ => {
                let message = "only plain arguments can stand in a function";
                return self.fail(ExprError::new(span.clone(), "argument", message).help(format!("write {usage}")));
            }
        };
        let arguments: Vec<Option<Argument>> = list.args.iter().map(|arg| self.argument(arg, span, usage)).collect();
        arguments.into_iter().collect()
    }

    fn argument(&mut self, arg: &FunctionArg, around: &Range<usize>, usage: &str) -> Option<Argument> {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) = arg else {
            let message = "this cannot be given to a function";
            return self.fail(ExprError::new(around.clone(), "argument", message).help(format!("write {usage}")));
        };
        let span = self.span(tree, around);
        let help = match tree {
            Sql::Value(value) => match &value.value {
                Literal::SingleQuotedString(text) => return Some(Argument { text: text.clone(), number: false, span }),
                Literal::Number(digits, _) => {
                    return Some(Argument { text: digits.replace('_', ""), number: true, span });
                }
                _ => format!("write {usage}"),
            },
            Sql::Identifier(ident) => format!("texts stand in single quotes: '{}'", short(&ident.value)),
            _ => format!("write {usage}"),
        };
        let message = format!("`{}` is no text in quotes", short(self.source.slice(&span)));
        self.fail(ExprError::new(span, "argument", message).help(help))
    }

    fn reward(&mut self, arg: &Argument) -> Option<String> {
        let names = self.names;
        self.known("reward", names.rewards.as_ref(), arg)
    }

    /// A name that another file defines.
    fn known(&mut self, what: &str, names: Option<&BTreeSet<String>>, arg: &Argument) -> Option<String> {
        match names {
            Some(names) if !names.contains(&arg.text) => {
                let message = format!("there is no {what} `{}`", short(&arg.text));
                let help = nearest(&arg.text, names.iter().map(String::as_str));
                self.fail(ExprError::new(arg.span.clone(), "unknown-name", message).maybe_help(help))
            }
            _ => Some(arg.text.clone()),
        }
    }

    /// A kind of event: Dangol's own, or a shop's.
    fn kind(&mut self, arg: &Argument) -> Option<String> {
        let own = Kind::names().any(|name| name == arg.text);
        if own {
            return Some(arg.text.clone());
        }
        if let Some(kinds) = &self.names.kinds {
            if kinds.contains(&arg.text) {
                return Some(arg.text.clone());
            }
            let message = format!("no event of the kind `{}` is known", short(&arg.text));
            let all: Vec<&str> =
                Kind::names().map(|name| name as &str).chain(kinds.iter().map(String::as_str)).collect();
            let help = nearest(&arg.text, all);
            return self.fail(ExprError::new(arg.span.clone(), "unknown-name", message).maybe_help(help));
        }
        // a shop's own kinds are not known here; what is nearly one of ours is meant to be it
        let near = nearest(&arg.text, Kind::names()).filter(|help| help.starts_with("did you mean"));
        if arg.text.is_empty() || arg.number || near.is_some() {
            let message = format!("`{}` is no kind of event", short(&arg.text));
            let help = near.or_else(|| nearest("", Kind::names()));
            return self.fail(ExprError::new(arg.span.clone(), "unknown-name", message).maybe_help(help));
        }
        Some(arg.text.clone())
    }

    /// `order.value`, `order.margin`, `visit.value`; true for margin.
    fn amount(&mut self, arg: &Argument) -> Option<(String, bool)> {
        let split = arg
            .text
            .rsplit_once('.')
            .filter(|(kind, what)| *what == "value" || (*what == "margin" && *kind == "order"));
        let Some((kind, what)) = split else {
            let message = format!("`{}` is no amount", short(&arg.text));
            let help = "known are order.value, order.margin and KIND.value, such as visit.value";
            return self.fail(ExprError::new(arg.span.clone(), "argument", message).help(help));
        };
        let named = Argument { text: kind.to_owned(), number: false, span: arg.span.clone() };
        Some((self.kind(&named)?, what == "margin"))
    }

    fn period(&mut self, arg: &Argument) -> Option<Period> {
        match arg.text.parse::<Period>() {
            Ok(period) if !arg.number => Some(period),
            Ok(_) | Err(_) => {
                let message = format!("`{}` is not a period such as '90d', '6h', '39w' or '24mo'", short(&arg.text));
                let help = arg.number.then(|| format!("write '{}d' for days", arg.text));
                self.fail(ExprError::new(arg.span.clone(), "argument", message).maybe_help(help))
            }
        }
    }

    /// The second argument of functions that look back; the outer `None` is a mistake.
    #[expect(clippy::option_option, reason = "no window and a wrong one differ")]
    fn window(&mut self, arg: Option<&Argument>) -> Option<Option<Period>> {
        let Some(arg) = arg else { return Some(None) };
        let period = self.period(arg)?;
        if period.as_millis() == 0 {
            return self.fail(ExprError::new(arg.span.clone(), "argument", "nothing happens in a period of no length"));
        }
        Some(Some(period))
    }
}
