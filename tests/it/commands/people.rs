//! `customer`, `suppression`, `score`.

use super::{Shop, keys};

#[test]
fn a_customer_is_shown_by_address_by_external_id_and_by_number() {
    let shop = Shop::sent();
    for word in ["K-0", "hong@예시.한국", "HONG@xn--vv4b11d.xn--3e0b707e", "#1"] {
        let said = shop.run(&["customer", "show", word]).done();
        assert!(
            said.contains("홍길동") && said.contains("서울") && said.contains("messages       1"),
            "{word}: {said}"
        );
    }
    let shown = shop.json(&["customer", "show", "K-1"]);
    assert_eq!(shown["customer"]["name"], "مرحبا");
}

#[test]
fn all_that_is_known_is_exported() {
    let shop = Shop::sent();
    // for machines with and without --json
    let said = shop.run(&["customer", "export", "K-2"]).done();
    let exported: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(exported, shop.json(&["customer", "export", "K-2"]));
    for key in ["customer", "consents", "events", "purchases", "messages"] {
        assert!(exported.get(key).is_some(), "{key}");
    }
    assert_eq!(exported["customer"]["name"], "Kim 🌷");
    assert_eq!(exported["consents"][0]["topic"], "newsletter");
    assert_eq!(exported["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn forgetting_asks_and_is_for_good() {
    let shop = Shop::sent();
    shop.run(&["customer", "erase", "K-3"]).failed("nobody was forgotten; --yes does it without asking");
    assert!(shop.run(&["customer", "show", "K-3"]).done().contains("O'Neil"));
    let said = shop.json(&["customer", "erase", "K-3", "--yes"]);
    assert_eq!((keys(&said), said["erased"].as_bool()), (vec!["customer", "erased"], Some(true)));
    shop.run(&["customer", "show", "K-3"]).failed("there is no customer `K-3`");
    assert_eq!(shop.json(&["report", "spring"])["messages"]["accepted"], 17, "what was sent stays counted");
    // a backup holds what the tables hold, and nothing of the pages that were freed
    shop.run(&["db", "backup", "copy.db"]).done();
    let file = std::fs::read(shop.path("copy.db")).unwrap();
    let has = |needle: &[u8]| file.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"k4@haru.example") && !has(b"k3@haru.example"), "the address is gone from every table");
    let said = shop.run(&["import", "customers", "customers.csv", "--map", "city=attr.city"]).done();
    assert!(said.contains("1 refused") && said.contains("erased"), "{said}");
}

#[test]
fn suppressions_are_added_listed_and_lifted() {
    let shop = Shop::new();
    let added = shop.json(&["suppression", "add", "K5@Haru.example", "--note", "전화로 요청"]);
    assert_eq!((added["address"].as_str(), added["added"].as_bool()), (Some("k5@haru.example"), Some(true)));
    assert!(shop.run(&["suppression", "add", "k5@haru.example"]).done().contains("was suppressed already"));
    shop.run(&["suppression", "add", "x@예시.한국", "--until", "2099-01-01"]).done();
    let listed = shop.json(&["suppression", "list"]);
    let all = listed["suppressions"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    let five = all.iter().find(|s| s["address"] == "k5@haru.example").unwrap();
    assert_eq!((five["reason"].as_str(), five["note"].as_str()), (Some("manual"), Some("전화로 요청")));
    let length = |arguments: &[&str]| {
        shop.json(&[&["suppression", "list"], arguments].concat())["suppressions"].as_array().unwrap().len()
    };
    assert_eq!(length(&["--domain", "haru.example"]), 1);
    assert_eq!((length(&["--since", "2020-01-01"]), length(&["--until", "2020-01-01"])), (2, 0));
    assert!(shop.run(&["suppression", "list"]).done().contains("for good"));
    assert_eq!(shop.run(&["suppression", "lift", "k5@haru.example"]).done(), "1 suppression lifted\n");
    assert_eq!(shop.json(&["suppression", "lift", "k5@haru.example"])["lifted"], 0);
    assert_eq!((length(&[]), length(&["--lifted"])), (1, 2));
    assert_eq!(shop.json(&["suppression", "lift", "--since", "2020-01-01"])["lifted"], 1);
}

#[test]
fn a_suppressed_address_gets_no_mail() {
    let shop = Shop::new();
    shop.run(&["launch", "spring", "--yes"]).done();
    shop.run(&["suppression", "add", "k5@haru.example"]).done();
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 16);
    let why = shop.json(&["why", "K-5"]);
    assert_eq!(
        (why["messages"][0]["state"].as_str(), why["messages"][0]["reason"].as_str()),
        (Some("skipped"), Some("suppressed"))
    );
}

#[test]
fn scores_are_brought_to_a_moment_and_explained() {
    let shop = Shop::sent();
    let said = shop.json(&["score", "refresh"]);
    assert_eq!((keys(&said), said["customers"].as_u64()), (vec!["customers", "as_of"], Some(20)));
    let said = shop.run(&["score", "refresh", "--at", "2099-01-01"]).done();
    assert!(said.contains("20 customers' scores are as of 2098-12-31T15:00:00Z"), "a day is the site's: {said}");
    shop.run(&["score", "refresh", "--at", "soon"]).misused("it is not a moment such as 2027-03-01");
    let explained = shop.json(&["score", "explain"]);
    assert_eq!(keys(&explained), ["constants", "calibration"]);
    let constants = explained["constants"].as_array().unwrap();
    assert!(constants.iter().any(|c| c["name"] == "scoring.half_life" && c["value"] == "26w"), "{explained}");
    assert!(shop.run(&["score", "explain"]).done().contains("after how long a purchase counts half"));
}
