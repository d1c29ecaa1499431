//! The main job: `launch`, `run`, `status`, `report`, `why`.

use super::{Shop, keys};

#[test]
fn without_a_terminal_a_launch_wants_yes() {
    let shop = Shop::new();
    let said = shop.run(&["launch", "spring"]).failed("nothing was launched; --yes does it without asking");
    assert!(said.contains("spring (new)") && said.contains("17  mails"), "the plan is shown first: {said}");
    assert_eq!(shop.json(&["status"])["campaigns"].as_array().unwrap().len(), 0);
}

#[test]
fn from_launch_to_report() {
    let shop = Shop::new();
    let launched = shop.json(&["launch", "spring", "--yes"]);
    assert_eq!((launched["campaign"].as_str(), launched["changed"].as_bool()), (Some("spring"), Some(true)));
    assert_eq!(launched["revision"], 1);
    let status = shop.json(&["status"]);
    assert_eq!(status["campaigns"][0]["state"], "running");
    let ran = shop.json(&["run", "--until-idle"]);
    assert_eq!((ran["queue"]["accepted"].as_u64(), ran["queue"]["skipped"].as_u64()), (Some(17), Some(2)));
    // another run finds nothing more to do
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"], ran["queue"]);

    let status = shop.json(&["status"]);
    for key in ["queue", "campaigns", "relays"] {
        assert!(status.get(key).is_some(), "{key}");
    }
    assert_eq!(
        (status["campaigns"][0]["state"].as_str(), status["relays"][0]["sent_today"].as_u64()),
        (Some("finished"), Some(17))
    );
    let said = shop.run(&["status"]).done();
    assert!(said.contains("spring") && said.contains("finished") && said.contains("primary"), "{said}");

    let report = shop.json(&["report", "spring"]);
    for key in ["campaign", "assigned", "messages", "skipped", "opens", "clicks", "unsubscribes", "complaints", "goal"]
    {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert_eq!(keys(&report["assigned"]), ["treated", "holdout"]);
    for hits in ["opens", "clicks"] {
        assert_eq!(&keys(&report[hits])[..4], ["human", "proxy", "machine", "unknown"]);
    }
    assert_eq!(
        keys(&report["goal"]),
        ["treated", "holdout", "difference", "low", "high", "p", "verdict", "worth", "open"]
    );
    assert_eq!(keys(&report["goal"]["treated"]), ["n", "converted", "value"]);
    assert_eq!((report["messages"]["accepted"].as_u64(), report["assigned"]["treated"].as_u64()), (Some(17), Some(17)));
    assert_eq!(report["skipped"].as_object().unwrap().len(), 2);
    let said = shop.run(&["report", "spring"]).done();
    assert!(said.starts_with("spring\n") && said.contains("17  accepted") && said.contains("same address"), "{said}");
}

#[test]
fn launching_again_mails_nobody_twice() {
    let shop = Shop::sent();
    let again = shop.json(&["launch", "spring", "--yes"]);
    assert_eq!((again["changed"].as_bool(), again["revision"].as_u64()), (Some(false), Some(1)));
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 17);
    shop.edit("templates/letters/spring.mjml", "Spring is early", "Spring is late");
    let said = shop.run(&["launch", "spring", "--yes", "--inside", "move"]).done();
    assert!(said.starts_with("launched spring, a new revision (2)"), "{said}");
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 17);
}

#[test]
fn why_tells_of_mails_and_points() {
    let shop = Shop::sent();
    let why = shop.json(&["why", "K-0"]);
    for key in ["customer", "score", "contributions", "messages"] {
        assert!(why.get(key).is_some(), "{key}");
    }
    let contributions = why["contributions"].as_array().unwrap();
    for contribution in contributions {
        assert_eq!(&keys(contribution)[..3], ["component", "points", "evidence"]);
    }
    let points: f64 = contributions.iter().map(|c| c["points"].as_f64().unwrap()).sum();
    assert!((points - why["score"].as_f64().unwrap()).abs() < 1e-9, "the points add up: {why}");
    let message = &why["messages"][0];
    for key in ["campaign", "step", "state", "reason", "at"] {
        assert!(message.get(key).is_some(), "{key}");
    }
    assert_eq!((message["campaign"].as_str(), message["state"].as_str()), (Some("spring"), Some("accepted")));

    let skipped = shop.json(&["why", "K-8", "--campaign", "spring"]);
    assert_eq!(skipped["messages"][0]["state"], "skipped");
    assert!(skipped["messages"][0]["reason"].is_string(), "{skipped}");
    let said = shop.run(&["why", "K-8"]).done();
    assert!(said.contains("메일 주소가 없음"), "{said}");
}

#[test]
fn a_relay_that_is_away_loses_nothing() {
    let shop = Shop::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    shop.edit("dangol.toml", "\"catch://\"", &format!("\"smtp://127.0.0.1:{free}\""));
    shop.run(&["launch", "spring", "--yes"]).done();
    shop.run(&["pause", "spring"]).done();
    shop.run(&["run", "--until-idle"]).done();
    let queue = &shop.json(&["status"])["queue"];
    assert_eq!((queue["accepted"].as_u64(), queue["unknown"].as_u64()), (Some(0), Some(0)));
    shop.edit("dangol.toml", &format!("\"smtp://127.0.0.1:{free}\""), "\"catch://\"");
    shop.run(&["resume", "spring"]).done();
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 17);
}
