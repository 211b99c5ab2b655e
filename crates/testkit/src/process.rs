//! A child process whose output is kept, and what it uses of the machine.
//! Dropping it kills it, and prints its output when that happens in a failing test.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::Method;

use crate::answer::Answer;
use crate::client::Anonymous;
use crate::looking_every;

/// A debug build beside a compiler needs a while.
const READY: Duration = Duration::from_mins(1);
/// Short beside the start that is measured.
const LOOK: Duration = Duration::from_millis(1);
/// A load program makes more lines than anybody reads.
const LINES_KEPT: usize = 20_000;

/// A started `httpsms serve`.
pub(crate) struct Process {
    child: Child,
    log: Arc<Log>,
    readers: Vec<JoinHandle<()>>,
    started: Instant,
    ready_in: Duration,
}

impl Process {
    pub(crate) fn spawn(mut command: Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| {
            let binary = command.get_program().display();
            format!("cannot start {binary}; build it with `cargo build -p httpsms`")
        })?;
        let log = Arc::new(Log::default());
        let stdout = child.stdout.take().map(|stream| log.follow(stream));
        let stderr = child.stderr.take().map(|stream| log.follow(stream));
        let readers = stdout.into_iter().chain(stderr).collect();
        Ok(Self {
            child,
            log,
            readers,
            started,
            ready_in: Duration::ZERO,
        })
    }

    /// Waits until it says where it listens and `/health` there says `OK`; returns the base URL.
    pub(crate) async fn ready(&mut self) -> Result<String> {
        let mut client = None;
        let ready = looking_every(LOOK, READY, async || {
            if let Some(status) = self.ended() {
                return Some(Err(status));
            }
            let url = self.log.url()?;
            healthy(client.get_or_insert_with(|| Anonymous::new(&url))).await?;
            Some(Ok(url))
        });
        let ready = ready.await;
        self.ready_in = self.started.elapsed();
        if !matches!(ready, Some(Ok(_))) {
            self.kill();
        }
        match ready {
            Some(Ok(url)) => Ok(url),
            Some(Err(status)) => bail!("the server has ended ({status}):\n{}", self.log()),
            None => bail!("the server does not get ready:\n{}", self.log()),
        }
    }

    pub(crate) fn ready_in(&self) -> Duration {
        self.ready_in
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The standard library has no `SIGTERM`; a shell is everywhere and its `kill` is built in.
    pub(crate) fn terminate(&mut self) {
        if self.ended().is_none() {
            let kill = format!("kill -TERM {}", self.id());
            let done = Command::new("sh").args(["-c", &kill]).status();
            assert!(
                done.is_ok_and(|status| status.success()),
                "cannot run `{kill}`"
            );
        }
    }

    /// Returns when the process is gone and its last line is in the log.
    pub(crate) fn kill(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- output of the server\n{}\n---", self.log());
        }
    }
}

/// The last lines of both output streams, in order of arrival.
#[derive(Default)]
struct Log(Mutex<VecDeque<String>>);

impl Log {
    /// Reads the stream to its end in a thread of its own.
    fn follow(self: &Arc<Self>, stream: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = Arc::clone(self);
        thread::spawn(move || {
            let lines = BufReader::new(stream).split(b'\n');
            lines.map_while(Result::ok).for_each(|line| log.push(&line));
        })
    }

    fn push(&self, line: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(line).into_owned());
    }

    fn text(&self) -> String {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.make_contiguous().join("\n")
    }

    fn url(&self) -> Option<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().find_map(|line| announced(line))
    }
}

async fn healthy(client: &Anonymous) -> Option<()> {
    let answer = Answer::to(client.request(Method::GET, "/health")).await;
    let answer = answer.ok()?;
    (answer.status == 200 && answer.text().trim() == "OK").then_some(())
}

/// The base URL in a line that says `listening on http://HOST:PORT`, whatever stands around it.
fn announced(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening on http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".:[]-".contains(c)));
    let address = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
    (!address.is_empty()).then(|| format!("http://{address}"))
}

/// What a process has used, from `/proc`.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time, user and system, of all threads; in steps of 10 ms.
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub rss: u64,
    /// The most resident memory so far, in bytes.
    pub peak_rss: u64,
}

impl Usage {
    /// Of the running process with this id.
    pub fn of(pid: u32) -> Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        Self::read(&stat, &status).with_context(|| format!("process {pid} has ended"))
    }

    /// See proc(5): `utime` and `stime` are fields 14 and 15 of `stat`, in ticks of 1/100 s.
    fn read(stat: &str, status: &str) -> Option<Self> {
        // The second field is a name in brackets, which may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks = |nth: usize| fields.split(' ').nth(nth - 3)?.parse::<u64>().ok();
        let kilobytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        Some(Self {
            cpu: Duration::from_millis((ticks(14)? + ticks(15)?) * 10),
            rss: kilobytes("VmRSS:")? * 1024,
            peak_rss: kilobytes("VmHWM:")? * 1024,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_url_in_a_line() {
        let url = |line| announced(line).unwrap_or_default();
        assert_eq!(
            url("listening on http://127.0.0.1:8000"),
            "http://127.0.0.1:8000"
        );
        assert_eq!(
            url("INFO  listening on http://[::1]:80/ (1)"),
            "http://[::1]:80"
        );
        assert_eq!(
            url(r#"{"message":"listening on http://localhost:1."}"#),
            "http://localhost:1"
        );
        assert_eq!(announced("listening on https://example.com"), None);
    }

    #[test]
    fn reads_what_proc_says() {
        let stat = "7 (a) b) R 1 7 7 0 -1 0 1 0 0 0 150 25 0 0 20 0 1 0 1 1 1 1";
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let usage = Usage::read(stat, status).expect("both are complete");
        assert_eq!(usage.cpu, Duration::from_millis(1750));
        assert_eq!((usage.rss, usage.peak_rss), (1 << 20, 2 << 20));
        assert!(Usage::read("7 (gone) Z 1", "").is_none());
    }

    #[test]
    fn its_own_usage_can_be_read() {
        let usage = Usage::of(std::process::id()).expect("this process runs");
        assert!(usage.peak_rss >= usage.rss && usage.rss > 0);
    }
}
