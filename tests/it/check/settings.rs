//! Mistakes in `dangol.toml`.

use super::{Case, gallery, shown};

const FILE: &str = "dangol.toml";

#[test]
fn keys_and_types() {
    shown(
        "settings_keys",
        &[
            ("typos in keys, at every depth", &|shop| {
                shop.edit(FILE, "timezone = ", "timezon = ");
                shop.edit(FILE, "reply_to = ", "replyto = ");
                shop.edit(FILE, "rate        = ", "speed = ");
                shop.edit(FILE, "[law]", "[laws]");
            }),
            ("keys that are missing", &|shop| {
                shop.edit(FILE, "locale   = \"ko\"\n", "");
                shop.edit(FILE, "from     = \"Haru Garden <hello@haru.example>\"\n", "");
                shop.edit(FILE, "name        = \"primary\"\n", "");
            }),
            ("no [site] at all", &|shop| {
                let text = shop.read(FILE);
                let (head, rest) = text.split_once("[site]").unwrap();
                let (_, rest) = rest.split_once("[law]").unwrap();
                shop.write(FILE, format!("{head}[law]{rest}"));
            }),
            ("values of another type", &|shop| {
                shop.edit(FILE, "\"200/s\"", "200");
                shop.edit(FILE, "connections = 8", "connections = \"8\"");
                shop.edit(FILE, "\"3 per 7d\"", "3");
                shop.edit(FILE, "\"21:00-08:00\"", "false");
                shop.edit(FILE, "phone    = \"02-000-0000\"", "phone = 02");
                shop.append(FILE, "[tracking]\nutm = \"true\"\nsettle = 900\n");
            }),
            ("brackets: one where two belong, and the other way round", &|shop| {
                shop.edit(FILE, "[[relay]]", "[relay]");
                shop.edit(FILE, "[limits]", "[[limits]]");
            }),
            ("a table written as a text", &|shop| {
                shop.edit(FILE, "[law]\nprofile = \"kr\" ", "");
                shop.edit(FILE, "[site]", "law = \"kr\"\n[site]");
            }),
        ],
    );
}

#[test]
fn values() {
    shown(
        "settings_values",
        &[
            ("values that are none", &|shop| {
                shop.edit(FILE, "Asia/Seoul\"  ", "Seoul\"  ");
                shop.edit(FILE, "locale   = \"ko\"", "locale   = \"Korean\"");
                shop.edit(FILE, "\"KRW\"", "\"won\"");
                shop.edit(FILE, "profile = \"kr\"", "profile = \"korea\"");
                shop.edit(FILE, "\"200/s\"", "\"200 per second\"");
                shop.edit(FILE, "\"3 per 7d\"", "\"3 a week\"");
                shop.edit(FILE, "\"21:00-08:00\"", "\"21-8\"");
                shop.edit(FILE, "reply_to = \"hello@haru.example\"", "reply_to = \"hello@haru\"");
                shop.edit(FILE, "Haru Garden <hello@haru.example>", "Haru Garden <hello@haru.example");
                shop.edit(FILE, "connections = 8", "connections = 1000");
                shop.append(FILE, "[tracking]\nsettle = \"15 minutes please\"\n[scoring]\nr = -1\nalpha = nan\n");
            }),
            ("words that are one of several", &|shop| {
                shop.edit(
                    FILE,
                    "ko = \"월간 편지\", en = \"Monthly letter\" }\nconsent = \"opt-in\"",
                    "ko = \"월간 편지\" }\nconsent = \"double-optin\"",
                );
                shop.edit(FILE, "kind  = \"service\"", "kind  = \"transactional\"");
            }),
            ("addresses", &|shop| {
                shop.edit(FILE, "http://127.0.0.1:8080", "mail.haru.example");
                shop.edit(FILE, "listen = \"127.0.0.1:8080\"", "listen = \"8080\"");
                shop.edit(FILE, "\"catch://\"", "\"smtp.haru.example:587\"");
                shop.edit(FILE, "sqlite://dangol.db", "dangol.db");
            }),
            ("a site over http", &|shop| shop.edit(FILE, "http://127.0.0.1:8080", "http://mail.haru.example")),
            ("names that cannot be", &|shop| {
                shop.edit(FILE, "\"primary\"", "\"Primary Relay\"");
                shop.edit(FILE, "[topic.offers]", "[topic.\"Special Offers\"]");
            }),
            ("two relays of one name", &|shop| {
                shop.edit(
                    FILE,
                    "[sender.hello]",
                    "[[relay]]\nname = \"primary\"\nurl = \"catch://\"\n\n[sender.hello]",
                );
            }),
            ("no relay", &|shop| {
                let text = shop.read(FILE);
                let (head, rest) = text.split_once("[[relay]]").unwrap();
                let (_, rest) = rest.split_once("[sender.hello]").unwrap();
                shop.write(FILE, format!("{head}[sender.hello]{rest}"));
            }),
            ("what the law wants", &|shop| {
                shop.edit(
                    FILE,
                    "address  = \"12 Mapo-daero, Mapo-gu, Seoul\" # the law wants a postal address in the footer\n",
                    "",
                );
                shop.edit(FILE, "\"02-000-0000\"", "\"\"");
            }),
        ],
    );
}

#[test]
fn secrets_are_told_of_and_not_shown() {
    let cases: &[Case<'_>] = &[
        ("a password in the database's address", &|shop| {
            shop.edit(FILE, "sqlite://dangol.db", "postgres://dangol:hunter2@db.example/shop");
        }),
        ("in that of a database of another sort", &|shop| {
            shop.edit(FILE, "sqlite://dangol.db", "mysql://dangol:hunter2@db.example/shop");
        }),
        ("in a relay's address", &|shop| {
            shop.edit(FILE, "\"catch://\"", "\"smtp://user:hunter2@smtp.example:587\"");
        }),
        ("in a key of its own", &|shop| {
            shop.edit(FILE, "connections = 8", "connections = 8\npassword = \"hunter2\"");
        }),
        ("in a line that is not TOML", &|shop| {
            shop.edit(FILE, "connections = 8", "connections = 8\npassword = hunter2");
        }),
    ];
    let told = gallery(cases);
    assert!(!told.contains("hunter2"), "{told}");
    shown("settings_secrets", cases);
}
