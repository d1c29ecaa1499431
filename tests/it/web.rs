//! The web door, over a real socket: GETs change nothing, POSTs count, forgeries open nothing.

pub mod site;

use crate::support::on_both;
use crate::track::{at, mail};
use dangol::args;
use dangol::track::token::Route;
use dangol::track::{HitLog, Tokens};
use dangol::web::{Pause, Scope, Withdrawal};
use reqwest::{Method, StatusCode};
use site::{SETTINGS, Site, header, hits, on_a_site};
use std::sync::atomic::Ordering;

#[test]
fn a_pixel_is_counted_before_it_is_answered() {
    on_a_site(async |t, site| {
        let (_, message) = mail(&t, "홍길동", "accepted").await;
        let response = site.get(&Route::Open.path(&site.tokens.open(message))).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "content-type"), "image/gif");
        assert!(header(&response, "cache-control").contains("no-store"));
        assert!(response.bytes().await.unwrap().starts_with(b"GIF89a"));
        assert_eq!(hits(&t).await, [("open".into(), "GET".into(), Some("203.0.113.7".into()))]);
        site.ask(Method::HEAD, &Route::Open.path(&site.tokens.open(message))).await;
        assert_eq!(hits(&t).await[1].1, "HEAD");
    });
}

#[test]
fn a_click_leads_where_the_mail_said_and_a_forged_one_nowhere() {
    on_a_site(async |t, site| {
        let (_, message) = mail(&t, "a", "accepted").await;
        let token = site.tokens.click(message, 1, 3, "https://haru.example/봄?a=1&b=2").unwrap();
        for method in [Method::GET, Method::HEAD] {
            let response = site.ask(method, &Route::Click.path(&token)).await;
            assert_eq!(response.status(), StatusCode::FOUND);
            assert_eq!(header(&response, "location"), "https://haru.example/%EB%B4%84?a=1&b=2");
            assert_eq!(header(&response, "referrer-policy"), "no-referrer");
            assert_eq!(header(&response, "cache-control"), "no-store");
        }
        let stranger = Tokens::new(&dangol::config::secret::SiteSecret::from_lines(&"s".repeat(40)).unwrap());
        for forged in [
            stranger.click(message, 1, 3, "https://evil.example/").unwrap(),
            site.tokens.open(message),
            format!("{token}x"),
            format!("{}x", &token[..token.len() - 1]),
            "A".repeat(20_000),
            "%0d%0aLocation:%20https://evil.example".into(),
            "..%2f..%2fetc%2fpasswd".into(),
        ] {
            let response = site.get(&Route::Click.path(&forged)).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{}", &forged[..forged.len().min(80)]);
            assert_eq!(header(&response, "location"), "");
        }
        assert_eq!(hits(&t).await.len(), 2, "forgeries leave no evidence");
    });
}

#[test]
fn a_get_never_unsubscribes_and_a_post_always_does() {
    on_a_site(async |t, site| {
        let (customer, message) = mail(&t, "a", "accepted").await;
        let path = Route::Unsubscribe.path(&site.tokens.unsubscribe(message, customer, Some("newsletter")));
        for method in [Method::GET, Method::HEAD] {
            let response = site.ask(method, &path).await;
            assert_eq!(response.status(), StatusCode::OK);
        }
        let get = site.get(&format!("{path}?List-Unsubscribe=One-Click&stop=all")).await;
        assert_eq!(get.status(), StatusCode::OK);
        assert_eq!(site.post(&path, "hello=1").await.status(), StatusCode::BAD_REQUEST);
        assert_eq!(site.withdrawn(), [], "nothing happened yet");

        for _ in 0..2 {
            let response = site.post(&path, "List-Unsubscribe=One-Click").await;
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.headers().get("set-cookie").is_none());
        }
        let expected = Withdrawal {
            customer,
            message: Some(message),
            scope: Scope::Topic("newsletter".into()),
            at: at(5, 0),
            source: "one-click".into(),
        };
        assert_eq!(site.withdrawn(), std::slice::from_ref(&expected));
        site.post(&path, "stop=all").await;
        assert_eq!(site.withdrawn()[1], Withdrawal { scope: Scope::All, source: "page".into(), ..expected });

        // RFC 8058 allows the other encoding as well
        let request = site.client.post(format!("{}{path}", site.base));
        let body = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        site.deeds.withdrawn.lock().unwrap().clear();
        let request = request.header("content-type", "multipart/form-data; boundary=b").body(body);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        assert_eq!(site.withdrawn().len(), 1);
        assert_eq!(hits(&t).await, []);
    });
}

