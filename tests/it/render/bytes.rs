//! The bytes of a mail: golden files, read again by two other programs; headers that nobody can add to.

use super::*;
use dangol::render::mime::{self, Headers, MimeError};
use mail_parser::MessageParser;
use proptest::prelude::*;
use std::io::Write as _;
use std::process::{Command, Stdio};

fn headers() -> Headers {
    Headers {
        from: "하루 정원 <hello@haru.example>".parse().unwrap(),
        reply_to: Some("care@haru.example".parse().unwrap()),
        to: "hong@예시.한국".parse().unwrap(),
        to_name: Some("홍길동".into()),
        date: "2026-03-03T00:30:00Z".parse().unwrap(),
        message_id: "m1.abc".into(),
        list_unsubscribe: Some(("https://mail.haru.example/u/token".into(), "mailto:u+token@haru.example".into())),
        list_id: Some("newsletter.haru.example".into()),
        feedback_id: Some("spring:newsletter:dangol".into()),
    }
}

fn rendered(subject: &str, text: &str, html: &str) -> Rendered {
    Rendered { subject: subject.into(), preheader: String::new(), html: html.into(), text: text.into() }
}

fn mail(rendered: &Rendered, headers: &Headers) -> Result<Vec<u8>, MimeError> {
    mime::mail(&rendered.into(), headers)
}

fn sane(bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "every line break is CRLF");
    assert!(text.split("\r\n").all(|line| line.len() <= 998));
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.split("\r\n").all(|line| line.len() <= 78 || !line.contains("=?")), "{head}");
}

fn python(bytes: &[u8]) {
    let script = r#"
import sys, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
bad = [d for p in m.walk() for d in p.defects] + [d for k, v in m.items() for d in v.defects]
assert not bad, bad
assert m.get_content_type() == "multipart/alternative", m.get_content_type()
assert [p.get_content_type() for p in m.iter_parts()] == ["text/plain", "text/html"]
assert len(m["to"].addresses) == 1 and len(m["from"].addresses) == 1
sys.stdout.reconfigure(encoding="utf-8")
print(m["subject"]); print(m["from"].addresses[0].display_name); print(m.get_body(("plain",)).get_content(), end="")
"#;
    let Ok(mut child) =
        Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    else {
        eprintln!("SKIPPED: reading the mail with Python, which is not installed");
        return;
    };
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "Python finds defects");
    let said = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    let parsed = MessageParser::default().parse(bytes).unwrap();
    let mut lines = said.splitn(3, '\n');
    assert_eq!(lines.next(), parsed.subject());
    let from = parsed.from().unwrap().first().unwrap();
    // Python leaves the folding between the encoded words of a name in it (RFC 2047, 6.2, says to drop it)
    let bare = |name: &str| name.replace(' ', "");
    assert_eq!(bare(lines.next().unwrap_or_default()), bare(from.name().unwrap_or_default()));
    assert_eq!(
        lines.next().unwrap_or_default().trim_end(),
        parsed.body_text(0).unwrap().replace("\r\n", "\n").trim_end()
    );
}

#[test]
fn golden_mails() {
    let library = super::examples::example();
    let customer = json!({
        "email": "hong@예시.한국", "name": "홍길동", "first_name": "길동", "purchases": 12,
        "last_purchase_at": "2026-02-20T03:00:00Z", "birthday": "1990-05-05"
    });
    for (file, name, locale, profile) in [
        ("spring.ko", "letters/spring", "ko", Profile::Kr),
        ("welcome.en", "letters/welcome", "en", Profile::Eu),
        ("how-are-we.ko", "letters/how-are-we", "ko", Profile::Kr),
    ] {
        let options = CompileOptions { profile, ..options() };
        let compiled = Compiled::new(&library, name, &options).unwrap();
        let merged = compiled.merge(reader(locale, customer.clone()), &Plain { pixel: true }).unwrap();
        let (rendered, bytes) = (merged.rendered(), mime::mail(&merged, &headers()).unwrap());
        sane(&bytes);
        python(&bytes);
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(parsed.subject().unwrap(), rendered.subject);
        assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), rendered.text);
        assert_eq!(parsed.body_html(0).unwrap().replace("\r\n", "\n").trim_end(), rendered.html.trim_end());
        assert_eq!(parsed.message_id().unwrap(), "m1.abc@haru.example");
        assert_eq!(parsed.to().unwrap().first().unwrap().name().unwrap(), "홍길동");
        let address = parsed.to().unwrap().first().unwrap().address().unwrap().to_owned();
        assert!(address == headers().to.as_str() && address.starts_with("hong@xn--"), "{address}");
        let path = format!("{}/tests/golden/{file}.eml", env!("CARGO_MANIFEST_DIR"));
        if std::env::var("DANGOL_UPDATE_GOLDEN").is_ok() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let golden = std::fs::read(&path).unwrap_or_default();
        assert!(
            golden == bytes,
            "{path} is not what is written now; look at the difference after DANGOL_UPDATE_GOLDEN=1 cargo test golden"
        );
    }
}

