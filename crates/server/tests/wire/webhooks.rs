//! Webhooks as a receiver sees them: the request to the letter, every payload, and what is tried again.

mod fairness;
mod payload;
mod payloads;
pub mod refused;
mod request;
pub mod retries;
mod waiting;

use std::time::{Duration, Instant, SystemTime};

use testkit::Received;

/// How long nothing more may come before it is believed that nothing will: longer than the first
/// wait between attempts, which is one second and at most a fifth.
const QUIET: Duration = Duration::from_millis(1_800);

/// The moments between the end of an answer, which took `answering`, and the next request.
fn gaps(seen: &[Received], answering: Duration) -> Vec<Duration> {
    let ends = seen.iter().map(|one| one.at + answering);
    let next = seen.iter().skip(1).map(|one| one.at);
    ends.zip(next)
        .map(|(end, next): (Instant, Instant)| next.saturating_duration_since(end))
        .collect()
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> i64 {
    jiff::Timestamp::try_from(time).unwrap().as_second()
}
