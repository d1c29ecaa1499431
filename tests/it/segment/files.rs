//! The segments of a workspace: mistakes at their place in the file, circles, size, and the examples that `init` writes.

use super::{catalogue, context, parse, seoul};
use crate::support::on_both;
use dangol::args;
use dangol::config::Problem;
use dangol::config::document::Document;
use dangol::config::model::Segment;
use dangol::segment::{Catalogue, Context, Expr, Names, Segments, store};
use dangol::types::Currency;

fn check(files: &[(&str, &str)]) -> (Segments, Vec<Problem>) {
    let read: Vec<(&str, Document, Segment)> = files
        .iter()
        .map(|(name, source)| {
            let document = Document::new(format!("segments/{name}.toml"), *source);
            let segment = document.read().unwrap_or_else(|e: Problem| panic!("{}", e.render()));
            (*name, document, segment)
        })
        .collect();
    let files: Vec<(&str, &Document, &Segment)> = read.iter().map(|(name, d, s)| (*name, d, s)).collect();
    Segments::check(&files, &catalogue(), &Names::default())
}

fn rendered(files: &[(&str, &str)]) -> String {
    check(files).1.iter().map(|problem| problem.render() + "\n").collect()
}

#[test]
fn mistakes_point_into_the_file() {
    insta::assert_snapshot!(rendered(&[
        ("basic", "title = \"홍길동\"\nwhere = \"name = '홍길동' AND naem = 'x'\"\n"),
        ("literal", "where = 'scroe > 40'\n"),
        ("escaped", "where = \"attr.\\\"size\\\" > 1 AND \\t\\u0041ttr.size > scroe\"\n"),
        ("lines", "where = \"\"\"\nconsents('newsletter')\n  AND (scroe > 40 \\\n       OR loyalty = 'tru')\n\"\"\"\n"),
        ("windows", "title = \"x\"\r\nwhere = '''\r\nscore > 40\r\nAND lokale = 'ko'\r\n'''\r\n"),
        ("empty", "where = \"\"\n"),
    ]), @r##"
    error[segment]: `naem` is not a field
     --> segments/basic.toml:2:27
      |
    2 | where = "name = '홍길동' AND naem = 'x'"
      |                              ^^^^
      = help: did you mean `name`?

    error[segment]: `scroe` is not a field
     --> segments/literal.toml:1:10
      |
    1 | where = 'scroe > 40'
      |          ^^^^^
      = help: did you mean `score`?

    error[segment]: `scroe` is not a field
     --> segments/escaped.toml:1:51
      |
    1 | where = "attr.\"size\" > 1 AND \t\u0041ttr.size > scroe"
      |                                                   ^^^^^
      = help: did you mean `score`?

    error[segment]: `scroe` is not a field
     --> segments/lines.toml:3:8
      |
    3 |   AND (scroe > 40 \
      |        ^^^^^
      = help: did you mean `score`?

    error[segment]: `loyalty` is never 'tru'
     --> segments/lines.toml:4:21
      |
    4 |        OR loyalty = 'tru')
      |                     ^^^^^
      = help: did you mean `true`?

    error[segment]: `lokale` is not a field
     --> segments/windows.toml:4:5
      |
    4 | AND lokale = 'ko'
      |     ^^^^^^
      = help: did you mean `locale`?

    error[segment]: the condition is empty
     --> segments/empty.toml:1:10
      |
    1 | where = ""
      |          ^
      = help: write what is true of the customers, such as consents('newsletter')
    "##);
}

#[test]
fn circles_are_told_once() {
    let files = [
        ("a", "where = \"TRUE AND in_segment('b')\"\n"),
        ("b", "where = \"in_segment('c') OR score > 1\"\n"),
        ("c", "where = \"NOT in_segment('a')\"\n"),
        ("d", "where = \"in_segment('a')\"\n"),
        ("self", "where = \"in_segment('self')\"\n"),
        ("good", "where = \"score > 1\"\n"),
        ("lost", "where = \"in_segment('god')\"\n"),
    ];
    insta::assert_snapshot!(rendered(&files), @r##"
    error[segment]: there is no segment `god`
     --> segments/lost.toml:1:21
      |
    1 | where = "in_segment('god')"
      |                     ^^^^^
      = help: did you mean `good`?

    error[segment]: segments stand in each other in a circle: a → b → c → a
     --> segments/a.toml:1:30
      |
    1 | where = "TRUE AND in_segment('b')"
      |                              ^^^
      = help: one of them has to say it without the other

    error[segment]: segments stand in each other in a circle: self → self
     --> segments/self.toml:1:21
      |
    1 | where = "in_segment('self')"
      |                     ^^^^^^
      = help: one of them has to say it without the other
    "##);
    let (segments, _) = check(&files);
    assert_eq!(segments.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["good"]);
}

#[test]
fn segments_in_segments_grow_to_a_limit() {
    // each names the one before four times: 4^n tests
    let names: Vec<String> = (0..8).map(|n| format!("s{n:02}")).collect();
    let sources: Vec<String> = (0..8_u32)
        .map(|n| match n {
            0 => "where = \"score > 1\"".to_owned(),
            n => format!("where = \"{}\"", vec![format!("in_segment('s{:02}')", n - 1); 4].join(" OR NOT ")),
        })
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    let (segments, problems) = check(&files);
    assert!(segments.get("s03").is_some() && segments.get("s07").is_none());
    assert!(
        !problems.is_empty() && problems.iter().all(|p| p.message.contains("more than 1000 tests")),
        "{problems:?}"
    );
    // a chain that is too deep
    let names: Vec<String> = (0..20).map(|n| format!("s{n:02}")).collect();
    let sources: Vec<String> = (0..20)
        .map(|n| {
            if n == 0 { "where = \"score > 1\"".to_owned() } else { format!("where = \"in_segment('s{:02}')\"", n - 1) }
        })
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    let (segments, problems) = check(&files);
    assert!(segments.get("s05").is_some() && segments.get("s19").is_none());
    assert!(!problems.is_empty() && problems.iter().all(|p| p.message.contains("stand in each other")), "{problems:?}");
}

#[test]
fn a_segment_stands_in_another() {
    let (segments, problems) = check(&[
        ("rich", "where = \"score > 50\""),
        ("rich-or-new", "where = \"in_segment('rich') OR created_at > ago('1d')\""),
    ]);
    assert!(problems.is_empty());
    on_both(|t| {
        let segments = segments.clone();
        async move {
            let t = &t;
            for (id, score) in [(1_i64, Some(60.0)), (2, Some(40.0)), (3, None)] {
                let sql = "INSERT INTO customer (id, bucket, created_at, updated_at) VALUES (?, 0, 0, 0)";
                t.db.execute(sql, args![id]).await.unwrap();
                let sql = "INSERT INTO relationship (customer_id, score) VALUES (?, ?)";
                t.db.execute(sql, args![id, score]).await.unwrap();
            }
            let zone = seoul();
            let context = context(&t.db, &zone, &segments);
            let outside = parse("NOT in_segment('rich-or-new')");
            let condition = outside.compile(&context).unwrap();
            let found = store::members(&mut &t.db, &condition, 0, 10).await.unwrap();
            assert_eq!(found.iter().map(|m| m.id).collect::<Vec<_>>(), [2, 3]);
            let said = store::explain(&mut &t.db, &outside, &context, 1).await.unwrap();
            assert_eq!(said, [("in_segment('rich-or-new')".to_owned(), true)]);
            // a name that is not there is an error and not an empty set
            let lost = parse("in_segment('lost')").compile(&context).unwrap_err();
            assert!(lost.to_string().contains("`lost`"));
        }
    });
}

#[test]
fn amounts_are_in_major_units_of_the_sites_currency() {
    on_both(|t| async move {
        let t = &t;
        let sql = "INSERT INTO customer (id, bucket, created_at, updated_at) VALUES (1, 0, 0, 0)";
        t.db.execute(sql, args![]).await.unwrap();
        t.db.execute("INSERT INTO relationship (customer_id, revenue) VALUES (1, 1999)", args![]).await.unwrap();
        let sql = "INSERT INTO purchase (event_id, order_key, customer_id, at, amount, currency, status, updated_at) VALUES (1, 'a', 1, 0, 1999, 'USD', 'paid', 0), (2, 'b', 1, 0, 5, 'KRW', 'paid', 0)";
        t.db.execute(sql, args![]).await.unwrap();
        let (zone, none) = (seoul(), Segments::default());
        let context = Context { currency: Currency::USD, ..context(&t.db, &zone, &none) };
        for (text, expected) in [
            ("sum('order.value') = 19.99", true),
            ("sum('order.value') > 20", false),
            ("revenue = 19.99", true),
            ("revenue * 2 > 39.97 AND revenue * 2 < 39.99", true),
        ] {
            let condition = parse(text).compile(&context).unwrap();
            assert_eq!(store::contains(&mut &t.db, &condition, 1).await.unwrap(), expected, "{text}");
        }
    });
}

/// What is long or deep on purpose is refused or answered; it never ends the process.
#[test]
fn hostile_conditions_are_refused_or_answered() {
    let many = |part: &str, n: usize, join: &str| vec![part; n].join(join);
    let texts = [
        "(".repeat(9_000) + "TRUE" + &")".repeat(9_000),
        "NOT ".repeat(4_000) + "TRUE",
        "-".repeat(30) + "1 > 0",
        "- ".repeat(400) + "1 > 0",
        many("1", 900, "+") + " > 1",
        many("score", 400, "*") + " > 1",
        many("score", 30, "*") + " > 1",
        many("score", 30, "/") + " > 1",
        many("score", 39, "-") + " > 1",
        "score IS NULL".to_owned() + &" IS TRUE".repeat(300),
        "score".to_owned() + &" = score".repeat(400),
        many("score > 1", 300, " AND "),
        many("score > 1", 2_000, " OR "),
        many("count('order', '9d') = 3", 190, " OR "),
        format!("score IN ({})", many("7", 9_000, ",")),
        format!("name IN ({})", many("'x'", 4_000, ",")),
        format!("name LIKE '{}'", "%a".repeat(100)),
        "count(".repeat(900) + &")".repeat(900),
        "attr.".repeat(900) + "x = 1",
        "a[1]".repeat(900),
        "x::int".to_owned() + &"::int".repeat(900),
        "CASE WHEN ".repeat(900),
        "(".repeat(45),
        "(".repeat(10) + "score > 1" + &")".repeat(10),
        "NOT (".repeat(10) + "score > 1" + &")".repeat(10),
        "count(".repeat(45),
        "score IN (".repeat(45),
        "score IN (".repeat(40) + "1" + &")".repeat(40),
        "score BETWEEN ".repeat(45),
        "'".repeat(9_999),
        "\"".repeat(9_999),
        "/*".repeat(900),
        "\u{0}".to_owned(),
        "\u{feff}score > 1".to_owned(),
        "score > 1e308 OR score > 1e-300 OR score > 99999999999999999999".to_owned(),
        "created_at > '9990-12-31T23:59:59Z' OR created_at > ago('900y') OR created_at < now() + '900y'".to_owned(),
        "created_at > '0000-00-00' OR birthday > '2026-02-30'".to_owned(),
        "🙂".repeat(4_000),
    ];
    on_both(|t| {
        let texts = texts.clone();
        async move {
            let t = &t;
            t.db.execute("INSERT INTO customer (id, bucket, attributes, created_at, updated_at) VALUES (1, 0, '{\"big\": 1e300, \"small\": 1e-300}', 0, 0)", args![]).await.unwrap();
            t.db.execute("INSERT INTO relationship (customer_id, score) VALUES (1, 1e200)", args![]).await.unwrap();
            let (zone, none) = (seoul(), Segments::default());
            let context = context(&t.db, &zone, &none);
            let mut answered = 0;
            for text in &texts {
                let start: String = text.chars().take(40).collect();
                // half the stack of a worker: what is nested too deeply ends in a message
                let own = text.clone();
                let parser = std::thread::Builder::new().stack_size(1 << 20);
                let parsed = parser.spawn(move || Expr::parse(&own, &catalogue(), &Names::default())).unwrap().join();
                match parsed.unwrap() {
                    Ok(expr) => {
                        let condition = expr.compile(&context).unwrap();
                        let size = store::size(&mut &t.db, &condition).await;
                        size.unwrap_or_else(|e| panic!("{start}: {e}"));
                        store::explain(&mut &t.db, &expr, &context, 1).await.unwrap();
                        answered += 1;
                    }
                    Err(errors) => {
                        assert!(!errors.is_empty(), "{start}");
                        for error in errors {
                            assert!(text.get(error.span.clone()).is_some(), "{start}: {error:?}");
                        }
                    }
                }
            }
            assert!(answered >= 7, "{answered}");
            // figures out of all measure are absent in arithmetic, where PostgreSQL would fail the statement
            for text in
                ["score * score > 1", "attr.big * attr.big > 0", "attr.small * attr.small > 0", "1 / attr.small > 0"]
            {
                let condition = parse(text).compile(&context).unwrap();
                assert_eq!(store::size(&mut &t.db, &condition).await.unwrap(), 0, "{text}");
            }
        }
    });
}

/// The deepest that is allowed, one in the other, is compiled and asked on a small stack.
#[test]
fn depth_within_the_limits_is_answered() {
    let source = |n: i32| match n {
        0 => format!("where = \"{}score > 1{}\"", "NOT (".repeat(9), ")".repeat(9)),
        n => format!("where = \"{}in_segment('s{}'){}\"", "NOT (".repeat(9), n - 1, " OR score > 7)".repeat(9)),
    };
    let names: Vec<String> = (0..8).map(|n| format!("s{n}")).collect();
    let sources: Vec<String> = (0..8).map(source).collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    let (segments, problems) = check(&files);
    assert!(problems.is_empty(), "{problems:?}");
    on_both(|t| {
        let segments = segments.clone();
        async move {
            let t = &t;
            let (zone, dialect) = (seoul(), t.db.dialect());
            let condition = std::thread::scope(|scope| {
                let compile =
                    || segments.get("s7").unwrap().compile(&Context { dialect, ..context(&t.db, &zone, &segments) });
                std::thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, compile).unwrap().join().unwrap()
            });
            assert_eq!(store::size(&mut &t.db, &condition.unwrap()).await.unwrap(), 0);
        }
    });
}

#[test]
fn the_examples_are_good() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/workspace/segments");
    let mut files: Vec<(String, String)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, source)| (name.as_str(), source.as_str())).collect();
    assert!(files.len() >= 6);
    let (segments, problems) = check(&files);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(segments.iter().count(), files.len());
}

#[test]
fn every_function_is_written_as_the_catalogue_says() {
    let catalogue = Catalogue::new();
    for (usage, doc) in catalogue.functions() {
        assert!(!doc.is_empty());
        let as_test = Expr::parse(usage, &catalogue, &Names::default());
        let as_number = Expr::parse(&format!("{usage} >= 1"), &catalogue, &Names::default());
        let as_moment = Expr::parse(&format!("created_at > {usage}"), &catalogue, &Names::default());
        let as_text = Expr::parse(&format!("{usage} = 'x'"), &catalogue, &Names::default());
        let good = [&as_test, &as_number, &as_moment, &as_text].iter().any(|read| read.is_ok());
        assert!(good, "{usage}: {as_test:?}");
    }
}