#[test]
fn the_headers_of_a_marketing_mail_are_all_there() {
    let bytes = mail(&rendered("Hi", "a\n", "<p>a</p>"), &headers()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for line in [
        "Subject: Hi\r\n",
        "Date: Tue, 3 Mar 2026 00:30:00 +0000\r\n",
        "Message-ID: <m1.abc@haru.example>\r\n",
        "Reply-To: care@haru.example\r\n",
        "List-Unsubscribe: <https://mail.haru.example/u/token>,\r\n <mailto:u+token@haru.example>\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        "List-ID: <newsletter.haru.example>\r\n",
        "Feedback-ID: spring:newsletter:dangol\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Transfer-Encoding: 7bit\r\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let service = Headers { list_unsubscribe: None, list_id: None, feedback_id: None, reply_to: None, ..headers() };
    let text = String::from_utf8(mail(&rendered("Hi", "a", "b"), &service).unwrap()).unwrap();
    assert!(!text.contains("List-") && !text.contains("Reply-To"));
}

#[test]
fn any_text_comes_back_as_it_was() {
    for text in [
        "",
        "a",
        "a\n",
        "short\n.\n..dot\nFrom me\n",
        "trailing \t\nspace \n",
        &"x".repeat(5_000),
        &"가나다 ".repeat(2_000),
        "half 가나 half ascii text here = sign =41",
        "tab\tbell\u{7}nul\u{0}x",
        "\u{feff}bom 🙂 مرحبا\r\nline\rline\n",
        "a\n\n\nb",
    ] {
        let bytes = mail(&rendered("s", text, &format!("<p>{text}</p>")), &headers()).unwrap();
        sane(&bytes);
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let normal = |t: &str| t.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned();
        assert_eq!(normal(&parsed.body_text(0).unwrap()), normal(text));
        assert_eq!(normal(&parsed.body_html(0).unwrap()), normal(&format!("<p>{text}</p>")));
        python(&bytes);
    }
}

#[test]
fn subjects_of_any_length_and_script_come_back() {
    for subject in [
        "Plain",
        "(광고) 봄 소식이 도착했습니다, 김민지님! 올해는 무엇을 심으시나요? 씨앗과 모종을 모두 준비했습니다 🌱🌷🌻",
        &"word ".repeat(60),
        &"x".repeat(300),
        "مرحبا بكم",
        "=?UTF-8?B?aGk=?=",
        "a  b",
        "emoji 👨‍👩‍👧‍👦 family",
        "ends with \"quotes\"",
    ] {
        let subject = subject.trim();
        let bytes = mail(&rendered(subject, "a", "b"), &headers()).unwrap();
        sane(&bytes);
        assert_eq!(MessageParser::default().parse(&bytes).unwrap().subject().unwrap(), subject);
        python(&bytes);
    }
}

#[test]
fn names_of_any_kind_come_back() {
    for name in [
        "Haru",
        "Haru, Garden (Seoul)",
        "a \"b\" \\c",
        "하루 정원과 아주 긴 이름을 가진 가게의 뉴스레터 담당자 홍길동",
        "O'Neil & Co.",
        "x@y.example",
        "=?x?=",
        "مريم",
    ] {
        let mut headers = headers();
        headers.from.name = Some(name.into());
        let bytes = mail(&rendered("s", "a", "b"), &headers).unwrap();
        sane(&bytes);
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let from = parsed.from().unwrap().first().unwrap();
        assert_eq!((from.name().unwrap(), from.address().unwrap()), (name, "hello@haru.example"));
        python(&bytes);
    }
}

#[test]
fn what_would_be_another_header_is_refused() {
    let bad = "x\r\nBcc: evil@x.example";
    let good = || rendered("s", "a", "b");
    let control = |header| Err(MimeError::Control { header });
    assert_eq!(mail(&rendered(bad, "a", "b"), &headers()), control("Subject"));
    assert_eq!(mail(&good(), &Headers { to_name: Some(bad.into()), ..headers() }), control("To"));
    assert_eq!(mail(&good(), &Headers { message_id: bad.into(), ..headers() }), control("Message-ID"));
    assert_eq!(mail(&good(), &Headers { list_id: Some(bad.into()), ..headers() }), control("List-ID"));
    assert_eq!(mail(&good(), &Headers { feedback_id: Some(bad.into()), ..headers() }), control("Feedback-ID"));
    let unsubscribe =
        |https: &str| Headers { list_unsubscribe: Some((https.into(), "mailto:u@x.example".into())), ..headers() };
    assert_eq!(mail(&good(), &unsubscribe("https://x\r\nBcc: a")), control("List-Unsubscribe"));
    assert!(matches!(mail(&good(), &unsubscribe("javascript:x")), Err(MimeError::Value { .. })));
    assert!(matches!(mail(&good(), &unsubscribe("https://x/>, <y")), Err(MimeError::Value { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_name_and_no_text_adds_a_header(name in any::<String>(), text in any::<String>(), raw in any::<bool>()) {
        const OURS: [&str; 13] = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe",
            "List-Unsubscribe-Post", "List-ID", "Feedback-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
        // as a template would have it, or straight to the last line of defence
        thread_local! {
            static COMPILED: Compiled =
                compiled(&[("t.html", "---\nsubject = \"x {{customer.name}}\"\n---\n<p>{{customer.name}}</p>")]);
        }
        let headers = Headers { to_name: Some(name.clone()), ..headers() };
        let made = if raw {
            mail(&rendered(&name, &text, &text), &headers)
        } else {
            let reader = reader("en", json!({ "name": name }));
            let merged = |compiled: &Compiled| {
                compiled.merge(reader, &Plain { pixel: false }).map(|merged| mime::mail(&merged, &headers))
            };
            match COMPILED.with(merged) {
                Ok(made) => made,
                Err(_) => return Ok(()),
            }
        };
        if let Ok(bytes) = made {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let (head, _) = text.split_once("\r\n\r\n").unwrap();
            for line in head.split("\r\n").filter(|line| !line.starts_with(' ')) {
                prop_assert!(OURS.contains(&line.split(':').next().unwrap()), "{line}");
            }
            prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
            prop_assert_eq!(MessageParser::default().parse(&bytes).unwrap().to().unwrap().iter().count(), 1);
        }
    }
}
