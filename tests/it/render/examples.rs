//! The templates that `init` writes: they pass the check that marketers' templates have to pass, and they look whole.

use super::*;
use dangol::render::{Known, check};
use std::path::Path;

/// The example workspace's templates and pictures.
pub fn example() -> Library {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/workspace");
    let mut library = Library::default();
    let mut folders = vec![root.join("templates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root.join("templates")).unwrap().to_str().unwrap().replace('\\', "/");
                library.templates.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    library.assets.insert("logo.png".into(), "0123abcd".into());
    library
}

#[test]
fn they_have_no_problems() {
    let library = example();
    let known = Known { attributes: Some([].into()), extra: ["grant.*", "reward.*"].map(str::to_owned).into() };
    for profile in [Profile::Kr, Profile::Eu, Profile::Us] {
        let options = CompileOptions { profile, ..options() };
        for name in library.names() {
            let problems = check(&library, name, &options, &known);
            assert!(problems.is_empty(), "{}", shown(&problems));
        }
    }
    assert!(library.names().len() >= 3);
}

#[test]
fn they_render_in_both_languages() {
    let library = example();
    let options = CompileOptions { profile: Profile::Kr, ..options() };
    let customer = json!({
        "email": "minji@haru.example", "name": "김민지", "first_name": "민지", "purchases": 3,
        "last_purchase_at": "2026-02-20T03:00:00Z", "birthday": "1990-05-05"
    });
    for name in library.names() {
        let compiled = Compiled::new(&library, name, &options).unwrap();
        for locale in ["ko", "en"] {
            let mut reader = reader(locale, customer.clone());
            reader.data.insert("grant".into(), json!({ "points": 500, "expires": "2029-03-02T03:00:00Z" }));
            reader.data.insert("reward".into(), json!({ "petals": { "balance": 500, "pending": 0 } }));
            let mail = compiled.render(&reader, &Plain { pixel: true }).unwrap();
            assert!(mail.subject.starts_with("(광고) "));
            assert!(mail.html.contains("/a/0123abcd") && mail.html.contains("/u/token"), "{name}");
            for part in [&mail.html, &mail.text, &mail.subject] {
                assert!(!part.contains("{{") && !part.contains("zhb"), "{name} {part}");
            }
            if let Ok(dir) = std::env::var("DANGOL_TEST_WRITE") {
                let file = format!("{dir}/{}.{locale}", name.replace('/', "-"));
                std::fs::write(format!("{file}.html"), &mail.html).unwrap();
                std::fs::write(format!("{file}.txt"), format!("{}\n\n{}", mail.subject, mail.text)).unwrap();
            }
        }
    }
}
