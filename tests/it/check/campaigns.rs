//! Mistakes in `campaigns/*.toml`: keys, values, and names that lead nowhere.

use super::shown;

const SPRING: &str = "campaigns/spring.toml";

#[test]
fn keys_and_values() {
    shown(
        "campaigns_keys",
        &[
            ("typos in keys", &|shop| {
                shop.edit(SPRING, "segment = ", "sement = ");
                shop.edit(SPRING, "stale = ", "stael = ");
                shop.edit(SPRING, "[goal]", "[gaol]");
            }),
            ("keys that are missing", &|shop| {
                shop.edit(SPRING, "sender  = \"hello\"\n", "");
                shop.edit(SPRING, "[audience]\nsegment = \"subscribers\"\n", "");
                shop.edit(SPRING, "event  = \"order\"\n", "");
            }),
            ("an empty file", &|shop| shop.write(SPRING, "")),
            ("values of another type", &|shop| {
                shop.edit(
                    SPRING,
                    "send    = \"letters/spring\" ",
                    "send = [\"letters/spring\"]\nholdout = 10\nexpires = 3 ",
                );
                shop.edit(SPRING, "segment = \"subscribers\"", "segment = \"subscribers\"\nexclude = \"lapsing\"");
                shop.edit(SPRING, "stale = \"6h\"", "stale = 6");
            }),
            ("an audience that is only a word", &|shop| {
                shop.edit(SPRING, "\n[audience]\nsegment = \"subscribers\"\n", "audience = \"subscribers\"\n");
            }),
            ("values that are none", &|shop| {
                shop.edit(SPRING, "[audience]", "holdout = \"110%\"\nexpires = \"soon\"\n[audience]");
                shop.edit(SPRING, "\"now\" ", "\"tomorrow\" ");
                shop.edit(SPRING, "\"6h\"", "\"six hours\"");
                shop.edit(SPRING, "within = \"7d\"", "within = \"7 sleeps\"\nvalue = \"profit\"");
                shop.append(SPRING, "[limits]\ncap = \"often\"\nquiet = \"25:00-08:00\"\n");
            }),
            ("numbers out of range", &|shop| {
                shop.edit(SPRING, "[audience]", "holdout = \"101%\"\n[audience]");
                shop.append(SPRING, "[limits]\ncap = \"0 per 7d\"\n");
                shop.edit("dangol.toml", "\"200/s\"", "\"0/s\"");
                shop.edit("segments/regulars.toml", ">= 3 AND", ">= 1e30 AND");
            }),
            ("a day without a time", &|shop| shop.edit(SPRING, "\"now\" ", "2027-03-03 ")),
            ("a time without a day", &|shop| shop.edit(SPRING, "\"now\" ", "09:30:00 ")),
            ("a day that does not exist", &|shop| shop.edit(SPRING, "\"now\" ", "2027-02-30T09:30:00 ")),
            ("a time in quotes, of a zone that does not exist", &|shop| {
                shop.edit(SPRING, "\"now\" ", "\"2027-03-03T09:30:00[Asia/Soul]\" ");
            }),
        ],
    );
}

#[test]
fn names() {
    shown(
        "campaigns_names",
        &[
            ("names with typos", &|shop| {
                shop.edit(SPRING, "\"newsletter\"", "\"newsleter\"");
                shop.edit(SPRING, "\"hello\"", "\"helo\"");
                shop.edit(SPRING, "\"letters/spring\" ", "\"letters/sprng\"\nrelay = \"primry\" ");
                shop.edit(SPRING, "\"subscribers\"", "\"subscriber\"\nexclude = [\"lapsing\", \"regular\"]");
            }),
            ("names that are not near any", &|shop| {
                shop.edit(SPRING, "\"newsletter\"", "\"xyzzy\"");
                shop.edit(SPRING, "\"hello\"", "\"\"");
                shop.edit(SPRING, "\"letters/spring\" ", "\"봄편지\"\nrelay = \"ses\" ");
                shop.edit(SPRING, "\"subscribers\"", "\"everybody\"");
            }),
            ("a template named with its ending, and one without its folder", &|shop| {
                shop.edit(SPRING, "\"letters/spring\" ", "\"letters/spring.mjml\" ");
                shop.edit("campaigns/how-are-we.toml", "\"letters/how-are-we\"", "\"how-are-we\"");
            }),
            ("nothing to name", &|shop| {
                shop.write("dangol.toml", shop.read("dangol.toml").split("[sender.hello]").next().unwrap());
                for name in ["birthday", "korean-readers", "lapsing", "newcomers", "regulars", "subscribers"] {
                    shop.remove(&format!("segments/{name}.toml"));
                }
                std::fs::remove_dir_all(shop.path("templates")).unwrap();
                shop.remove("campaigns/how-are-we.toml");
            }),
            ("one id twice", &|shop| {
                shop.edit("campaigns/how-are-we.toml", "title ", "id = \"spring\"\ntitle ");
            }),
            ("ids and file names that cannot be", &|shop| {
                shop.edit("campaigns/how-are-we.toml", "title ", "id = \"How Are We?\"\ntitle ");
                shop.write("campaigns/Spring Letter.toml", shop.read(SPRING));
                shop.write("campaigns/2027/spring.toml", shop.read(SPRING));
            }),
            ("what it was: another that still stands, itself, and one that two were", &|shop| {
                shop.edit(SPRING, "title ", "was = \"how-are-we\"\ntitle ");
                shop.edit("campaigns/how-are-we.toml", "title ", "was = \"how-are-we\"\ntitle ");
                shop.write("campaigns/a.toml", shop.read(SPRING).replace("was = \"how-are-we\"", "was = \"winter\""));
                shop.write("campaigns/b.toml", shop.read(SPRING).replace("was = \"how-are-we\"", "was = \"winter\""));
            }),
            ("a holdout in service mail", &|shop| {
                shop.edit(SPRING, "\"newsletter\"", "\"account\"\nholdout = \"10%\"");
            }),
            ("a holdout of everybody", &|shop| shop.edit(SPRING, "[audience]", "holdout = \"100%\"\n[audience]")),
            ("a holdout of most", &|shop| shop.edit(SPRING, "[audience]", "holdout = \"60%\"\n[audience]")),
            ("an audience that is excluded", &|shop| {
                shop.edit(SPRING, "\"subscribers\"", "\"subscribers\"\nexclude = [\"lapsing\", \"subscribers\"]");
            }),
        ],
    );
}
