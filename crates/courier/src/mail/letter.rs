//! A mail as it travels: its headers and its text (RFC 5322).

use std::time::{Duration, SystemTime};

use gateway::Time;
use gateway::mail::Mail;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::{Address, Message};

use super::Refusal;

/// Tells those who answer by themselves not to (RFC 3834, section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Puts a mail in its envelope. Sent once more, it has the same `Message-ID`. Its last line is ended
/// by the talk with the server.
pub(super) fn letter(from: &Mailbox, mail: &Mail, now: Time) -> Result<Message, Refusal> {
    let to: Address = mail
        .to
        .parse()
        .map_err(|_| Refusal::Never("the account's address is not valid".to_owned()))?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(mail.subject.replace(char::is_control, " "))
        .date(date(now))
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .raw_header(HeaderValue::new(
            AUTO_SUBMITTED,
            "auto-generated".to_owned(),
        ))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(mail.text.trim_end().to_owned())
        .map_err(|error| Refusal::Never(error.to_string()))
}

fn date(now: Time) -> SystemTime {
    let micros = u64::try_from(now.micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::Uuid;

    fn mail() -> Mail {
        Mail {
            id: Uuid::from_u128(7),
            to: "ann@example.org".to_owned(),
            subject: "It failed".to_owned(),
            text: "It failed.\n\nTo: +1 800\n".to_owned(),
        }
    }

    fn written(mail: &Mail) -> String {
        let from = "httpsms <sms@gw.example>".parse().unwrap();
        let now = "2026-03-04T09:15:20Z".parse().unwrap();
        String::from_utf8(letter(&from, mail, now).unwrap().formatted()).unwrap()
    }

    #[test]
    fn it_has_the_headers_of_a_mail_that_no_person_wrote() {
        let written = written(&mail());
        let (head, text) = written.split_once("\r\n\r\n").unwrap();
        assert_eq!(text, "It failed.\r\n\r\nTo: +1 800");
        for header in [
            "From: httpsms <sms@gw.example>",
            "To: ann@example.org",
            "Subject: It failed",
            "Date: Wed, 04 Mar 2026 09:15:20 +0000",
            "Message-ID: <00000000-0000-0000-0000-000000000007@gw.example>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(
                head.lines().any(|line| line == header),
                "{header} in {head}"
            );
        }
    }

    #[test]
    fn a_subject_adds_no_header() {
        let mail = Mail {
            subject: "It failed\r\nBcc: eve@example.org\u{2028}".to_owned(),
            ..mail()
        };
        let written = written(&mail);
        assert!(!written.contains("\nBcc"), "{written}");
    }

    #[test]
    fn what_is_not_ascii_is_encoded() {
        let mail = Mail {
            subject: "Grüße".to_owned(),
            text: "😀".repeat(600),
            ..mail()
        };
        let written = written(&mail);
        assert!(written.is_ascii(), "{written}");
        assert!(written.lines().all(|line| line.len() <= 78), "{written}");
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let from = "sms@gw.example".parse().unwrap();
        for to in ["", "ann", "ann@", "a\r\nb@example.org"] {
            let mail = Mail {
                to: to.to_owned(),
                ..mail()
            };
            let refused = letter(&from, &mail, Time::from_micros(0));
            assert!(matches!(refused, Err(Refusal::Never(_))), "{to}");
        }
    }
}
