//! A shop with its web server, and a program before it that has a token.

use crate::support::{TestDb, on_both};
use crate::world::{World, take};
use dangol::access::{self, Scope};
use dangol::engine;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

/// A running shop.
pub struct Shop {
    pub world: World,
    pub base: String,
    pub client: Client,
    /// Good for everything.
    pub token: String,
    pub document: Json,
    pub stop: CancellationToken,
}

/// An answer: status, `Idempotent-Replayed`, `Retry-After`, body.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub replayed: bool,
    pub retry_after: Option<u64>,
    pub challenge: String,
    pub body: Json,
}

impl Said {
    /// The refusal's code.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The refusal's words, or the reason of the only row.
    pub fn words(&self) -> &str {
        self.body["error"]["message"].as_str().or(self.body["results"][0]["reason"].as_str()).unwrap_or_default()
    }

    /// What became of each row.
    pub fn outcomes(&self) -> Vec<&str> {
        let results = self.body["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        results.iter().map(|row| row["status"].as_str().unwrap()).collect()
    }
}

impl Shop {
    pub async fn open(t: &TestDb, more: &str) -> Shop {
        let mut world = World::new(t, take).await;
        let relay = world.relay();
        // a test that is not about the pace has none
        let more = if more.is_empty() { "[api]\nrate = \"10000/s\"\n" } else { more };
        world = world.with_settings(t, &relay, more).await;
        let stop = CancellationToken::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", engine::serve_on(&world.app, listener, stop.clone()).unwrap().address);
        let client = Client::builder().no_proxy().build().unwrap();
        let document = client.get(format!("{base}/api/openapi.json")).send().await.unwrap().text().await.unwrap();
        let document = serde_json::from_str(&document).unwrap();
        let mut shop = Shop { world, base, client, token: String::new(), document, stop };
        shop.token = shop.give("shop", &Scope::ALL).await;
        shop
    }

    /// Gives out a token.
    pub async fn give(&self, name: &str, scopes: &[Scope]) -> String {
        let created = access::create(&self.world.app.db, name, scopes, None, "test", self.world.now()).await;
        created.unwrap().secret.reveal()
    }

    /// A POST with the token, to be changed before it is sent.
    pub fn post(&self, path: &str, body: impl Into<String>) -> RequestBuilder {
        let request = self.client.request(Method::POST, format!("{}{path}", self.base)).body(body.into());
        request.header("authorization", format!("Bearer {}", self.token))
    }

    /// Sends JSON.
    pub async fn tell(&self, path: &str, body: Json) -> Said {
        self.said(self.post(path, body.to_string()).header("content-type", "application/json")).await
    }

    /// Sends JSON with `?create=`.
    pub async fn tell_to(&self, path: &str, create: &str, body: &Json) -> Said {
        self.tell(&format!("{path}?create={create}"), body.clone()).await
    }

    /// Sends JSON under a key.
    pub async fn keyed(&self, path: &str, key: &str, body: &Json) -> Said {
        let request = self.post(path, body.to_string()).header("content-type", "application/json");
        self.said(request.header("idempotency-key", key)).await
    }

    /// Sends an object a line.
    pub async fn lines(&self, path: &str, body: &str) -> Said {
        self.said(self.post(path, body).header("content-type", "application/x-ndjson")).await
    }

    /// Sends a request; its answer is JSON, has the headers of all answers, and stands in the document.
    pub async fn said(&self, request: RequestBuilder) -> Said {
        let request = request.build().unwrap();
        let (method, path) = (request.method().as_str().to_lowercase(), request.url().path().to_owned());
        let response = self.client.execute(request).await.unwrap();
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert_eq!(header("content-type"), "application/json", "{path} {status}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path} {status}");
        assert_eq!(header("cache-control"), "no-store", "{path} {status}");
        assert_eq!(header("access-control-allow-origin"), "", "{path} {status}");
        let (replayed, retry_after) = (header("idempotent-replayed") == "true", header("retry-after").parse().ok());
        let challenge = header("www-authenticate");
        let text = response.text().await.unwrap();
        let body: Json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path} {status}: {e}: {text}"));
        let operation = &self.document["paths"][&path][&method];
        if operation.is_object() {
            assert!(
                operation["responses"][status.to_string()].is_object(),
                "{method} {path}: {status} is not documented"
            );
        } else {
            assert!(matches!(status, 404 | 405), "{method} {path} is not documented, and answers {status}");
        }
        assert_eq!(body["error"].is_object(), body["rows"].is_null() && status != 200, "{text}");
        if body["error"].is_object() {
            assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string(), "{text}");
        }
        Said { status, replayed, retry_after, challenge, body }
    }
}

/// A behaviour of a shop, on both databases.
pub fn on_a_shop(more: &str, behaviour: impl AsyncFn(TestDb, Shop)) {
    on_both(|t| async {
        let shop = Shop::open(&t, more).await;
        let stop = shop.stop.clone();
        behaviour(t, shop).await;
        stop.cancel();
    });
}
