//! Recipients who behave as people do, and as the machines in front of them do. [`plan`] says what will be fetched after
//! a mail has come, by whom and when; [`perform`] does one of these things over real HTTP. What a person does follows from
//! the planted truth, the person's number and the occasion alone.

use super::letter::{Letter, LinkKind};
use super::person::{Person, Pictures};
use super::random::Random;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, Method, redirect};
use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// Something that somebody does after a mail has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// After the mail was delivered.
    pub after: Duration,
    /// Who does it.
    pub who: Who,
    /// What.
    pub request: Request,
    /// The `User-Agent`.
    pub agent: &'static str,
    /// Sent as `X-Forwarded-For`.
    pub ip: Ipv4Addr,
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The customer.
    Human,
    /// A security scanner.
    Scanner,
    /// A proxy for pictures.
    Proxy,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Looks at a page or a picture.
    Get(Url),
    /// Asks whether it is there.
    Head(Url),
    /// Sends a form.
    Post(Url, Vec<(String, String)>),
    /// Opens the page of a survey, sees that the answer is filled in or fills it in, and sends its form.
    Answer {
        /// The link in the mail.
        url: Url,
        /// 0 to 10.
        value: u8,
    },
}

/// What an action came to: the status of the last request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The HTTP status.
    pub status: u16,
}

