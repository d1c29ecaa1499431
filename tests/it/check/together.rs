//! One run tells of all mistakes, and of none that only follows from another: a file that cannot be read still has a
//! name, and what is broken in `dangol.toml` hides nothing of the other files.

use super::{Shop, shown};

#[test]
fn all_in_one_run() {
    shown(
        "together",
        &[
            ("something in every file", &|shop| {
                shop.edit("dangol.toml", "\"200/s\"", "\"fast\"");
                shop.edit("campaigns/spring.toml", "\"newsletter\"", "\"newsleter\"");
                shop.edit("campaigns/how-are-we.toml", "sender  = \"hello\"", "sendr  = \"hello\"\nholdout = 3");
                shop.edit("campaigns/how-are-we.toml", "\"regulars\"", "\"regular\"");
                shop.edit("segments/regulars.toml", "count('order'", "cuont('order'");
                shop.edit("surveys/taste.toml", "\"herbs\"", "\"flowers\"");
                shop.edit("templates/letters/spring.mjml", "{{honorific}}", "{{honorifc}}");
            }),
            ("dangol.toml is not even TOML, and one more", &|shop| {
                shop.edit("dangol.toml", "[site]", "[site");
                shop.edit("campaigns/spring.toml", "\"subscribers\"", "\"subscriber\"");
            }),
            ("a line of dangol.toml is not TOML, and one more", &|shop| {
                shop.edit("dangol.toml", "\"Asia/Seoul\" ", "Asia/Seoul ");
                shop.edit("dangol.toml", "reply_to", "replyto");
                shop.edit("campaigns/spring.toml", "\"newsletter\"", "\"newsleter\"");
                shop.edit("templates/letters/spring.mjml", "{{honorific}}", "{{honorifc}}");
            }),
        ],
    );
}

#[test]
fn nothing_is_told_twice() {
    for (done, break_it, expected) in [
        ("a segment that cannot be read is named by others", write("segments/subscribers.toml", "\u{0}"), 1),
        ("a segment without a condition", write("segments/subscribers.toml", "title = \"x\"\n"), 1),
        ("a segment with a wrong condition", write("segments/subscribers.toml", "where = \"scoer > 1\"\n"), 1),
        ("a survey that a template asks", write("surveys/nps.toml", "kind = \"nps\"\n"), 1),
        ("a survey that is not TOML", write("surveys/nps.toml", "kind = [\n"), 1),
        ("a campaign without anything", write("campaigns/spring.toml", "title = \"x\"\n"), 4),
    ] as [(&str, Box<dyn Fn(&Shop)>, usize); 6]
    {
        let shop = Shop::new();
        break_it(&shop);
        let found = shop.problems();
        let told: String = found.iter().map(|problem| problem.render()).collect();
        assert_eq!(found.len(), expected, "{done}\n{told}");
    }
}

fn write(file: &'static str, text: &'static str) -> Box<dyn Fn(&Shop)> {
    Box::new(move |shop| shop.write(file, text))
}

#[test]
fn a_broken_file_is_there_all_the_same() {
    let one = |done: &str, break_it: &dyn Fn(&Shop), file: &str| {
        let shop = Shop::new();
        break_it(&shop);
        let found = shop.problems();
        let told: String = found.iter().map(|problem| problem.render()).collect();
        assert!(found.len() == 1 && found[0].file == file, "{done}\n{told}");
    };
    let bytes = [0xff_u8, 0xfe, 0x00];
    one("a partial", &|shop| shop.write("templates/partials/button.mjml", bytes), "templates/partials/button.mjml");
    one("a layout", &|shop| shop.write("templates/layouts/base.mjml", bytes), "templates/layouts/base.mjml");
    one("a template", &|shop| shop.write("templates/letters/welcome.html", bytes), "templates/letters/welcome.html");
    one("a picture", &|shop| shop.write("assets/logo.png", vec![0; 17 << 20]), "assets/logo.png");
    one(
        "a topic's title",
        &|shop| shop.edit("dangol.toml", "title   = { ko = \"월간 편지\", en = \"Monthly letter\" }", "title = 3"),
        "dangol.toml",
    );
    one(
        "the topics' table",
        &|shop| shop.edit("dangol.toml", "[topic.newsletter]", "[topics.newsletter]"),
        "dangol.toml",
    );
    one(
        "a sender's address",
        &|shop| shop.edit("dangol.toml", "Haru Garden <hello@haru.example>", "Haru Garden"),
        "dangol.toml",
    );
    one(
        "the site's address",
        &|shop| shop.edit("dangol.toml", "\"12 Mapo-daero, Mapo-gu, Seoul\"", "12"),
        "dangol.toml",
    );
    one("a relay's address", &|shop| shop.edit("dangol.toml", "\"catch://\"", "7"), "dangol.toml");
    one("a relay's brackets", &|shop| shop.edit("dangol.toml", "[[relay]]", "[relay]"), "dangol.toml");
    one(
        "a title in a campaign",
        &|shop| shop.edit("campaigns/spring.toml", "\"Spring letter\"", "Spring"),
        "campaigns/spring.toml",
    );
}
