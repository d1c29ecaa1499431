//! What templates do: blocks where HTML allows no text, languages, layouts, partials, links, text parts, helpers.

use super::*;
use dangol::render::Utm;

fn squeezed(html: &str) -> String {
    html.split_whitespace().collect::<Vec<_>>().join(" ").replace("> <", "><")
}

pub fn has(html: &str, part: &str) {
    assert!(squeezed(html).contains(part), "{part}\nis not in\n{}", squeezed(html));
}

#[test]
fn a_loop_around_rows_stays_in_its_table() {
    let body = "<html><body><table><thead><tr><th>Item</th></tr></thead><tbody>{{#each customer.attr.items}}<tr><td>{{this}}</td></tr>{{/each}}</tbody></table></body></html>";
    let mail = html(body, json!({"attr": {"items": ["peas", "<beans>"]}})).unwrap();
    has(&mail.html, "<tbody><tr><td>peas</td></tr><tr><td>&lt;beans&gt;</td></tr></tbody></table>");
    assert!(mail.text.contains("Item\npeas\n<beans>\n"), "{}", mail.text);
}

#[test]
fn conditions_around_rows_and_values_in_tables_stay_where_they_are() {
    let body = "<table>{{#if customer.name}}<tr><td>a</td></tr>{{else}}<tr><td>b</td></tr>{{/if}}{{{customer.attr.row}}}</table><ul>{{#each customer.attr.items}}<li>{{@index}} {{this.name}}</li>{{/each}}</ul>";
    let data = json!({"attr": {"row": "<tr><td>r</td></tr>", "items": [{"name": "x"}, {"name": "y"}]}});
    let mail = html(body, data).unwrap();
    has(&mail.html, "<tr><td>b</td></tr><tr><td>r</td></tr></tbody></table><ul><li>0 x</li><li>1 y</li></ul>");
    assert!(mail.text.contains("- 0 x\n- 1 y\n"), "{}", mail.text);
}

#[test]
fn a_condition_around_mjml_sections_and_columns_keeps_the_layout_whole() {
    let section = |text: &str| format!("<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>");
    let body = format!("{}{{{{#if customer.name}}}}{}{{{{/if}}}}{}", section("one"), section("two"), section("three"));
    let with = mjml(&body, json!({"name": "x"})).unwrap();
    let without = mjml(&body, nobody()).unwrap();
    assert!(with.html.contains("two") && !without.html.contains("two"));
    for mail in [&with, &without] {
        let count = |part: &str| mail.html.matches(part).count();
        assert_eq!(count("<!--[if"), count("<![endif]-->"), "conditional comments stay paired");
        assert_eq!(count("<table"), count("</table>"));
        assert_eq!(count("<div"), count("</div>"));
        assert!(!mail.html.contains("zhb"), "no token is left");
    }
    assert!(with.text.contains("one\n\ntwo\n\nthree"), "{}", with.text);
    assert!(without.text.contains("one\n\nthree"), "{}", without.text);
    let columns = "<mj-section>{{#each customer.attr.items}}<mj-column><mj-text>{{this}}</mj-text></mj-column>{{/each}}</mj-section>";
    let mail = mjml(columns, json!({"attr": {"items": ["a", "b"]}})).unwrap();
    assert_eq!(mail.html.matches("<table").count(), mail.html.matches("</table>").count());
}

