//! What `check` says of a template that is wrong: which sort of mistake, where, and what to do.

use super::*;
use dangol::render::{Known, check};

fn problems(files: &[(&str, &str)], options: &CompileOptions) -> Vec<Problem> {
    let known = Known { attributes: Some(["city".to_owned()].into()), extra: ["reward.code".to_owned()].into() };
    check(&library(files), "t", options, &known)
}

/// One mistake of one file: its place, its sort and its help.
fn one(path: &str, source: &str) -> (usize, usize, &'static str, String) {
    let found = problems(&[(path, source)], &options());
    assert_eq!(found.len(), 1, "{source}\n{}", shown(&found));
    assert_eq!(found[0].file, format!("templates/{path}"));
    (found[0].line, found[0].column, found[0].code, found[0].help.clone().unwrap_or_default())
}

fn html_body(body: &str) -> (usize, usize, &'static str, String) {
    one("t.html", &format!("---\nsubject = \"s\"\n---\n{body}"))
}

fn mjml_body(body: &str) -> (usize, usize, &'static str, String) {
    one("t.mjml", &format!("---\nsubject = \"s\"\n---\n<mjml>\n<mj-body>\n{body}\n</mj-body>\n</mjml>"))
}

#[test]
fn names_that_do_not_exist_are_told_with_the_nearest() {
    for (body, line, column, code, help) in [
        ("<p>홍 {{customer.nmae}}</p>", 4, 8, "unknown-variable", "did you mean `customer.name`?"),
        ("<p>\n  {{upper customer.attr.citty}}</p>", 5, 11, "unknown-variable", "did you mean `city`?"),
        ("{{#if customer.attr.x}}a{{/if}}", 4, 7, "unknown-variable", "known are: city"),
        ("{{uper customer.name}}", 4, 3, "unknown-helper", "did you mean `upper`?"),
        ("{{#iff customer.name}}x{{/iff}}", 4, 4, "unknown-helper", "did you mean `if`?"),
        ("{{survey \"npss\"}}", 4, 1, "unknown-survey", "did you mean `nps`?"),
        ("<img src=\"assets/logoo.png\">", 4, 11, "missing-asset", "did you mean `logo.png`?"),
        ("<td background='assets/x/y.png'>", 4, 17, "missing-asset", "known are: logo.png"),
        ("{{> partials/x}}", 4, 1, "unknown-partial", ""),
        (
            "{{#each customer.attr.city}}{{customer.name}}{{/each}}",
            4,
            31,
            "unknown-variable",
            "write `@root.customer.name`",
        ),
        ("<a href=\"www.x.example\">x</a>", 4, 10, "link", "write the whole address, with https://"),
        ("<p {{#if customer.name}}x{{/if}}>y</p>", 4, 4, "misplaced", ""),
    ] {
        if code == "misplaced" {
            let found = problems(&[("t.html", &format!("---\nsubject = \"s\"\n---\n{body}"))], &options());
            assert!(found.iter().all(|p| p.code == "misplaced"), "{}", shown(&found));
            assert_eq!((found[0].line, found[0].column), (line, column));
            continue;
        }
        assert_eq!(html_body(body), (line, column, code, help.to_owned()), "{body}");
    }
}

#[test]
fn syntax_is_told_at_its_place() {
    for (body, line, column, code) in [
        ("a {{#if customer.name}} b", 4, 3, "syntax"),
        ("a\nb {{/if}}", 5, 3, "syntax"),
        ("{{else}}", 4, 1, "syntax"),
        ("x {{customer..name}}", 4, 3, "syntax"),
        ("x {{customer.name", 4, 3, "syntax"),
        ("{{{{raw}}}} x {{{{/raw}}}}", 4, 1, "syntax"),
        ("{{#if customer.name}}<div>{{/if}}x", 4, 27, "cut-element"),
        ("{{josa customer.name}}", 4, 1, "helper-values"),
        ("{{josa customer.name \"의\"}}", 4, 1, "helper-values"),
        ("{{date now \"fancy\"}}", 4, 1, "helper-values"),
        ("{{money 1 \"WONNE\"}}", 4, 1, "helper-values"),
        ("<mj-text>x</mj-text>", 4, 2, "mjml-tag"),
    ] {
        let (l, c, found, _) = html_body(body);
        assert_eq!((l, c, found), (line, column, code), "{body}");
    }
    let crossed = problems(
        &[("t.html", "---\nsubject = \"s\"\n---\n{{#if now}}{{#each customer.attr.city}}{{/if}}{{/each}}")],
        &options(),
    );
    assert_eq!((crossed[0].line, crossed[0].column, crossed[0].code), (4, 40, "syntax"));
}

