//! `check` as a command: its answer for people and machines, its exit codes, and what only the customers show.

use super::{Shop, keys};
use serde_json::Value as Json;

fn errors(shop: &Shop, arguments: &[&str]) -> Vec<Json> {
    let said = shop.run(&[&["check", "--json"], arguments].concat());
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let answer: Json = serde_json::from_str(&said.out).unwrap();
    assert_eq!(keys(&answer), ["errors", "warnings"]);
    answer["errors"].as_array().unwrap().clone()
}

#[test]
fn the_contract_for_machines() {
    let shop = Shop::empty();
    let good = shop.json(&["check"]);
    assert_eq!(good["errors"].as_array().unwrap().len(), 0);
    shop.edit("campaigns/spring.toml", "\"newsletter\"", "\"newsleter\"");
    shop.edit("dangol.toml", "timezone = ", "timezon = ");
    for arguments in [&[][..], &["--offline"], &["--online"]] {
        let errors = errors(&shop, arguments);
        assert_eq!(errors.len(), 2, "{errors:#?}");
        assert_eq!(keys(&errors[0]), ["file", "line", "column", "code", "message", "help"]);
        let first = &errors[0];
        assert_eq!(
            (first["file"].as_str(), first["line"].as_u64(), first["column"].as_u64()),
            (Some("campaigns/spring.toml"), Some(4), Some(11))
        );
        assert_eq!(
            (first["code"].as_str(), first["help"].as_str()),
            (Some("unknown-name"), Some("did you mean `newsletter`?"))
        );
        assert_eq!(
            (errors[1]["file"].as_str(), errors[1]["code"].as_str()),
            (Some("dangol.toml"), Some("unknown-key"))
        );
    }
}

#[test]
fn people_see_the_line_and_a_count() {
    let shop = Shop::empty();
    shop.edit("campaigns/spring.toml", "\"newsletter\"", "\"newsleter\"");
    let said = shop.run(&["check"]);
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    assert!(
        said.out
            .contains(" --> campaigns/spring.toml:4:11\n  |\n4 | topic   = \"newsleter\"\n  |           ^^^^^^^^^^^\n"),
        "{}",
        said.out
    );
    assert!(said.out.ends_with("\n1 mistake\n"), "{}", said.out);
    shop.edit("campaigns/spring.toml", "\"newsleter\"", "\"newsletter\"");
    shop.edit("dangol.toml", "http://127.0.0.1:8080", "http://mail.haru.example");
    let said = shop.run(&["check"]).done();
    assert!(said.contains("warning[insecure]") && said.ends_with("no mistakes, 1 worth a look\n"), "{said}");
}

#[test]
fn mistakes_in_files_are_told_where_the_database_cannot_be_opened() {
    let shop = Shop::empty();
    shop.edit("campaigns/spring.toml", "\"newsletter\"", "\"newsleter\"");
    shop.edit("dangol.toml", "sqlite://dangol.db", "sqlite://no/such/folder/dangol.db");
    let found = errors(&shop, &[]);
    let codes: Vec<_> = found.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["unknown-name", "database"], "{found:#?}");
    assert_eq!(found[1]["help"], "`dangol check --offline` needs no database");
    let message = found[1]["message"].as_str().unwrap();
    assert!(message.contains("there is no folder ") && message.contains("no/such/folder."), "{message}");
    assert_eq!(errors(&shop, &["--offline"]).len(), 1);
}

#[test]
fn a_variable_that_no_customer_has_is_a_mistake() {
    let shop = Shop::new();
    let template = "templates/letters/spring.mjml";
    shop.edit(template, "{{honorific}}", "{{default customer.attr.city \"there\"}}");
    shop.run(&["check"]).done();
    shop.edit(template, "customer.attr.city", "customer.attr.citty");
    let found = errors(&shop, &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0]["code"].as_str(), found[0]["help"].as_str()),
        (Some("unknown-variable"), Some("did you mean `city`?"))
    );
    shop.run(&["check", "--offline"]).done();
}

#[test]
fn a_mail_that_fails_for_real_customers_is_a_mistake() {
    let shop = Shop::new();
    shop.edit("templates/letters/spring.mjml", "{{honorific}}", "{{customer.first_name}}");
    let found = errors(&shop, &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0]["code"].as_str(), found[0]["file"].as_str(), found[0]["line"].as_u64()),
        (Some("render"), Some("templates/letters/spring.mjml"), Some(10))
    );
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("of 19 customers tried, first for K-1"), "{message}");
    assert!(message.contains("{{default customer.first_name \"…\"}}"), "{message}");
}

#[test]
fn what_is_wrong_for_everybody_is_told_once() {
    let shop = Shop::new();
    shop.edit("templates/letters/spring.mjml", "{{honorific}}", "{{customer.nam}}");
    let found = errors(&shop, &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["code"], "unknown-variable");
    // and what a layout or partial lacks is told of in its own file
    shop.edit("templates/letters/spring.mjml", "{{customer.nam}}", "{{honorific}}");
    shop.edit("templates/partials/header.mjml", "<mj-section", "<mj-raw>{{customer.last_name}}</mj-raw><mj-section");
    let found = errors(&shop, &[]);
    let files: Vec<&str> = found.iter().map(|error| error["file"].as_str().unwrap()).collect();
    assert!(files.iter().all(|file| *file == "templates/partials/header.mjml") && !files.is_empty(), "{found:#?}");
}

