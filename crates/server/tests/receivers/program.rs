//! A receiver at work, until it is dropped.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::request::Request;

/// For a start, an answer or a line, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    client: reqwest::Client,
}

impl Program {
    /// Starts it on a free port and waits until it listens.
    pub async fn start(mut command: Command) -> Self {
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It says there why it refuses, which is expected.
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let mut program = Self {
            child,
            lines: BufReader::new(stdout).lines(),
            url: String::new(),
            client: client.build().unwrap(),
        };
        let line = program.line().await;
        let address = line.strip_prefix("listening on ").expect("an address");
        program.url = format!("{address}/webhook");
        program
    }

    /// Sends a request and panics unless it is answered so. An empty text is any.
    pub async fn expect(&self, what: &str, request: &Request, status: u16, text: &str) {
        let mut call = self.client.post(&self.url).body(request.body.clone());
        for (name, value) in &request.headers {
            call = call.header(*name, value);
        }
        let answer = call.send().await.unwrap();
        let seen = answer.status().as_u16();
        let said = answer.text().await.unwrap();
        assert_eq!(seen, status, "{what}: {said}");
        assert!(text.is_empty() || said == text, "{what}: {said}");
    }

    /// The next line it prints.
    pub async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("a line in time").unwrap().expect("a line")
    }

    /// What else it has printed.
    pub async fn lines_until_killed(mut self) -> Vec<String> {
        self.child.kill().await.unwrap();
        let mut rest = Vec::new();
        while let Ok(Ok(Some(line))) = timeout(PATIENCE, self.lines.next_line()).await {
            rest.push(line);
        }
        rest
    }
}
