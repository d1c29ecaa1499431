//! Rendering: from a template's file to the bytes of a mail.

mod bytes;
pub mod examples;
mod folding;
mod mistakes;
mod safety;
mod templates;

use dangol::config::Problem;
use dangol::config::model::{Choice, Profile, Survey, SurveyKind, TopicKind, Words};
use dangol::render::{CompileOptions, Compiled, Library, Links, Reader, RenderError, Rendered, SiteFacts};
use serde_json::{Value, json};

/// Links that can be read: what was signed stands in them.
pub struct Plain {
    pub pixel: bool,
}

impl Links for Plain {
    fn click(&self, link: u16, url: &str) -> String {
        let url: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
        format!("https://mail.haru.example/c/{link}?to={url}")
    }
    fn open_pixel(&self) -> Option<String> {
        self.pixel.then(|| "https://mail.haru.example/o/token".into())
    }
    fn honeypot(&self) -> Option<String> {
        self.pixel.then(|| "https://mail.haru.example/c/0?to=https%3A%2F%2Fmail.haru.example%2F".into())
    }
    fn unsubscribe(&self) -> String {
        "https://mail.haru.example/u/token".into()
    }
    fn preferences(&self) -> String {
        "https://mail.haru.example/p/token".into()
    }
    fn view(&self) -> String {
        "https://mail.haru.example/v/token".into()
    }
    fn survey(&self, survey: &str, answer: Option<&str>) -> String {
        format!("https://mail.haru.example/s/token?q={survey}&a={}", answer.unwrap_or_default())
    }
}

pub fn library(files: &[(&str, &str)]) -> Library {
    Library {
        templates: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        assets: [("logo.png".to_owned(), "abc123".to_owned())].into(),
    }
}

pub fn options() -> CompileOptions {
    let choice = |value: &str, label: &str| Choice { value: value.into(), label: Words::One(label.into()) };
    let nps = Survey {
        kind: SurveyKind::Nps,
        question: Words::By(
            [("ko", "저희를 추천하시겠어요?"), ("en", "Would you recommend us?")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
        ),
        choices: vec![],
        thanks: None,
    };
    let like = Survey {
        kind: SurveyKind::Choice,
        question: Words::One("What do you grow & like?".into()),
        choices: vec![choice("herbs", "Herbs"), choice("trees", "Trees {{x}}")],
        thanks: None,
    };
    CompileOptions {
        site: SiteFacts {
            name: "Haru Garden".into(),
            url: "https://mail.haru.example".into(),
            address: Some("12 Mapo-daero, Seoul".into()),
            phone: Some("02-000-0000".into()),
            timezone: "Asia/Seoul".parse().unwrap(),
            locale: "en".parse().unwrap(),
            currency: "KRW".parse().unwrap(),
        },
        profile: Profile::Eu,
        kind: TopicKind::Marketing,
        topic: Some(Words::One("Monthly letter".into())),
        from: "Haru Garden <hello@haru.example>".parse().unwrap(),
        campaign: "spring".into(),
        subject: None,
        surveys: [("nps".to_owned(), nps), ("like".to_owned(), like)].into(),
        opens: true,
        clicks: true,
        utm: None,
    }
}

pub fn reader(locale: &str, customer: Value) -> Reader {
    Reader {
        locale: locale.parse().unwrap(),
        timezone: "Asia/Seoul".parse().unwrap(),
        now: "2026-03-03T00:30:00Z".parse().unwrap(),
        data: [("customer".to_owned(), customer)].into_iter().collect(),
    }
}

pub fn compile(files: &[(&str, &str)], options: &CompileOptions) -> Result<Compiled, Vec<Problem>> {
    Compiled::new(&library(files), "t", options)
}

pub fn compiled(files: &[(&str, &str)]) -> Compiled {
    compile(files, &options()).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

pub fn shown(problems: &[Problem]) -> String {
    problems.iter().map(Problem::render).collect()
}

/// An .html template of a subject and a body, rendered.
pub fn html(body: &str, customer: Value) -> Result<Rendered, RenderError> {
    let source = format!("---\nsubject = \"s\"\n---\n{body}");
    compiled(&[("t.html", &source)]).render(&reader("en", customer), &Plain { pixel: false })
}

/// An .mjml template of a subject and a body, rendered.
pub fn mjml(body: &str, customer: Value) -> Result<Rendered, RenderError> {
    let source = format!("---\nsubject = \"s\"\n---\n<mjml><mj-body>{body}</mj-body></mjml>");
    compiled(&[("t.mjml", &source)]).render(&reader("en", customer), &Plain { pixel: false })
}

/// A subject, rendered.
pub fn subject(template: &str, locale: &str, customer: Value) -> Result<String, RenderError> {
    let source = format!("---\nsubject = '''{template}'''\n---\n<p>x</p>");
    let mut options = options();
    options.site.locale = locale.parse().unwrap();
    let compiled = compile(&[("t.html", &source)], &options).unwrap_or_else(|p| panic!("{}", shown(&p)));
    Ok(compiled.render(&reader(locale, customer), &Plain { pixel: false })?.subject)
}

pub fn nobody() -> Value {
    json!({})
}