#[test]
fn expressions_stand_in_attributes_with_quotes_of_their_own() {
    let body =
        r#"<p class="{{#if (eq customer.name "x")}}a{{else}}b{{/if}}" title='{{default customer.name "\"q\""}}'>y</p>"#;
    has(&html(body, json!({"name": "x"})).unwrap().html, r#"<p class="a" title="x">"#);
    has(&html(body, nobody()).unwrap().html, r#"<p class="b" title="&quot;q&quot;">"#);
    let button = r##"<mj-section><mj-column><mj-button href="{{#if customer.name}}https://a.example/{{else}}https://b.example/{{/if}}" background-color="{{default customer.attr.color "#123456"}}">go</mj-button></mj-column></mj-section>"##;
    let mail = mjml(button, nobody()).unwrap();
    assert!(mail.html.contains("to=https%3A%2F%2Fb.example%2F"), "{}", mail.html);
    assert!(mail.html.contains("#123456"));
}

#[test]
fn comments_and_escaped_braces_are_no_expressions() {
    let mail = html("<p>{{! not {{here}}<b>x</b> \\{{name}} {{!-- {{x}} --}}&#123;&#123;y}}</p>", nobody());
    let mail = mail.unwrap();
    assert!(mail.text.contains("{{name}}"), "{}", mail.text);
    assert!(!mail.html.contains("not"));
}

#[test]
fn the_readers_language_picks_the_file() {
    let file = |subject: &str| format!("---\nsubject = \"{subject}\"\n---\n<p>x</p>");
    let compiled = compiled(&[("t.html", &file("none")), ("t.ko.html", &file("ko")), ("t.en-GB.html", &file("en-GB"))]);
    for (locale, expected) in [("ko", "ko"), ("ko-KR", "ko"), ("en-GB", "en-GB"), ("en-US", "none"), ("fr", "none")] {
        let mail = compiled.render(&reader(locale, nobody()), &Plain { pixel: false }).unwrap();
        assert_eq!(mail.subject, expected, "{locale}");
    }
}

#[test]
fn layouts_take_templates_and_partials_take_values() {
    let compiled = compiled(&[
        ("layouts/outer.html", "<html><body><header>{{subject}}</header>{{{content}}}</body></html>"),
        ("layouts/base.html", "---\nlayout = \"outer\"\n---\n<main>{{> content}}</main>"),
        ("partials/a.html", "<i>{{word}} {{customer.name}}</i>{{> partials/b}}"),
        ("partials/b.html", "<b>deep</b>"),
        ("partials/pic.html", "<img src=\"{{src}}\" alt=\"\">"),
        (
            "t.html",
            "---\nsubject = \"Hi\"\nlayout = \"base\"\n---\n<p>{{> partials/a word=\"so \\\"it\\\" goes\"}}{{> partials/a word=(upper customer.name)}}{{> partials/pic src=\"assets/logo.png\"}}</p>",
        ),
    ]);
    let mail = compiled.render(&reader("en", json!({"name": "민지"})), &Plain { pixel: false }).unwrap();
    has(
        &mail.html,
        "<header>Hi</header><main><p><i>so &quot;it&quot; goes 민지</i><b>deep</b><i>민지 민지</i><b>deep</b><img src=\"https://mail.haru.example/a/abc123\" alt=\"\"></p></main>",
    );
}

#[test]
fn links_to_the_outside_are_numbered_and_ours_are_not() {
    let body = r##"<a href="https://x.example/?a=1&amp;b=2">one</a> <a href="mailto:a@b.example">mail</a> <a href="#top">top</a> <a href="tel:02">tel</a>
        <a href="{{unsubscribe_url}}">out</a> <a href="{{customer.attr.link}}">two</a> <a href="https://x.example/?a=1&amp;b=2">again</a> <a href="https://y.example/{{urlencode customer.name}}">three</a>
        <!--[if mso]><v:roundrect href="https://mso.example/"><center>x</center></v:roundrect><![endif]-->"##;
    let mail = html(body, json!({"name": "홍 길동", "attr": {"link": "https://z.example/?q=한글&x=\"1\""}})).unwrap();
    for part in [
        "/c/1?to=https%3A%2F%2Fx.example%2F%3Fa%3D1%26b%3D2",
        "/c/2?to=https%3A%2F%2Fz.example%2F%3Fq%3D%25ED%2595%259C%25EA%25B8%2580%26x%3D%25221%2522",
        "/c/3?to=https%3A%2F%2Fy.example%2F%25ED%2599%258D%2B%25EA%25B8%25B8%25EB%258F%2599",
        "<v:roundrect href=\"https://mail.haru.example/c/4?to=https%3A%2F%2Fmso.example%2F\">",
        "href=\"mailto:a@b.example\"",
        "href=\"#top\"",
        "href=\"https://mail.haru.example/u/token\"",
    ] {
        assert!(mail.html.contains(part), "{part}\n{}", mail.html);
    }
    assert_eq!(mail.html.matches("/c/1?").count(), 2);
    assert!(mail.text.contains("one (https://mail.haru.example/c/1?to=") && mail.text.contains("mail (a@b.example)"));
    assert!(mail.text.contains("three (https://mail.haru.example/c/3?to="), "{}", mail.text);
}

#[test]
fn tracking_is_as_the_settings_say() {
    let files = [("t.html", "---\nsubject = \"s\"\n---\n<body><a href=\"https://x.example/a?b=1#c\">x</a></body>")];
    let mut options = options();
    options.clicks = false;
    options.opens = false;
    options.utm = Some(Utm { source: "haru".into(), medium: "email".into(), campaign: "spring".into() });
    let mail = compile(&files, &options).unwrap().render(&reader("en", nobody()), &Plain { pixel: true }).unwrap();
    assert!(mail.html.contains(
        "href=\"https://x.example/a?b=1&amp;utm_source=haru&amp;utm_medium=email&amp;utm_campaign=spring#c\""
    ));
    assert!(mail.text.contains("(https://x.example/a?b=1&utm_source=haru&utm_medium=email&utm_campaign=spring#c)"));
    assert!(!mail.html.contains("/o/token") && !mail.html.contains("/c/0"));
    options.opens = true;
    let compiled = compile(&files, &options).unwrap();
    let pixels = |pixel| {
        let mail = compiled.render(&reader("en", nobody()), &Plain { pixel }).unwrap();
        mail.html.matches("<img src=\"https://mail.haru.example/o/token\"").count()
    };
    assert_eq!((pixels(true), pixels(false)), (1, 0));
}

#[test]
fn the_honeypot_is_seen_by_programs_only_and_is_no_link_of_the_mail() {
    const TRAP: &str = "<a href=\"https://mail.haru.example/c/0?to=https%3A%2F%2Fmail.haru.example%2F\" aria-hidden=\"true\" tabindex=\"-1\"></a>";
    for head in ["subject = \"s\"", "subject = \"s\"\npreheader = \"안녕 {{customer.name}}\""] {
        let html = "<body><a href=\"https://x.example/\">x</a></body>";
        let mjml = "<mjml><mj-body><mj-section><mj-column><mj-text><a href=\"https://x.example/\">x</a></mj-text></mj-column></mj-section></mj-body></mjml>";
        for (file, body) in [("t.html", html), ("t.mjml", mjml)] {
            let compiled = compiled(&[(file, &format!("---\n{head}\n---\n{body}"))]);
            let english = "en".parse().unwrap();
            assert_eq!(compiled.links(&english).collect::<Vec<_>>(), [(1, "https://x.example/")]);
            let render = |pixel| compiled.render(&reader("en", json!({"name": "홍길동"})), &Plain { pixel }).unwrap();
            let mail = render(true);
            // as often as leaves the number of links even: rspamd counts those of both parts
            assert!(mail.html.contains(&format!("{TRAP}{TRAP}</div>")), "{}", mail.html);
            // one hidden element, however much is in it: a second one costs points with spam filters
            assert_eq!(mail.html.matches("display:none").count(), 1, "{}", mail.html);
            assert!(!mail.text.contains("/c/0") && mail.text.contains("/c/1"), "{}", mail.text);
            assert!(!render(false).html.contains("/c/0"));
        }
    }
}

#[test]
fn the_text_part_is_made_of_the_html_or_written_by_the_author() {
    let body = "<html><head><title>no</title><style>p{}</style></head><body><div style=\"display:none\">hidden</div><h1>Head</h1><p>One &amp;\n two<br>three</p><ol><li>a<li>b</ol><hr><img src=\"assets/logo.png\" alt=\"Logo\"><p><a href=\"https://x.example/\">https://x.example/</a></p><a href=\"https://y.example/\"><img alt=\"\" src=\"assets/logo.png\"></a></body></html>";
    let mail = html(body, nobody()).unwrap();
    let (text, footer) = mail.text.split_once("\n\n--\n").unwrap();
    assert_eq!(
        text,
        "Head\n\nOne & two\nthree\n\n1. a\n2. b\n\n----\nLogo\n\nhttps://mail.haru.example/c/1?to=https%3A%2F%2Fx.example%2F\n\nhttps://mail.haru.example/c/2?to=https%3A%2F%2Fy.example%2F"
    );
    assert!(footer.contains("Unsubscribe: https://mail.haru.example/u/token"));

    let own = compiled(&[
        ("t.html", "---\nsubject = \"s\"\n---\n<a href=\"https://x.example/\">x</a>"),
        ("t.txt", "Hi {{customer.name}},\n\nsee https://x.example/ or (https://new.example/).\n"),
    ]);
    let mail = own.render(&reader("en", json!({"name": "O'Neil & <Co>"})), &Plain { pixel: false }).unwrap();
    assert!(mail.text.starts_with(
        "Hi O'Neil & <Co>,\n\nsee https://mail.haru.example/c/1?to=https%3A%2F%2Fx.example%2F or (https://mail.haru.example/c/2?to=https%3A%2F%2Fnew.example%2F).\n\n--\n"
    ), "{}", mail.text);
}

#[test]
fn a_text_alone_gets_simple_html() {
    let compiled = compiled(&[(
        "t.txt",
        "---\nsubject = \"s\"\n---\nHi {{customer.name}} <3\n\n{{#if customer.name}}yes https://x.example/a.{{/if}}\nline\n",
    )]);
    let mail = compiled.render(&reader("en", json!({"name": "<b>"})), &Plain { pixel: false }).unwrap();
    has(
        &mail.html,
        "<p>Hi &lt;b&gt; &lt;3</p><p>yes <a href=\"https://mail.haru.example/c/1?to=https%3A%2F%2Fx.example%2Fa\">",
    );
    assert!(
        mail.text.starts_with("Hi <b> <3\n\nyes https://mail.haru.example/c/1?to=https%3A%2F%2Fx.example%2Fa.\nline\n"),
        "{}",
        mail.text
    );
}

#[test]
fn a_survey_is_buttons_and_lines() {
    let mail = mjml("<mj-section><mj-column><mj-text>{{survey \"nps\"}}</mj-text></mj-column></mj-section>", nobody());
    let mail = mail.unwrap();
    assert_eq!(mail.html.matches("/s/token?q=nps&amp;a=").count(), 11);
    assert!(
        mail.text.contains("Would you recommend us?\n\n0 (https://mail.haru.example/s/token?q=nps&a=0)\n1 ("),
        "{}",
        mail.text
    );
    let mail = html("{{survey \"like\"}}", nobody()).unwrap();
    assert!(mail.html.contains("What do you grow &amp; like?") && mail.text.contains("Trees { {x}} (https"));
}

#[test]
fn footer_and_label_are_the_laws() {
    let file = |subject: &str, body: &str| format!("---\nsubject = \"{subject}\"\n---\n{body}");
    let mut options = options();
    options.profile = Profile::Kr;
    options.site.locale = "ko".parse().unwrap();
    let render = |subject: &str, body: &str, options: &CompileOptions| {
        let compiled =
            compile(&[("t.html", &file(subject, body))], options).unwrap_or_else(|p| panic!("{}", shown(&p)));
        compiled.render(&reader("ko", json!({"name": "김민지"})), &Plain { pixel: false }).unwrap()
    };
    for subject in ["봄 소식", "(광고) 봄 소식", "(광고)봄 소식", "(광고) (광고) 봄 소식"] {
        assert_eq!(render(subject, "<p>x</p>", &options).subject, "(광고) 봄 소식");
    }
    let mail = render("x", "<html><body><p>x</p></body></html>", &options);
    for part in [
        "Haru Garden",
        "hello@haru.example",
        "02-000-0000",
        "12 Mapo-daero, Seoul",
        "수신거부",
        "/u/token",
        "Monthly letter",
    ] {
        assert!(mail.html.contains(part) && mail.text.contains(part), "{part}");
    }
    assert!(mail.html.find("12 Mapo").unwrap() < mail.html.find("</body>").unwrap());
    let placed = render("x", "<p>{{{footer}}}</p><p>last</p>", &options);
    assert!(placed.html.find("수신거부").unwrap() < placed.html.find("last").unwrap());
    assert_eq!(placed.html.matches("12 Mapo").count(), 1);
    assert_eq!(placed.text.matches("12 Mapo").count(), 1);

    options.kind = TopicKind::Service;
    let service = render("주문 확인", "<p>x</p>", &options);
    assert_eq!(service.subject, "주문 확인");
    assert!(!service.html.contains("/u/token") && service.html.contains("12 Mapo"));
    for profile in [Profile::Eu, Profile::Us] {
        options.profile = profile;
        options.kind = TopicKind::Marketing;
        let mail = render("x", "<p>x</p>", &options);
        assert_eq!(mail.subject, "x");
        assert!(mail.text.contains("수신거부: https://mail.haru.example/u/token") && mail.text.contains("12 Mapo"));
    }
}

#[test]
fn a_missing_value_skips_the_mail_unless_it_has_a_fallback() {
    let missing = |variable: &str| RenderError::Missing { variable: variable.into() };
    assert_eq!(html("<p>{{customer.first_name}}</p>", nobody()).unwrap_err(), missing("customer.first_name"));
    for blank in [json!({"first_name": null}), json!({"first_name": " "})] {
        assert_eq!(html("<p>{{customer.first_name}}</p>", blank).unwrap_err(), missing("customer.first_name"));
    }
    assert_eq!(subject("{{upper customer.name}}", "en", nobody()).unwrap_err(), missing("customer.name"));
    assert_eq!(subject("{{default customer.first_name \"고객\"}}", "ko", nobody()).unwrap(), "고객");
    let test = "{{#if customer.score}}a{{/if}}{{#unless customer.score}}b{{/unless}}{{#if (gt customer.score 5)}}c{{else}}d{{/if}}";
    assert_eq!(subject(test, "en", nobody()).unwrap(), "bd");
    assert_eq!(subject(test, "en", json!({"score": 7})).unwrap(), "ac");
    assert_eq!(
        subject("{{#if customer.name}}{{customer.name}}{{/if}}", "en", nobody()),
        Err(RenderError::EmptySubject)
    );
}

#[test]
fn helpers_write_as_people_do() {
    let customer = json!({
        "name": "김민지", "first_name": "민지", "last_name": "김", "revenue": 12000, "purchases": 1,
        "last_purchase_at": "2026-03-03T00:30:00Z", "birthday": "1990-12-31"
    });
    for (template, locale, expected) in [
        ("{{date customer.last_purchase_at}}", "ko", "3월 3일(화) 오전 9:30"),
        ("{{date customer.last_purchase_at}}", "en", "Tue, March 3, 9:30 AM"),
        ("{{date now \"short\"}}", "ko", "2026. 3. 3."),
        ("{{date customer.birthday \"date\" locale=\"en\"}}", "ko", "Mon, December 31"),
        ("{{money customer.revenue}}", "ko", "12,000원"),
        ("{{money 1234.5 \"USD\"}}", "ko", "$1,234.50"),
        ("{{number 1234567}}", "ko", "1,234,567"),
        ("{{customer.purchases}} {{plural customer.purchases \"order\" \"orders\"}}", "en", "1 order"),
        ("{{josa customer.name \"은/는\"}} {{josa (honorific) \"이/가\"}}", "ko", "김민지는 김민지님이"),
        ("{{customer.name}}{{josa customer.name \"을/를\" only=true}}", "ko", "김민지를"),
        ("{{honorific}}", "ko", "김민지님"),
        ("{{honorific}}", "en", "민지"),
        ("{{upper \"abc\"}}{{lower \"DEF\"}}", "en", "ABCdef"),
        ("{{site.name}} {{campaign.name}} {{sender.email}}", "en", "Haru Garden spring hello@haru.example"),
    ] {
        assert_eq!(subject(template, locale, customer.clone()).unwrap(), expected, "{template}");
    }
    assert_eq!(subject("{{honorific}}", "ko", nobody()).unwrap(), "고객님");
    assert_eq!(subject("{{honorific}} {{honorific \"Customer\"}}", "en", nobody()).unwrap(), "there Customer");
    assert_eq!(subject("{{honorific}}", "ko", json!({"last_name": "김", "first_name": "민지"})).unwrap(), "김민지님");
    assert_eq!(
        subject("{{& customer.name}} {{customer.name}}", "en", json!({"name": "A & B <c>"})).unwrap(),
        "A & B <c> A & B <c>"
    );
}

#[test]
fn the_variants_subject_takes_the_place_of_the_templates() {
    let mut options = options();
    options.subject = Some("봄을 심으셨나요, {{honorific}}?".into());
    let compiled = compile(&[("t.ko.html", "---\nsubject = \"x\"\n---\n<p>x</p>")], &options).unwrap();
    let mail = compiled.render(&reader("ko", json!({"name": "홍길동"})), &Plain { pixel: false }).unwrap();
    assert_eq!(mail.subject, "봄을 심으셨나요, 홍길동님?");
}

#[test]
fn the_footer_goes_where_the_author_puts_it_in_mjml() {
    let section = "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>";
    let mail = mjml(&format!("{{{{{{footer}}}}}}{section}"), nobody()).unwrap();
    assert!(mail.html.find("12 Mapo").unwrap() < mail.html.find(">x<").unwrap());
    let mail = mjml(&section.replace(">x<", ">x {{{footer}}} y<"), nobody()).unwrap();
    assert!(mail.html.find("12 Mapo").unwrap() < mail.html.find(" y<").unwrap());
    assert_eq!(mail.html.matches("12 Mapo").count(), 1);
}

#[test]
fn the_page_says_its_language_and_its_title() {
    let mjml = "---\nsubject = \"봄 & {{customer.name}}\"\n---\n<mjml><mj-body></mj-body></mjml>";
    let compiled = compiled(&[("t.ko.mjml", mjml)]);
    let mail = compiled.render(&reader("ko", json!({"name": "<홍>"})), &Plain { pixel: false }).unwrap();
    assert!(mail.html.contains("lang=\"ko\"") && mail.html.contains("<title>봄 &amp; &lt;홍&gt;</title>"));
}

#[test]
fn merging_again_gives_the_same_mail() {
    let source = "---\nsubject = \"s\"\n---\n<p>{{customer.name}} {{date now}}</p>";
    let compiled = compiled(&[("t.html", source)]);
    let merge = || compiled.render(&reader("en", json!({"name": "a"})), &Plain { pixel: true }).unwrap();
    assert_eq!(merge(), merge());
    assert_eq!(compiled.links(&"en".parse().unwrap()).count(), 0);
}
