//! The OpenAPI document: everything that a generic client follows is there, and its examples are accepted.

use super::shop::on_a_shop;
use serde_json::{Value as Json, json};

/// All references in a document.
fn references(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Object(object) => {
            found.extend(object.get("$ref").and_then(Json::as_str).map(str::to_owned));
            object.values().for_each(|inner| references(inner, found));
        }
        Json::Array(list) => list.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

#[test]
fn the_document_holds_together() {
    on_a_shop("", async |_t, shop| {
        let document = &shop.document;
        assert_eq!(document["openapi"], "3.1.0");
        let mut found = Vec::new();
        references(document, &mut found);
        assert!(found.len() > 60, "{}", found.len());
        for reference in &found {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{reference} leads nowhere");
        }
        assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
        assert_eq!(document["security"], json!([{ "token": [] }]));
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(
            paths,
            [
                "/api/v1/customers",
                "/api/v1/orders",
                "/api/v1/events",
                "/api/v1/consents",
                "/api/v1/rewards/redeem",
                "/api/openapi.json"
            ]
        );
        for path in paths.iter().filter(|path| path.starts_with("/api/v1")) {
            let operation = &document["paths"][path.as_str()]["post"];
            let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
            let all = ["200", "400", "401", "403", "408", "409", "413", "415", "422", "429", "500", "503"];
            assert_eq!(statuses, all, "{path}");
            assert!(operation["operationId"].is_string() && operation["summary"].is_string());
            let creates = operation["parameters"].to_string().contains("/Create");
            assert_eq!(creates, path.ends_with("orders") || path.ends_with("events"));
        }
    });
}

#[test]
fn its_examples_are_accepted() {
    on_a_shop("", async |_t, shop| {
        let paths = shop.document["paths"].as_object().unwrap().clone();
        let mut sent = 0;
        for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/api/v1/") && !path.contains("rewards")) {
            let content = &item["post"]["requestBody"]["content"];
            for (name, outcome) in [("one", "inserted"), ("many", "unchanged")] {
                let said = shop.tell(path, content["application/json"]["examples"][name]["value"].clone()).await;
                assert_eq!((said.status, said.outcomes()), (200, vec![outcome]), "{path} {name} {said:?}");
                sent += 1;
            }
            let lines = content["application/x-ndjson"]["examples"]["lines"]["value"].as_str().unwrap();
            assert_eq!(shop.lines(path, lines).await.outcomes(), ["unchanged"], "{path}");
        }
        assert_eq!(sent, 8);
        // no reward of the example's name is in this workspace: the row is understood, and says so
        let content = &paths["/api/v1/rewards/redeem"]["post"]["requestBody"]["content"];
        let said =
            shop.tell("/api/v1/rewards/redeem", content["application/json"]["examples"]["one"]["value"].clone()).await;
        assert!(said.status == 422 && said.words().contains("petals"), "{said:?}");
    });
}
