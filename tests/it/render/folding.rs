//! What is worked out once for all readers, and what must not be.

use super::templates::has;
use super::*;

#[test]
fn what_is_the_same_for_all_is_written_as_for_each() {
    let compiled = compiled(&[
        (
            "t.html",
            "---\nsubject = \"S & {{site.name}}\"\npreheader = \"{{subject}}: {{customer.name}}\"\n---\n<html><head><title>{{subject}}</title></head><body>\
             {{> partials/a label=\"1 < 2\" view_url=\"mine\" site=customer.name date=\"d\"}}|\
             {{> partials/b to=\"https://x.example/?a=1&b=2\" who=site.name}}|\
             {{#if site.phone}}{{site.phone}}, {{{site.name}}}{{else}}none{{/if}}|\
             {{#unless site.fax}}no fax{{/unless}}|{{lookup site \"name\"}}|{{default site.fax \"-\"}}|\
             {{#with site}}{{name}}{{/with}}|{{{unsubscribe_url}}}|{{#if customer.name}}{{view_url}} {{campaign.name}}{{/if}}</body></html>",
        ),
        ("partials/a.html", "<i title=\"{{label}}\">{{view_url}}, {{site}}, {{preferences_url}}</i>"),
        ("partials/b.html", "<a href=\"{{to}}\">{{who}} {{customer.name}}</a>"),
    ]);
    let mail = compiled.render(&reader("en", json!({"name": "<홍>"})), &Plain { pixel: false }).unwrap();
    assert_eq!(mail.subject, "S & Haru Garden");
    assert_eq!(mail.preheader, "S & Haru Garden: <홍>");
    for part in [
        "<title>S &amp; Haru Garden</title>",
        "<i title=\"1 &lt; 2\">mine, &lt;홍&gt;, https://mail.haru.example/p/token</i>|",
        "<a href=\"https://mail.haru.example/c/1?to=https%3A%2F%2Fx.example%2F%3Fa%3D1%26b%3D2\">Haru Garden &lt;홍&gt;</a>|",
        "02-000-0000, Haru Garden|no fax|Haru Garden|-|Haru Garden|https://mail.haru.example/u/token|\
         https://mail.haru.example/v/token spring",
    ] {
        has(&mail.html, part);
    }
}

#[test]
fn a_mails_own_addresses_are_not_tracked_however_they_come() {
    let options = CompileOptions {
        utm: Some(dangol::render::Utm { source: "a".into(), medium: "b".into(), campaign: "c".into() }),
        ..options()
    };
    let files = [
        (
            "t.html",
            "---\nsubject = \"s\"\n---\n{{> partials/b to=unsubscribe_url}} {{> partials/b to=view_url}} {{> partials/b to=site.url}}",
        ),
        ("partials/b.html", "<a href=\"{{to}}\">x</a>"),
    ];
    let mail = compile(&files, &options).unwrap().render(&reader("en", nobody()), &Plain { pixel: false }).unwrap();
    has(
        &mail.html,
        "<a href=\"https://mail.haru.example/u/token\">x</a><a href=\"https://mail.haru.example/v/token\">x</a>",
    );
    has(&mail.html, "https://mail.haru.example/c/3?to=https%3A%2F%2Fmail.haru.example");
}

#[test]
fn a_parameter_without_a_value_hides_nothing() {
    let compiled = compiled(&[
        ("t.html", "---\nsubject = \"s\"\n---\n<p>{{> partials/a customer=site.fax}}</p>"),
        ("partials/a.html", "{{#if customer.name}}Dear {{customer.name}}{{else}}nobody{{/if}}"),
    ]);
    let mail = compiled.render(&reader("en", json!({"name": "홍길동"})), &Plain { pixel: false }).unwrap();
    has(&mail.html, "Dear 홍길동");
}
