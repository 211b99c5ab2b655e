//! A running model engine, as the load program sees it: a process with an address.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Dropping it ends it.
pub struct Engine {
    /// Where it listens.
    pub address: SocketAddr,
    /// The process id.
    pub pid: u32,
    process: Child,
    /// Goes after the process.
    _folder: TempDir,
}

impl Engine {
    /// Starts this program once more, with an empty database; it delivers to this receiver.
    pub async fn start(receiver: SocketAddr) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("model").arg(receiver.to_string());
        command.arg(folder.path()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start the model engine")?;
        let output = process.stdout.take().context("no output")?;
        let line = BufReader::new(output).lines().next_line().await?;
        let line = line.context("the model engine ends at once")?;
        Ok(Self {
            address: line.parse()?,
            pid: process.id().context("the model engine has ended")?,
            process,
            _folder: folder,
        })
    }

    /// Ends it, so that nothing of it runs beside what is measured next.
    pub async fn stop(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}
