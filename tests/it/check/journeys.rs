//! Mistakes in triggers, steps and what they grant.

use super::{Shop, shown};

const THANKS: &str = "campaigns/thank-regulars.toml";

fn edit(shop: &Shop, from: &str, to: &str) {
    shop.edit(THANKS, from, to);
}

#[test]
fn journeys() {
    shown(
        "journeys",
        &[
            ("a trigger that waits for nothing", &|shop| edit(shop, "enters  = \"regulars\"\n", "")),
            ("a trigger that waits for two things", &|shop| edit(shop, "reenter =", "event = \"order\"\nreenter =")),
            ("a trigger and a schedule", &|shop| edit(shop, "[goal]", "[schedule]\nat = \"now\"\n[goal]")),
            ("an unknown segment", &|shop| edit(shop, "\"regulars\"", "\"regular\"")),
            ("an unknown reward", &|shop| edit(shop, "grant = \"petals\"", "grant = \"petal\"")),
            ("an unknown template", &|shop| edit(shop, "\"loyalty/thanks\"", "\"loyalty/thank\"")),
            ("points that are missing", &|shop| edit(shop, ", points = 500", "")),
            ("points of nothing", &|shop| edit(shop, "points = 500", "points = 0")),
            ("points of what is none", &|shop| {
                shop.write("rewards/early.toml", "kind = \"perk\"\ntitle = \"Early access\"\n");
                edit(shop, "grant = \"petals\"", "grant = \"early\"");
            }),
            ("two steps of one id, and one that is no id", &|shop| {
                edit(shop, "id   = \"remind\"", "id   = \"thanks\"");
                shop.append(THANKS, "[[step]]\nid = \"Third Step\"\nsend = \"loyalty/reminder\"\n");
            }),
            ("an id that is another step's place", &|shop| {
                edit(shop, "id     = \"thanks\"\n", "");
                edit(shop, "id   = \"remind\"", "id   = \"1\"");
            }),
            ("a step that does nothing", &|shop| edit(shop, "send = \"loyalty/reminder\"\n", "")),
            ("a guard with a slip", &|shop| edit(shop, "reward_unused('petals')", "reward_unusd('petals')")),
            ("a guard on what is not there, in its second line", &|shop| {
                edit(shop, "\"reward_unused('petals')\" ", "\"\"\"\nreward_unused('petals')\nAND scoer > 50\"\"\" ");
            }),
            ("a guard that is no condition", &|shop| edit(shop, "\"reward_unused('petals')\" ", "\"score >\" ")),
            ("it can never be left: in again before it is over", &|shop| {
                edit(shop, "reenter = \"365d\"", "reenter = \"14d\"");
            }),
            ("it can never be left: in again always", &|shop| edit(shop, "reenter = \"365d\"", "reenter = \"always\"")),
            ("it can never be left: a wait of a life", &|shop| edit(shop, "wait = \"14d\"", "wait = \"9999d\"")),
            ("it reads the future: its own mail", &|shop| {
                shop.edit("segments/regulars.toml", "count('order', '365d') >= 3", "clicked('thank-regulars')");
            }),
            ("it reads the future: an event that is still to come", &|shop| {
                shop.edit("segments/regulars.toml", "days_since('order') <= 60", "days_since('order') < -1");
            }),
            ("what brings people in is excluded", &|shop| {
                edit(shop, "[trigger]", "[audience]\nexclude = [\"regulars\"]\n[trigger]");
            }),
            ("`present` of an event", &|shop| {
                edit(shop, "enters  = \"regulars\"", "event = \"order\"\npresent = true")
            }),
            ("`exit` of one step", &|shop| {
                let text = shop.read(THANKS);
                let (one, _) = text.split_once("[[step]]\nid   = \"remind\"").unwrap();
                shop.write(THANKS, one.replace("within = \"60d\"", "within = \"60d\"\nexit   = true"));
            }),
            ("one mail and steps side by side", &|shop| {
                edit(shop, "sender  =", "send = \"letters/spring\"\nsender  =")
            }),
            ("neither a mail nor steps, and a slip elsewhere", &|shop| {
                let text = shop.read(THANKS);
                let (head, _) = text.split_once("[[step]]").unwrap();
                shop.write(THANKS, head.replace("[goal]", "[gaol]"));
            }),
            ("no audience, and a slip elsewhere", &|shop| {
                shop.edit("campaigns/spring.toml", "[audience]\nsegment = \"subscribers\"\n", "");
                shop.edit("campaigns/spring.toml", "[goal]", "[gaol]");
            }),
            ("words that are none", &|shop| {
                edit(shop, "reenter = \"365d\"", "reenter = \"yearly\"");
                edit(shop, "wait = \"14d\"", "wait = \"two weeks\"");
            }),
            ("a coupon in service mail", &|shop| {
                shop.write(
                    "rewards/ten.toml",
                    "kind = \"coupon\"\nvalue = \"10%\"\ncost = \"3000 KRW\"\ncodes = \"HARU-########\"\n",
                );
                edit(shop, "\"offers\"", "\"account\"");
                edit(shop, "holdout = \"10%\"", "");
                edit(shop, "{ grant = \"petals\", points = 500 }", "{ grant = \"ten\" }");
            }),
        ],
    );
}
