//! What a stretch of time cost: processor time of the server, its database, this program and everybody else.
//! Also follows the server's memory while something happens.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Result;
use testkit::Usage;

use crate::figure::{Figure, Unit, megabytes, real};
use crate::machine::{self, Ticks};

/// A running measurement.
pub struct Meter {
    server: u32,
    began: Instant,
    at_first: Reading,
}

/// What was used between start and stop.
pub struct Used {
    /// By the server's process.
    pub server: Duration,
    /// By the processes of the database beside it.
    pub database: Duration,
    /// By the load program: clients and receivers.
    pub own: Duration,
    /// The part of the machine that others took, in percent.
    pub others: f64,
    /// The server's most resident memory since its start, in bytes.
    pub peak_rss: u64,
}

struct Reading {
    server: Duration,
    database: Duration,
    own: Duration,
    machine: Ticks,
}

impl Meter {
    /// Starts to measure the server with this process id.
    pub fn start(server: u32) -> Result<Self> {
        Ok(Self {
            server,
            began: Instant::now(),
            at_first: Reading::take(server)?,
        })
    }

    /// When it was started.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// What was used until now.
    pub fn stop(&self) -> Result<Used> {
        let (first, last) = (&self.at_first, Reading::take(self.server)?);
        let server = last.server.saturating_sub(first.server);
        let database = last.database.saturating_sub(first.database);
        let own = last.own.saturating_sub(first.own);
        let ours = server + database + own;
        Ok(Used {
            server,
            database,
            own,
            others: last.machine.others_since(&first.machine, ours),
            peak_rss: Usage::of(self.server)?.peak_rss,
        })
    }
}

impl Used {
    /// Processor time of our side for a thousand of `count`.
    pub fn per_thousand(&self, count: usize) -> f64 {
        per_thousand(self.server + self.database, count)
    }

    /// What every scenario says of its costs.
    pub fn figures(&self, of: &str, count: usize) -> Vec<Figure> {
        let own = per_thousand(self.own, count);
        let database = per_thousand(self.database, count);
        let cpu = Unit::CpuSeconds;
        let mut figures = Vec::new();
        if !self.database.is_zero() {
            let what = format!("of that, the database per 1,000 {of}");
            figures.push(Figure::new(what, database, cpu));
        }
        let what = format!("CPU of the load program per 1,000 {of}");
        figures.push(Figure::new(what, own, cpu));
        figures.push(Figure::new(
            "peak memory",
            megabytes(self.peak_rss),
            Unit::Megabytes,
        ));
        figures.push(Figure::new(
            "machine used by others",
            self.others,
            Unit::Percent,
        ));
        figures
    }
}

fn per_thousand(cpu: Duration, count: usize) -> f64 {
    cpu.as_secs_f64() * 1_000.0 / real(count.max(1))
}

impl Reading {
    fn take(server: u32) -> Result<Self> {
        let own = std::process::id();
        Ok(Self {
            server: Usage::of(server)?.cpu,
            database: descendants(own, server)?,
            own: Usage::of(own)?.cpu,
            machine: machine::ticks()?,
        })
    }
}

/// Processor time of everything that this program started, without the server: the database. It
/// counts what ended processes used when their parent waited for them.
fn descendants(root: u32, without: u32) -> Result<Duration> {
    let mut children: HashMap<u32, Vec<(u32, u64)>> = HashMap::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may have ended since.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some((parent, ticks)) = parent_and_ticks(&stat) {
            children.entry(parent).or_default().push((pid, ticks));
        }
    }
    let mut todo = vec![root];
    let mut ticks = 0;
    while let Some(parent) = todo.pop() {
        for (pid, used) in children.remove(&parent).unwrap_or_default() {
            if pid != without {
                ticks += used;
                todo.push(pid);
            }
        }
    }
    Ok(machine::time(ticks))
}

/// See proc(5): field 4 of `stat` is the parent, 14 to 17 are `utime`, `stime`, `cutime`, `cstime`.
fn parent_and_ticks(stat: &str) -> Option<(u32, u64)> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = fields.get(11..15)?.iter();
    let ticks = ticks.map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Some((fields.get(1)?.parse().ok()?, ticks))
}

/// Runs `work` and looks at the server's memory each 50 ms: its value at most, and what work gave.
pub async fn watch<T>(server: u32, work: impl Future<Output = T>) -> Result<(u64, T)> {
    let mut most = Usage::of(server)?.rss;
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok((most, done)),
            _ = looks.tick() => most = most.max(Usage::of(server)?.rss),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_parent_and_the_ticks() {
        let stat = "7 (a) b) R 3 7 7 0 -1 0 1 0 0 0 150 25 4 1 20 0 1 0 1 1 1 1";
        assert_eq!(parent_and_ticks(stat), Some((3, 180)));
    }
}