#[test]
fn a_withdrawal_is_taken_down_while_the_database_is_away() {
    on_a_site(async |_t, site| {
        site.deeds.away.store(true, Ordering::SeqCst);
        let path = Route::Unsubscribe.path(&site.tokens.unsubscribe(0, 5, None));
        assert_eq!(site.get(&path).await.status(), StatusCode::OK, "the page needs no database");
        let response = site.post(&path, "List-Unsubscribe=One-Click").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(site.withdrawn(), []);
        // the site tries by itself too, and whoever comes while it does has nothing to do
        let mut waiting = 0;
        for _ in 0..10_000 {
            waiting = waiting.max(site.state.replay_withdrawals().await);
            if waiting > 0 {
                break;
            }
        }
        assert_eq!((waiting, site.withdrawn()), (1, vec![]), "away still, and not lost");
        site.deeds.away.store(false, Ordering::SeqCst);
        for _ in 0..10_000 {
            assert_eq!(site.state.replay_withdrawals().await, 0);
            if !site.withdrawn().is_empty() {
                break;
            }
        }
        let withdrawn = site.withdrawn();
        assert_eq!((withdrawn[0].customer, &withdrawn[0].scope, withdrawn[0].message), (5, &Scope::All, None));
    });
}

#[test]
fn a_page_speaks_the_readers_language_and_escapes_names() {
    on_a_site(async |_t, site| {
        let page = async |customer, accept: &str| {
            let path = Route::Unsubscribe.path(&site.tokens.unsubscribe(1, customer, Some("newsletter")));
            let request = site.client.get(format!("{}{path}", site.base)).header("accept-language", accept);
            request.send().await.unwrap().text().await.unwrap()
        };
        let english = page(2, "ko").await;
        assert!(english.contains("<html lang=\"en\"") && english.contains("“Monthly letter”"), "{english}");
        let korean = page(1, "ko-KR,ko;q=0.9").await;
        assert!(korean.contains("<html lang=\"ko\"") && korean.contains("‘월간 편지’"));
        assert!(!korean.contains("<b>정원") && korean.contains("&lt;b&gt;정원"));
        assert!(page(1, "en-GB,ko;q=0.5").await.contains("lang=\"en\""));
    });
}

