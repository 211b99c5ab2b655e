//! The machine that measures: what it is, and how busy others keep it.
//! Everything comes from `/proc` and the tools of the system.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use jiff::Timestamp;

/// A machine with less of it in use is calm.
const CALM: f64 = 8.0;

/// Processor time since the machine was started.
pub struct Ticks {
    /// Of all cores together.
    pub whole: Duration,
    /// Not idle.
    pub busy: Duration,
}

impl Ticks {
    /// The part of the machine that was busy since then, but not with what is ours, in percent.
    pub fn others_since(&self, earlier: &Self, ours: Duration) -> f64 {
        let busy = self.busy.saturating_sub(earlier.busy);
        let whole = self.whole.saturating_sub(earlier.whole).as_secs_f64();
        100.0 * busy.saturating_sub(ours).as_secs_f64() / whole.max(0.001)
    }
}

/// Ticks of 1/100 s as a time.
pub fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 10)
}

/// Reads `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
pub fn ticks() -> Result<Ticks> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let fields = line.split_whitespace().skip(1).take(8);
    let fields: Vec<u64> = fields.map(|field| field.parse().unwrap_or(0)).collect();
    let whole: u64 = fields.iter().sum();
    let idle: u64 = fields.iter().skip(3).take(2).sum();
    Ok(Ticks {
        whole: time(whole),
        busy: time(whole - idle),
    })
}

/// Waits up to `patience` until the machine is calm; returns how much of it was in use, in percent.
pub async fn calm(patience: Duration) -> Result<f64> {
    let end = Instant::now() + patience;
    loop {
        let before = ticks()?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let after = ticks()?;
        let share = after.others_since(&before, Duration::ZERO);
        if share < CALM || Instant::now() >= end {
            return Ok(share);
        }
    }
}

/// The time as a phone writes it: nine digits of fraction and a `Z`.
pub fn stamp() -> String {
    Timestamp::try_from(SystemTime::now()).map_or_else(|_| String::new(), |now| format!("{now:.9}"))
}

/// Processor, cores, memory, kernel and file system, in one line.
pub fn description() -> Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = value(&cpu, "model name").unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism()?;
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let memory = value(&memory, "MemTotal").and_then(|size| size.split(' ').next());
    let kilobytes: u64 = memory.unwrap_or("0").parse()?;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let mut line = format!("{cores} cores of {model}, {} GB", kilobytes >> 20);
    write!(line, ", Linux {kernel}, {}", file_system()?)?;
    Ok(line)
}

/// The date and what of the source was measured, marked when it is not committed.
pub fn date_and_revision() -> Result<(String, String)> {
    let revision = said("git", &["describe", "--always", "--abbrev=7", "--dirty=+"])?;
    let date = stamp().chars().take(10).collect();
    Ok((date, revision))
}

/// Of the folder for temporary files, where the databases lie.
fn file_system() -> Result<String> {
    let folder = std::env::temp_dir();
    let folder = folder.to_str().context("a folder with a strange name")?;
    said("stat", &["-f", "-c", "%T", folder])
}

fn said(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}
