//! `pause`, `resume`, `close`, `cancel`, for one campaign and for all.

use super::Shop;

fn state(shop: &Shop) -> String {
    shop.json(&["status"])["campaigns"][0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_paused_campaign_sends_nothing_until_it_is_resumed() {
    let shop = Shop::new();
    shop.run(&["launch", "spring", "--yes"]).done();
    let done = shop.json(&["pause", "spring"]);
    assert_eq!((done[0]["campaign"].as_str(), done[0]["state"].as_str()), (Some("spring"), Some("paused")));
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 0);
    assert_eq!(state(&shop), "paused");
    shop.run(&["pause", "spring"]).failed("`spring` is paused already");
    assert_eq!(shop.run(&["resume", "spring"]).done(), "spring is running\n");
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 17);
}

#[test]
fn all_campaigns_at_once() {
    let shop = Shop::new();
    shop.run(&["launch", "spring", "--yes"]).done();
    shop.run(&["launch", "how-are-we", "--yes"]).done();
    assert_eq!(shop.json(&["pause", "--all"]).as_array().unwrap().len(), 2);
    assert_eq!(shop.run(&["pause", "--all"]).done(), "there is no campaign for which that would change anything\n");
    assert_eq!(shop.run(&["resume", "--all"]).done(), "how-are-we is running\nspring is running\n");
    assert_eq!(shop.json(&["cancel", "--all"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_closed_campaign_admits_nobody_new() {
    let shop = Shop::new();
    shop.run(&["launch", "spring", "--yes"]).done();
    assert_eq!(shop.run(&["close", "spring"]).done(), "spring is closed\n");
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 0);
    shop.run(&["close", "spring"]).failed("is closed already");
}

#[test]
fn a_closed_campaign_stays_closed_through_pause_and_resume() {
    let shop = Shop::new();
    shop.run(&["launch", "thank-regulars", "--yes"]).done();
    shop.run(&["close", "thank-regulars"]).done();
    for command in ["pause", "resume"] {
        assert_eq!(shop.run(&[command, "thank-regulars"]).done(), "thank-regulars is closed\n", "{command}");
        let campaign = &shop.json(&["status"])["campaigns"][0];
        assert_eq!(
            (campaign["state"].as_str(), campaign["lane"] == "open"),
            (Some("closed"), command == "resume"),
            "{campaign}"
        );
    }
}

#[test]
fn a_cancelled_campaign_is_over_for_good() {
    let shop = Shop::new();
    shop.run(&["launch", "spring", "--yes"]).done();
    shop.run(&["cancel", "spring"]).done();
    assert_eq!(shop.json(&["run", "--until-idle"])["queue"]["accepted"], 0);
    shop.run(&["cancel", "spring"]).failed("`spring` is cancelled already");
    for arguments in [&["resume", "spring"][..], &["close", "spring"], &["pause", "spring"]] {
        shop.run(arguments).failed("`spring` was cancelled, and that is for good");
    }
    shop.run(&["launch", "spring", "--yes"]).failed("give the new one another `id`");
    let plan = shop.json(&["plan", "spring"]);
    assert!(plan["campaigns"][0]["change"].as_str().unwrap().starts_with("cancelled"), "{plan}");
}

#[test]
fn cancelling_says_how_many_mails_are_not_sent() {
    let shop = Shop::new();
    shop.run(&["launch", "spring", "--yes"]).done();
    shop.run(&["run", "--until-idle"]).done();
    shop.sql("UPDATE message SET state = 'deferred' WHERE address LIKE 'k1%'");
    shop.sql("UPDATE campaign SET state = 'running'");
    let deferred = shop.json(&["status"])["queue"]["deferred"].as_u64().unwrap();
    assert!(deferred > 1);
    assert_eq!(
        shop.run(&["cancel", "spring"]).done(),
        format!("spring is cancelled; {deferred} mails will not be sent\n")
    );
    assert_eq!(shop.json(&["status"])["queue"]["deferred"], 0);
}
