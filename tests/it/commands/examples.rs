//! The examples of `docs/campaigns.md` and `docs/rewards.md`, written into a workspace as they stand there: `check` finds
//! nothing, and they do what the page says.

use super::Shop;
use std::path::Path;

/// The files of a page: TOML blocks that begin with `# PATH`, and other blocks under a line that begins with `` `PATH` ``.
fn files(page: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let mut files = Vec::new();
    let mut above = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let path = match kind {
                "toml" => body[0].strip_prefix("# ").and_then(|rest| rest.split([':', ' ']).next()),
                _ => above.strip_prefix('`').and_then(|rest| rest.split('`').next()),
            };
            if let Some(path) = path.filter(|path| path.contains('/')) {
                files.push((path.to_owned(), body.join("\n") + "\n"));
            }
        } else if !line.is_empty() {
            above = line;
        }
    }
    files
}

fn shop(page: &str) -> Shop {
    let shop = Shop::empty();
    for (path, text) in files(page) {
        std::fs::create_dir_all(shop.dir.path().join(&path).parent().unwrap()).unwrap();
        shop.write(&path, text);
    }
    shop
}

#[test]
fn the_examples_of_the_pages_pass_check() {
    for (page, least) in [("docs/campaigns.md", 7), ("docs/rewards.md", 2)] {
        assert!(files(page).len() >= least, "{page}: {:?}", files(page));
        let said = shop(page).run(&["check", "--offline"]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{page}: {}{}", said.out, said.err);
        assert!(said.out.contains("no mistakes"), "{page}: {}", said.out);
    }
}

#[test]
fn the_confirmation_of_an_order_goes_out_once_for_each_order() {
    let shop = shop("docs/campaigns.md");
    shop.write("customers.csv", "external_id,email,name\nC-1,hong@customers.example,홍길동\n");
    shop.run(&["import", "customers", "customers.csv"]).done();
    shop.write("before.csv", "order_id,customer,at,amount\nA-0,C-1,2026-01-05,8000\n");
    shop.run(&["import", "orders", "before.csv"]).done();
    // looked at with the last order that there is
    let seen = shop.run(&["preview", "order-received", "--customer", "C-1", "--out", "out"]);
    seen.done();
    let html = shop.read("out/order-received.txt");
    assert!(html.contains("A-0") && html.contains("8,000"), "{html}");

    shop.run(&["launch", "order-received", "--yes"]).done();
    let now = jiff::Timestamp::now();
    let orders = format!("order_id,customer,at,amount\nA-1,C-1,{now},45000\nA-2,C-1,{now},12000\n");
    shop.write("orders.csv", orders);
    for _ in 0..2 {
        shop.run(&["import", "orders", "orders.csv"]).done();
        let ran = shop.json(&["run", "--until-idle"]);
        assert_eq!((ran["queue"]["accepted"].as_u64(), ran["queue"]["skipped"].as_u64()), (Some(2), Some(0)), "{ran}");
    }
    // neither consent nor holdout is asked for in service mail
    let report = shop.json(&["report", "order-received"]);
    assert_eq!((report["assigned"]["treated"].as_u64(), report["assigned"]["holdout"].as_u64()), (Some(2), Some(0)));
}

#[test]
fn a_variable_that_no_order_has_is_a_mistake() {
    let shop = shop("docs/campaigns.md");
    shop.edit("templates/service/order-received.mjml", "{{event.order}}.", "{{event.order_id}}.");
    let said = shop.run(&["check", "--offline"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(format!("{}{}", said.out, said.err).contains("event.order_id"), "{}{}", said.out, said.err);
}
