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
        rewards: set(&["petals"]),
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
        let _ = writeln!(
            out,
            "{}{} {}: {}",
            " ".repeat(before.width()),
            "^".repeat(meant.width().max(1)),
            error.code,
            error.message
        );
        if let Some(help) = error.help {
            let _ = writeln!(out, "  help: {help}");
        }
    }
    out
}

pub fn gallery(texts: &[&str]) -> String {
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
    ]), @r##"
    loclae = 'ko' AND scroe > 40
    ^^^^^^ unknown-field: `loclae` is not a field
      help: did you mean `locale`?
                      ^^^^^ unknown-field: `scroe` is not a field
      help: did you mean `score`?

    city = 'Seoul'
    ^^^^ unknown-field: `city` is not a field
      help: an attribute is attr.city; a text stands in single quotes: 'city'

    attrs.city = 'Seoul'
    ^^^^^^^^^^ unknown-field: `attrs.city` is not a field
      help: did you mean `attr.city`?

    customer.email = 'a@x.kr'
    ^^^^^^^^^^^^^^ unknown-field: `customer.email` is not a field
      help: did you mean `email`?

    attr.a.b = 1
    ^^^^^^^^ unknown-field: `attr.a.b` is not a field
      help: an attribute is attr.NAME; one with dots in its name is attr."A.B"

    lower(email) = 'x'
    ^^^^^ unknown-function: `lower` is not a function
      help: known are 25 names, among them: ago, answered, avg, birthday_in, bought, clicked, consents, count, days_since, first, in_segment, last, …

    cuont('order') > 1
    ^^^^^ unknown-function: `cuont` is not a function
      help: did you mean `count`?

    consents('newslettr') OR clicked('sprng', '30d') OR answered('npss') OR in_segment('regular')
             ^^^^^^^^^^^ unknown-name: there is no topic `newslettr`
      help: did you mean `newsletter`?
                                     ^^^^^^^ unknown-name: there is no campaign `sprng`
      help: did you mean `spring`?
                                                                 ^^^^^^ unknown-name: there is no survey `npss`
      help: did you mean `nps`?
                                                                                       ^^^^^^^^^ unknown-name: there is no segment `regular`
      help: did you mean `regulars`?

    count('ordr') > 1
          ^^^^^^ unknown-name: `ordr` is no kind of event
      help: did you mean `order`?

    loyalty = 'tru' OR loyalty IN ('none', 'lateral') OR 'latnt' = loyalty
              ^^^^^ unknown-value: `loyalty` is never 'tru'
      help: did you mean `true`?
                                           ^^^^^^^^^ unknown-value: `loyalty` is never 'lateral'
      help: known are: latent, none, spurious, true, unknown
                                                         ^^^^^^^ unknown-value: `loyalty` is never 'latnt'
      help: did you mean `latent`?

    sum('order.price') > 1
        ^^^^^^^^^^^^^ argument: `order.price` is no amount
      help: known are order.value, order.margin and KIND.value, such as visit.value

    bought('colour', 'red')
           ^^^^^^^^ argument: articles have no 'colour'
      help: known are: category, name, sku
    "##);
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
    ]), @r##"
    language = "ko"
               ^^^^ quotes: "ko" in double quotes would be the name of a field
      help: texts stand in single quotes: 'ko'

    name = "홍길동" AND "source" = 'x'
           ^^^^^^^^ quotes: "홍길동" in double quotes would be the name of a field
      help: texts stand in single quotes: '홍길동'
                        ^^^^^^^^ quotes: "source" in double quotes would be the name of a field
      help: texts stand in single quotes: 'source'

    language = ko
               ^^ unknown-field: `ko` is not a field
      help: an attribute is attr.ko; a text stands in single quotes: 'ko'

    consents(newsletter)
             ^^^^^^^^^^ argument: `newsletter` is no text in quotes
      help: texts stand in single quotes: 'newsletter'

    consents("newsletter")
             ^^^^^^^^^^^^ argument: `"newsletter"` is no text in quotes
      help: texts stand in single quotes: 'newsletter'

    count(*) > 3
    ^^^^^^^^ argument: this cannot be given to a function
      help: write count('order', '90d')

    name = 'O'Brien'
                   ^ syntax: this cannot be read: unterminated string literal
      help: close the text with '; within a text it is written twice: 'O''Brien'

    name = '홍길동
           ^ syntax: this cannot be read: unterminated string literal
      help: close the text with '; within a text it is written twice: 'O''Brien'
    "##);
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
    ]), @r##"
    score > '40' AND name = 5
    ^^^^^^^^^^^^ type: `score` is a number, and `'40'` is a text
      help: write 40 without quotes
                     ^^^^^^^^ type: `name` is a text, and `5` is a number
      help: write it as a text: '5'

    count('order') >= '3'
    ^^^^^^^^^^^^^^^^^^^^^ type: `count('order')` is a number, and `'3'` is a text
      help: write 3 without quotes

    loyalty = TRUE
    ^^^^^^^^^^^^^^ type: `loyalty` is a text, and TRUE is not
      help: write the text in quotes: 'true'

    consents('offers') = 1
    ^^^^^^^^^^^^^^^^^^ type: `consents('offers')` is a condition by itself
      help: leave out the comparison, or write NOT before it

    consents('offers') = TRUE AND tracking_off = FALSE
      (fits)

    created_at > '90d' OR created_at = '2026-01-01'
                 ^^^^^ date: '90d' is no date, and created_at is a moment
      help: write '2026-01-31', '2026-01-31 09:30' or ago('90d')
                          ^^^^^^^^^^^^^^^^^^^^^^^^^ date: `created_at` is a moment, and would have to be the very first of that day
      help: ask for a span of time: created_at >= 'DAY' AND created_at < 'NEXT DAY'

    created_at > 20260101
    ^^^^^^^^^^^^^^^^^^^^^ type: `created_at` is a moment, and `20260101` is a number
      help: write a date as '2026-01-31'

    birthday > 'spring'
               ^^^^^^^^ date: 'spring' is no date, and birthday is a day
      help: write '2026-01-31', '2026-01-31 09:30' or ago('90d')

    score
    ^^^^^ type: `score` is a number, where a condition is expected
      help: compare it: score = 0

    'ko'
    ^^^^ type: `'ko'` is a text, where a condition is expected
      help: compare it: 'ko' = '…'

    count('order')
    ^^^^^^^^^^^^^^ type: `count('order')` is a value, where a condition is expected
      help: compare it: count('order') >= 1

    name = NULL
           ^^^^ type: nothing is equal to NULL, or greater, or in a list with it
      help: write `x IS NULL` or `x IS NOT NULL`

    name IN ('a', NULL, 3)
                  ^^^^ type: nothing is equal to NULL, or greater, or in a list with it
      help: write `x IS NULL` or `x IS NOT NULL`

    count('order') IS NULL
    ^^^^^^^^^^^^^^^^^^^^^^ type: `count('order')` is never absent
      help: over nothing it is 0: compare it with 0

    score LIKE '4%'
    ^^^^^ type: `score` is a number, and LIKE is for fields of text

    name LIKE 5
              ^ type: `5` is a number, and LIKE takes a pattern in quotes
      help: such as LIKE '%garden%'

    name LIKE 'a!b' ESCAPE '!'
              ^^^^^ literal: `!` is the escape here, and stands before %, _ or itself only

    name LIKE 'a%' ESCAPE 'ab'
                          ^^^^ literal: ESCAPE takes one character in quotes

    name + 1 > 2
    ^^^^ type: `name` is a text, and arithmetic takes numbers

    score BETWEEN 1 AND 'x'
    ^^^^^^^^^^^^^^^^^^^^^^^ type: `score` is a number, and `'x'` is a text
      help: compare it with a number

    score BETWEEN email AND name
    ^^^^^^^^^^^^^^^^^^^ type: `score` is a number, and `email` is a text
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ type: `score` is a number, and `name` is a text

    score = score = score
    ^^^^^^^^^^^^^ type: `score = score` is a condition, where a value is expected
      help: join conditions with AND or OR, and put parentheses around them

    'a' = 'b'
    ^^^^^^^^^ type: two texts are compared here, and nothing of the customer
      help: a field stands without quotes

    created_at - '90d' > now()
    ^^^^^^^^^^^^^^^^^^ date: periods are taken from now() and from dates, not from `created_at`
      help: take it to the other side: created_at < now() - '90d'

    now() * 2 > created_at
    ^^^^^^^^^ date: a moment takes a period: now() - '90d'

    score / 0 > 1
    ^^^^^^^^^ arithmetic: nothing can be divided by 0

    attr.points > 100 AND attr.points = 'x' AND attr.since < ago('1y') AND attr.vip = TRUE
      (fits)
    "##);
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
    ]), @r##"
    suppressed('x')
    ^^^^^^^^^^^^^^^ argument: `suppressed` was given 1 arguments
      help: write suppressed()

    count() > 1
    ^^^^^^^ argument: `count` was given 0 arguments
      help: write count('order', '90d')

    count('order', 90) > 1
                   ^^ argument: `90` is not a period such as '90d', '6h', '39w' or '24mo'
      help: write '90d' for days

    count('order', '90 dogs') > 1 AND count('visit', '0d') > 1
                   ^^^^^^^^^ argument: `90 dogs` is not a period such as '90d', '6h', '39w' or '24mo'
                                                     ^^^^ argument: nothing happens in a period of no length

    count(DISTINCT 'order') > 1
          ^^^^^^^^ unsupported: `DISTINCT` is not known in a condition
      help: known are fields, texts, numbers, functions and their comparison

    count('order', count('visit')) > 1
                   ^^^^^^^^^^^^^^ argument: `count('visit')` is no text in quotes
      help: write count('order', '90d')

    birthday_in('36h') OR birthday_in('2y')
                ^^^^^ argument: birthday_in takes whole days, at most 364
      help: such as birthday_in('7d')
                                      ^^^^ argument: birthday_in takes whole days, at most 364
      help: such as birthday_in('7d')

    sum(order.value) > 1
        ^^^^^^^^^^^ argument: `order.value` is no text in quotes
      help: write sum('order.value', '365d')

    ago('1d') > ago('x')
                    ^^^ argument: `x` is not a period such as '90d', '6h', '39w' or '24mo'
    "##);
}
