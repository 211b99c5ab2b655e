//! The dashboard, as it was when this program was built; without it, a page that says how to build it.
//! Its addresses are listed here, so it never answers for the API.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::page;

/// A file of the dashboard and its compressed forms.
struct File {
    /// As in its address.
    path: &'static str,
    /// Its media type.
    kind: &'static str,
    /// Its entity tag.
    tag: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// Empty when the dashboard was not built before this program.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// First words of the addresses that the dashboard shows, today's and those of older links.
const AREAS: [&str; 11] = [
    "inbox",
    "webhooks",
    "phones",
    "bulk",
    "search",
    "settings",
    "threads",
    "messages",
    "bulk-messages",
    "search-messages",
    "phone-api-keys",
];

/// Nothing from elsewhere, nothing inline, nobody around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'none'";

/// Of all its answers.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// The router with the dashboard, or the page in its place, before `router`.
pub fn before(router: Router, public_url: &str) -> Router {
    let router = page::before(router, public_url, FILES.is_empty());
    let Some(index) = FILES.iter().find(|file| file.path == "/index.html") else {
        return router;
    };
    let router = FILES
        .iter()
        .filter(|file| file.path != index.path)
        .fold(router, |router, file| with(router, file.path, file));
    AREAS.iter().fold(with(router, "/", index), |router, area| {
        let router = with(router, &format!("/{area}"), index);
        with(router, &format!("/{area}/{{*rest}}"), index)
    })
}

fn with(router: Router, path: &str, file: &'static File) -> Router {
    let answer = move |headers: HeaderMap| async move { file.answer(&headers) };
    router.route(path, get(answer))
}

impl File {
    fn answer(&self, asked: &HeaderMap) -> Response {
        let mut answer = if self.is_known(asked) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.whole(asked)
        };
        let headers = answer.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::ETAG, HeaderValue::from_static(self.tag));
        headers.insert(header::CACHE_CONTROL, self.cache());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        answer
    }

    fn whole(&self, asked: &HeaderMap) -> Response {
        let (bytes, encoding) = self.best(asked);
        let body = Body::from(Bytes::from_static(bytes));
        let mut answer = ([(header::CONTENT_TYPE, self.kind)], body).into_response();
        if let Some(encoding) = encoding {
            let value = HeaderValue::from_static(encoding);
            answer.headers_mut().insert(header::CONTENT_ENCODING, value);
        }
        answer
    }

    /// The smallest form that the client reads.
    fn best(&self, asked: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
        match (self.brotli, self.gzip) {
            (Some(bytes), _) if accepts(asked, "br") => (bytes, Some("br")),
            (_, Some(bytes)) if accepts(asked, "gzip") => (bytes, Some("gzip")),
            _ => (self.plain, None),
        }
    }

    fn is_known(&self, asked: &HeaderMap) -> bool {
        let tags = asked.get(header::IF_NONE_MATCH);
        tags.and_then(|tags| tags.to_str().ok())
            .is_some_and(|tags| {
                tags.split(',')
                    .any(|tag| tag.trim().trim_start_matches("W/") == self.tag)
            })
    }

    /// Names below `/assets/` hold a hash of what is in them.
    fn cache(&self) -> HeaderValue {
        HeaderValue::from_static(if self.path.starts_with("/assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        })
    }
}

/// Whether the client takes an encoding, by name and not by `q=0`.
fn accepts(asked: &HeaderMap, encoding: &str) -> bool {
    asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let weight = weight.trim().trim_start_matches("q=");
            name.trim().eq_ignore_ascii_case(encoding) && weight.parse() != Ok(0.0_f32)
        })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    const SCRIPT: File = File {
        path: "/assets/a-1b2c.js",
        kind: "text/javascript; charset=utf-8",
        tag: "\"1\"",
        plain: b"plain",
        brotli: Some(b"br"),
        gzip: Some(b"gz"),
    };

    fn asked(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[tokio::test]
    async fn the_smallest_form_that_is_read_is_sent() {
        for (offers, body, encoding) in [
            ("gzip, deflate, br, zstd", "br", Some("br")),
            ("gzip, deflate", "gz", Some("gzip")),
            ("br;q=0, GZIP;q=0.5", "gz", Some("gzip")),
            ("identity", "plain", None),
            ("", "plain", None),
        ] {
            let answer = SCRIPT.answer(&asked(header::ACCEPT_ENCODING, offers));
            let named = answer.headers().get(header::CONTENT_ENCODING).cloned();
            assert_eq!(named.as_ref().map(|name| name.to_str().unwrap()), encoding);
            let sent = to_bytes(answer.into_body(), 100).await.unwrap();
            assert_eq!(sent, body, "{offers}");
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        for tags in ["\"1\"", "\"0\", W/\"1\""] {
            let answer = SCRIPT.answer(&asked(header::IF_NONE_MATCH, tags));
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{tags}");
        }
        let other = SCRIPT.answer(&asked(header::IF_NONE_MATCH, "\"2\""));
        assert_eq!(other.status(), StatusCode::OK);
        assert!(
            other.headers()[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .ends_with("immutable")
        );
    }

    #[test]
    fn the_policy_allows_nothing_inline_and_nobody_else() {
        assert!(!POLICY.contains("unsafe"));
        assert!(!POLICY.contains("http"));
    }
}
