//! The link that no reader sees, from the mail as it went out to the class of the hits.

use super::CHROME;
use crate::support::on_both;
use crate::world::{World, take};
use dangol::args;
use dangol::campaign::Live;
use dangol::campaign::content::Content;
use dangol::campaign::preview::preview;
use dangol::customer::{self, Preferences};
use dangol::engine::demo::letter::{Letter, LinkKind};
use dangol::engine::serve_on;
use dangol::track::settle::settle;
use reqwest::{Client, Response};
use tokio_util::sync::CancellationToken;
use url::Url;

/// A visitor from an address, who looks like any browser.
struct Visitor<'a> {
    client: &'a Client,
    site: String,
    ip: &'a str,
}

impl Visitor<'_> {
    async fn get(&self, url: &Url) -> Response {
        let request = self.client.get(format!("{}{}", self.site, url.path()));
        request.header("user-agent", CHROME).header("x-forwarded-for", self.ip).send().await.unwrap()
    }
}

fn letters(world: &World) -> Vec<(String, Letter, String)> {
    let mut inbox = world.sink.inbox.from_start();
    let mut all: Vec<_> = std::iter::from_fn(|| inbox.try_recv())
        .map(|mail| {
            let whole = mail_parser::MessageParser::default().parse(&mail.raw).unwrap();
            let text = whole.body_text(0).unwrap().into_owned();
            (whole.to().unwrap().first().unwrap().address().unwrap().to_owned(), Letter::read(&mail.raw), text)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn trap(letter: &Letter) -> Option<&Url> {
    let mut hidden = letter.links.iter().filter(|link| link.kind == LinkKind::Click && link.hidden);
    let found = hidden.next().map(|link| &link.url);
    assert!(hidden.next().is_none(), "one is enough");
    found
}

#[test]
fn whoever_follows_it_was_a_machine_all_along_and_nobody_else_is() {
    on_both(|t| async move {
        let world = World::new(&t, take).await;
        let relay = world.relay();
        let world = world.with_settings(&t, &relay, "[web]\nproxies = 1\n").await;
        world.customers("external_id,email,name\na,hong@example.com,홍길동\nb,quiet@example.com,هادئ\n").await;
        let mut tx = world.app.db.begin().await.unwrap();
        let quiet = Preferences { tracking_off: true, paused_until: None };
        assert!(customer::set_preferences(&mut tx, 2, quiet, world.now()).await.unwrap());
        tx.commit().await.unwrap();
        world.launch("spring").await;
        world.run().await;

        let letters = letters(&world);
        let [(_, letter, text), (_, untracked, _)] = letters.as_slice() else { panic!("{letters:?}") };
        let trap_of_mail = trap(letter).expect("a tracked mail has one");
        assert_eq!(trap(untracked), None, "who does not want to be counted is not set traps");
        assert!(!text.contains(trap_of_mail.path()));
        let content = Content::of(&world.app.workspace, "spring").unwrap();
        let live = Live::compile("spring", &content, &world.app.settings()).unwrap();
        let (_, made) = preview(&world.app.db, &world.app.composer, &live, None, 1, None, world.now()).await.unwrap();
        assert_eq!(trap(&Letter::read(&made.bytes)), None, "a preview counts for nothing");

        let stop = CancellationToken::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = serve_on(&world.app, listener, stop.clone()).unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let visitor = |ip| Visitor { client: &client, site: format!("http://{}", web.address), ip };
        let (scanner, person) = (visitor("203.0.113.50"), visitor("198.51.100.7"));
        let seen: Vec<_> = letter.links.iter().filter(|link| link.kind == LinkKind::Click && !link.hidden).collect();
        assert!(!seen.is_empty());
        // a patient one: minutes between its requests, and the trap last, so that nothing else gives it away
        world.later("5m");
        assert_eq!(scanner.get(letter.pixel.as_ref().unwrap()).await.status(), 200);
        for link in &seen {
            world.later("1m");
            assert_eq!(scanner.get(&link.url).await.status(), 302);
            assert_eq!(person.get(&link.url).await.status(), 302);
        }
        world.later("1m");
        let site = scanner.get(trap_of_mail).await;
        assert_eq!(site.status(), 302);
        let settings = world.app.settings();
        let location = site.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(location.trim_end_matches('/'), settings.site.url.trim_end_matches('/'));
        let page = letter.links.iter().find(|link| link.kind == LinkKind::View).expect("a link to the page");
        let page = person.get(&page.url).await.text().await.unwrap();
        assert!(page.contains(seen[0].url.path()) && !page.contains(trap_of_mail.path()), "{page}");

        world.later("30m");
        settle(&world.app.db, world.now()).await.unwrap();
        let sql = "SELECT ip, link, class, links FROM hit WHERE kind <> 'view' ORDER BY id";
        let hits: Vec<(String, Option<i64>, String, Option<i64>)> = world.app.db.all(sql, args![]).await.unwrap();
        assert_eq!(hits.len(), 2 * seen.len() + 2);
        for (ip, link, class, links) in &hits {
            let expected = if ip.as_str() == scanner.ip { "machine" } else { "human" };
            assert_eq!(class, expected, "{ip} {link:?}");
            assert_eq!(links.unwrap_or(seen.len() as i64), seen.len() as i64, "the honeypot is not counted");
        }
        let report = world.report("spring").await;
        assert_eq!((report.clicks.human, report.opens.human, report.clicks.machine), (1, 1, 1));
        stop.cancel();
        web.ended().await;
    });
}