#[test]
fn preferences_are_changed_by_a_post_alone() {
    on_a_site(async |_t, site| {
        let path = Route::Preferences.path(&site.tokens.preferences(2));
        let html = site.get(&path).await.text().await.unwrap();
        assert!(html.contains("h•••@haru.example") && !html.contains("hong@"), "{html}");
        assert!(html.contains("value=\"newsletter\" checked"));
        assert!(!html.contains("account"), "service mail is no choice");
        assert_eq!(site.post(&path, "topic=offers&shown=offers").await.status(), StatusCode::BAD_REQUEST);
        assert!(site.deeds.changed.lock().unwrap().is_empty());

        let body = "shown=newsletter&shown=offers&shown=account&shown=nosuch&topic=offers&topic=account&pause=30&tracking_off=1&save=1";
        let response = site.post(&path, body).await;
        let html = response.text().await.unwrap();
        assert!(html.contains("Saved.") && html.contains("Paused until"), "{html}");
        let change = site.deeds.changed.lock().unwrap()[0].clone();
        assert_eq!(change.grant, ["offers"]);
        assert_eq!(change.withdraw, ["newsletter"]);
        assert_eq!(change.pause, Some(Pause::Until(at(5 + 30 * 24 * 60, 0))));
        assert!(change.tracking_off);
        // a form that shows no topics withdraws none
        site.post(&path, "save=1&pause=none").await;
        let change = site.deeds.changed.lock().unwrap()[1].clone();
        assert_eq!((change.grant.len(), change.withdraw.len(), change.pause), (0, 0, Some(Pause::End)));
        assert_eq!(site.post(&path, "save=1&pause=9999").await.status(), StatusCode::BAD_REQUEST);

        let gone = Route::Preferences.path(&site.tokens.preferences(404));
        assert_eq!(site.get(&gone).await.status(), StatusCode::GONE);
        site.deeds.away.store(true, Ordering::SeqCst);
        assert_eq!(site.post(&path, "save=1").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    });
}

#[test]
fn a_tap_fills_the_answer_in_and_a_post_sends_it() {
    on_a_site(async |t, site| {
        let (customer, message) = mail(&t, "홍길동", "accepted").await;
        let path = Route::Survey.path(&site.tokens.survey(message, customer, "nps"));
        let html = site.get(&format!("{path}?answer=9")).await.text().await.unwrap();
        assert!(html.contains("value=\"9\" required checked") && html.matches("checked").count() == 1, "{html}");
        let html = site.get(&format!("{path}?answer=%22%3E%3Cscript%3E")).await.text().await.unwrap();
        assert!(!html.contains("<script") && !html.contains("checked"));
        let answers = || async {
            t.db.all::<(String, Option<String>)>("SELECT answer, comment FROM survey_answer", args![]).await.unwrap()
        };
        assert_eq!(answers().await, [], "a tap is no answer");

        let wrong = site.post(&path, "answer=11&comment=%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
        let html = wrong.text().await.unwrap();
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "what was typed is kept: {html}");
        let sent = site.post(&path, "answer=9&comment=%EC%A2%8B%EC%95%84%EC%9A%94%0D%0A%F0%9F%99%82").await;
        assert_eq!(sent.status(), StatusCode::OK);
        assert_eq!(answers().await, [("9".into(), Some("좋아요\n🙂".into()))]);
        site.post(&path, "answer=2").await;
        assert_eq!(answers().await, [("2".into(), None)]);

        let taste = Route::Survey.path(&site.tokens.survey(message, customer, "taste"));
        assert!(
            site.get(&format!("{taste}?answer=herbs"))
                .await
                .text()
                .await
                .unwrap()
                .contains("value=\"herbs\" required checked")
        );
        let xss = Route::Survey.path(&site.tokens.survey(message, customer, "xss"));
        assert!(!site.get(&xss).await.text().await.unwrap().contains("<script"));
        let gone = Route::Survey.path(&site.tokens.survey(message, customer, "nosuch"));
        assert_eq!(site.get(&gone).await.status(), StatusCode::GONE);
        let stranger = Route::Survey.path(&site.tokens.survey(message, customer + 1, "nps"));
        assert_eq!(site.post(&stranger, "answer=9").await.status(), StatusCode::GONE);
    });
}

#[test]
fn a_mail_as_a_page_runs_nothing() {
    on_a_site(async |t, site| {
        let (_, message) = mail(&t, "a", "accepted").await;
        let response = site.get(&Route::View.path(&site.tokens.view(message))).await;
        let policy = header(&response, "content-security-policy").to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
        assert!(response.text().await.unwrap().contains("<p>mail"));
        assert_eq!(hits(&t).await[0].0, "view");
        assert_eq!(site.get(&Route::View.path(&site.tokens.view(404))).await.status(), StatusCode::GONE);
        let failed = site.get(&Route::View.path(&site.tokens.view(500))).await;
        assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!failed.text().await.unwrap().contains("secret_table"), "nothing of the inside");
    });
}

