//! A way to the mail server: hands it one mail and says how it took it.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gateway::Time;
use gateway::mail::Mail;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::Certificate;
use tokio::time::timeout;

use super::letter::letter;
use super::line::{Lines, hang_up};
use super::server::Server;
use super::talk::hand_over;

/// A line gets so long until it is ready, and then a mail to be taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way to the mail server.
pub struct Mailer {
    from: Mailbox,
    lines: Arc<Lines>,
    patience: Duration,
}

/// Why the mail server did not take a mail. No address' local part stands in the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No mail can be sent now: the server is away, or will not talk to us.
    Unusable(String),
    /// Not this mail now, perhaps later.
    Later(String),
    /// This mail never.
    Never(String),
}

/// A setting for mails is not right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMailSettings {
    /// The server's URL.
    #[error(
        "the SMTP URL must be smtp://host or smtps://host, with user:password@, a port, or ?tls=required|opportunistic|none where needed"
    )]
    Url,
    /// Its user name or password.
    #[error("the SMTP URL must have both a user name and a password, or neither")]
    Login,
    /// The sender.
    #[error(
        "the sender of mails must be an address, such as sms@example.org or httpSMS <sms@example.org>"
    )]
    From,
    /// A certificate to trust.
    #[error("the mail server's certificate must be DER")]
    Certificate,
}

impl Mailer {
    /// To the server of this URL, see the words of [`BadMailSettings::Url`]; from this address, which
    /// may have a name before it. With a password, the line is encrypted or not used, unless the
    /// server is this machine or the URL says otherwise.
    pub fn new(smtp_url: &str, from: &str) -> Result<Self, BadMailSettings> {
        Ok(Self {
            from: from.parse().map_err(|_| BadMailSettings::From)?,
            lines: Arc::new(Lines::new(Server::parse(smtp_url)?, None)),
            patience: PATIENCE,
        })
    }

    /// Trusts this certificate (DER) too, beside those that the operating system trusts.
    pub fn trusting(self, der: &[u8]) -> Result<Self, BadMailSettings> {
        let certificate = Certificate::from_der(der.to_owned());
        let certificate = certificate.map_err(|_| BadMailSettings::Certificate)?;
        let lines = Lines::new(self.lines.server.clone(), Some(certificate));
        Ok(Self {
            lines: Arc::new(lines),
            ..self
        })
    }

    /// Hands over a mail, dated now. It may come twice if the server's last word is lost, with the
    /// same `Message-ID`.
    pub async fn send(&self, mail: &Mail, now: Time) -> Result<(), Refusal> {
        let letter = letter(&self.from, mail, now)?;
        let mut line = self.patiently(self.lines.take()).await?;
        let handed = self.patiently(hand_over(&mut line, mail, &letter)).await;
        match handed {
            Ok(()) => self.lines.put_back(line),
            Err(_) => hang_up(line),
        }
        handed
    }

    async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        timeout(self.patience, work).await.unwrap_or_else(|_| {
            let words = "no answer in time from the mail server";
            Err(Refusal::Unusable(words.to_owned()))
        })
    }
}

impl fmt::Debug for Mailer {
    /// Without the user name and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.lines.server;
        f.debug_struct("Mailer")
            .field("host", &server.host)
            .field("port", &server.port)
            .field("encryption", &server.encryption)
            .finish_non_exhaustive()
    }
}

/// The server's answer, or what kept it from coming.
pub(super) fn said(error: &Error) -> String {
    match (error.status(), error.source()) {
        (Some(code), Some(text)) => format!("{code} {text}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::Uuid;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", silent.local_addr().unwrap());
        let mailer = Mailer {
            patience: Duration::from_millis(50),
            ..Mailer::new(&url, "sms@example.org").unwrap()
        };
        let mail = Mail {
            id: Uuid::from_u128(1),
            to: "ann@example.org".to_owned(),
            subject: String::new(),
            text: String::new(),
        };
        let refused = mailer.send(&mail, Time::from_micros(0)).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Unusable(words) if words.contains("in time")));
    }

    #[test]
    fn senders_are_addresses_with_or_without_a_name() {
        for from in ["sms@example.org", "httpsms <httpsms@localhost>"] {
            assert!(Mailer::new("smtp://localhost", from).is_ok(), "{from}");
        }
        for from in ["", "httpsms", "a@b, c@d", "x\r\nBcc: <a@b>"] {
            let mailer = Mailer::new("smtp://localhost", from);
            assert_eq!(mailer.unwrap_err(), BadMailSettings::From, "{from}");
        }
    }

    #[test]
    fn printing_hides_the_login() {
        let mailer = Mailer::new("smtps://sesame:sesame@mx:26", "sms@example.org").unwrap();
        let printed = format!("{mailer:?}");
        assert!(printed.contains("mx") && printed.contains("26"));
        assert!(!printed.contains("sesame"), "{printed}");
    }
}
