//! Where the server is, and how a path is joined to it.
//! Trailing slashes go and a path prefix stays: the traps of the phone protocol §2.

use url::Url;

use crate::Error;

/// A server's base address, http or https, perhaps with a path prefix.
#[derive(Clone, Debug)]
pub struct Address {
    base: Url,
    prefix: String,
}

impl Address {
    /// Takes a server URL as people type it; query and fragment are dropped.
    pub fn new(server: &Url) -> Result<Self, Error> {
        if !matches!(server.scheme(), "http" | "https") {
            return Err(Error::setting(
                "the server address must start with http:// or https://",
            ));
        }
        let mut base = server.clone();
        base.set_query(None);
        base.set_fragment(None);
        let prefix = base.path().trim_end_matches('/').to_owned();
        Ok(Self { base, prefix })
    }

    /// The URL of `path`, which starts with a slash.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&[self.prefix.as_str(), path].concat());
        url
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn joined(server: &str) -> String {
        let address = Address::new(&server.parse().unwrap()).unwrap();
        address.join("/v1/heartbeats").to_string()
    }

    #[test]
    fn slashes_at_the_end_neither_lose_the_host_nor_double() {
        for (server, expected) in [
            ("https://sms.example.com", "https://sms.example.com"),
            ("https://sms.example.com/", "https://sms.example.com"),
            ("https://sms.example.com///", "https://sms.example.com"),
            ("https://sms.example.com/gw", "https://sms.example.com/gw"),
            ("https://sms.example.com/gw/", "https://sms.example.com/gw"),
            (
                "https://sms.example.com/a/b//",
                "https://sms.example.com/a/b",
            ),
            (
                "https://sms.example.com:8443",
                "https://sms.example.com:8443",
            ),
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("https://sms.example.com/?a=b#c", "https://sms.example.com"),
            (
                "https://sms.example.com/a%20b",
                "https://sms.example.com/a%20b",
            ),
        ] {
            assert_eq!(joined(server), format!("{expected}/v1/heartbeats"));
        }
    }

    #[test]
    fn only_web_addresses_are_taken() {
        for server in ["ftp://sms.example.com", "localhost:8000", "mailto:a@b.c"] {
            assert!(Address::new(&server.parse().unwrap()).is_err(), "{server}");
        }
    }
}
