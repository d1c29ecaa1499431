//! Files as they come from editors and disks: encodings, sizes, line ends, things that are not files.

use super::{Shop, shown};

const SPRING: &str = "campaigns/spring.toml";

#[test]
fn encodings_and_sizes() {
    shown(
        "files",
        &[
            ("CP949, as an old editor saves it", &|shop| {
                let (bytes, ..) = encoding_rs::EUC_KR.encode("topic = \"newsletter\"\ntitle = \"봄 편지\"\n");
                shop.write(SPRING, bytes);
            }),
            ("UTF-16, as Notepad saves it", &|shop| {
                let bytes: Vec<u8> = "\u{feff}topic = \"x\"\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
                shop.write(SPRING, bytes);
            }),
            ("a file far too large", &|shop| shop.write(SPRING, vec![b'#'; 2 << 20])),
            ("a picture far too large", &|shop| shop.write("assets/logo.png", vec![0; 17 << 20])),
            ("files in the wrong place", &|shop| {
                shop.write("campaign/summer.toml", "topic = \"newsletter\"\n");
                shop.write("template/x.mjml", "x");
                shop.write("segments/readme.md", "x");
                shop.write("docs/plan.md", "nobody's business");
            }),
            ("control characters", &|shop| {
                shop.edit("dangol.toml", "Haru Garden\"\nurl", "Haru\\u0007Garden\"\nurl");
                shop.edit("dangol.toml", "\"Haru Garden <", "\"Haru\\r\\nBcc: x@y.example <");
            }),
        ],
    );
}

#[test]
fn line_ends_and_marks_do_not_move_the_place() {
    shown(
        "files_places",
        &[
            ("lines that end as on Windows", &|shop| {
                shop.edit(SPRING, "\"subscribers\"", "\"subscriber\"");
                shop.write(SPRING, shop.read(SPRING).replace('\n', "\r\n"));
                shop.write(
                    "segments/w.toml",
                    "title = \"창\"\r\nwhere = '''\r\nscore > 40\r\n  AND 이름 = '홍길동'\r\n'''\r\n",
                );
            }),
            ("a mark of the byte order", &|shop| {
                let text = shop.read(SPRING).replace("#:schema ../.schema/campaign.json\n", "");
                let text = text.lines().skip(1).collect::<Vec<_>>().join("\n");
                shop.write(SPRING, format!("\u{feff}{}", text.replace("title ", "titel ")));
            }),
            ("wide characters before the place", &|shop| {
                shop.edit("dangol.toml", "ko = \"월간 편지\", en = ", "ko = \"월간 편지 🌷\", en = 3 }#");
                shop.edit(SPRING, "[audience]\n", "[audience]\nexclude = [\"정원\", \"🌷🌷\"]\n");
            }),
            ("tabs before the place", &|shop| {
                shop.edit(SPRING, "segment = \"subscribers\"", "\tsegment\t=\t\"subscriber\"")
            }),
            ("a line longer than any screen", &|shop| {
                let long = "score > 1 AND ".repeat(40);
                shop.write("segments/long.toml", format!("where = \"{long}scoer > 1 AND {long}score > 1\"\n"));
            }),
        ],
    );
}

#[test]
fn an_empty_workspace_has_no_mistakes() {
    let shop = Shop::new();
    for folder in ["assets", "campaigns", "segments", "surveys", "templates"] {
        std::fs::remove_dir_all(shop.path(folder)).unwrap();
    }
    assert_eq!(shop.problems(), []);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_told_of_and_not_waited_for() {
    let link = |shop: &Shop, to: &str, at: &str| std::os::unix::fs::symlink(shop.path(to), shop.path(at)).unwrap();
    shown(
        "files_none",
        &[
            ("a link to nowhere", &|shop| link(shop, "gone.toml", "campaigns/lost.toml")),
            ("a link to a folder", &|shop| link(shop, "assets", "segments/folder.toml")),
            ("a pipe", &|shop| {
                let made = std::process::Command::new("mkfifo").arg(shop.path("surveys/pipe.toml")).status().unwrap();
                assert!(made.success());
            }),
        ],
    );
}
