//! Mistakes in templates: in their front matter, expressions, tags, and in what they include; told once, whoever sends
//! them, and also when nobody does.

use super::shown;

const SPRING: &str = "templates/letters/spring.mjml";
const KOREAN: &str = "templates/letters/spring.ko.mjml";
const WELCOME: &str = "templates/letters/welcome.html";

#[test]
fn templates() {
    shown(
        "templates",
        &[
            ("Handlebars that is broken", &|shop| {
                shop.edit(SPRING, "{{/if}}", "");
                shop.edit(KOREAN, "{{/if}}", "{{/fi}}");
                shop.edit(
                    "templates/letters/how-are-we.mjml",
                    "{{number customer.purchases}}",
                    "{{number customer.purchases}",
                );
                shop.edit(WELCOME, "<h1>Welcome, {{honorific}}</h1>", "<h1>Welcome, {{customer name}}</h1>");
            }),
            ("names that do not exist", &|shop| {
                shop.edit(SPRING, "{{honorific}}", "{{honorifc}}");
                shop.edit(SPRING, "{{> partials/button", "{{> partials/buton");
                shop.edit(KOREAN, "{{josa (honorific)", "{{josaa (honorific)");
                shop.edit(KOREAN, "{{#if customer.last_purchase_at}}", "{{#if customer.last_purchase}}");
                shop.edit("templates/letters/how-are-we.mjml", "\"nps\"", "\"nsp\"");
                shop.edit("templates/partials/header.mjml", "assets/logo.png", "assets/lgo.png");
                shop.edit(WELCOME, "{{preferences_url}}", "{{preference_url}}");
            }),
            ("MJML that would be dropped in silence", &|shop| {
                shop.edit(SPRING, "<mj-text>\n      <h1>", "<mj-txt>\n      <h1>");
                shop.edit(SPRING, "</ul>\n    </mj-text>", "</ul>\n    </mj-txt>");
                shop.edit(KOREAN, "{{> partials/button", "<p>봄</p>{{> partials/button");
            }),
            ("a tag that is not closed", &|shop| shop.edit(SPRING, "</ul>\n    </mj-text>", "</ul>")),
            ("front matter", &|shop| {
                shop.edit(SPRING, "preheader = ", "preheder = ");
                shop.edit(KOREAN, "\"{{honorific}}, 봄 씨앗이 도착했어요\"", "{{honorific}}, 봄 씨앗이 도착했어요");
                shop.edit("templates/letters/how-are-we.mjml", "\"base\"", "\"bass\"");
                shop.edit("templates/letters/how-are-we.ko.mjml", "\n---\n", "\n");
                shop.edit(WELCOME, "subject = ", "subject: ");
            }),
            ("no front matter, so no subject", &|shop| shop.write("templates/letters/note.txt", "안녕하세요\n")),
            ("behind wide characters", &|shop| {
                shop.edit(KOREAN, "<p>땅이 벌써", "<p>🌷 땅이 {{customer.nmae}} 벌써");
            }),
            ("the label that the law wants, written by hand and wrong", &|shop| {
                shop.edit(KOREAN, "\"{{honorific}}, 봄", "\"[광고] {{honorific}}, 봄");
            }),
            ("a layout that drops the letter, and a partial in a circle", &|shop| {
                shop.edit("templates/layouts/base.mjml", "{{{content}}}", "");
                shop.edit("templates/partials/button.mjml", "<mj-button", "{{> partials/button}}<mj-button");
            }),
            ("a template without its layout, and a layout without <mjml>", &|shop| {
                shop.edit(SPRING, "layout = \"base\"\n", "");
                shop.write("templates/layouts/bare.mjml", "<mj-body>{{{content}}}</mj-body>\n");
                shop.edit("templates/letters/how-are-we.mjml", "\"base\"", "\"bare\"");
            }),
            ("an element in the wrong place", &|shop| {
                shop.edit("templates/layouts/base.mjml", "<mj-head>", "<mj-head><mj-section></mj-section>");
            }),
            ("a subject of nothing", &|shop| {
                shop.write("templates/letters/note.txt", "---\nsubject = \" \"\n---\n안녕하세요\n");
            }),
            ("files that are no templates", &|shop| {
                shop.write("templates/letters/summer.mjm", "x");
                shop.write("templates/notes.docx", "x");
            }),
        ],
    );
}
