//! What the SMTP URL says of the mail server: where it is, how to reach it safely, and who we are to it.

use std::net::IpAddr;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use url::Url;

use super::BadMailSettings;

/// A mail server.
#[derive(Clone)]
pub(super) struct Server {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub login: Option<Credentials>,
    /// What we call ourselves.
    pub hello: ClientId,
}

/// How a line to the server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// From its first byte.
    Wrapped,
    /// With STARTTLS, or no mail goes there.
    Required,
    /// With STARTTLS, if the server offers it.
    IfOffered,
    /// Not at all.
    Never,
}

impl Server {
    /// Reads `smtp[s]://[user:password@]host[:port][/our-name][?tls=required|opportunistic|none]`.
    ///
    /// Without `tls`, a password never travels in clear to another machine: it makes STARTTLS
    /// required. The port is 465 for smtps, 587 with a password or required STARTTLS, otherwise 25.
    pub fn parse(url: &str) -> Result<Self, BadMailSettings> {
        let url = Url::parse(url.trim()).map_err(|_| BadMailSettings::Url)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(BadMailSettings::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let login = login(&url)?;
        let encryption = encryption(&url, host, login.is_some())?;
        let usual = match (encryption, &login) {
            (Encryption::Wrapped, _) => 465,
            (Encryption::Required, _) | (_, Some(_)) => 587,
            _ => 25,
        };
        Ok(Self {
            host: host.to_owned(),
            port: url.port().unwrap_or(usual),
            encryption,
            login,
            hello: match url.path().trim_matches('/') {
                "" => ClientId::default(),
                name => ClientId::Domain(name.to_owned()),
            },
        })
    }
}

fn encryption(url: &Url, host: &str, login: bool) -> Result<Encryption, BadMailSettings> {
    let tls = match url.query_pairs().collect::<Vec<_>>().as_slice() {
        [] => None,
        [(name, value)] if name == "tls" => Some(value.clone()),
        _ => return Err(BadMailSettings::Url),
    };
    Ok(match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => Encryption::Wrapped,
        ("smtp", Some("required")) => Encryption::Required,
        ("smtp", Some("opportunistic")) => Encryption::IfOffered,
        ("smtp", Some("none")) => Encryption::Never,
        ("smtp", None) => unless_asked(host, login),
        _ => return Err(BadMailSettings::Url),
    })
}

fn unless_asked(host: &str, login: bool) -> Encryption {
    if is_this_machine(host) {
        // What does not leave the machine needs none, and certificates seldom name it.
        Encryption::Never
    } else if login {
        Encryption::Required
    } else {
        Encryption::IfOffered
    }
}

fn is_this_machine(host: &str) -> bool {
    let address: Result<IpAddr, _> = host.parse();
    address.map_or_else(
        |_| host.eq_ignore_ascii_case("localhost"),
        |address| address.is_loopback(),
    )
}

fn login(url: &Url) -> Result<Option<Credentials>, BadMailSettings> {
    let decoded = |text| {
        let text = percent_decode_str(text).decode_utf8();
        text.map(String::from).map_err(|_| BadMailSettings::Url)
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) if !user.is_empty() => {
            let credentials = Credentials::new(decoded(user)?, decoded(password)?);
            Ok(Some(credentials))
        }
        _ => Err(BadMailSettings::Login),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encryption::{IfOffered, Never, Required, Wrapped};

    fn parsed(url: &str) -> Server {
        Server::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn the_url_says_where_and_how_safely() {
        for (url, host, port, encryption) in [
            ("smtp://mx.example.org", "mx.example.org", 25, IfOffered),
            (
                "smtp://u:p@mx.example.org:2525",
                "mx.example.org",
                2525,
                Required,
            ),
            ("smtp://u:p@mx.example.org", "mx.example.org", 587, Required),
            ("smtp://u:p@mx?tls=opportunistic", "mx", 587, IfOffered),
            ("smtp://u:p@mx?tls=none", "mx", 587, Never),
            ("smtp://mx?tls=required", "mx", 587, Required),
            ("smtps://u:p@mx", "mx", 465, Wrapped),
            ("smtps://mx:26/", "mx", 26, Wrapped),
            ("smtp://localhost", "localhost", 25, Never),
            ("smtp://u:p@127.0.0.1:1025", "127.0.0.1", 1025, Never),
            ("smtp://[::1]", "::1", 25, Never),
            ("smtp://[2001:db8::1]:25", "2001:db8::1", 25, IfOffered),
        ] {
            let server = parsed(url);
            let found = (server.host.as_str(), server.port, server.encryption);
            assert_eq!(found, (host, port, encryption), "{url}");
        }
    }

    #[test]
    fn the_login_is_decoded() {
        let server = parsed("smtp://ann%40example.org:p%2Fs+%C3%A9@mx");
        let expected = Credentials::new("ann@example.org".to_owned(), "p/s+é".to_owned());
        assert_eq!(server.login, Some(expected));
        assert_eq!(parsed("smtp://mx").login, None);
    }

    #[test]
    fn the_name_we_give_may_be_chosen() {
        let server = parsed("smtp://mx/sms.example.org");
        assert_eq!(server.hello, ClientId::Domain("sms.example.org".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "mx.example.org:25",
            "http://mx",
            "smtp:",
            "smtp://",
            "smtp://mx:99999",
            "smtp://u:sesame@mx?tls=yes",
            "smtp://u:sesame@mx?tsl=none",
            "smtps://u:sesame@mx?tls=none",
            "smtp://sesame@mx",
            "smtp://:sesame@mx",
            "smtp://u:sesame%FF@mx",
        ] {
            let Err(error) = Server::parse(url) else {
                panic!("{url}")
            };
            assert!(!error.to_string().contains("sesame"), "{url}: {error}");
        }
    }
}