#[test]
fn pictures_go_out_and_nothing_else_that_is_stored() {
    on_a_site(async |t, site| {
        let png = b"\x89PNG\r\n\x1a\n....".to_vec();
        let sql = "INSERT INTO blob (hash, content) VALUES (?, ?)";
        t.db.execute(sql, args!["a".repeat(64), png.clone()]).await.unwrap();
        t.db.execute(sql, args!["b".repeat(64), b"<html><script>alert(1)</script>".to_vec()]).await.unwrap();
        let response = site.get(&format!("/a/{}.png", "a".repeat(64))).await;
        assert_eq!(header(&response, "content-type"), "image/png");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert!(header(&response, "cache-control").contains("immutable"));
        let etag = header(&response, "etag").to_owned();
        assert_eq!(response.bytes().await.unwrap(), png);
        let again = site.client.get(format!("{}/a/{}", site.base, "a".repeat(64))).header("if-none-match", etag);
        assert_eq!(again.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
        for wrong in ["b".repeat(64), "c".repeat(64), "x".into(), "..%2f..%2fdangol.toml".into()] {
            assert_eq!(site.get(&format!("/a/{wrong}")).await.status(), StatusCode::NOT_FOUND, "{wrong}");
        }
    });
}

#[test]
fn every_answer_carries_the_headers_and_refuses_politely() {
    on_a_site(async |_t, site| {
        let path = Route::Unsubscribe.path(&site.tokens.unsubscribe(1, 1, None));
        let too_much = "x=".to_owned() + &"y".repeat(70_000);
        let answers = [
            (StatusCode::NOT_FOUND, site.get("/").await),
            (StatusCode::NOT_FOUND, site.get("/u/xyz").await),
            (StatusCode::METHOD_NOT_ALLOWED, site.ask(Method::DELETE, &path).await),
            (StatusCode::METHOD_NOT_ALLOWED, site.post(&Route::Open.path(&site.tokens.open(1)), "").await),
            (StatusCode::PAYLOAD_TOO_LARGE, site.post(&path, &too_much).await),
            (StatusCode::OK, site.get(&path).await),
            (StatusCode::OK, site.get("/healthz").await),
            (StatusCode::OK, site.get("/readyz").await),
            (StatusCode::OK, site.get("/metrics").await),
        ];
        for (status, response) in answers {
            let url = response.url().to_string();
            assert_eq!(response.status(), status, "{url}");
            for (name, part) in [
                ("content-security-policy", "default-src 'none'"),
                ("content-security-policy", "frame-ancestors 'none'"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("strict-transport-security", "max-age"),
                ("cache-control", "no-store"),
            ] {
                assert!(header(&response, name).contains(part), "{url}: {name} is {}", header(&response, name));
            }
        }
    });
}

#[test]
fn with_tracking_off_links_lead_on_and_nothing_is_recorded() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        let off = format!("{SETTINGS}\n[tracking]\nopens = false\nclicks = false\n");
        let site = Site::with(&t, t.db.clone(), &off).await;
        let token = site.tokens.click(message, 1, 1, "https://haru.example/").unwrap();
        assert_eq!(site.get(&Route::Click.path(&token)).await.status(), StatusCode::FOUND);
        assert_eq!(site.get(&Route::Open.path(&site.tokens.open(message))).await.status(), StatusCode::OK);
        assert_eq!(hits(&t).await, []);
        site.stop.cancel();
    });
}

#[test]
fn links_work_with_the_database_gone() {
    on_both(|t| async move {
        let (_, message) = mail(&t, "a", "accepted").await;
        let away = dangol::db::Db::open(&t.location).await.unwrap();
        away.close().await;
        let site = Site::with(&t, away, SETTINGS).await;
        let token = site.tokens.click(message, 1, 1, "https://haru.example/").unwrap();
        let response = site.get(&Route::Click.path(&token)).await;
        assert_eq!(header(&response, "location"), "https://haru.example/");
        assert_eq!(site.get("/healthz").await.status(), StatusCode::OK);
        assert_eq!(site.get("/readyz").await.status(), StatusCode::SERVICE_UNAVAILABLE);
        site.stop.cancel();
        let (log, _writer) = HitLog::start(t.db.clone(), t.dir.path().join("hits.ndjson"));
        assert!(log.flush().await);
        assert_eq!(hits(&t).await, [("click".into(), "GET".into(), Some("203.0.113.7".into()))]);
    });
}
