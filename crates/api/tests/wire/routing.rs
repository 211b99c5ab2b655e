//! Paths and methods, what is answered without a route, CORS, health, and a database that is away.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use crate::support::{NOBODY, World, on_each_engine};

#[tokio::test]
async fn paths_without_a_route() {
    let world = World::open(None).await;
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v1/messages/a/b/c",
        "/index.html",
    ] {
        let answer = world.anonymous().get(path).await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (404, "Not Found"),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = world.anonymous().send(method, path, None, "").await;
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (405, "Method Not Allowed")
            );
            assert_eq!(answer.header("allow"), "GET, HEAD");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        }
    }
}

#[tokio::test]
async fn routes_without_the_method() {
    let world = World::open(None).await;
    for (path, allow) in [
        ("/v1/messages/send", "POST"),
        ("/v1/phones", "GET,HEAD,PUT"),
        ("/v1/webhooks/x", "GET,HEAD,PUT,DELETE"),
        ("/health", "GET,HEAD"),
    ] {
        let answer = world.user().send(Method::PATCH, path, None, "").await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (405, "Method Not Allowed")
        );
        assert_eq!(answer.header("allow"), allow, "{path}");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
}

#[tokio::test]
async fn slashes_and_letter_case_do_not_matter() {
    let world = World::open(None).await;
    for path in [
        "//v1/users/me",
        "/v1/users/me/",
        "/V1/Users/ME",
        "/v1//users///me//",
    ] {
        world
            .user()
            .get(path)
            .await
            .says(200, "user fetched successfully");
    }
    let send = world.user().post("/v1/Messages/SEND/", json!({})).await;
    assert_eq!(
        send.json()["message"],
        "validation errors while sending message"
    );
    // Parameters keep theirs: ids are lower case.
    let upper = format!("/v1/Messages/{}", NOBODY.to_uppercase());
    world.user().get(&upper).await.invalid(
        "validation errors while storing event",
        json!({"messageID": ["The messageID field must contain valid UUID"]}),
    );
    world
        .user()
        .get(&format!("/V1/messages/{NOBODY}/"))
        .await
        .missing(&format!("cannot find message with ID [{NOBODY}]"));
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let world = World::open(None).await;
    for path in ["/v1/users/me", "/v1/phones", "/health"] {
        let get = world.user().get(path).await;
        let head = world.user().send(Method::HEAD, path, None, "").await;
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-type"), get.header("content-type"));
    }
    assert_eq!(
        world
            .anonymous()
            .send(Method::HEAD, "/x", None, "")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn any_page_may_ask() {
    let world = World::open(None).await;
    for path in ["/v1/messages/send", "/v1/nowhere"] {
        let preflight = Request::builder()
            .method(Method::OPTIONS)
            .uri(path)
            .header("origin", "https://page.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-api-key,content-type")
            .body(Body::empty());
        let answer = world.call(preflight.unwrap()).await;
        answer.empty();
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-headers"), "*");
        assert_eq!(
            answer.header("access-control-allow-methods"),
            "GET,POST,PUT,DELETE,OPTIONS"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("access-control-max-age"), "");
    }
    let request = Request::builder()
        .uri("/v1/phones")
        .header("origin", "https://page.example");
    let answer = world.call(request.body(Body::empty()).unwrap()).await;
    answer.unauthorized();
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-expose-headers"), "*");
}

#[tokio::test]
async fn health_and_a_database_that_is_away() {
    on_each_engine(async |world: World| {
        let healthy = world.anonymous().get("/health").await;
        assert_eq!((healthy.status, healthy.text().as_str()), (200, "OK"));
        assert_eq!(healthy.header("access-control-allow-origin"), "");
        assert_eq!(healthy.header("content-type"), "text/plain; charset=utf-8");

        world.gateway.close().await;
        let sick = world.anonymous().get("/health").await;
        assert_eq!(sick.status, 503);
        assert_eq!(sick.header("content-type"), "text/plain; charset=utf-8");
        let answer = world.user().get("/v1/phones").await;
        assert_eq!(answer.header("retry-after"), "1");
        let expected = json!({
            "message": "The database is not available at the moment. Please try again.",
            "status": "error",
        });
        assert_eq!((answer.status, answer.json()), (503, expected));
    })
    .await;
}
