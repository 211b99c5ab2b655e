//! What can go wrong between a phone and its server, told apart by what the phone does next.
//! No error text holds an API key: keys travel in a header that is never printed.

use std::error::Error as _;

/// Why a request, or a phone's run, did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 401: the key is unknown, or does not hold the number in question.
    #[error("the server does not accept this API key (401)")]
    Unauthorized,
    /// 401 on a poll that was accepted before: the run is over.
    #[error("the API key has been revoked: the server no longer accepts it (401)")]
    Revoked,
    /// 404, with the server's words.
    #[error("not found: {0}")]
    NotFound(String),
    /// Any other answer that is not a success, with the server's words.
    #[error("the server answered {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server said, shortened.
        message: String,
    },
    /// No whole answer: connection refused, reset, or timed out.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// A success whose body is not what the phone protocol promises.
    #[error("the server's answer is not understood: {0}")]
    Garbled(String),
    /// A setting of the phone that cannot work.
    #[error("{0}")]
    Setting(String),
}

impl Error {
    /// Whether the same request may work later: no answer, 408, 429 or 5xx (the phone protocol §15.3).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The innermost cause says it best ("Connection refused"); the address stays out of the text.
    pub(crate) fn unreachable(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Unreachable("it did not answer in time".into());
        }
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        match error.source() {
            Some(_) => Self::Unreachable(innermost.to_string()),
            None => Self::Unreachable("the connection broke".into()),
        }
    }

    pub(crate) fn setting(text: impl Into<String>) -> Self {
        Self::Setting(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    fn refused(status: u16) -> Error {
        Error::Refused {
            status,
            message: "no".into(),
        }
    }

    #[test]
    fn only_busy_or_absent_servers_are_worth_another_try() {
        for status in [408, 429, 500, 502, 503, 599] {
            assert!(refused(status).is_transient(), "{status}");
        }
        for status in [301, 400, 402, 413, 422] {
            assert!(!refused(status).is_transient(), "{status}");
        }
        assert!(Error::Unreachable("gone".into()).is_transient());
        for error in [
            Error::Unauthorized,
            Error::Revoked,
            Error::NotFound("x".into()),
            Error::Garbled("x".into()),
        ] {
            assert!(!error.is_transient(), "{error}");
        }
    }
}