/// Why an action could not be done.
#[derive(Debug, Error)]
pub enum ActError {
    /// Nobody answered.
    #[error("{url} did not answer: {source}")]
    Http {
        /// Of the request.
        url: Url,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// A survey's page cannot be answered.
    #[error("the page at {url} (status {status}) has no form to answer with")]
    NoForm {
        /// Of the page.
        url: Url,
        /// Its status.
        status: u16,
    },
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0",
];
const SCANNERS: &[&str] = &[
    "Mozilla/5.0 (compatible; MailGuardBot/2.1; +https://guard.example/bot)",
    // the cleverer ones look like a browser, and are told by their haste
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
];
const APPLE: &str = "Mozilla/5.0";
const GOOGLE: &str = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

/// What comes of the mail `raw` to `person`, in the order of time.
pub fn plan(person: &Person, raw: &[u8], occasion: &str) -> Vec<Action> {
    plan_letter(person, &Letter::read(raw), occasion)
}

/// The same, of a mail that has been read.
pub fn plan_letter(person: &Person, letter: &Letter, occasion: &str) -> Vec<Action> {
    let mut actions = Vec::new();
    if person.truth.scanner {
        scan(person, letter, &mut actions);
    }
    let mut random = Random::of(occasion, person.number as u64);
    if person.truth.pictures == Pictures::Apple {
        // fetched whether or not anybody reads
        let after = random.between(10 * SECOND, 30 * MINUTE);
        let ip = Ipv4Addr::new(192, 0, 2, 1 + (person.number % 250) as u8);
        actions.extend(letter.pixel.clone().map(|url| action(after, Who::Proxy, Request::Get(url), APPLE, ip)));
    }
    read(person, letter, &mut random, &mut actions);
    actions.sort_by_key(|action| action.after);
    actions
}

/// What a person does who has time for this very mail: opens it, follows the first link, and answers its question.
pub fn plan_answer(person: &Person, raw: &[u8]) -> Vec<Action> {
    let letter = Letter::read(raw);
    let (agent, ip) = (BROWSERS[person.number % BROWSERS.len()], own_address(person));
    let mut actions = Vec::new();
    let mut human = |after: u64, request: Request| actions.push(action(after, Who::Human, request, agent, ip));
    if let Some(url) = &letter.pixel {
        human(5 * MINUTE, Request::Get(url.clone()));
    }
    if let Some(link) = letter.visible(LinkKind::Click).next() {
        human(6 * MINUTE, Request::Get(link.url.clone()));
    }
    if let Some(url) = survey_link(&letter, person.truth.attitude) {
        human(8 * MINUTE, Request::Answer { url, value: person.truth.attitude });
    }
    actions
}

/// A /24 for each: nobody may look like a machine for sharing a network.
fn own_address(person: &Person) -> Ipv4Addr {
    Ipv4Addr::new(10, (person.number >> 8) as u8, (person.number & 0xff) as u8, 7)
}

/// Everything that can be followed, twice, within two seconds of delivery.
fn scan(person: &Person, letter: &Letter, actions: &mut Vec<Action>) {
    let urls: Vec<&Url> = letter.pixel.iter().chain(letter.links.iter().map(|link| &link.url)).collect();
    let agent = SCANNERS[person.number % SCANNERS.len()];
    let ip = Ipv4Addr::new(198, 51, 100, 1 + (person.number % 250) as u8);
    let steps = 2 * urls.len() as u64;
    for (at, url) in urls.into_iter().enumerate() {
        let after = |step: u64| 100 + 1_800 * step / steps;
        actions.push(action(after(2 * at as u64), Who::Scanner, Request::Head(url.clone()), agent, ip));
        actions.push(action(after(2 * at as u64 + 1), Who::Scanner, Request::Get(url.clone()), agent, ip));
    }
}

/// A person opens or does not, and what follows follows from that.
fn read(person: &Person, letter: &Letter, random: &mut Random, actions: &mut Vec<Action>) {
    let truth = &person.truth;
    // every draw is made whatever comes of it, so that one fact can change without moving the others
    let opens = random.per_mille(truth.engagement);
    let delay = delay(random);
    let clicks = random.per_mille(100 + truth.engagement / 2);
    let answers = random.per_mille(truth.engagement * 8 / 10);
    let (choice, pause, agent) = (random.next(), random.between(8 * SECOND, 3 * MINUTE), *random.pick(BROWSERS));
    let ip = own_address(person);
    let mut human = |after: u64, request: Request| actions.push(action(after, Who::Human, request, agent, ip));
    if truth.unsubscribes {
        if let Some(url) = &letter.one_click {
            let form = vec![("List-Unsubscribe".to_owned(), "One-Click".to_owned())];
            human(delay + pause, Request::Post(url.clone(), form));
        }
        return;
    }
    if !opens {
        return;
    }
    let clickable: Vec<&Url> = letter.visible(LinkKind::Click).map(|link| &link.url).collect();
    if clicks && !clickable.is_empty() {
        let url = clickable[(choice % clickable.len() as u64) as usize];
        human(delay + pause, Request::Get(url.clone()));
    }
    if let (true, Some(url)) = (answers, survey_link(letter, truth.attitude)) {
        human(delay + pause + 20 * SECOND, Request::Answer { url, value: truth.attitude });
    }
    match (&letter.pixel, truth.pictures) {
        (Some(url), Pictures::Own) => human(delay, Request::Get(url.clone())),
        (Some(url), Pictures::Google) => {
            let ip = Ipv4Addr::new(203, 0, 113, 1 + (person.number % 250) as u8);
            actions.push(action(delay, Who::Proxy, Request::Get(url.clone()), GOOGLE, ip));
        }
        _ => {}
    }
}

/// Minutes for some, hours for most, days for a few.
fn delay(random: &mut Random) -> u64 {
    let (low, high) = match random.below(100) {
        ..25 => (2 * MINUTE, 30 * MINUTE),
        25..60 => (30 * MINUTE, 3 * HOUR),
        60..90 => (3 * HOUR, 12 * HOUR),
        _ => (12 * HOUR, 48 * HOUR),
    };
    random.between(low, high)
}

/// The link that says the answer, or the only way to the survey.
fn survey_link(letter: &Letter, value: u8) -> Option<Url> {
    let says = value.to_string();
    let exact = letter
        .visible(LinkKind::Survey)
        .find(|link| link.text == says || link.url.query_pairs().any(|(_, given)| given == says));
    exact.or_else(|| letter.visible(LinkKind::Survey).next()).map(|link| link.url.clone())
}

fn action(after: u64, who: Who, request: Request, agent: &'static str, ip: Ipv4Addr) -> Action {
    Action { after: Duration::from_millis(after), who, request, agent, ip }
}

/// The client of these people: it follows no redirect, since the shop that a link leads to does not exist, and takes no
/// detour by a proxy of this machine.
///
/// # Errors
/// When no client can be made.
pub fn client() -> Result<Client, reqwest::Error> {
    Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(Duration::from_secs(30)).build()
}

/// Does it. With `base`, what was meant for the site's public address goes to where the site really listens.
///
/// # Errors
/// When nobody answers, or a survey's page has no form. A status that is no success is no error.
pub async fn perform(client: &Client, base: Option<&Url>, action: &Action) -> Result<Outcome, ActError> {
    let status = match &action.request {
        Request::Get(url) => send(client, base, action, Method::GET, url, None).await?.0,
        Request::Head(url) => send(client, base, action, Method::HEAD, url, None).await?.0,
        Request::Post(url, form) => send(client, base, action, Method::POST, url, Some(form)).await?.0,
        Request::Answer { url, value } => {
            let (status, page) = send(client, base, action, Method::GET, url, None).await?;
            let Some((target, form)) = fill_in(&page, url, &value.to_string()) else {
                return Err(ActError::NoForm { url: url.clone(), status });
            };
            send(client, base, action, Method::POST, &target, Some(&form)).await?.0
        }
    };
    Ok(Outcome { status })
}

async fn send(
    client: &Client,
    base: Option<&Url>,
    action: &Action,
    method: Method,
    url: &Url,
    form: Option<&[(String, String)]>,
) -> Result<(u16, String), ActError> {
    let url = base.map_or_else(|| url.clone(), |base| moved(url, base));
    let failed = |source| ActError::Http { url: url.clone(), source };
    let mut request = client
        .request(method, url.clone())
        .header(USER_AGENT, action.agent)
        .header("x-forwarded-for", action.ip.to_string());
    if let Some(form) = form {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
    }
    let response = request.send().await.map_err(failed)?;
    let status = response.status().as_u16();
    Ok((status, response.text().await.map_err(failed)?))
}

/// The same path and query, elsewhere.
fn moved(url: &Url, base: &Url) -> Url {
    let mut there = base.clone();
    there.set_path(&format!("{}{}", base.path().trim_end_matches('/'), url.path()));
    there.set_query(url.query());
    there
}

/// The page's first form that posts, as a person sends it: what is filled in stays, `value` goes where a choice is open.
fn fill_in(page: &str, url: &Url, value: &str) -> Option<(Url, Vec<(String, String)>)> {
    let target: RefCell<Option<String>> = RefCell::default();
    let within = Cell::new(false);
    let fields: RefCell<Vec<Field>> = RefCell::default();
    let settings = lol_html::RewriteStrSettings::new()
        .append_element_content_handler(lol_html::element!("form", |form| {
            let posts = form.get_attribute("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
            within.set(posts && target.borrow().is_none());
            if within.get() {
                *target.borrow_mut() = Some(decoded(form.get_attribute("action")));
            }
            Ok(())
        }))
        .append_element_content_handler(lol_html::element!("form input[name], form button[name]", |input| {
            if !within.get() {
                return Ok(());
            }
            let kind = input.get_attribute("type").unwrap_or_default().to_ascii_lowercase();
            fields.borrow_mut().push(Field {
                name: decoded(input.get_attribute("name")),
                value: decoded(input.get_attribute("value")),
                choice: matches!(kind.as_str(), "radio" | "submit" | "checkbox") || input.tag_name() == "button",
                chosen: input.has_attribute("checked"),
                open: kind == "number" || kind == "range",
            });
            Ok(())
        }));
    lol_html::rewrite_str(page, settings).ok()?;
    let target = url.join(&target.take()?).ok()?;
    let fields = fields.take();
    let mut form: Vec<(String, String)> = Vec::new();
    for field in &fields {
        let group = || fields.iter().filter(|other| other.name == field.name && other.choice);
        let sent = match field.choice {
            true if group().any(|other| other.chosen) => field.chosen,
            true => field.value == value,
            false => true,
        };
        if sent {
            let filled = if field.open && field.value.is_empty() { value } else { &field.value };
            form.push((field.name.clone(), filled.to_owned()));
        }
    }
    Some((target, form))
}

struct Field {
    name: String,
    value: String,
    choice: bool,
    chosen: bool,
    open: bool,
}

fn decoded(attribute: Option<String>) -> String {
    html_escape::decode_html_entities(&attribute.unwrap_or_default()).into_owned()
}
