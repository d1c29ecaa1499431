//! Mistakes in `segments/*.toml`: their messages point into the condition, wherever that stands in the file.

use super::shown;

#[test]
fn conditions() {
    shown(
        "segments",
        &[
            ("names of all sorts with typos", &|shop| {
                shop.write(
                "segments/typos.toml",
                "title = \"단골\"\nwhere = \"\"\"\ncounts('order', '90d') >= 2\n  AND lokale = 'ko' AND consents('newsleter')\n  AND in_segment('regular')\n  AND clicked('sprng') AND answered('npss')\n  AND lifecycle = 'actve'\n\"\"\"\n",
            );
            }),
            ("behind wide characters, on one line", &|shop| {
                shop.write(
                    "segments/wide.toml",
                    "where = \"name = '홍길동 🌷' AND attr.도시 = '서울' AND scoer > 40\"\n",
                );
            }),
            ("not a condition", &|shop| {
                shop.write("segments/a.toml", "where = \"\"\n");
                shop.write("segments/b.toml", "where = \"score >\"\n");
                shop.write("segments/c.toml", "where = \"score > 40 AN locale = 'ko'\"\n");
                shop.write("segments/d.toml", "where = 'name = \"홍길동\"'\n");
                shop.write("segments/e.toml", "where = \"count('order', 90) > 1\"\n");
                shop.write("segments/f.toml", "where = \"score; DROP TABLE customer\"\n");
                shop.write("segments/g.toml", "where = \"SELECT * FROM customer\"\n");
            }),
            ("a circle", &|shop| {
                shop.write("segments/a.toml", "where = \"score > 40 AND in_segment('b')\"\n");
                shop.write("segments/b.toml", "where = \"in_segment('a') OR in_segment('regulars')\"\n");
                shop.write("segments/c.toml", "where = \"in_segment('a')\"\n");
            }),
            ("keys and types", &|shop| {
                shop.write("segments/a.toml", "titel = \"x\"\nwehre = \"score > 40\"\n");
                shop.write("segments/b.toml", "where = [\"score > 40\", \"locale = 'ko'\"]\n");
                shop.write("segments/c.toml", "where = score > 40\n");
            }),
        ],
    );
}
