//! What the mail server says to one caller: it notes what it is told, and refuses what it is told to.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mailin::{Handler, Response, response};

use crate::server::{Desk, PASSWORD, Step, Taken, USER};

/// One talk, as mailin leads it.
pub struct Talk {
    pub desk: Arc<Desk>,
    /// What was said so far of the next mail.
    pub mail: Taken,
    pub encrypted: Arc<AtomicBool>,
}

impl Talk {
    fn answer(&self, step: Step) -> Response {
        match self.desk.refusal(step) {
            Some((code, words)) => Response::custom(code, words),
            None => response::OK,
        }
    }
}

impl Handler for Talk {
    fn helo(&mut self, _: IpAddr, domain: &str) -> Response {
        domain.clone_into(&mut self.mail.hello);
        response::OK
    }

    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        from.clone_into(&mut self.mail.from);
        self.mail.text.clear();
        self.answer(Step::Sender)
    }

    fn rcpt(&mut self, to: &str) -> Response {
        to.clone_into(&mut self.mail.to);
        self.answer(Step::Recipient)
    }

    fn data(&mut self, text: &[u8]) -> io::Result<()> {
        self.mail.text.push_str(&String::from_utf8_lossy(text));
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let answer = self.answer(Step::Text);
        if !answer.is_error {
            self.mail.encrypted = self.encrypted.load(Ordering::SeqCst);
            self.desk.take(self.mail.clone());
        }
        answer
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        log_in(user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        log_in(user, password)
    }
}

fn log_in(user: &str, password: &str) -> Response {
    if (user, password) == (USER, PASSWORD) {
        return response::AUTH_OK;
    }
    Response::custom(535, format!("{user} {password} is wrong"))
}
