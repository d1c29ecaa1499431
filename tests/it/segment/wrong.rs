//! Every mistake is told at its place, all at once, with what to do.

use super::catalogue;
use dangol::segment::{Expr, Names};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

fn names() -> Names {
    let set = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>());
    Names {
        topics: set(&["newsletter", "offers"]),
        segments: set(&["regulars", "lapsing"]),
        campaigns: set(&["spring", "winback"]),
        surveys: set(&["nps"]),
        kinds: None,
    }
}

/// What a marketer is told of one expression, the places marked under it.
fn told(text: &str) -> String {
    let Err(errors) = Expr::parse(text, &catalogue(), &names()) else { return format!("{text}\n  (fits)\n") };
    let mut out = format!("{text}\n");
    for error in errors {
        let (before, meant) = (&text[..error.span.start], &text[error.span.clone()]);
        let _ = writeln!(out, "{}{} {}: {}", " ".repeat(before.width()), "^".repeat(meant.width().max(1)), error.code, error.message);
        if let Some(help) = error.help {
            let _ = writeln!(out, "  help: {help}");
        }
    }
    out
}

fn gallery(texts: &[&str]) -> String {
    texts.iter().map(|text| told(text) + "\n").collect()
}

#[test]
fn names_that_are_not_there() {
    insta::assert_snapshot!(gallery(&[
        "loclae = 'ko' AND scroe > 40",
        "city = 'Seoul'",
        "attrs.city = 'Seoul'",
        "customer.email = 'a@x.kr'",
        "attr.a.b = 1",
        "lower(email) = 'x'",
        "cuont('order') > 1",
        "consents('newslettr') OR clicked('sprng', '30d') OR answered('npss') OR in_segment('regular')",
        "count('ordr') > 1",
        "loyalty = 'tru' OR loyalty IN ('none', 'lateral') OR 'latnt' = loyalty",
        "sum('order.price') > 1",
        "bought('colour', 'red')",
    ]), @"");
}

#[test]
fn texts_in_the_wrong_quotes_or_none() {
    insta::assert_snapshot!(gallery(&[
        r#"language = "ko""#,
        r#"name = "홍길동" AND "source" = 'x'"#,
        "language = ko",
        "consents(newsletter)",
        r#"consents("newsletter")"#,
        "count(*) > 3",
        "name = 'O'Brien'",
        "name = '홍길동",
    ]), @"");
}

#[test]
fn types_that_do_not_fit() {
    insta::assert_snapshot!(gallery(&[
        "score > '40' AND name = 5",
        "count('order') >= '3'",
        "loyalty = TRUE",
        "consents('offers') = 1",
        "consents('offers') = TRUE AND tracking_off = FALSE",
        "created_at > '90d' OR created_at = '2026-01-01'",
        "created_at > 20260101",
        "birthday > 'spring'",
        "score",
        "'ko'",
        "count('order')",
        "name = NULL",
        "name IN ('a', NULL, 3)",
        "count('order') IS NULL",
        "score LIKE '4%'",
        "name LIKE 5",
        "name LIKE 'a!b' ESCAPE '!'",
        "name LIKE 'a%' ESCAPE 'ab'",
        "name + 1 > 2",
        "score BETWEEN 1 AND 'x'",
        "score BETWEEN email AND name",
        "score = score = score",
        "'a' = 'b'",
        "created_at - '90d' > now()",
        "now() * 2 > created_at",
        "score / 0 > 1",
        "attr.points > 100 AND attr.points = 'x' AND attr.since < ago('1y') AND attr.vip = TRUE",
    ]), @"");
}

#[test]
fn arguments_of_functions() {
    insta::assert_snapshot!(gallery(&[
        "suppressed('x')",
        "count() > 1",
        "count('order', 90) > 1",
        "count('order', '90 dogs') > 1 AND count('visit', '0d') > 1",
        "count(DISTINCT 'order') > 1",
        "count('order', count('visit')) > 1",
        "birthday_in('36h') OR birthday_in('2y')",
        "sum(order.value) > 1",
        "ago('1d') > ago('x')",
    ]), @"");
}

#[test]
fn sql_that_a_condition_does_not_know() {
    insta::assert_snapshot!(gallery(&[
        "email IN (SELECT email FROM customer)",
        "EXISTS (SELECT 1)",
        "CAST(score AS TEXT) = '4' OR score::text = '4'",
        "CASE WHEN score > 1 THEN TRUE END",
        "score == 40 && name != 'x' || !suppressed()",
        "name ILIKE 'a%'",
        "created_at > now() - INTERVAL '90 days'",
        "birthday > DATE '1990-01-01'",
        "name = 'x'; DROP TABLE customer",
        "name = 'x' -- AND suppressed()",
        "name = 'x' /* a note */",
        "score > ? OR score > $1 OR score > :x",
        "score ^ 2 > 4 OR score % 2 = 1",
        "name = E'\\x41' OR name = X'41' OR name = N'a'",
        "name = $$x$$",
        "score > 1 score < 5",
        "score >",
        "(score > 1",
        "score > 1)",
        "AND",
        "  ",
        "score > 1 AND\n  naem = '홍길동' AND\n\tlocael = 'ko'",
        "name = '🙂مرحبا' AND 없는필드 = '값'",
    ]), @"");
}
