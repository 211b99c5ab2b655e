//! `with-postgres CMD ARGS…` runs a command beside a temporary PostgreSQL, named to it in `TEST_POSTGRES`.
//! Its exit code is the command's; the server and its files go in any case.
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result};
use testkit::postgres::{PostgresServer, VARIABLE};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("with-postgres: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode> {
    let mut command = std::env::args_os().skip(1);
    let program = command.next().context("usage: with-postgres CMD ARGS…")?;
    let server = PostgresServer::start().await?;
    // From here on nothing ends this before the command has ended.
    let signals = Signals::new()?;
    let child = Command::new(&program)
        .args(command)
        .env(VARIABLE, server.url())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let status = signals.wait(child).await?;
    drop(server);
    Ok(ExitCode::from(code(status)))
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Ctrl-C reaches the command by itself, a request to terminate is handed on.
    async fn wait(mut self, mut child: Child) -> Result<ExitStatus> {
        loop {
            tokio::select! {
                status = child.wait() => return Ok(status?),
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {
                    if let Some(pid) = child.id() {
                        Command::new("kill").arg(pid.to_string()).status().await?;
                    }
                }
            }
        }
    }
}

/// As a shell gives it: 128 and the signal when one ended the command.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
