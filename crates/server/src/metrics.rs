//! `GET /metrics`: figures of this process in the text format of Prometheus, on a listener of its own.
//! What is counted stands with the part that counts it.

use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::http::header;
use axum::routing::get;

/// Where the figures come from.
#[derive(Clone)]
pub struct Metrics {
    started: Instant,
    requests: api::Requests,
    courier: Arc<courier::Stats>,
}

impl Metrics {
    /// The figures of a process that starts now.
    pub fn new(requests: api::Requests, courier: Arc<courier::Stats>) -> Self {
        Self {
            started: Instant::now(),
            requests,
            courier,
        }
    }

    /// Shows them.
    pub fn router(self) -> Router {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        let show = async move || ([(header::CONTENT_TYPE, kind)], self.text());
        Router::new().route("/metrics", get(show))
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(8 << 10);
        gauge(
            &mut text,
            "httpsms_uptime_seconds",
            "How long the server has run.",
            self.started.elapsed().as_secs(),
        );
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(bytes) = resident(&status) {
            let name = "process_resident_memory_bytes";
            gauge(&mut text, name, "Resident memory.", bytes);
        }
        self.requests.render_prometheus(&mut text);
        self.courier.render_prometheus(&mut text);
        text
    }
}

fn gauge(text: &mut String, name: &str, help: &str, value: impl Display) {
    let _ = writeln!(
        text,
        "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
    );
}

/// Bytes of resident memory, by what Linux says of a process.
fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_if_it_is_told() {
        let status = "Name:\thttpsms\nVmPeak:\t  9000 kB\nVmRSS:\t   2048 kB\nThreads:\t1\n";
        assert_eq!(resident(status), Some(2 << 20));
        assert_eq!(resident("VmRSS: many\n"), None);
        assert_eq!(resident(""), None);
    }

    #[test]
    fn every_line_is_a_comment_or_a_sample() {
        let metrics = Metrics::new(api::Requests::default(), Arc::default());
        let text = metrics.text();
        assert!(text.contains("\nhttpsms_uptime_seconds 0\n"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(
                name.starts_with(|first: char| first.is_ascii_lowercase()),
                "{line}"
            );
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
