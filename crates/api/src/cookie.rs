//! The cookie of a session: out of the reach of scripts, and never sent along by other sites' pages.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

const NAME: &str = "httpsms_session";

/// The session's token, if the request has one.
pub(crate) fn read(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
        .filter(|token| !token.is_empty())
}

/// Sets the cookie. The server decides when a session is over, so the browser keeps it as long as it may.
pub(crate) fn set(answer: Response, token: &str, public_url: &str) -> Response {
    with(answer, &format!("{token}; Max-Age=34560000"), public_url)
}

/// Takes the cookie away.
pub(crate) fn clear(answer: Response, public_url: &str) -> Response {
    with(answer, "; Max-Age=0", public_url)
}

fn with(mut answer: Response, value: &str, public_url: &str) -> Response {
    let secure = if public_url.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Strict{secure}");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::COOKIE, value.parse().unwrap());
            }
            read(&headers).map(str::to_owned)
        };
        assert_eq!(
            found(&["a=b; httpsms_session=x-1; c=d"]).as_deref(),
            Some("x-1")
        );
        assert_eq!(found(&["a=b", "httpsms_session=x"]).as_deref(), Some("x"));
        for none in [
            "",
            "httpsms_session",
            "httpsms_session=",
            "xhttpsms_session=y",
        ] {
            assert_eq!(found(&[none]), None, "{none}");
        }
    }

    #[test]
    fn it_is_secure_where_the_server_is() {
        let told = |url| {
            let answer = set("".into_response(), "x", url);
            answer.headers()[header::SET_COOKIE]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let plain = "httpsms_session=x; Max-Age=34560000; Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(told("http://sms.example"), plain);
        assert_eq!(told("https://sms.example"), format!("{plain}; Secure"));
    }
}
