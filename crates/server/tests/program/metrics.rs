//! Figures for Prometheus, on a listener of their own.

use testkit::Anonymous;

use super::setup;

/// Where a server with a listener for figures shows them.
fn address(log: &str) -> String {
    let (_, rest) = log.split_once("figures are on ").unwrap();
    rest.split("/metrics").next().unwrap().to_owned()
}

#[tokio::test]
async fn figures_are_shown_where_asked_and_nowhere_else() {
    let server = setup().arg("--metrics-listen=127.0.0.1:0").start().await;
    server.anonymous().get("/v1/users/me").await.expect(401);
    let figures = Anonymous::new(&address(&server.log()));
    let page = figures.get("/metrics").await.expect(200);
    let kind = page.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = page.text();
    for name in [
        "httpsms_uptime_seconds ",
        "process_resident_memory_bytes ",
        "httpsms_http_requests_total{method=\"GET\",route=\"/v1/users/me\",status=\"4xx\"} 1",
        "httpsms_webhook_attempts_total{",
    ] {
        assert!(text.contains(name), "{name}\n{text}");
    }
    figures.get("/v1/users/me").await.expect(404);
    server.anonymous().get("/metrics").await.expect(404);
}
