//! Where a request comes from: which address, which program, which page.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use gateway::session::Visitor;
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use url::Url;

use crate::Api;
use crate::error::Error;

/// The other end of the connection, which the server puts into each request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Who knocks, known or not.
pub(crate) struct Knock(pub(crate) Visitor);

impl FromRequestParts<Api> for Knock {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<Self, Error> {
        let peer = parts.extensions.get().map(|Peer(address)| *address);
        Ok(Self(Visitor {
            address: peer.map(|peer| behind(peer, &parts.headers)),
            agent: text(&parts.headers, &header::USER_AGENT)
                .unwrap_or_default()
                .to_owned(),
        }))
    }
}

/// A proxy of the own network says for whom it asks, at the end of what others may have said.
fn behind(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    const NAME: HeaderName = HeaderName::from_static("x-forwarded-for");
    let told = headers.get_all(NAME).iter().next_back();
    let last = told
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next()?.trim().parse().ok());
    match last {
        Some(client) if is_private(peer) => client,
        _ => peer,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// Whether a page of this server asks. Browsers say so; older ones at least name the page's origin,
/// which is where they reach the server, or where the operator says that it is reached.
pub(super) fn is_from_own_page(parts: &Parts, public_url: &str) -> bool {
    const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    if let Some(site) = text(&parts.headers, &SITE) {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(&parts.headers, &header::ORIGIN).and_then(|text| Url::parse(text).ok())
    else {
        return false;
    };
    let asked = parts.uri.authority().map(http::uri::Authority::as_str);
    let asked = asked.or_else(|| text(&parts.headers, &header::HOST));
    let is = |url: &str| Url::parse(url).is_ok_and(|url| url.origin() == origin.origin());
    is(public_url) || asked.is_some_and(|host| is(&format!("{}://{host}", origin.scheme())))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;

    use super::*;

    fn own(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("/v1/phones");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        is_from_own_page(&parts, "https://sms.example/gw")
    }

    #[test]
    fn only_the_servers_own_pages_are_its_own() {
        let host = ("host", "10.0.0.5:8000");
        for headers in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://sms.example")],
            &[host, ("origin", "http://10.0.0.5:8000")],
        ] {
            assert!(own(headers), "{headers:?}");
        }
        for headers in [
            &[][..],
            &[host],
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "https://sms.example"),
            ],
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "http://sms.example")],
            &[("origin", "https://sms.example:8443")],
            &[("origin", "null")],
            &[host, ("origin", "http://10.0.0.5")],
            &[host, ("origin", "http://10.0.0.5:8000.evil.example")],
            &[("host", ""), ("origin", "http://evil.example")],
        ] {
            assert!(!own(headers), "{headers:?}");
        }
    }

    #[test]
    fn a_proxy_of_the_own_network_is_believed() {
        for (peer, forwarded, expected) in [
            ("127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
            ("::ffff:10.1.2.3", "2001:db8::1", "2001:db8::1"),
            ("203.0.113.1", "203.0.113.9", "203.0.113.1"),
            ("127.0.0.1", "unknown", "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            let found = behind(peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), expected, "{peer} {forwarded}");
        }
    }
}
