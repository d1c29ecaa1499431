//! Files that are not TOML: every line that is wrong is told of, in words that say what to write, and nothing is made
//! up about the others.

use super::shown;

const SPRING: &str = "campaigns/spring.toml";

#[test]
fn syntax() {
    shown(
        "syntax",
        &[
            ("several mistakes in one file", &|shop| {
                shop.write(
                SPRING,
                "title = “봄 편지”\ntopic = newsletter\nsender = \"hello\nsend: \"letters/spring\"\nholdout = 10%\n\n[audience]\nsegment \"subscribers\"\nexclude = [\"lapsing\" \"regulars\"]\n\n[schedule]\nat = 2027-3-3 9:30\nstale =\n",
            );
            }),
            ("the lines that can be read are judged", &|shop| {
                shop.edit(SPRING, "\"Spring letter\"", "Spring letter");
                shop.edit(SPRING, "\"subscribers\"", "\"subscriber\"");
                shop.edit(SPRING, "stale = ", "stael = ");
            }),
            ("a list that is not closed", &|shop| {
                shop.edit(
                    SPRING,
                    "segment = \"subscribers\"",
                    "segment = \"subscribers\"\nexclude = [\"lapsing\", \"regulars\"",
                );
            }),
            ("a table that is not closed", &|shop| shop.edit(SPRING, "[audience]", "[audience")),
            ("a text over lines that is not closed", &|shop| {
                shop.edit("segments/lapsing.toml", "365\n\"\"\"", "365\n");
            }),
            ("a table within braces", &|shop| {
                shop.edit(
                    "dangol.toml",
                    "{ ko = \"월간 편지\", en = \"Monthly letter\" }",
                    "{ ko = \"월간 편지\", en: \"Monthly letter\" }",
                );
            }),
            ("things written twice", &|shop| {
                shop.edit(SPRING, "sender  = \"hello\"", "sender  = \"hello\"\ntopic = \"offers\"");
                shop.append(SPRING, "\n[audience]\nsegment = \"regulars\"\n");
            }),
            ("numbers and words as people write them", &|shop| {
                shop.edit("dangol.toml", "connections = 8", "connections = 08\ndaily = 500,000");
                shop.append("dangol.toml", "[tracking]\nutm = True\nopens = yes\n");
            }),
            ("a letter instead of a file", &|shop| {
                shop.write("campaigns/letter.toml", "Dear all,\n\nplease send the spring letter.\n");
            }),
        ],
    );
}
