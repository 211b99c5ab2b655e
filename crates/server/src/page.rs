//! `GET /`: a page for people who open the server's address in a browser.
//! Says what this is and how to begin; loads nothing from anywhere.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;

const PAGE: &str = include_str!("../assets/index.html");
const HEADERS: [(header::HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// The router with the page beside the API.
pub fn beside(api: Router, public_url: &str) -> Router {
    let page = filled(public_url);
    api.route("/", get(|| async move { (HEADERS, Html(page)) }))
}

/// A URL cannot hold `<`, `>` or quotes unescaped, but it may hold `&`.
fn filled(public_url: &str) -> String {
    PAGE.replace("{url}", &public_url.replace('&', "&amp;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_address_and_no_other_host() {
        let page = filled("https://sms.example.com");
        assert!(page.contains("curl https://sms.example.com/v1/messages/send"));
        assert!(!page.contains("{url}"));
        let ours = page.matches("https://sms.example.com").count();
        assert_eq!(page.matches("://").count(), ours);
    }
}
