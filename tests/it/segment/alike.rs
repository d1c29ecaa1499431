//! Random conditions over random people: SQLite, PostgreSQL and a naive evaluator in Rust have to agree on every one.

use super::{context, days_ago, parse, seoul};
use crate::support::on_both;
use dangol::args;
use dangol::segment::{Segments, store};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

const PEOPLE: usize = 60;
const CONDITIONS: usize = 400;

#[derive(Clone, Debug)]
struct Person {
    source: Option<&'static str>,
    first_name: Option<&'static str>,
    score: Option<f64>,
    size: Option<f64>,
    city: Option<&'static str>,
    consents: bool,
    /// Days ago, and the amount.
    orders: Vec<(i64, i64)>,
    grants: Vec<Lot>,
}

/// Points granted so many days ago, all or nothing of them spent, whose time is over or not.
#[derive(Clone, Debug)]
struct Lot {
    days: i64,
    points: i64,
    spent: bool,
    over: Option<bool>,
}

impl Lot {
    fn usable(&self) -> bool {
        !self.spent && self.over != Some(true)
    }
}

/// The tiers: from so many points on, of those of 30 days.
const TIERS: [(&str, i64); 2] = [("ab", 3), ("홍길동", 8)];

#[derive(Clone, Debug)]
enum Test {
    Numbers(Number, &'static str, Number),
    Texts(Text, &'static str, Text),
    NumberIn(Number, Vec<f64>, bool),
    TextIn(Text, Vec<&'static str>, bool),
    Between(Number, Number, Number, bool),
    Like(Text, &'static str, bool),
    NoNumber(Number, bool),
    NoText(Text, bool),
    Consents,
    Unused,
    Not(Box<Test>),
    And(Vec<Test>),
    Or(Vec<Test>),
}

#[derive(Clone, Debug)]
enum Number {
    Literal(f64),
    Score,
    Size,
    Orders(Option<i64>),
    Spent(Option<i64>),
    Greatest,
    Since,
    Balance,
    Earned(Option<i64>),
    Of(Box<Number>, char, Box<Number>),
}

#[derive(Clone, Copy, Debug)]
enum Text {
    Source,
    FirstName,
    City,
    Tier,
    Literal(&'static str),
}

const TEXTS: &[&str] = &["", "a", "A", "ab", "aB", "홍길동", "길", "🙂", "\\", "a%", "a_b", "'", "مرحبا", "É", "é"];
const PATTERNS: &[&str] =
    &["", "%", "_", "a%", "%B", "A_", "%길%", "__동", "🙂", "\\", "\\%", "a\\%", "é", "%_%", "م%", "''"];

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn write_number(number: &Number) -> String {
    let window = |days: &Option<i64>| days.map(|days| format!(", '{days}d'")).unwrap_or_default();
    match number {
        Number::Literal(n) => n.to_string(),
        Number::Score => "score".into(),
        Number::Size => "attr.size".into(),
        Number::Orders(days) => format!("count('order'{})", window(days)),
        Number::Spent(days) => format!("sum('order.value'{})", window(days)),
        Number::Greatest => "max('order.value')".into(),
        Number::Since => "days_since('order')".into(),
        Number::Balance => "reward_balance('petals')".into(),
        Number::Earned(days) => format!("reward_earned('petals'{})", window(days)),
        Number::Of(a, sign, b) => format!("({} {sign} {})", write_number(a), write_number(b)),
    }
}

fn write_text(text: Text) -> String {
    match text {
        Text::Source => "source".into(),
        Text::FirstName => "first_name".into(),
        Text::City => "attr.city".into(),
        Text::Tier => "reward_tier('petals')".into(),
        Text::Literal(text) => literal(text),
    }
}

fn write(test: &Test) -> String {
    let not = |not: &bool| if *not { " NOT" } else { "" };
    let joined = |parts: &[Test], word| parts.iter().map(write).collect::<Vec<_>>().join(word);
    match test {
        Test::Numbers(a, op, b) => format!("{} {op} {}", write_number(a), write_number(b)),
        Test::Texts(a, op, b) => format!("{} {op} {}", write_text(*a), write_text(*b)),
        Test::NumberIn(a, list, n) => {
            let list: Vec<String> = list.iter().map(f64::to_string).collect();
            format!("{}{} IN ({})", write_number(a), not(n), list.join(", "))
        }
        Test::TextIn(a, list, n) => {
            let list: Vec<String> = list.iter().map(|text| literal(text)).collect();
            format!("{}{} IN ({})", write_text(*a), not(n), list.join(", "))
        }
        Test::Between(a, b, c, n) => {
            format!("{}{} BETWEEN {} AND {}", write_number(a), not(n), write_number(b), write_number(c))
        }
        Test::Like(a, pattern, n) => format!("{}{} LIKE {}", write_text(*a), not(n), literal(pattern)),
        Test::NoNumber(a, n) => format!("{} IS{} NULL", write_number(a), not(n)),
        Test::NoText(a, n) => format!("{} IS{} NULL", write_text(*a), not(n)),
        Test::Consents => "consents('newsletter')".into(),
        Test::Unused => "reward_unused('petals')".into(),
        Test::Not(inner) => format!("NOT ({})", write(inner)),
        Test::And(parts) => format!("({})", joined(parts, " AND ")),
        Test::Or(parts) => format!("({})", joined(parts, " OR ")),
    }
}

impl Person {
    fn earned(&self, days: i64) -> i64 {
        self.grants.iter().filter(|lot| lot.days < days).map(|lot| lot.points).sum()
    }

    fn number(&self, number: &Number) -> Option<f64> {
        let orders = |days: &Option<i64>| {
            let days = days.unwrap_or(i64::MAX);
            self.orders.iter().filter(move |(ago, _)| *ago < days).map(|(_, amount)| *amount as f64)
        };
        match number {
            Number::Literal(n) => Some(*n),
            Number::Score => self.score,
            Number::Size => self.size,
            Number::Orders(days) => Some(orders(days).count() as f64),
            Number::Spent(days) => Some(orders(days).sum()),
            Number::Greatest => orders(&None).reduce(f64::max),
            Number::Since => self.orders.iter().map(|(ago, _)| *ago as f64).reduce(f64::min),
            Number::Balance => Some(self.grants.iter().filter(|lot| lot.usable()).map(|lot| lot.points as f64).sum()),
            Number::Earned(days) => Some(self.earned(days.unwrap_or(i64::MAX)) as f64),
            Number::Of(a, sign, b) => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                match sign {
                    '+' => Some(a + b),
                    '-' => Some(a - b),
                    '*' => Some(a * b),
                    _ => (b != 0.0).then(|| a / b),
                }
            }
        }
    }

    fn text(&self, text: Text) -> Option<&'static str> {
        match text {
            Text::Source => self.source,
            Text::FirstName => self.first_name,
            Text::City => self.city,
            Text::Tier => TIERS.iter().rev().find(|(_, from)| *from <= self.earned(30)).map(|(name, _)| *name),
            Text::Literal(text) => Some(text),
        }
    }

    fn is(&self, test: &Test) -> bool {
        match test {
            Test::Numbers(a, op, b) => compare(self.number(a), op, self.number(b)),
            Test::Texts(a, op, b) => compare(self.text(*a), op, self.text(*b)),
            Test::NumberIn(a, list, n) => *n != self.number(a).is_some_and(|a| list.contains(&a)),
            Test::TextIn(a, list, n) => *n != self.text(*a).is_some_and(|a| list.contains(&a)),
            Test::Between(a, b, c, n) => {
                let (a, b, c) = (self.number(a), self.number(b), self.number(c));
                // all three are there, or it is false
                *n != matches!((a, b, c), (Some(a), Some(b), Some(c)) if b <= a && a <= c)
            }
            Test::Like(a, pattern, n) => {
                let fits = |text: &str| {
                    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
                    like(&text, &pattern)
                };
                *n != self.text(*a).is_some_and(fits)
            }
            Test::NoNumber(a, n) => *n != self.number(a).is_none(),
            Test::NoText(a, n) => *n != self.text(*a).is_none(),
            Test::Consents => self.consents,
            Test::Unused => self.grants.iter().any(Lot::usable),
            Test::Not(inner) => !self.is(inner),
            Test::And(parts) => parts.iter().all(|part| self.is(part)),
            Test::Or(parts) => parts.iter().any(|part| self.is(part)),
        }
    }
}

fn compare<T: PartialOrd>(a: Option<T>, op: &str, b: Option<T>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    match op {
        "=" => a == b,
        "<>" | "!=" => a != b,
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        _ => a >= b,
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match (text, pattern) {
        (_, ['%', rest @ ..]) => (0..=text.len()).any(|at| like(&text[at..], rest)),
        ([_, text @ ..], ['_', rest @ ..]) => like(text, rest),
        ([a, text @ ..], [b, rest @ ..]) => a.eq_ignore_ascii_case(b) && like(text, rest),
        ([], []) => true,
        _ => false,
    }
}

fn person() -> impl Strategy<Value = Person> {
    let half = || proptest::option::of((-6..=12_i32).prop_map(|n| f64::from(n) / 2.0));
    let text = || proptest::option::of(select(TEXTS));
    let orders = proptest::collection::vec((0..60_i64, 0..8_i64), 0..4);
    let lot = (0..60_i64, 1..5_i64, any::<bool>(), any::<Option<bool>>()).prop_map(|(days, points, spent, over)| Lot {
        days,
        points,
        spent,
        over,
    });
    let grants = proptest::collection::vec(lot, 0..4);
    (text(), text(), half(), half(), text(), any::<bool>(), orders, grants).prop_map(
        |(source, first_name, score, size, city, consents, orders, grants)| Person {
            source,
            first_name,
            score,
            size,
            city,
            consents,
            orders,
            grants,
        },
    )
}

fn field() -> impl Strategy<Value = Number> {
    let window = || proptest::option::of(1..70_i64);
    prop_oneof![
        3 => Just(Number::Score),
        3 => Just(Number::Size),
        2 => window().prop_map(Number::Orders),
        1 => window().prop_map(Number::Spent),
        1 => Just(Number::Greatest),
        1 => Just(Number::Since),
        1 => Just(Number::Balance),
        1 => window().prop_map(Number::Earned),
    ]
}

fn number() -> impl Strategy<Value = Number> {
    let literal = || (1..=8_i32).prop_map(|n| Number::Literal(f64::from(n) / 2.0));
    let operand = prop_oneof![field(), literal()];
    let arithmetic = (field(), select(&['+', '-', '*', '/'][..]), operand)
        .prop_map(|(a, sign, b)| Number::Of(Box::new(a), sign, Box::new(b)));
    let nested = (arithmetic.boxed(), select(&['+', '-', '*', '/'][..]), field())
        .prop_map(|(a, sign, b)| Number::Of(Box::new(a), sign, Box::new(b)));
    prop_oneof![4 => field(), 4 => (-3..=8_i32).prop_map(|n| Number::Literal(f64::from(n))), 2 => nested]
}

fn test() -> impl Strategy<Value = Test> {
    let op = || select(&["=", "<>", "!=", "<", "<=", ">", ">="][..]);
    let read = || select(&[Text::Source, Text::FirstName, Text::City, Text::Tier][..]);
    let text = || prop_oneof![read(), select(TEXTS).prop_map(Text::Literal)];
    let numbers = || proptest::collection::vec((-3..=8_i32).prop_map(f64::from), 1..4);
    let leaf = prop_oneof![
        (number(), op(), number()).prop_map(|(a, op, b)| Test::Numbers(a, op, b)),
        (read(), op(), text()).prop_map(|(a, op, b)| Test::Texts(a, op, b)),
        (number(), numbers(), any::<bool>()).prop_map(|(a, list, n)| Test::NumberIn(a, list, n)),
        (read(), proptest::collection::vec(select(TEXTS), 1..4), any::<bool>())
            .prop_map(|(a, l, n)| Test::TextIn(a, l, n)),
        (number(), number(), number(), any::<bool>()).prop_map(|(a, b, c, n)| Test::Between(a, b, c, n)),
        (read(), select(PATTERNS), any::<bool>()).prop_map(|(a, pattern, n)| Test::Like(a, pattern, n)),
        (select(&[Number::Score, Number::Size, Number::Since][..]), any::<bool>())
            .prop_map(|(a, n)| Test::NoNumber(a, n)),
        (read(), any::<bool>()).prop_map(|(a, n)| Test::NoText(a, n)),
        Just(Test::Consents),
        Just(Test::Unused),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|test| Test::Not(Box::new(test))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Test::And),
            proptest::collection::vec(inner, 2..4).prop_map(Test::Or),
        ]
    })
}

fn draw<T>(strategy: &impl Strategy<Value = T>, n: usize) -> Vec<T> {
    // the same every time
    let mut runner = TestRunner::deterministic();
    (0..n).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn both_databases_and_a_naive_evaluator_agree() {
    let (people, conditions) = (draw(&person(), PEOPLE), draw(&test(), CONDITIONS));
    on_both(|t| {
        let (people, conditions) = (people.clone(), conditions.clone());
        async move {
            let t = &t;
            let mut tx = t.db.begin().await.unwrap();
            for (name, from) in TIERS {
                let sql = "INSERT INTO reward_tier (reward, name, from_points, within_ms) VALUES ('petals', ?, ?, ?)";
                tx.execute(sql, args![name, from, 30 * 86_400_000_i64]).await.unwrap();
            }
            for (person, id) in people.iter().zip(1_i64..) {
                let mut attributes = serde_json::Map::new();
                attributes.extend(person.size.map(|size| ("size".to_owned(), size.into())));
                attributes.extend(person.city.map(|city| ("city".to_owned(), city.into())));
                let attributes = serde_json::Value::Object(attributes).to_string();
                let sql = "INSERT INTO customer (id, bucket, first_name, source, attributes, created_at, updated_at) VALUES (?, 0, ?, ?, ?, 0, 0)";
                tx.execute(sql, args![id, person.first_name, person.source, attributes]).await.unwrap();
                if let Some(score) = person.score {
                    let sql = "INSERT INTO relationship (customer_id, score) VALUES (?, ?)";
                    tx.execute(sql, args![id, score]).await.unwrap();
                }
                if person.consents {
                    let sql = "INSERT INTO consent_state (customer_id, topic, state, at, consent_id) VALUES (?, 'newsletter', 'granted', 0, 0)";
                    tx.execute(sql, args![id]).await.unwrap();
                }
                for ((days, amount), n) in person.orders.iter().zip(0_i64..) {
                    let sql = "INSERT INTO purchase (event_id, order_key, customer_id, at, amount, currency, status, updated_at) VALUES (?, ?, ?, ?, ?, 'KRW', 'paid', 0)";
                    let event = id * 10 + n;
                    tx.execute(sql, args![event, event.to_string(), id, days_ago(*days), *amount]).await.unwrap();
                }
                for (lot, n) in person.grants.iter().zip(0_i64..) {
                    let sql = "INSERT INTO reward_lot (customer_id, reward, rule, period, granted, pending, active, spent, expired, \
                               reversed, moves, unit, budget, granted_at, expires_at) VALUES (?, 'petals', 'r', ?, ?, 0, ?, ?, 0, 0, 1, 1, 'all', ?, ?)";
                    let (active, spent) = if lot.spent { (0, lot.points) } else { (lot.points, 0) };
                    let ends = lot.over.map(|over| days_ago(if over { 0 } else { -1 }));
                    let granted = days_ago(lot.days);
                    tx.execute(sql, args![id, n.to_string(), lot.points, active, spent, granted, ends]).await.unwrap();
                }
            }
            tx.commit().await.unwrap();
            let (zone, none) = (seoul(), Segments::default());
            let context = context(&t.db, &zone, &none);
            let mut both_ways = 0;
            for condition in &conditions {
                let text = write(condition);
                let expected: Vec<i64> =
                    people.iter().zip(1..).filter(|(person, _)| person.is(condition)).map(|(_, id)| id).collect();
                let compiled = parse(&text).compile(&context).unwrap();
                let found = store::members(&mut &t.db, &compiled, 0, 1_000).await;
                let found = found.unwrap_or_else(|e| panic!("{:?} {text}: {e}", t.db.dialect()));
                let found: Vec<i64> = found.into_iter().map(|member| member.id).collect();
                assert_eq!(found, expected, "{:?} {text}", t.db.dialect());
                both_ways += usize::from(!found.is_empty() && found.len() < PEOPLE);
            }
            assert!(both_ways > CONDITIONS / 2, "the conditions have to tell people apart, {both_ways} do");
        }
    });
}
