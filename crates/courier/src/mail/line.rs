//! Lines to the mail server. One that has carried a mail stays open for the next, if that comes soon.
//!
//! lettre has a pool too, but it takes a line back in the midst of a talk that was broken off, and
//! does not say whether a refusal is about the mail or about us.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout};

use super::mailer::{Refusal, said};
use super::server::{Encryption, Server};

/// A line that is open and logged in.
pub(super) type Line = AsyncSmtpConnection;

/// How long a line stays open for the next mail.
const LINGER: Duration = Duration::from_secs(10);

/// How long an open line may take to say that it is still there, or to say goodbye.
const WORD: Duration = Duration::from_secs(3);

/// All lines to one server.
pub(super) struct Lines {
    pub server: Server,
    /// Trusted beside those that the operating system trusts.
    pub trusted: Option<Certificate>,
    tls: OnceCell<TlsParameters>,
    open: Mutex<Vec<(Line, Instant)>>,
}

impl Lines {
    /// None is open yet.
    pub fn new(server: Server, trusted: Option<Certificate>) -> Self {
        Self {
            server,
            trusted,
            tls: OnceCell::new(),
            open: Mutex::default(),
        }
    }

    /// One that is open and still answers, or a new one.
    pub async fn take(&self) -> Result<Line, Refusal> {
        while let Some(mut line) = self.pop() {
            if timeout(WORD, line.test_connected()).await == Ok(true) {
                return Ok(line);
            }
        }
        self.connect().await
    }

    /// Takes back a line whose last mail was accepted.
    pub fn put_back(self: &Arc<Self>, line: Line) {
        self.lock().push((line, Instant::now()));
        let lines = Arc::clone(self);
        tokio::spawn(async move {
            sleep(LINGER).await;
            lines.tidy();
        });
    }

    /// Closes what has been open for long enough.
    fn tidy(&self) {
        let mut open = self.lock();
        let idle = open.extract_if(.., |(_, since)| since.elapsed() >= LINGER);
        idle.for_each(|(line, _)| hang_up(line));
    }

    async fn connect(&self) -> Result<Line, Refusal> {
        let server = &self.server;
        let wrapped = match server.encryption {
            Encryption::Wrapped => Some(self.tls().await?),
            _ => None,
        };
        let address = (server.host.as_str(), server.port);
        let mut line = Line::connect_tokio1(address, None, &server.hello, wrapped, None)
            .await
            .map_err(unusable)?;
        self.encrypt(&mut line).await?;
        self.log_in(&mut line).await?;
        Ok(line)
    }

    async fn encrypt(&self, line: &mut Line) -> Result<(), Refusal> {
        let wanted = match self.server.encryption {
            Encryption::Wrapped | Encryption::Never => false,
            Encryption::Required => true,
            Encryption::IfOffered => line.can_starttls(),
        };
        if !wanted {
            return Ok(());
        }
        if !line.can_starttls() {
            let words = "the mail server offers no encryption, which is required with a password \
                         unless the SMTP URL says ?tls=none";
            return Err(Refusal::Unusable(words.to_owned()));
        }
        let tls = self.tls().await?;
        line.starttls(tls, &self.server.hello)
            .await
            .map_err(unusable)
    }

    async fn log_in(&self, line: &mut Line) -> Result<(), Refusal> {
        let Some(login) = &self.server.login else {
            return Ok(());
        };
        let greeted = line.auth(&[Mechanism::Plain, Mechanism::Login], login);
        greeted.await.map(drop).map_err(|error| {
            // Its words are left out: a server may repeat what it was told.
            Refusal::Unusable(match error.status() {
                Some(code) => {
                    format!("the mail server refuses the user name or password: {code}")
                }
                None => format!("logging in to the mail server: {error}"),
            })
        })
    }

    /// The trusted certificates are read when the first line is encrypted.
    async fn tls(&self) -> Result<TlsParameters, Refusal> {
        let made = self.tls.get_or_try_init(|| async {
            let tls = TlsParameters::builder(self.server.host.clone());
            let tls = match self.trusted.clone() {
                Some(certificate) => tls.add_root_certificate(certificate),
                None => tls,
            };
            tls.build_rustls().map_err(unusable)
        });
        made.await.cloned()
    }

    fn pop(&self) -> Option<Line> {
        self.lock().pop().map(|(line, _)| line)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Line, Instant)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says goodbye, and closes the line whatever the server says to that.
pub(super) fn hang_up(mut line: Line) {
    tokio::spawn(async move { timeout(WORD, line.quit()).await });
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn unusable(error: Error) -> Refusal {
    Refusal::Unusable(said(&error))
}
