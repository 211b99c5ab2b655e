//! The real binary as its own process on a free port, with its data in a directory that goes away with it.
//! Its output is kept, and printed when a test fails.

use std::path::Path;
use std::process::{ExitStatus, Output};
use std::time::Duration;

use anyhow::Result;

use crate::client::{Anonymous, UserClient};
use crate::process::{Process, Usage};
use crate::setup::Setup;
use crate::until;

/// How long a stop may take: what is in flight may be finished first.
const STOPPED: Duration = Duration::from_mins(1);

/// A running server; dropping it kills the process and removes its temporary directory.
pub struct Server {
    /// Ended before a restart; a failing test prints what they said as well.
    earlier: Vec<Process>,
    // Before the setup, so that the process is gone when the directory goes.
    process: Process,
    url: String,
    setup: Setup,
}

impl Server {
    pub(crate) async fn spawn(setup: Setup) -> Result<Self> {
        let mut process = Process::spawn(setup.serve())?;
        let url = process.ready().await?;
        Ok(Self {
            earlier: Vec::new(),
            process,
            url,
            setup,
        })
    }

    /// A server with default settings; see [`Setup`] for others.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    /// The process id, until it ends.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        &self.setup.data_dir
    }

    /// The time from starting the process to its first `OK` on `/health`.
    pub fn ready_in(&self) -> Duration {
        self.process.ready_in()
    }

    /// Adds a user while the server runs, and returns that user.
    pub async fn add_user(&self, email: &str, id: &str, api_key: &str) -> UserClient {
        let added = self.setup.add_user(email, id, api_key).await;
        added.unwrap_or_else(|error| panic!("{error:#}"));
        self.user(api_key)
    }

    /// The user with this API key.
    pub fn user(&self, api_key: &str) -> UserClient {
        UserClient::new(&self.url, api_key)
    }

    /// Somebody without a key.
    pub fn anonymous(&self) -> Anonymous {
        Anonymous::new(&self.url)
    }

    /// Runs another command of the binary to its end on the same data, such as `["user", "list"]`.
    pub async fn run(&self, args: &[&str]) -> Output {
        self.setup
            .run(args)
            .await
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// What it has written so far, both streams together; the last 20,000 lines.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until it has written `text`; panics after `deadline`.
    pub async fn wait_for_log(&self, text: &str, deadline: Duration) {
        let written = async || self.log().contains(text).then_some(());
        until(&format!("the server writes {text:?}"), deadline, written).await;
    }

    /// `SIGKILL`, and waits until the process is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// `SIGTERM`, and waits for the end and the last line; panics after a minute.
    pub async fn stop(&mut self) -> ExitStatus {
        self.process.terminate();
        let ended = async || self.process.ended();
        let status = until("the server has stopped", STOPPED, ended).await;
        self.process.kill();
        status
    }

    /// Starts again on the same data and the same port, after killing a process that still runs.
    pub async fn restart(&mut self) {
        self.kill();
        self.url
            .trim_start_matches("http://")
            .clone_into(&mut self.setup.listen);
        let again = async {
            let process = Process::spawn(self.setup.serve())?;
            self.earlier
                .push(std::mem::replace(&mut self.process, process));
            self.process.ready().await
        };
        self.url = again.await.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// What the process has used since it was started; panics when it has ended.
    pub fn usage(&self) -> Usage {
        Usage::of(self.process.id()).unwrap_or_else(|error| panic!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::{Receiver, Respond};

    const SOON: Duration = Duration::from_secs(30);

    /// A setup whose binary is a shell script; `$URL` is a receiver that says `OK`.
    async fn scripted(lines: &str) -> (Setup, Receiver) {
        let health = Receiver::with(|_| Respond::text(200, "OK")).await;
        let mut setup = Setup::new().env("URL", &health.url(""));
        let binary = setup.data_dir.join("binary");
        // Written by another process: a file that some fork of this one still has open cannot be run.
        let written = Command::new("sh")
            .args([
                "-c",
                r#"printf '#!/bin/sh\n%s\n' "$1" >"$0" && chmod +x "$0""#,
            ])
            .arg(&binary)
            .arg(lines)
            .status();
        assert!(written.unwrap().success());
        setup.binary = binary;
        (setup, health)
    }

    #[tokio::test]
    async fn starts_stops_and_starts_again_on_the_same_port() {
        let script = r#"echo "$@"
            [ "$1" = user ] && exit
            trap 'echo stopping >&2; exit 7' TERM
            echo "INFO listening on $URL now"
            while :; do sleep 0.01; done"#;
        let (setup, health) = scripted(script).await;
        let mut server = setup
            .arg("--extra=1")
            .user("a@example.com", "id-1", "key-1")
            .start()
            .await;
        assert_eq!(server.url(), health.url(""));
        let data_dir = server.data_dir().to_owned();
        let first = format!(
            "serve --data-dir {} --listen 127.0.0.1:0 --extra=1",
            data_dir.display()
        );
        server.wait_for_log(&first, SOON).await;
        assert!(server.usage().rss > 0);

        assert_eq!(server.stop().await.code(), Some(7));
        assert!(server.log().ends_with("stopping"));
        server.restart().await;
        server
            .wait_for_log(&format!("--listen {}", health.address()), SOON)
            .await;
        let pid = server.pid();
        drop(server);
        assert!(!data_dir.exists(), "the temporary directory is removed");
        assert!(Usage::of(pid).is_err(), "the process is gone");
    }

    #[tokio::test]
    async fn a_server_that_ends_at_once_is_an_error_with_its_words() {
        let (setup, _health) = scripted("echo 'no such database' >&2; exit 1").await;
        let error = setup
            .try_start()
            .await
            .err()
            .expect("it cannot start")
            .to_string();
        assert!(error.contains("no such database"), "{error}");
    }

    #[tokio::test]
    async fn waits_until_the_server_is_healthy() {
        let (setup, health) = scripted("echo listening on $URL; exec sleep 60").await;
        health.answer(|one| match one.index {
            0..3 => Respond::status(503),
            _ => Respond::text(200, "OK"),
        });
        let mut server = setup.start().await;
        assert_eq!(health.count(), 4);
        server.kill();
        assert!(server.ready_in() > Duration::ZERO);
    }
}
