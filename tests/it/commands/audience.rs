//! Before a launch: `segment`, `plan`, `preview`, `send-test`.

use super::{CUSTOMERS, Shop, keys};

#[test]
fn segments_with_their_sizes() {
    let shop = Shop::new();
    let listed = shop.json(&["segment", "list"]);
    let segments = listed["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 6);
    assert_eq!(keys(&segments[0]), ["name", "size", "title"]);
    let size = |name: &str| segments.iter().find(|s| s["name"] == name).unwrap()["size"].as_u64().unwrap();
    assert_eq!((size("subscribers"), size("korean-readers"), size("regulars")), (19, 10, 0));
    let said = shop.run(&["segment", "list"]).done();
    let line = said.lines().find(|line| line.contains("korean-readers")).unwrap();
    assert!(line.contains("10") && line.contains("한국어로 읽는 구독자"), "{line}");
}

#[test]
fn the_members_of_a_segment() {
    let shop = Shop::new();
    let shown = shop.json(&["segment", "show", "subscribers", "--limit", "3"]);
    assert_eq!(keys(&shown), ["name", "size", "members"]);
    assert_eq!((shown["name"].as_str(), shown["size"].as_u64()), (Some("subscribers"), Some(19)));
    let members = shown["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    assert_eq!(keys(&members[0]), ["customer", "email"]);
    assert_eq!(
        (members[0]["customer"].as_str(), members[0]["email"].as_str()),
        (Some("K-0"), Some("hong@xn--vv4b11d.xn--3e0b707e"))
    );
    let said = shop.run(&["segment", "show", "subscribers"]).done();
    assert!(said.starts_with("subscribers: 19 customers\n") && said.contains("K-18"), "{said}");
    assert_eq!(shop.json(&["segment", "show", "subscribers", "--limit", "0"])["members"].as_array().unwrap().len(), 0);
}

#[test]
fn why_somebody_is_in_a_segment_or_not() {
    let shop = Shop::new();
    let why = shop.json(&["segment", "show", "korean-readers", "--why", "K-1"]);
    assert_eq!((why["member"].as_bool(), why["customer"].as_str()), (Some(false), Some("K-1")));
    let tests: Vec<_> =
        why["tests"].as_array().unwrap().iter().map(|t| (t["test"].as_str().unwrap(), &t["true"])).collect();
    assert_eq!(tests.len(), 2);
    assert!(
        tests[0].0.contains("in_segment")
            && tests[0].1 == true
            && tests[1].0.contains("language")
            && tests[1].1 == false
    );
    let said = shop.run(&["segment", "show", "korean-readers", "--why", "hong@예시.한국"]).done();
    assert!(said.starts_with("hong@예시.한국 is in korean-readers\n"), "{said}");
}

#[test]
fn a_plan_says_who_and_why_not() {
    let shop = Shop::new();
    shop.write("segments/everybody.toml", "where = \"TRUE\"\n");
    shop.edit("campaigns/spring.toml", "\"subscribers\"", "\"everybody\"");
    shop.run(&["suppression", "add", "k5@haru.example"]).done();
    let plan = shop.json(&["plan", "spring"]);
    let campaigns = plan["campaigns"].as_array().unwrap();
    assert_eq!(campaigns.len(), 1);
    let spring = &campaigns[0];
    for key in [
        "campaign",
        "audience",
        "treated",
        "holdout",
        "skipped",
        "mails",
        "first_at",
        "last_at",
        "seconds",
        "reward_liability",
        "collisions",
    ] {
        assert!(spring.get(key).is_some(), "{key}");
    }
    assert_eq!(spring["audience"].as_u64(), Some(CUSTOMERS as u64));
    // K-7 shares K-6's address, K-8 has none, K-5 is suppressed, K-19 never agreed
    assert_eq!(spring["mails"].as_u64(), Some(16));
    let skipped: u64 = spring["skipped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!((skipped, spring["skipped"].as_object().unwrap().len()), (4, 4), "{spring}");
    assert_eq!(shop.json(&["plan"])["campaigns"].as_array().unwrap().len(), 3);
    let said = shop.run(&["plan", "spring"]).done();
    assert!(said.starts_with("spring (new)\n") && said.contains("16  mails") && said.contains("suppressed"), "{said}");
}

#[test]
fn a_plan_changes_nothing_and_says_so_by_its_exit_code() {
    let shop = Shop::new();
    std::fs::remove_file(shop.path("campaigns/how-are-we.toml")).unwrap();
    std::fs::remove_file(shop.path("campaigns/thank-regulars.toml")).unwrap();
    shop.run(&["plan"]).done();
    for _ in 0..2 {
        assert_eq!(shop.run(&["plan", "--exit-code"]).code, 3);
    }
    assert_eq!(shop.json(&["status"])["campaigns"].as_array().unwrap().len(), 0);
    shop.run(&["launch", "spring", "--yes"]).done();
    assert_eq!(shop.run(&["plan", "--exit-code"]).code, 0);
    shop.edit("templates/letters/spring.mjml", "Spring is early", "Spring is late");
    let said = shop.run(&["plan", "spring", "--exit-code"]);
    assert_eq!(said.code, 3);
    assert!(said.out.starts_with("spring (changed)\n"), "{}", said.out);
    // a template of another language is of the same campaign, and a file that it does not use is not
    shop.edit("templates/letters/spring.mjml", "Spring is late", "Spring is early");
    shop.edit("templates/letters/welcome.html", "Thank you for joining us", "Thank you");
    assert_eq!(shop.run(&["plan", "--exit-code"]).code, 0);
}

#[test]
fn a_holdout_is_planned() {
    let shop = Shop::new();
    shop.edit("campaigns/spring.toml", "title ", "holdout = \"99.999999%\"\ntitle ");
    let plan = shop.json(&["plan", "spring"]);
    let spring = &plan["campaigns"][0];
    assert_eq!((spring["treated"].as_u64(), spring["mails"].as_u64()), (Some(0), Some(0)));
    assert_eq!(spring["holdout"].as_u64(), Some(18), "{spring}");
}

#[test]
fn a_preview_is_the_very_mail() {
    let shop = Shop::new();
    let said = shop.json(&["preview", "spring", "--customer", "hong@예시.한국", "--out", "out"]);
    assert_eq!(said["subject"], "(광고) 홍길동님, 봄 씨앗이 도착했어요");
    assert_eq!(said["files"].as_array().unwrap().len(), 3);
    assert!(shop.read("out/spring.html").contains("홍길동님은") && shop.read("out/spring.txt").contains("홍길동님은"));
    let eml = shop.read("out/spring.eml");
    for header in [
        "To: =?UTF-8?B?7ZmN6ri464+Z?= <",
        "List-Unsubscribe: <http",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-ID: <newsletter.haru.example>",
    ] {
        assert!(eml.lines().any(|line| line.starts_with(header)), "{header}\n{}", &eml[..1500]);
    }
    let printed = shop.run(&["preview", "spring", "--customer", "K-1"]).done();
    assert!(
        printed.starts_with("From: ") || printed.contains("\nFrom: ") || printed.contains("\r\nFrom: "),
        "{printed}"
    );
    let whole = shop.json(&["preview", "spring", "--customer", "K-1"]);
    assert_eq!(keys(&whole), ["subject", "eml", "html", "text"]);
    assert!(whole["html"].as_str().unwrap().contains("مرحبا"));
    assert_eq!(shop.json(&["status"])["queue"]["queued"], 0);
}

#[test]
fn whom_a_preview_cannot_be_made_for() {
    let shop = Shop::new();
    shop.run(&["preview", "spring", "--customer", "K-8"]).failed("this customer has no address");
    let said =
        shop.run(&["preview", "spring", "--customer", "k6@haru.example"]).failed("is the address of 2 customers");
    assert!(said.contains("(K-6)") && said.contains("(K-7)"), "{said}");
}

#[test]
fn a_test_mail_goes_to_its_sender_and_is_not_counted() {
    let shop = Shop::new();
    let said = shop.json(&["send-test", "spring", "--customer", "K-8", "--to", "me@예시.한국"]);
    assert_eq!((said["to"].as_str(), said["relay"].as_str()), (Some("me@xn--vv4b11d.xn--3e0b707e"), Some("primary")));
    assert!(said["reply"].as_str().unwrap().starts_with("250"), "{said}");
    assert!(
        shop.run(&["send-test", "spring", "--customer", "K-1", "--to", "me@haru.example"]).done().contains("catch://")
    );
    shop.run(&["send-test", "spring", "--customer", "K-1", "--to", "me"])
        .misused("`me` is not an e-mail address: it has no @");
    let status = shop.json(&["status"]);
    assert_eq!((status["queue"]["accepted"].as_u64(), status["campaigns"].as_array().unwrap().len()), (Some(0), 0));
}

#[test]
fn a_campaign_can_have_a_korean_name() {
    let shop = Shop::new();
    std::fs::rename(shop.path("campaigns/spring.toml"), shop.path("campaigns/봄_편지.toml")).unwrap();
    shop.run(&["check"]).done();
    assert_eq!(shop.json(&["plan", "봄_편지"])["campaigns"][0]["mails"], 17);
    let eml = shop.run(&["preview", "봄_편지", "--customer", "K-0"]).done();
    let id = eml.lines().find(|line| line.starts_with("Feedback-ID: ")).unwrap();
    assert!(id.is_ascii() && id.starts_with("Feedback-ID: xn--"), "{id}");
    shop.run(&["launch", "봄_편지", "--yes"]).done();
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 17);
    assert_eq!(shop.json(&["report", "봄_편지"])["campaign"], "봄_편지");
}
