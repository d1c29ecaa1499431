//! Hostile data: what customers are called, what their links are, lists without end.

use super::*;
use proptest::prelude::*;

#[test]
fn names_are_text_in_html_and_themselves_in_subjects() {
    let name = "<script>alert('x')</script> & \"Co\"";
    let mail = html("<p title=\"{{customer.name}}\">{{customer.name}}</p>", json!({ "name": name })).unwrap();
    assert!(!mail.html.contains("<script>") && mail.html.contains("&lt;script&gt;"));
    assert!(mail.text.contains(name));
    assert_eq!(subject("{{customer.name}}", "en", json!({ "name": name })).unwrap(), name);
    assert_eq!(
        subject("a {{customer.name}}", "en", json!({"name": "x\r\nBcc: y@z.example\u{2028}\u{202e}q"})).unwrap(),
        "a x Bcc: y@z.example q"
    );
}

#[test]
fn handlebars_in_a_name_is_text() {
    let mail = html("<p>{{customer.name}}</p>", json!({"name": "{{customer.email}} {{#each x}}"})).unwrap();
    assert!(mail.html.contains("{{customer.email}} {{#each x}}"));
}

#[test]
fn a_link_that_is_none_skips_the_mail() {
    for link in
        ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x.example", "https://", "java\nscript:x"]
    {
        let result = html("<a href=\"{{customer.attr.link}}\">x</a>", json!({"attr": {"link": link}}));
        assert!(matches!(result, Err(RenderError::Other(_))), "{link}: {result:?}");
    }
}

#[test]
fn loops_end() {
    let items: Vec<u32> = (0..1_000).collect();
    let customer = json!({"attr": {"items": items}});
    let nested = "{{#each customer.attr.items}}{{#each @root.customer.attr.items}}{{#each @root.customer.attr.items}}{{/each}}{{/each}}{{/each}}";
    assert!(matches!(html(&format!("<p>{nested}</p>"), customer), Err(RenderError::Other(_))));
    let long = json!({"attr": {"items": ["x".repeat(100_000)], "times": vec![1; 100]}});
    let loud = "{{#each customer.attr.times}}{{@root.customer.attr.items}}{{/each}}";
    assert_eq!(html(&format!("<p>{loud}</p>"), long), Err(RenderError::TooLarge));
}

#[test]
fn partials_that_double_are_refused() {
    let mut files = vec![("t.html".to_owned(), "---\nsubject = \"s\"\n---\n{{> partials/p0}}".to_owned())];
    for i in 0..18 {
        files.push((
            format!("partials/p{i}.html"),
            format!("a{{{{> partials/p{n}}}}}{{{{> partials/p{n}}}}}", n = i + 1),
        ));
    }
    files.push(("partials/p18.html".to_owned(), "x".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let problems = compile(&files, &options()).unwrap_err();
    assert!(problems.iter().any(|p| p.code == "too-large"), "{}", shown(&problems));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_value_renders_or_says_why(name in "\\PC*", attr in any::<String>()) {
        thread_local! {
            static COMPILED: Compiled = compiled(&[("t.html",
                "---\nsubject = \"{{josa customer.name \\\"은/는\\\"}} {{customer.attr.x}}\"\n---\n<table>{{#if customer.name}}<tr><td title=\"{{customer.attr.x}}\">{{honorific}} {{urlencode customer.attr.x}}</td></tr>{{/if}}</table>")]);
        }
        COMPILED.with(|compiled| {
            if let Ok(mail) = compiled.render(&reader("ko", json!({"name": name, "attr": {"x": attr}})), &Plain { pixel: true }) {
                assert!(!mail.subject.chars().any(char::is_control));
                assert_eq!(mail.html.matches("<td title=").count(), 1);
                assert!(!mail.html.contains("title=\"\""), "a blank value counts as missing");
            }
        });
    }
}
