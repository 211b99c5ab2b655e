//! Where to listen, as it is written: a host and a port.

use std::str::FromStr;

/// `HOST:PORT`; the host is a name or an address, the one of IPv6 in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(pub String);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = text
            .rsplit_once(':')
            .filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        match address {
            Some((host, _)) if !host.contains(':') || host.starts_with('[') => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(format!(
                "`{text}` is no address with a port, such as 127.0.0.1:8000 or [::1]:8000"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on_have_a_port() {
        for right in ["127.0.0.1:0", "localhost:8000", "[::1]:8000", "0.0.0.0:80"] {
            assert!(right.parse::<Listen>().is_ok(), "{right}");
        }
        for wrong in ["", "8000", ":8000", "localhost", "::1:8000", "host:99999"] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
