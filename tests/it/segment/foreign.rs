//! What is SQL, or another language, and no condition.

use super::wrong::gallery;

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
        "-- a note alone",
        "score > 1 AND\n  naem = '홍길동' AND\n\tlocael = 'ko'",
        "name = '🙂مرحبا' AND 없는필드 = '값'",
    ]), @r##"
    email IN (SELECT email FROM customer)
              ^^^^^^ unsupported: `SELECT` is not known in a condition
      help: other sets are named with in_segment('…')
                           ^^^^ unsupported: `FROM` is not known in a condition
      help: other sets are named with in_segment('…')

    EXISTS (SELECT 1)
    ^^^^^^ unsupported: `EXISTS` is not known in a condition
      help: other sets are named with in_segment('…')
            ^^^^^^ unsupported: `SELECT` is not known in a condition
      help: other sets are named with in_segment('…')

    CAST(score AS TEXT) = '4' OR score::text = '4'
    ^^^^ unsupported: `CAST` is not known in a condition
      help: leave the cast out: values have the types that they need
                                      ^^ unsupported: `::` is not known in a condition
      help: leave the cast out: values have the types that they need

    CASE WHEN score > 1 THEN TRUE END
    ^^^^ unsupported: `CASE` is not known in a condition
      help: write the cases with AND and OR

    score == 40 && name != 'x' || !suppressed()
          ^^ unsupported: `==` is not known in a condition
      help: write =
                ^^ unsupported: `&&` is not known in a condition
      help: write AND
                               ^^ unsupported: `||` is not known in a condition
      help: write OR between conditions
                                  ^ unsupported: `!` is not known in a condition
      help: write NOT

    name ILIKE 'a%'
         ^^^^^ unsupported: `ILIKE` is not known in a condition
      help: write LIKE: it takes no notice of the case of A to Z

    created_at > now() - INTERVAL '90 days'
                         ^^^^^^^^ unsupported: `INTERVAL` is not known in a condition
      help: write a period as a text: now() - '90d'

    birthday > DATE '1990-01-01'
               ^^^^ unsupported: `DATE` is not known in a condition
      help: write the text alone: '2026-01-31'

    name = 'x'; DROP TABLE customer
              ^ unsupported: `;` is not known in a condition
      help: leave it out: a condition is no statement

    name = 'x' -- AND suppressed()
      (fits)

    name = 'x' /* a note */
      (fits)

    score > ? OR score > $1 OR score > :x
            ^ unsupported: `?` is not known in a condition
      help: write the value itself
                         ^^ unsupported: `$1` is not known in a condition
      help: write the value itself

    score ^ 2 > 4 OR score % 2 = 1
    ^^^^^^^^^ unsupported: the operator ^ is not known here
      help: known are = <> < <= > >= + - * / AND OR NOT IN BETWEEN LIKE IS NULL
                     ^^^^^^^^^ unsupported: the operator % is not known here
      help: known are = <> < <= > >= + - * / AND OR NOT IN BETWEEN LIKE IS NULL

    name = E'\x41' OR name = X'41' OR name = N'a'
            ^^^^^^ syntax: the condition ends before `'\x41'`
      help: join conditions with AND or OR

    name = $$x$$
           ^^^^^ literal: this way to write a text is not known here
      help: write it in single quotes: 'text'

    score > 1 score < 5
              ^^^^^ syntax: the condition ends before `score`
      help: join conditions with AND or OR

    score >
          ^ syntax: this is no condition: expected a value, found the end

    (score > 1
             ^ syntax: this is no condition: expected ), found the end

    score > 1)
             ^ syntax: the condition ends before `)`
      help: join conditions with AND or OR

    AND
    ^^^ syntax: `AND` stands where a value is expected

    -- a note alone
                  ^ syntax: this is no condition: expected a value, found the end

    score > 1 AND
      naem = '홍길동' AND
    	locael = 'ko'
                    ^^^^ unknown-field: `naem` is not a field
      help: did you mean `name`?
                                         ^^^^^^ unknown-field: `locael` is not a field
      help: did you mean `locale`?

    name = '🙂مرحبا' AND 없는필드 = '값'
                         ^^^^^^^^ unknown-field: `없는필드` is not a field
      help: an attribute is attr.없는필드; a text stands in single quotes: '없는필드'
    "##);
}
