//! The OpenAPI document (3.1), made from the types that the rows and answers have. Anybody may read it.

use super::super::state::State;
use super::answer::Answer;
use super::refusal::Refusal;
use super::{Resource, rows};
use crate::access::LONGEST_KEY;
use crate::config::model::Api;
use crate::import::Kind;
use axum::Json as Reply;
use axum::extract::State as With;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

pub(super) async fn show(With(state): With<Arc<State>>) -> Reply<Json> {
    let settings = state.settings.get();
    Reply(document(&settings.site.url, &settings.api))
}

/// What is wrong with a request, by status.
const REFUSALS: &[(&str, &str)] = &[
    ("400", "The body is no JSON or no UTF-8, is empty or broke off, or a query or key is wrong. Nothing was done."),
    ("401", "No token, or one that is not good."),
    ("403", "The token lacks the scope."),
    ("408", "The body did not arrive in time. Nothing was done."),
    ("409", "The Idempotency-Key belongs to another request, or to one that is at work right now."),
    ("413", "The body is too large or has too many rows. Nothing was done."),
    ("415", "The body is neither JSON nor NDJSON."),
    ("429", "The token asks too often: wait for Retry-After."),
    ("500", "Something is wrong inside."),
    (
        "503",
        "Not now: send the same request again after Retry-After. Rows land together or not at all; of redemptions some may stand, and are `unchanged` when they come again.",
    ),
];

fn document(url: &str, limits: &Api) -> Json {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.for_deserialize().into_generator();
    let (answer, error) = (schemas.subschema_for::<Answer>(), schemas.subschema_for::<Refusal>());
    let mut paths = Map::new();
    for resource in Resource::ALL {
        paths.insert(format!("/api{}", resource.path()), operation(resource, &mut schemas, &answer));
    }
    paths.insert("/api/openapi.json".into(), own());
    let mut responses = Map::new();
    for (status, description) in REFUSALS {
        let mut response =
            json!({ "description": description, "content": { "application/json": { "schema": error } } });
        if ["409", "429", "503"].contains(status) {
            response["headers"] = json!({ "Retry-After": {
                "description": "After so many seconds.", "schema": { "type": "integer", "minimum": 1 }
            } });
        }
        if ["401", "403"].contains(status) {
            response["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" } } });
        }
        responses.insert(format!("Refusal{status}"), response);
    }
    let scheme = json!({
        "type": "http",
        "scheme": "bearer",
        "description": "A token that `dangol token create` made: `dgl_` and 72 hexadecimal digits.",
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Dangol",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": format!(
                "What the shop's own programs tell. Rows are judged by the code that judges imported files, and the same rows \
                 again change nothing. A request has at most {} rows and {} bytes, and a token makes at most {} requests.",
                limits.largest_batch, limits.largest_body, limits.rate
            ),
        },
        "servers": [{ "url": url.trim_end_matches('/') }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": scheme },
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": false,
                    "description": "The same key with the same body within 24 hours gets the same answer, and nothing is done twice.",
                    "schema": { "type": "string", "minLength": 1, "maxLength": LONGEST_KEY },
                },
                "Create": {
                    "name": "create",
                    "in": "query",
                    "required": false,
                    "description": "Rows of unknown customers make them.",
                    "schema": { "type": "boolean", "default": false },
                },
            },
            "responses": responses,
            "schemas": schemas.take_definitions(true),
        },
    })
}

/// What is said of a route.
struct Told {
    id: &'static str,
    summary: &'static str,
    description: &'static str,
    row: Schema,
    example: Json,
}

