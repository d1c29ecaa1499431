//! Keys: `dkim keygen` makes them, `check` tells of those that are missing or wrong, with the place.

use super::{Shop, keys};
use crate::dkim::pem;
use dangol::render::dkim::{Algorithm, Key, record};
use std::os::unix::fs::PermissionsExt as _;

fn mode(shop: &Shop, file: &str) -> u32 {
    std::fs::metadata(shop.dir.path().join(file)).unwrap().permissions().mode() & 0o777
}

#[test]
fn keygen_writes_a_key_and_shows_its_record() {
    let shop = Shop::empty();
    for (selector, algorithm) in [("d1", Algorithm::Rsa), ("e1", Algorithm::Ed25519)] {
        let answer = shop.json(&["dkim", "keygen", "--selector", selector, "--algorithm", algorithm.kind()]);
        assert_eq!(keys(&answer), ["sender", "selector", "algorithm", "file", "record"]);
        let file = answer["file"].as_str().unwrap();
        assert_eq!((file, mode(&shop, file)), (format!(".secret/{selector}.pem").as_str(), 0o600));
        let key = Key::read(&shop.dir.path().join(file)).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(answer["record"]["name"], format!("{selector}._domainkey.haru.example"));
        let value = answer["record"]["value"].as_str().unwrap();
        assert!(record::matches(&record::parse(value).unwrap(), algorithm, key.public()), "{value}");
        let zone = answer["record"]["zone"].as_str().unwrap();
        let texts: Vec<&str> = zone.split('"').skip(1).step_by(2).collect();
        assert!(texts.iter().all(|text| text.len() <= 255) && texts.concat() == value, "{zone}");
    }
    let before = std::fs::read(shop.dir.path().join(".secret/d1.pem")).unwrap();
    shop.run(&["dkim", "keygen"]).failed("exists already and was left alone");
    assert_eq!(std::fs::read(shop.dir.path().join(".secret/d1.pem")).unwrap(), before);
    let said = shop.run(&["dkim", "keygen", "--selector", "d2"]).done();
    assert!(
        said.contains("name   d2._domainkey.haru.example\n") && said.contains("value  v=DKIM1; k=rsa; p="),
        "{said}"
    );
    assert!(said.contains("dkim = { selector = \"d2\", key = \".secret/d2.pem\" }"), "{said}");
    assert!(!said.contains("PRIVATE KEY"), "a private key is shown");
    shop.run(&["dkim", "keygen", "--sender", "helo"]).failed("did you mean `hello`?");
    shop.run(&["dkim", "keygen", "--selector", "a b"]).misused("is not a selector");
    // a key that dangol.toml names already goes where it expects it
    shop.edit("dangol.toml", "reply_to =", "dkim = { selector = \"x9\", key = \".secret/mail.pem\" }\nreply_to =");
    assert_eq!(shop.json(&["dkim", "keygen", "--selector", "x9"])["file"], ".secret/mail.pem");
    shop.run(&["check"]).done();
    shop.edit("dangol.toml", "[sender.hello]", "[sender.other]\nfrom = \"o@haru.example\"\n[sender.hello]");
    shop.run(&["dkim", "keygen", "--selector", "d3"]).misused("say which with --sender (hello, other)");
}

#[test]
fn check_tells_of_keys_that_cannot_be_used() {
    let shop = Shop::empty();
    shop.edit("dangol.toml", "reply_to =", "dkim = { selector = \"d1\", key = \".secret/d1.pem\" }\nreply_to =");
    let said = shop.run(&["check"]);
    assert_eq!(said.code, 1);
    for words in [
        "error[dkim]: there is no key in ",
        " --> dangol.toml:27:33\n",
        "dangol dkim keygen --sender hello --selector d1",
    ] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    // where only files are checked, there are no keys
    assert!(shop.run(&["check", "--offline"]).done().contains("warning[dkim]: there is no key in "));
    let path = shop.dir.path().join(".secret/d1.pem");
    let put = |text: &str, mode: u32| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        shop.run(&["check"])
    };
    for (text, words) in [
        ("hunter2", "it is not PEM"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\naGk=\n-----END ENCRYPTED PRIVATE KEY-----\n", "passphrase"),
        ("-----BEGIN PUBLIC KEY-----\naGk=\n-----END PUBLIC KEY-----\n", "the public half"),
        ("-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n", "it is a certificate"),
        ("-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n", "neither RSA nor Ed25519"),
        (include_str!("../dkim/short.pem"), "shorter than 2048 bits"),
    ] {
        let said = put(text, 0o600);
        assert!(said.code == 1 && said.out.contains(words), "{words}: {}", said.out);
        assert!(!said.out.contains("hunter2") && !said.out.contains("aHVudGVyMg"), "a key is shown");
    }
    let said = put(pem(Algorithm::Ed25519), 0o644);
    assert!(said.out.contains("can be read by others on this machine (mode 644)") && said.out.contains("chmod 600"));
    let said = put(pem(Algorithm::Ed25519), 0o600).done();
    assert!(said.contains("Ed25519 alone"), "{said}");
    assert!(put(pem(Algorithm::Rsa), 0o600).done().contains("no mistakes"));
    shop.edit(
        "dangol.toml",
        "{ selector = \"d1\", key = \".secret/d1.pem\" }",
        "[{ selector = \"d1\", key = \".secret/d1.pem\" }, { selector = \"D1\", key = \".secret/d1.pem\" }]",
    );
    assert!(shop.run(&["check"]).out.contains("the selector `d1` stands here twice"));
    shop.edit("dangol.toml", "\"D1\"", "\"d 1\"");
    assert!(shop.run(&["check"]).out.contains("is not a selector"));
}

#[test]
fn keys_of_openssl_are_read() {
    // PKCS#1 and PKCS#8, as `openssl genrsa -traditional`, `openssl genrsa` and `openssl genpkey -algorithm ed25519` write them
    for (text, algorithm) in [
        (include_str!("../dkim/pkcs1.pem"), Algorithm::Rsa),
        (include_str!("../dkim/pkcs8.pem"), Algorithm::Rsa),
        (include_str!("../dkim/ed25519.pem"), Algorithm::Ed25519),
    ] {
        let key = Key::from_pem(text).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert!(!format!("{key:?}").contains("pem"));
    }
    assert_eq!(
        Key::from_pem(include_str!("../dkim/pkcs1.pem")).unwrap().public(),
        Key::from_pem(include_str!("../dkim/pkcs8.pem")).unwrap().public()
    );
}
