//! Mails on their way to a mail server in this process, which takes them as a test wants.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod certificate;
mod sending;
mod server;
mod story;
mod talk;
