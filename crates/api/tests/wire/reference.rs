//! The description of the API: complete, committed as it is served, and readable.

use std::collections::BTreeSet;

use axum::http::Method;
use gateway::event::Kind;
use serde_json::{Value, json};

use crate::schema::{DOCUMENT, fits};
use crate::support::World;

fn paths() -> impl Iterator<Item = (&'static String, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter()
}

/// Every operation of the document.
fn operations() -> impl Iterator<Item = (&'static String, &'static String, &'static Value)> {
    paths().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path, method, operation))
    })
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment"
)]
async fn the_committed_description_is_the_served_one() {
    let world = World::open(None).await;
    let served = world.anonymous().get("/openapi.json").await.json();
    if std::env::var_os("HTTPSMS_WRITE_OPENAPI").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let text = serde_json::to_string_pretty(&served).unwrap() + "\n";
        std::fs::write(file, text).unwrap();
        return;
    }
    assert!(
        served == *DOCUMENT,
        "docs/openapi.json is out of date: HTTPSMS_WRITE_OPENAPI=1 cargo test -p api openapi committed"
    );
    assert_eq!(served["openapi"], "3.1.0");
}

/// The router has no route but through the list that describes it (see `Routes`); the other way
/// round, it has all methods that are described, and no others on these paths.
#[tokio::test]
async fn the_router_has_exactly_the_described_methods() {
    let world = World::open(None).await;
    let mut count = 0;
    for (path, methods) in paths() {
        let typed: Vec<&str> = path
            .split('/')
            .map(|word| if word.starts_with('{') { "x" } else { word })
            .collect();
        let answer = world
            .user()
            .send(Method::PATCH, &typed.join("/"), None, "")
            .await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed: BTreeSet<String> = answer
            .header("allow")
            .split(',')
            .filter(|method| *method != "HEAD")
            .map(str::to_lowercase)
            .collect();
        let described: BTreeSet<String> = methods.as_object().unwrap().keys().cloned().collect();
        assert_eq!(allowed, described, "{path}");
        count += described.len();
    }
    assert!(count >= 40, "{count}");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_tag() {
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} twice");
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        let parameters = operation["parameters"].as_array();
        let declared: BTreeSet<&str> = parameters
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let in_path: BTreeSet<&str> = path
            .split('/')
            .filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(declared, in_path, "{method} {path}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn examples_of_bodies_fit_their_schemas() {
    for (path, method, operation) in operations() {
        let body = &operation["requestBody"]["content"]["application/json"];
        if !body.is_null() {
            fits(&body["schema"], &body["example"])
                .unwrap_or_else(|why| panic!("{method} {path}: {why}"));
        }
    }
}

#[test]
fn what_may_go_wrong_is_described() {
    for (path, method, operation) in operations() {
        let may = |status: &str| !operation["responses"][status].is_null();
        let keyed = !operation["security"].is_null();
        assert_eq!(
            keyed,
            path.contains("3cx") || path.starts_with("/v1") && !is_public(method, path),
            "{method} {path}"
        );
        assert!(
            !keyed || (may("401") && may("403") && may("503")),
            "{method} {path}"
        );
        let body = !operation["requestBody"].is_null();
        assert_eq!(body, may("413"), "{method} {path}");
        assert!(!body || (may("400") && may("422")), "{method} {path}");
    }
}

/// Clients are generated from the description: a shape without a name, or one that says nothing
/// of its members, is of no use to them.
#[test]
fn every_body_has_a_name() {
    let named = |content: &Value, place: &str| {
        let json = &content["content"]["application/json"];
        if !json.is_null() && place != "getOpenApi 200" {
            assert!(json["schema"]["$ref"].is_string(), "{place}: {json}");
        }
    };
    for (_, _, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        named(&operation["requestBody"], name);
        for (status, answer) in operation["responses"].as_object().unwrap() {
            named(answer, &format!("{name} {status}"));
        }
    }
    let components = &DOCUMENT["components"];
    for (name, answer) in components["responses"].as_object().unwrap() {
        named(answer, name);
    }
    for (name, schema) in components["schemas"].as_object().unwrap() {
        tells_its_members(schema, name);
    }
}

fn tells_its_members(schema: &Value, place: &str) {
    let told = |member: &str| !schema[member].is_null();
    let object = schema["type"] == "object" || schema["type"][0] == "object";
    assert!(
        !object || told("properties") || told("additionalProperties"),
        "{place}: {schema}"
    );
    assert!(schema["type"] != "array" || told("items"), "{place}");
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        tells_its_members(member, &format!("{place}.{name}"));
    }
    for list in ["allOf", "oneOf"] {
        for part in schema[list].as_array().into_iter().flatten() {
            tells_its_members(part, place);
        }
    }
}

/// Routes of the API that need no key.
fn is_public(method: &str, path: &str) -> bool {
    path.contains("attachments/")
        || matches!(path, "/v1/setup" | "/v1/sign-up" | "/v1/choose-password")
        || (method, path) == ("post", "/v1/sessions")
}

#[test]
fn names_of_events_are_those_of_the_product() {
    let names = Kind::FOR_WEBHOOKS.map(Kind::as_str);
    let schemas = &DOCUMENT["components"]["schemas"];
    assert_eq!(schemas["EventType"]["enum"], json!(names));
    let statuses = gateway::message::Status::ALL.map(gateway::message::Status::as_str);
    assert_eq!(schemas["MessageStatus"]["enum"], json!(statuses));
}

#[tokio::test]
async fn the_page_has_every_route_and_nothing_from_elsewhere() {
    let world = World::open(None).await;
    let page = world.anonymous().get("/docs").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    let page = page.text();
    for (path, _, operation) in operations() {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
        assert!(page.contains(operation["summary"].as_str().unwrap()));
    }
    for name in DOCUMENT["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
    }
    assert!(!page.contains("<script") && !page.contains("src="));
    assert!(!page.contains("href=\"http"));
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let world = World::open(None).await;
    world.user().get("/v1/Users/ME").await.ok();
    world.anonymous().get("/v1/users/me").await.unauthorized();
    world.user().get("/v1/webhooks/x").await;
    world.user().get("/v1/nothing").await;
    let mut text = String::new();
    world.requests.render_prometheus(&mut text);
    for line in [
        r#"{method="GET",route="/v1/users/me",status="2xx"} 1"#,
        r#"{method="GET",route="/v1/users/me",status="4xx"} 1"#,
        r#"{method="GET",route="/v1/webhooks/{id}",status="4xx"} 1"#,
        r#"{method="",route="",status="4xx"} 1"#,
    ] {
        let line = format!("httpsms_http_requests_total{line}\n");
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

#[test]
fn a_message_can_wait_only_for_what_is_described() {
    let described = &DOCUMENT["components"]["schemas"]["WaitingCode"]["enum"];
    assert_eq!(*described, json!(gateway::message::Awaited::ALL));
}
