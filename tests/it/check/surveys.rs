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
            ("texts that are empty, and labels that are the same", &|shop| {
                shop.edit(TASTE, "en = \"What would you like to grow this spring?\"", "en = \" \"");
                shop.edit(TASTE, "{ ko = \"꽃\", en = \"Flowers\" }", "\"\"");
                shop.edit(TASTE, "{ ko = \"허브\", en = \"Herbs\" }", "\"Green\"");
                shop.edit(TASTE, "ko = \"채소\", en = \"Vegetables\"", "en = \"Green\"");
                shop.append(TASTE, "[[choices]]\nvalue = \"moss\"\nlabel = \"Green\"\n");
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
