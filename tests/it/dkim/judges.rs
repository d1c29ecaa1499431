//! dkimpy and OpenDKIM verify every signature of the mails that we ship templates for, and no altered one.

use super::{both, records, there};
use crate::render::{Plain, examples, options, reader};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dangol::config::model::Profile;
use dangol::render::dkim::Signer;
use dangol::render::mime::{Headers, mail};
use dangol::render::{CompileOptions, Compiled, Rendered};
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// A Python that has dkimpy with Ed25519.
fn python() -> Option<&'static str> {
    let has = |python: &&str| {
        Command::new(python)
            .args(["-c", "import dkim, nacl.signing"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    ["/usr/bin/python3", "python3"].into_iter().find(has)
}

const SCRIPT: &str = r#"
import base64, dkim, json, re, sys
job = json.load(sys.stdin)
records = dict(job["records"])
def dns(name, timeout=5):
    found = records.get(name.decode().rstrip("."))
    return found and found.encode()
def verdicts(text):
    found = []
    for i in range(job["signatures"]):
        try:
            found.append(dkim.DKIM(text).verify(idx=i, dnsfunc=dns))
        except dkim.DKIMException as e:
            found.append(False)
    return found
for mail in job["mails"]:
    mail = base64.b64decode(mail)
    assert len(re.findall(rb"^DKIM-Signature:", mail, re.M)) == job["signatures"], mail[:2000]
    assert all(verdicts(mail)), ("not verified", verdicts(mail), mail[:4000])
    head, body = mail.split(b"\r\n\r\n", 1)
    # what a forger would add or change
    for altered in [
        b"From: evil@evil.example\r\n" + mail,
        head + b"\r\nSubject: another\r\n\r\n" + body,
        head + b"\r\nReply-To: evil@evil.example\r\n\r\n" + body,
        head + b"\r\nList-Unsubscribe: <https://evil.example>\r\n\r\n" + body,
        head.replace(b"One-Click", b"One-Clack") + b"\r\n\r\n" + body,
        head + b"\r\n\r\n" + body + b"more\r\n",
    ]:
        assert altered == mail or not any(verdicts(altered)), ("verified though altered", altered[:3000])
    # what relays do on the way
    for relayed in [
        b"Received: from a by b; Tue, 2 Mar 2027 03:00:00 +0000\r\n" + mail,
        head.replace(b"MIME-Version: 1.0", b"mime-version:   1.0 ") + b"\r\n\r\n" + body + b"\r\n\r\n",
    ]:
        assert all(verdicts(relayed)), ("not verified after a relay", relayed[:3000])
print("verified", len(job["mails"]))
"#;

/// That dkimpy verifies both signatures of each.
pub fn dkimpy(mails: &[Vec<u8>]) {
    let Some(python) = python().filter(|_| !mails.is_empty()) else {
        there("dkimpy (python3-dkim, python3-nacl)", false);
        return;
    };
    let encoded: Vec<String> = mails.iter().map(|mail| STANDARD.encode(mail)).collect();
    let job = json!({ "records": records(), "signatures": 2, "mails": encoded }).to_string();
    let mut child =
        Command::new(python).args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(job.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "dkimpy does not verify");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("verified {}", mails.len()));
}

/// That OpenDKIM verifies each.
pub fn opendkim(mails: &[Vec<u8>]) {
    let installed = Command::new("opendkim").arg("-V").output().is_ok();
    if !there("OpenDKIM (opendkim)", installed) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    // a line a key
    let keys: String = records().iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    std::fs::write(file("keys"), keys).unwrap();
    let conf = format!("Mode v\nSyslog no\nTestPublicKeys {}\nOn-BadSignature accept\n", file("keys").display());
    std::fs::write(file("conf"), conf).unwrap();
    let run = |mail: &[u8]| {
        std::fs::write(file("mail"), mail).unwrap();
        // twice -v: what it would write into the mail, each signature for itself
        let output =
            Command::new("opendkim").arg("-x").arg(file("conf")).args(["-v", "-v", "-t"]).arg(file("mail")).output();
        let output = output.unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for mail in mails {
        let said = run(mail);
        let verified = said.matches("dkim=pass").count();
        assert!(verified == 2 && said.contains("rsa-sha256") && said.contains("ed25519-sha256"), "{said}");
        assert!(!said.contains("dkim=fail"), "{said}");
    }
    let mut altered = mails[0].clone();
    let last = altered.len() - 8;
    altered[last] ^= 1;
    let said = run(&altered);
    assert!(said.contains("dkim=fail") && !said.contains("dkim=pass"), "verified though altered: {said}");
}

/// Each template that we ship, in both languages, as it would go out.
pub fn shipped() -> Vec<(String, Vec<u8>)> {
    let library = examples::example();
    let signer = Signer::new("haru.example", both());
    let customer = json!({
        "email": "hong@haru.example", "name": "홍길동", "first_name": "길동", "purchases": 12,
        "last_purchase_at": "2026-02-20T03:00:00Z", "birthday": "1990-05-05"
    });
    let mut mails = Vec::new();
    for name in library.names() {
        for (locale, profile) in [("ko", Profile::Kr), ("en", Profile::Eu)] {
            let options = CompileOptions { profile, ..options() };
            let compiled = Compiled::new(&library, name, &options).unwrap();
            let mut reader = reader(locale, customer.clone());
            reader.data.insert("grant".into(), json!({ "points": 500 }));
            reader.data.insert("reward".into(), json!({ "petals": { "balance": 500 } }));
            let merged = compiled.merge(reader, &Plain { pixel: true }).unwrap();
            let mut bytes = mail(&merged, &headers(locale)).unwrap();
            signer.sign(&mut bytes, "2025-03-04T03:00:00Z".parse().unwrap()).unwrap();
            mails.push((format!("{name} {locale}"), bytes));
        }
    }
    mails
}

fn headers(locale: &str) -> Headers {
    let korean = locale == "ko";
    Headers {
        from: if korean { "하루 정원 <hello@haru.example>" } else { "Haru Garden <hello@haru.example>" }
            .parse()
            .unwrap(),
        reply_to: Some("care@haru.example".parse().unwrap()),
        to: "hong@customers.example".parse().unwrap(),
        to_name: Some("홍길동".into()),
        date: "2025-03-04T03:00:00Z".parse().unwrap(),
        message_id: "42.0123456789abcdef".into(),
        list_unsubscribe: Some((
            "https://mail.haru.example/u/token".into(),
            "mailto:care@haru.example?subject=unsubscribe".into(),
        )),
        list_id: Some("newsletter.haru.example".into()),
        feedback_id: Some("spring:newsletter:dangol:haru.example".into()),
    }
}

#[test]
fn every_signature_of_the_shipped_templates_is_verified() {
    let mails: Vec<Vec<u8>> = shipped().into_iter().map(|(_, mail)| mail).collect();
    assert!(mails.len() >= 8, "{}", mails.len());
    for mail in &mails {
        let text = String::from_utf8_lossy(mail);
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']) && text.split("\r\n").all(|line| line.len() <= 998));
    }
    dkimpy(&mails);
    opendkim(&mails);
}

#[test]
fn mail_of_any_shape_is_verified() {
    let signer = Signer::new("haru.example", both());
    let mut mails = Vec::new();
    for (subject, text) in [
        ("s", ""),
        ("two  spaces and a trailing tab", "a \t\r\n\r\n\r\n  b\r\n\r\n\r\n"),
        ("مرحبا 🙂 홍길동", &"긴 줄 ".repeat(3_000)),
        ("=?UTF-8?B?aGk=?=", &"x".repeat(50_000)),
        (&"word ".repeat(60), ".\r\n..\r\nFrom me\r\n"),
    ] {
        let rendered = Rendered {
            subject: subject.into(),
            preheader: String::new(),
            html: format!("<p>{text}</p>"),
            text: text.into(),
        };
        for service in [false, true] {
            let mut headers = headers("ko");
            if service {
                (headers.list_unsubscribe, headers.list_id, headers.reply_to) = (None, None, None);
            }
            let mut bytes = mail(&(&rendered).into(), &headers).unwrap();
            signer.sign(&mut bytes, "2025-03-04T03:00:00Z".parse().unwrap()).unwrap();
            mails.push(bytes);
        }
    }
    dkimpy(&mails);
    opendkim(&mails);
}
