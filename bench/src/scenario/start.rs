//! `start`: from the start of the process to the first `OK` on `/health`, on no data and on data.
//! Also the memory of a server that has nothing to do, and the size of the binary.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testkit::Usage;
use testkit::postgres::{Database, fresh_database};

use crate::args::{Args, Engine};
use crate::figure::{Figure, Goal, Unit, megabytes, millis};
use crate::machine;
use crate::wire::{Line, get};

/// Much longer than a start should take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts twice on the same data.
pub async fn run(args: &Args, engine: Engine) -> Result<Vec<Figure>> {
    let binary = args.binary()?;
    let folder = tempfile::TempDir::with_prefix("httpsms-")?;
    let database = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(fresh_database().await),
    };
    let url = database.as_ref().map(Database::url);
    let before = machine::ticks()?;
    let first = Started::start(&binary, folder.path(), url).await?;
    let (fresh, used) = (first.ready_in, first.after_a_while().await?);
    drop(first);
    let again = Started::start(&binary, folder.path(), url).await?.ready_in;
    let after = machine::ticks()?;
    let size = std::fs::metadata(&binary)?.len();

    let others = after.others_since(&before, used.cpu);
    Ok(vec![
        Figure::new("ready on no data", millis(fresh), Unit::Millis).goal(Goal::AtMost(100.0)),
        Figure::new("ready on its data", millis(again), Unit::Millis).goal(Goal::AtMost(100.0)),
        Figure::new("memory when idle", megabytes(used.rss), Unit::Megabytes)
            .goal(Goal::AtMost(30.0)),
        Figure::new("CPU until then", used.cpu.as_secs_f64(), Unit::CpuSeconds),
        Figure::new("size of the binary", megabytes(size), Unit::Megabytes)
            .goal(Goal::AtMost(30.0)),
        Figure::new("others", others, Unit::Percent),
    ])
}

/// A server that has just become ready; killed when dropped.
struct Started {
    child: Child,
    ready_in: Duration,
}

impl Started {
    async fn start(binary: &Path, data: &Path, database: Option<&str>) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", &address.to_string(), "--data-dir"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(url) = database {
            command.args(["--database-url", url]);
        }
        let began = Instant::now();
        let child = command.spawn().context("the server does not start")?;
        let mut started = Self {
            child,
            ready_in: Duration::ZERO,
        };
        while !healthy(address).await {
            if began.elapsed() > PATIENCE {
                bail!("the server does not get ready");
            }
            if let Some(status) = started.child.try_wait()? {
                bail!("the server has ended: {status}");
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        started.ready_in = began.elapsed();
        Ok(started)
    }

    /// What it uses after two seconds without anything to do.
    async fn after_a_while(&self) -> Result<Usage> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Usage::of(self.child.id())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn healthy(address: SocketAddr) -> bool {
    let asked = async {
        let mut line = Line::open(address).await?;
        let answer = line.ask(&get("/health", "")).await?;
        anyhow::Ok(answer.status == 200)
    };
    asked.await.unwrap_or(false)
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Args {
    /// The binary that is measured.
    fn binary(&self) -> Result<PathBuf> {
        #[expect(clippy::disallowed_methods, reason = "stands outside the product")]
        let named = std::env::var_os("HTTPSMS_BIN").map(PathBuf::from);
        match named.or_else(|| self.binary.clone()) {
            Some(binary) => Ok(binary),
            None => Ok(std::env::current_exe()?.with_file_name("httpsms")),
        }
    }
}
