//! Bodies and headers as nobody should send them: a defined answer each, nothing done, and the server lives.

use super::shop::{Shop, on_a_shop};
use dangol::args;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SMALL: &str = "[api]\nrate = \"10000/s\"\nlargest_body = 20000\nlargest_batch = 5\n";

#[test]
fn a_hostile_body_gets_a_defined_answer() {
    on_a_shop(SMALL, async |t, shop| {
        let deep = format!("{{\"external_id\": \"a\", \"attr.x\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
        let objects = format!("{}1{}", "{\"a\":".repeat(3_000), "}".repeat(3_000));
        let cases: &[(&[u8], u16, &str, &str)] = &[
            (b"", 400, "empty_body", ""),
            (b" \n\t", 400, "empty_body", ""),
            (b"{", 400, "invalid_json", "at line 1 column 1"),
            (b"{\"external_id\": \"a\",\n \"name\": }", 400, "invalid_json", "at line 2 column 10"),
            (b"{\"external_id\": \"a\"}\n{\"external_id\": \"b\"}", 400, "invalid_json", "application/x-ndjson"),
            (b"\"text\"", 400, "invalid_json", "neither an object nor a list"),
            (b"null", 400, "invalid_json", "neither"),
            (b"external_id,name\na,b\n", 400, "invalid_json", "line 1"),
            (b"{\"external_id\": \"\xff\xfe\"}", 400, "invalid_utf8", "line 1 column 18"),
            (b"{\"external_id\": \"a\", \"external_id\": \"b\"}", 400, "invalid_json", "`external_id` stands twice"),
            (b"{\"external_id\": 1e400}", 400, "invalid_json", "out of range"),
            (b"{\"external_id\": 123456789012345678901234567890}", 400, "invalid_json", "write it as a text"),
            (b"{\"external_id\": \"\\ud800\"}", 400, "invalid_json", "hex escape"),
            (b"{\"external_id\": \"a\x00b\"}", 400, "invalid_json", "control character"),
            (deep.as_bytes(), 400, "invalid_json", "recursion"),
            (objects.as_bytes(), 400, "invalid_json", "recursion"),
            (b"{\"external_id\": \"a\\u0000b\"}", 422, "", "NUL"),
            (b"{\"external_id\": \"a\", \"attr.x\": {\"b\": [\"\\u0000\"]}}", 422, "", "NUL"),
            (b"{\"external_id\": \"a\", \"attributes\": 5}", 422, "", "`attributes` is no object"),
            (b"{\"external_id\": [1]}", 422, "", "list or object"),
            (b"{}", 422, "", "names nobody"),
            (b"[[], {}, null, 5, \"x\"]", 422, "", "no JSON object"),
        ];
        for (body, status, code, words) in cases {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let request =
                shop.post("/api/v1/customers", "").body(body.to_vec()).header("content-type", "application/json");
            let said = shop.said(request).await;
            assert_eq!((said.status, said.code()), (*status, *code), "{shown}: {said:?}");
            assert!(said.words().contains(words), "{shown}: {}", said.words());
        }
        let (n,): (i64,) = t.db.all("SELECT count(*) FROM customer", args![]).await.unwrap().remove(0);
        assert_eq!(n, 0);
        let said = shop.lines("/api/v1/customers", "\u{1f331}").await;
        assert_eq!((said.status, said.outcomes()), (422, vec!["rejected"]));
    });
}

#[test]
fn amounts_that_cannot_be_are_refused_with_their_member() {
    on_a_shop("", async |_t, shop| {
        shop.tell("/api/v1/customers", json!({ "external_id": "a" })).await;
        for (member, value, words) in [
            ("amount", json!(-1), "`amount` is below zero"),
            ("amount", json!(0.1), "`amount`"),
            ("amount", json!(i64::MAX), "`amount`"),
            ("amount", json!("1 EUR"), "`currency` says otherwise"),
            ("amount", json!(true), "`amount`"),
            ("currency", json!("WON"), "WON"),
            ("refunded", json!(501), "more than `amount`"),
            ("status", json!("payd"), "did you mean `paid`?"),
            ("at", json!("2099-01-01"), "future"),
            ("at", json!(5), "`at`"),
            ("items", json!([{ "sku": "x", "prize": 1 }]), "`prize`"),
            ("items", json!({}), "`items`"),
            ("order_id", json!("x".repeat(501)), "`order_id` is longer"),
        ] {
            let mut row =
                json!({ "customer": "a", "order_id": "A", "at": "2027-01-02", "amount": 500, "currency": "KRW" });
            row[member] = value;
            let said = shop.tell("/api/v1/orders", row).await;
            assert!(said.status == 422 && said.words().contains(words), "{member}: {said:?}");
        }
        let event = |member: &str, value| {
            let mut row = json!({ "customer": "a", "kind": "visit", "at": "2027-01-02" });
            row[member] = value;
            row
        };
        for (row, words) in [
            (event("kind", json!("order")), "/api/v1/orders"),
            (event("value", json!(1.5)), "`value` is a whole number"),
            (event("value", json!(i64::MAX)), "`value` is a whole number"),
            (event("kind", json!("click")), "observes itself"),
            (event("kind", json!("a b")), "no kind of event"),
            (event("data", json!([1])), "`data`"),
            (event("data", json!({ "x": "y".repeat(70_000) })), "`data` is longer"),
        ] {
            let said = shop.tell("/api/v1/events", row).await;
            assert!(said.status == 422 && said.words().contains(words), "{said:?}");
        }
        for (value, outcome) in [(json!(3), "inserted"), (json!(3.0), "unchanged"), (json!("3"), "unchanged")] {
            assert_eq!(shop.tell("/api/v1/events", event("value", value)).await.outcomes(), [outcome]);
        }
    });
}

#[test]
fn what_is_too_much_is_refused_before_it_is_read() {
    on_a_shop(SMALL, async |_t, shop| {
        let row = json!({ "external_id": "a" });
        let many = json!([row, row, row, row, row, row]);
        let said = shop.tell("/api/v1/customers", many).await;
        assert_eq!((said.status, said.code()), (413, "too_many_rows"));
        let said = shop.lines("/api/v1/customers", &format!("{row}\n").repeat(6)).await;
        assert_eq!((said.status, said.code()), (413, "too_many_rows"));
        assert_eq!(shop.lines("/api/v1/customers", &format!("{row}\n").repeat(5)).await.status, 200);
        let said = shop.tell("/api/v1/customers", json!({ "external_id": "x".repeat(20_001) })).await;
        assert_eq!((said.status, said.code()), (413, "body_too_large"));
        // in pieces, without a length told before
        let said = in_pieces(&shop, 21, true).await;
        assert!(said.starts_with("HTTP/1.1 413 ") && said.contains("\"body_too_large\""), "{said}");
        let said = in_pieces(&shop, 10, true).await;
        assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("\"empty_body\""), "{said}");
        let said = in_pieces(&shop, 10, false).await;
        assert!(!said.contains(" 200 "), "a body that breaks off is no body: {said}");
    });
}