#[test]
fn a_former_name_that_nothing_had_and_an_event_that_never_came_are_told_of() {
    let shop = Shop::new();
    shop.edit("campaigns/spring.toml", "title ", "was = \"sprung\"\ntitle ");
    shop.edit("campaigns/spring.toml", "\"order\"", "\"ordr\"");
    shop.run(&["check", "--offline"]).done();
    let told = shop.json(&["check"]);
    let warnings: Vec<String> = told["warnings"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{told:#}");
    assert!(warnings[0].contains("no campaign `sprung` has been launched"), "{told:#}");
    assert!(warnings[1].contains("no event `ordr` has ever come in") && warnings[1].contains("`order`"), "{told:#}");
    // with a history, a name that is not in it is a mistake
    shop.run(&["launch", "how-are-we", "--yes"]).done();
    let found = errors(&shop, &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["help"], "launched are: how-are-we");
    // an event of the shop's own is known once it has come in
    shop.edit("campaigns/spring.toml", "was = \"sprung\"\n", "");
    shop.write("events.ndjson", "{\"customer\": \"K-1\", \"kind\": \"ordr\", \"at\": \"2026-03-03\"}\n");
    shop.run(&["import", "events", "events.ndjson"]).done();
    assert_eq!(shop.json(&["check"])["warnings"].as_array().unwrap().len(), 0);
}

#[test]
fn a_time_years_away_is_worth_a_look() {
    let shop = Shop::empty();
    shop.edit("campaigns/spring.toml", "\"now\" ", "2272-03-03T09:30:00 ");
    for arguments in [&["check"][..], &["check", "--offline"]] {
        let told = shop.json(arguments);
        let message = told["warnings"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("the year is 2272, ") && message.ends_with(" years from now"), "{told:#}");
    }
}

/// A server that says `words` to the first connection, and then takes line after line, saying `answer` to each.
fn server(words: &'static str, answer: &'static str) -> u16 {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(words.as_bytes()).unwrap();
        for line in BufReader::new(stream.try_clone().unwrap()).split(b'\n') {
            if line.is_err() || stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    port
}

#[test]
fn online_says_what_to_write_for_a_relay_of_the_wrong_kind() {
    let shop = Shop::empty();
    let file = shop.read("dangol.toml");
    let with = |url: String| shop.write("dangol.toml", file.replace("\"catch://\"", &format!("\"{url}\"")));
    let port = server("220 mail.haru.example ESMTP\r\n", "");
    with(format!("smtps://127.0.0.1:{port}"));
    let found = errors(&shop, &["--online"]);
    assert!(found[0]["message"].as_str().unwrap().contains("does not speak TLS from the first byte"), "{found:#?}");
    assert!(found[0]["help"].as_str().unwrap().starts_with(&format!("write smtp://127.0.0.1:{port}")), "{found:#?}");

    let port = server("220 mail.haru.example ESMTP\r\n", "250 mail.haru.example\r\n");
    with(format!("smtp://hong@127.0.0.1:{port}"));
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_dangol"));
    command.env_clear().env("DANGOL_RELAY_PRIMARY_PASSWORD", "x").current_dir(shop.dir.path());
    let output = command.args(["check", "--online", "--json"]).output().unwrap();
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    let message = told["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("the server asks for no login"), "{told:#}");
}

#[test]
fn a_launched_campaign_whose_file_is_gone_is_a_mistake_that_names_the_remedy() {
    let shop = Shop::new();
    shop.run(&["launch", "spring", "--yes"]).done();
    std::fs::rename(shop.path("campaigns/spring.toml"), shop.path("campaigns/봄.toml")).unwrap();
    let found = errors(&shop, &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["code"], "vanished");
    assert!(found[0]["help"].as_str().unwrap().contains("write was = \"spring\""), "{found:#?}");
    shop.edit("campaigns/봄.toml", "title ", "was = \"spring\"\ntitle ");
    shop.run(&["check"]).done();
}

#[test]
fn online_tries_the_relays() {
    let shop = Shop::empty();
    shop.run(&["check", "--online"]).done();
    // nobody listens there: the port was just free
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    shop.edit("dangol.toml", "\"catch://\"", &format!("\"smtp://127.0.0.1:{free}\""));
    shop.run(&["check"]).done();
    let found = errors(&shop, &["--online"]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].to_string().contains("primary"), "{found:#?}");
}

#[test]
fn files_with_mistakes_launch_nothing() {
    let shop = Shop::new();
    shop.edit("segments/regulars.toml", "count(", "cuont(");
    for arguments in [
        &["plan"][..],
        &["plan", "spring"],
        &["launch", "spring", "--yes"],
        &["preview", "spring", "--customer", "K-0"],
    ] {
        let said = shop.run(arguments).failed("`cuont` is not a function");
        assert!(said.ends_with("the files have a mistake: see `dangol check`\n"), "{said}");
    }
    let status = shop.json(&["status"]);
    assert_eq!(status["campaigns"].as_array().unwrap().len(), 0);
}

#[test]
fn a_file_that_cannot_be_read_is_told_of_instead_of_missed() {
    let shop = Shop::new();
    shop.edit("campaigns/spring.toml", "\"Spring letter\"", "Spring");
    shop.run(&["plan", "spring"]).failed("error[toml]: a text stands in quotes");
    shop.write("segments/subscribers.toml", "wehre = \"TRUE\"\n");
    shop.run(&["segment", "show", "subscribers"]).failed("`wehre` is not a key of this file");
}
