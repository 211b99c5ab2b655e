//! Why an attempt has no answer, in words that the owner of a webhook understands.
//! The causes below are told apart by what the layers underneath say.

use std::io;
use std::time::Duration;

/// What kept an answer from coming.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No complete answer in time, from the look-up of the name to the end of the body.
    #[error("timeout: no complete answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// The name has no address.
    #[error("the host name cannot be resolved")]
    Name,
    /// The secure connection was not made.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection was closed or broken before the answer was complete.
    #[error("the connection was closed before the answer was complete")]
    Reset,
    /// What came is not HTTP, or more header than is read.
    #[error("the answer is not valid HTTP")]
    Invalid,
    /// The address may not be connected to.
    #[error("the address of this host is not allowed")]
    Forbidden,
    /// The URL cannot be called.
    #[error("the URL cannot be called")]
    Url,
    /// No connection, for another reason.
    #[error("no connection: {0}")]
    Unreachable(io::ErrorKind),
}

impl Failure {
    /// Whether it will be the same the next time.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Forbidden | Self::Url)
    }

    pub(crate) fn of_io(error: &io::Error) -> Self {
        if let Some(reason) = error.get_ref()
            && reason.is::<rustls::Error>()
        {
            return Self::Tls(reason.to_string());
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Reset,
            kind => Self::Unreachable(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_found() {
        let of = |kind: io::ErrorKind| Failure::of_io(&kind.into());
        assert_eq!(of(io::ErrorKind::BrokenPipe), Failure::Reset);
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Failure::Refused);
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
        let inside = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert!(matches!(Failure::of_io(&inside), Failure::Tls(_)));
    }

    #[test]
    fn the_words_name_no_address() {
        assert_eq!(
            Failure::Timeout(Duration::from_secs(5)).to_string(),
            "timeout: no complete answer within 5 seconds"
        );
        assert_eq!(
            Failure::Unreachable(io::ErrorKind::HostUnreachable).to_string(),
            "no connection: host unreachable"
        );
    }
}