#[test]
fn headers_and_addresses_are_judged_too() {
    on_a_shop("", async |_t, shop| {
        let row = "{\"external_id\": \"a\"}";
        let with = |name: &'static str, value: &str| shop.post("/api/v1/customers", row).header(name, value);
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", ""]
        {
            let said = shop.said(with("content-type", kind)).await;
            assert_eq!((said.status, said.code()), (415, "unsupported_media_type"), "{kind}");
        }
        assert_eq!(shop.said(shop.post("/api/v1/customers", row)).await.status, 415);
        for good in ["application/json", "Application/JSON; charset=UTF-8", "application/jsonl", "application/x-ndjson"]
        {
            assert_eq!(shop.said(with("content-type", good)).await.status, 200, "{good}");
        }
        assert_eq!(shop.said(with("content-type", "application/json; charset=euc-kr")).await.status, 415);
        let zipped = with("content-type", "application/json").header("content-encoding", "gzip");
        assert_eq!(shop.said(zipped).await.status, 415);
        for key in ["", "x\ty", "홍길동", &"k".repeat(256)] {
            let said = shop.said(with("content-type", "application/json").header("idempotency-key", key)).await;
            assert_eq!((said.status, said.code()), (400, "invalid_idempotency_key"), "{key}");
        }
        let twice =
            with("content-type", "application/json").header("idempotency-key", "a").header("idempotency-key", "b");
        assert_eq!(shop.said(twice).await.status, 400);
        for (path, words) in [
            ("/api/v1/customers?create=true", "`create`"),
            ("/api/v1/orders?create=yes", "`true` or `false`"),
            ("/api/v1/orders?craete=true", "`craete`"),
        ] {
            let said = shop.tell(path, json!([])).await;
            assert!(said.status == 400 && said.code() == "invalid_query" && said.words().contains(words), "{said:?}");
        }
        for (method, path, status) in [
            ("GET", "/api/v1/orders", 405),
            ("DELETE", "/api/v1/customers", 405),
            ("OPTIONS", "/api/v1/customers", 405),
            ("PUT", "/api/v1/rewards/redeem", 405),
            ("POST", "/api/openapi.json", 405),
            ("POST", "/api/v1/suppressions", 404),
            ("POST", "/api/v2/orders", 404),
        ] {
            let said = shop.said(request(&shop, method, path)).await;
            assert_eq!(said.status, status, "{method} {path}");
        }
    });
}

fn request(shop: &Shop, method: &str, path: &str) -> reqwest::RequestBuilder {
    shop.client.request(method.parse().unwrap(), format!("{}{path}", shop.base))
}

/// Sends pieces of 1,000 blanks without telling their number before; then the end, or nothing more. Gives the answer.
async fn in_pieces(shop: &Shop, pieces: usize, ended: bool) -> String {
    let address = shop.base.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/customers HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        shop.token
    );
    let mut text = head + &format!("3e8\r\n{}\r\n", " ".repeat(1_000)).repeat(pieces);
    if ended {
        text.push_str("0\r\n\r\n");
    }
    // a server that has seen enough may hang up before it has read all
    let _ = stream.write_all(text.as_bytes()).await;
    if !ended {
        stream.shutdown().await.unwrap();
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
