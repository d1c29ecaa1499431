//! Mistakes in `surveys/*.toml`.

use super::shown;

const TASTE: &str = "surveys/taste.toml";

#[test]
fn surveys() {
    shown(
        "surveys",
        &[
            ("no choices", &|shop| {
                let text = shop.read(TASTE);
                shop.write(TASTE, text.split("\n[[choices]]").next().unwrap());
            }),
            ("one choice, and a value twice", &|shop| {
                shop.write(
                    "surveys/one.toml",
                    "kind = \"choice\"\nquestion = \"?\"\n[[choices]]\nvalue = \"a\"\nlabel = \"A\"\n",
                );
                shop.edit(TASTE, "\"herbs\"", "\"flowers\"");
                shop.edit(TASTE, "\"vegetables\"", "\"Root vegetables\"");
            }),
            ("choices where there are none", &|shop| {
                shop.append("surveys/nps.toml", "[[choices]]\nvalue = \"a\"\nlabel = \"A\"\n");
            }),
            ("keys, types and words", &|shop| {
                shop.edit(TASTE, "\"choice\"", "\"choices\"");
                shop.edit(TASTE, "value = \"herbs\"\n", "");
                shop.edit(TASTE, "label = { ko = \"꽃\", en = \"Flowers\" }", "label = 3\ncolour = \"red\"");
                shop.edit("surveys/nps.toml", "question = { ko", "question = { korean = 3, ko");
            }),
            ("a choice without double brackets", &|shop| {
                shop.write(
                    "surveys/one.toml",
                    "kind = \"choice\"\nquestion = \"?\"\n[choices]\nvalue = \"a\"\nlabel = \"A\"\n",
                );
            }),
        ],
    );
}
