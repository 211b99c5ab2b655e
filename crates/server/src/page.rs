//! A page for people who open the server's address in a browser and have no dashboard, or want to
//! begin with the API. Says what this is and how to begin; loads nothing from anywhere.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;

const PAGE: &str = include_str!("../assets/index.html");
/// What stands in the page when the dashboard was not built.
const MISSING: &str = "<p>The dashboard is not part of this build. With Node.js 20.19 or newer this \
    builds it and puts it in:</p><pre>cd dashboard &amp;&amp; npm ci &amp;&amp; npm run build\n\
    cd .. &amp;&amp; cargo build --release</pre>";
const HEADERS: [(header::HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// The router with the page at `/start` added, and `alone` also at `/`.
pub fn before(router: Router, public_url: &str, alone: bool) -> Router {
    let page = filled(public_url, if alone { MISSING } else { "" });
    let answer = get(|| async move { (HEADERS, Html(page)) });
    let router = router.route("/start", answer.clone());
    if alone {
        router.route("/", answer)
    } else {
        router
    }
}

/// A URL cannot hold `<`, `>` or quotes unescaped, but it may hold `&`.
fn filled(public_url: &str, missing: &str) -> String {
    PAGE.replace("{url}", &public_url.replace('&', "&amp;"))
        .replace("{dashboard}", missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_address_and_no_other_host() {
        let page = filled("https://sms.example.com", MISSING);
        assert!(page.contains("curl https://sms.example.com/v1/messages/send"));
        assert!(page.contains("npm run build"));
        assert!(!page.contains("{url}") && !page.contains("{dashboard}"));
        let ours = page.matches("https://sms.example.com").count();
        assert_eq!(page.matches("://").count(), ours);
    }
}
