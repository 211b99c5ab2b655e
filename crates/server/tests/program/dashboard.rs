//! The dashboard beside the API: whether it was built or not, `/` is a page and `/v1` is the API.

use super::setup;

#[tokio::test]
async fn pages_are_pages_and_the_api_stays_the_api() {
    let server = setup().start().await;
    let client = server.anonymous();
    let start = client.get("/").await.expect(200);
    let policy = start.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let built = !start.text().contains("npm run build");
    for page in ["/inbox", "/inbox/+18005550199/+18005550100", "/settings"] {
        let answer = client.get(page).await;
        if built {
            assert_eq!(answer.expect(200).text(), start.text(), "{page}");
        } else {
            answer.expect(404);
        }
    }
    for path in [
        "/v1",
        "/v1/inbox",
        "/v1/nothing",
        "/inbox.js",
        "/assets/none.js",
    ] {
        assert!(!client.get(path).await.text().contains("<html"), "{path}");
    }
}
