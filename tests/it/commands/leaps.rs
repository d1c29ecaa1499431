//! An audience that is suddenly ten times as large, as a marketer meets it: `plan`, `launch`, `run`, `status`, `cancel`.

use super::Shop;

#[test]
fn an_audience_that_leaps_is_told_of_and_held_until_somebody_says_so() {
    let shop = Shop::sent();
    let rows: String = (100..600).map(|n| format!("K-{n},k{n}@haru.example,김단골\n")).collect();
    shop.write("more.csv", format!("external_id,email,name\n{rows}"));
    shop.run(&["import", "customers", "more.csv", "--consent", "newsletter", "--evidence", "sign-up form"]).done();
    shop.write("campaigns/summer.toml", shop.read("campaigns/spring.toml"));
    let leap = "518 people, 30 times the 17 of the last mail on this topic";

    let said = shop.run(&["plan", "summer"]).done();
    assert!(said.ends_with(&format!("\n{leap}: launched with --yes, it asks before anybody gets it\n")), "{said}");
    let plan = shop.json(&["plan", "summer"]);
    assert_eq!(plan["campaigns"][0]["leap"], serde_json::json!({ "people": 518, "last": 17, "agreed": null }));
    // without a terminal nobody can say yes, and the plan is shown all the same
    let said = shop.run(&["launch", "summer"]).failed("nothing was launched");
    assert!(said.contains(leap), "{said}");

    let said = shop.run(&["launch", "summer", "--yes"]).done();
    assert!(said.contains(&format!("\n{leap}: it asks before anybody gets it, and `dangol resume summer`")), "{said}");
    let answers = "`dangol resume summer` sends it all the same, `dangol cancel summer` does not";
    for again in ["at once", "as long as nobody has answered"] {
        let said = shop.run(&["run", "--until-idle"]).done();
        assert!(said.contains(&format!("\nsummer asks: {leap}: {answers}")), "{again}: {said}");
    }
    let said = shop.run(&["status"]).done();
    let line = said.lines().find(|line| line.contains("summer")).unwrap();
    assert!(line.contains(&format!("running, held: {leap}: {answers}")) && line.contains(" large "), "{said}");
    let status = shop.json(&["status"]);
    let summer = status["campaigns"].as_array().unwrap().iter().find(|found| found["campaign"] == "summer").unwrap();
    assert_eq!((summer["audience"].as_str(), summer["messages"].as_object().unwrap().len()), (Some("large"), 0));
    assert!(summer["held"].as_str().unwrap().starts_with(leap), "{summer}");

    shop.run(&["cancel", "summer"]).done();
    let said = shop.run(&["run", "--until-idle"]).done();
    assert!(!said.contains("asks") && said.contains("17 accepted"), "{said}");
    // the first letter's readers are the only ones who could be compared with, and they got it
    assert!(!shop.run(&["plan", "spring"]).done().contains("times"));
}
