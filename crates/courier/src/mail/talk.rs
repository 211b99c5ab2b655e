//! The talk that hands over one mail (RFC 5321, section 3.3).
//!
//! lettre could lead it, but after a refusal it waits for the server's goodbye before it tells of it.

use gateway::mail::Mail;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::commands::{Data, Mail as Sender, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};

use super::line::Line;
use super::mailer::{Refusal, said};
use super::words;

/// The answer of a server that wants a password first: nothing that the mail could help.
const LOGIN_WANTED: u16 = 530;

/// Hands over a mail. After a refusal, the line is good for nothing but a goodbye.
pub(super) async fn hand_over(
    line: &mut Line,
    mail: &Mail,
    letter: &Message,
) -> Result<(), Refusal> {
    let text = letter.formatted();
    let options = options(line, letter, &text)?;
    let handed = say(line, letter, &text, options).await;
    handed.map_err(|error| refusal(&error, mail))
}

async fn say(
    line: &mut Line,
    letter: &Message,
    text: &[u8],
    options: Vec<MailParameter>,
) -> Result<(), Error> {
    let envelope = letter.envelope();
    line.command(Sender::new(envelope.from().cloned(), options))
        .await?;
    for to in envelope.to() {
        line.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    line.command(Data).await?;
    line.message(text).await?;
    Ok(())
}

/// What the server must know of a mail with addresses that are not ASCII (RFC 6531).
fn options(line: &Line, letter: &Message, text: &[u8]) -> Result<Vec<MailParameter>, Refusal> {
    let envelope = letter.envelope();
    let mut addresses = envelope.to().iter().chain(envelope.from());
    if addresses.all(|address| address.to_string().is_ascii()) {
        return Ok(Vec::new());
    }
    if !line.server_info().supports_feature(Extension::SmtpUtfEight) {
        let words = "the mail server takes only addresses of ASCII letters";
        return Err(Refusal::Never(words.to_owned()));
    }
    let mut options = vec![MailParameter::SmtpUtfEight];
    if !text.is_ascii() {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(options)
}

/// What an error means for this mail.
fn refusal(error: &Error, mail: &Mail) -> Refusal {
    let local = mail.to.rsplit_once('@').map_or("", |(local, _)| local);
    let words = words::without(local, &said(error));
    match error.status().map(u16::from) {
        Some(LOGIN_WANTED) => Refusal::Unusable(words),
        Some(_) if error.is_permanent() => Refusal::Never(words),
        _ => Refusal::Later(words),
    }
}