#[test]
fn what_mjml_would_drop_in_silence_is_told() {
    let column = |inner: &str| format!("<mj-section><mj-column>\n{inner}\n</mj-column></mj-section>");
    assert_eq!(mjml_body(&column("<mj-txt>x</mj-txt>")), (7, 2, "unknown-tag", "did you mean `mj-text`?".to_owned()));
    let (line, place, code, _) = mjml_body(&column("<p>x</p>"));
    assert_eq!((line, place, code), (7, 2, "html-in-mjml"));
    let (line, _, code, _) = mjml_body(&column("<mj-include path=\"x\" />"));
    assert_eq!((line, code), (7, "unknown-tag"));
    let (line, _, code, _) = mjml_body(&column("<mj-text>{{customer.name}}</mj-txet>"));
    assert_eq!((line, code), (7, "mjml"));
    for parent in ["mj-section", "mj-social", "mj-wrapper"] {
        let (line, place, code, help) = mjml_body(&format!("<{parent}>\n {{{{customer.name}}}}</{parent}>"));
        assert_eq!((line, place, code, help.as_str()), (7, 2, "misplaced", "put it into <mj-text> or <mj-raw>"));
    }
    let (line, place, code, _) = mjml_body("{{#if customer.name}}<mj-section>{{/if}}</mj-section>");
    assert_eq!((line, place, code), (6, 34, "cut-element"));
}

#[test]
fn front_matter_layouts_and_partials_have_places_of_their_own() {
    assert_eq!(one("t.html", "---\nsubjekt = \"x\"\nsubject = \"y\"\n---\n").2, "unknown-key");
    assert_eq!(one("t.html", "<p>x</p>").2, "missing-subject");
    let (line, column, code, _) = one("t.html", "---\nsubject = \"a {{customer.nam}}\"\n---\nx");
    assert_eq!((line, column, code), (2, 16, "unknown-variable"));
    let layout = one("t.html", "---\nsubject = \"x\"\nlayout = \"bass\"\n---\n");
    assert_eq!((layout.0, layout.1, layout.2), (3, 10, "unknown-layout"));

    let files = [
        ("t.html", "---\nsubject = \"x\"\nlayout = \"base\"\n---\n<p>x</p>{{> partials/a tone=\"x\"}}"),
        ("layouts/base.html", "<html>\n<body>{{{content}}}\n{{customer.nam}}</body></html>"),
        ("partials/a.html", "<b>{{tone}}\n {{tine}}</b>"),
    ];
    let found = problems(&files, &options());
    let places: Vec<_> = found.iter().map(|p| (p.file.as_str(), p.line, p.column, p.code)).collect();
    assert_eq!(
        places,
        [
            ("templates/layouts/base.html", 3, 3, "unknown-variable"),
            ("templates/partials/a.html", 2, 4, "unknown-variable")
        ]
    );

    let cycle = problems(
        &[("t.html", "---\nsubject = \"x\"\n---\n{{> partials/a}}"), ("partials/a.html", "\n{{> partials/a}}")],
        &options(),
    );
    assert_eq!((cycle[0].file.as_str(), cycle[0].line, cycle[0].code), ("templates/partials/a.html", 2, "cycle"));
    let empty = problems(
        &[("t.html", "---\nsubject = \"x\"\nlayout = \"b\"\n---\n"), ("layouts/b.html", "<p>no content</p>")],
        &options(),
    );
    assert_eq!((empty[0].file.as_str(), empty[0].code), ("templates/layouts/b.html", "layout"));
}

#[test]
fn the_law_is_kept() {
    let mut options = options();
    options.profile = Profile::Kr;
    for subject in ["[광고] 봄", "(광 고) 봄", "( 광고 ) 봄"] {
        let found = problems(&[("t.html", &format!("---\nsubject = \"{subject}\"\n---\nx"))], &options);
        assert_eq!((found[0].line, found[0].column, found[0].code, found.len()), (2, 11, "ad-label", 1));
    }
    options.site.phone = None;
    options.site.address = Some(" ".into());
    let found = problems(&[("t.html", "---\nsubject = \"x\"\n---\nx")], &options);
    assert_eq!(found.iter().map(|p| (p.file.as_str(), p.code)).collect::<Vec<_>>(), [("dangol.toml", "law"); 2]);
    options.kind = TopicKind::Service;
    assert_eq!(problems(&[("t.html", "---\nsubject = \"[광고] x\"\n---\nx")], &options), []);
}

#[test]
fn a_missing_template_and_a_large_one_are_told() {
    let found = problems(&[("tt.html", "x")], &options());
    assert_eq!((found[0].code, found[0].help.as_deref()), ("missing-template", Some("did you mean `tt`?")));
    let large = format!("---\nsubject = \"x\"\n---\n<p>{}</p>", "x ".repeat(60_000));
    let found = problems(&[("t.html", &large)], &options());
    assert_eq!((found.len(), found[0].code, found[0].severity), (1, "large-html", dangol::config::Severity::Warning));
}

#[test]
fn a_good_template_has_none() {
    let body = "{{#each customer.attr.city as |town i|}}{{town}} {{i}} {{@index}} {{this.x}} {{@root.customer.name}}{{/each}}{{reward.code}}{{#if (and (eq customer.score 3) customer.attr.city)}}x{{else if now}}y{{/if}}{{#with customer}}{{name}}{{/with}}";
    assert_eq!(problems(&[("t.html", &format!("---\nsubject = \"s\"\n---\n{body}"))], &options()), []);
}