impl Told {
    fn of<R: JsonSchema + Serialize>(
        schemas: &mut SchemaGenerator,
        [id, summary, description]: [&'static str; 3],
        example: &R,
    ) -> Told {
        // a row of ours always is JSON; what it does not say is left out
        let mut example = serde_json::to_value(example).unwrap_or_default();
        without_null(&mut example);
        Told { id, summary, description, row: schemas.subschema_for::<R>(), example }
    }
}

fn without_null(value: &mut Json) {
    match value {
        Json::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(without_null);
        }
        Json::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn told(resource: Resource, schemas: &mut SchemaGenerator) -> Told {
    match resource {
        Resource::Rows(Kind::Customers) => Told::of(
            schemas,
            ["customers", "Customers", "Makes customers, and changes those that are known. Erased people stay erased."],
            &rows::customer(),
        ),
        Resource::Rows(Kind::Orders) => Told::of(
            schemas,
            [
                "orders",
                "Orders",
                "Takes orders as they stand now; the last word about an order counts. One that is first told of as \
                 returned, cancelled or refunded is kept as such, and earns nothing.",
            ],
            &rows::order(),
        ),
        Resource::Rows(Kind::Events | Kind::Suppressions) => {
            Told::of(schemas, ["events", "Events", "Takes what happened into the log."], &rows::event())
        }
        Resource::Rows(Kind::Consents) => Told::of(
            schemas,
            ["consents", "Consents", "Takes lines into the ledger of consent. Nothing here lifts a suppression."],
            &rows::consent(),
        ),
        Resource::Redeem => Told::of(
            schemas,
            [
                "redeem",
                "Redemptions of rewards",
                "Spends points, or marks a code as used. The same `key` twice is once.",
            ],
            &rows::redemption(),
        ),
    }
}

fn operation(resource: Resource, schemas: &mut SchemaGenerator, answer: &Schema) -> Json {
    let Told { id, summary, description, row, example } = told(resource, schemas);
    let mut parameters = vec![json!({ "$ref": "#/components/parameters/IdempotencyKey" })];
    if resource.creates() {
        parameters.push(json!({ "$ref": "#/components/parameters/Create" }));
    }
    let answered = json!({ "application/json": { "schema": answer } });
    let replayed = json!({ "Idempotent-Replayed": {
        "description": "`true` when this is the answer that was given before.", "schema": { "type": "string" }
    } });
    let mut responses = Map::new();
    responses.insert(
        "200".into(),
        json!({ "description": "What became of each row; at least one landed, or none had to.", "headers": replayed, "content": answered }),
    );
    responses.insert(
        "422".into(),
        json!({ "description": "Every row was refused, each with its reason.", "headers": replayed, "content": answered }),
    );
    for (status, _) in REFUSALS {
        responses.insert((*status).into(), json!({ "$ref": format!("#/components/responses/Refusal{status}") }));
    }
    responses.sort_keys();
    let scope = resource.scope().map_or("", |scope| scope.name());
    json!({ "post": {
        "operationId": id,
        "summary": summary,
        "description": format!("{description} Needs a token with the scope `{scope}`."),
        "parameters": parameters,
        "requestBody": {
            "required": true,
            "content": {
                "application/json": {
                    "schema": { "anyOf": [row, { "type": "array", "items": row }] },
                    "examples": {
                        "one": { "summary": "One", "value": example },
                        "many": { "summary": "A list", "value": [example] },
                    },
                },
                "application/x-ndjson": {
                    "schema": { "type": "string", "description": "An object a line, each as in the list." },
                    "examples": { "lines": { "summary": "An object a line", "value": format!("{example}\n") } },
                },
            },
        },
        "responses": responses,
    } })
}

fn own() -> Json {
    json!({ "get": {
        "operationId": "openapi",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": { "description": "OpenAPI 3.1.", "content": { "application/json": { "schema": { "type": "object" } } } }
        },
    } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import;
    use crate::web::api::redeem;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_and_the_code_name_the_same_members() {
        let document = document("https://mail.haru.example/", &Api::default());
        let members = |name: &str| -> BTreeSet<String> {
            document["components"]["schemas"][name]["properties"].as_object().unwrap().keys().cloned().collect()
        };
        for (name, kind, more) in [
            ("Customer", Kind::Customers, &["attributes"][..]),
            ("Order", Kind::Orders, &[]),
            ("Event", Kind::Events, &[]),
            ("Consent", Kind::Consents, &[]),
        ] {
            let judged = import::members(kind).into_iter().chain(more.iter().copied()).map(str::to_owned);
            assert_eq!(members(name), judged.collect(), "{name}");
            assert_eq!(document["components"]["schemas"][name]["additionalProperties"], false, "{name}");
        }
        assert_eq!(members("Redemption"), redeem::MEMBERS.map(str::to_owned).into());
        let statuses = document["components"]["schemas"]["OrderStatus"].to_string();
        for status in crate::event::purchase::Status::names() {
            assert!(statuses.contains(&format!("\"{status}\"")), "{statuses}");
        }
    }
}
