//! What a phone has done so far, countable while it runs.
//! One `Stats` may be shared by many phones: then it holds their sum.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

macro_rules! stats {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        /// Live counters.
        #[derive(Debug, Default)]
        pub struct Stats {
            $($(#[$meta])* pub $name: Counter,)*
        }

        /// The counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Summary {
            $($(#[$meta])* pub $name: u64,)*
        }

        impl Stats {
            /// The counters now, one after the other.
            pub fn summary(&self) -> Summary {
                Summary { $($name: self.$name.get(),)* }
            }
        }
    };
}

stats! {
    /// Numbers that the server knows.
    registered,
    /// Heartbeats the server took, one for each number.
    heartbeats,
    /// Messages handed out by the server, once more for each claim after a repeated push.
    claimed,
    /// SENT reports the server took.
    sent,
    /// DELIVERED reports the server took.
    delivered,
    /// FAILED reports the server took.
    failed,
    /// Claims answered from memory, because the message had been sent before.
    repeated,
    /// Incoming messages the server took.
    received,
    /// Missed calls the server took.
    missed_calls,
    /// Reports kept back on purpose.
    dropped,
    /// Reports posted a second time on purpose; not counted above.
    duplicated,
    /// Requests that failed, tried again later or not.
    errors,
    /// Messages and reports that the phone still held when it had to stop.
    unreported,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "claimed {}, sent {}, delivered {}, failed {}, received {}, missed calls {}, \
             repeated {}, dropped {}, duplicated {}, errors {}, unreported {}",
            self.claimed,
            self.sent,
            self.delivered,
            self.failed,
            self.received,
            self.missed_calls,
            self.repeated,
            self.dropped,
            self.duplicated,
            self.errors,
            self.unreported
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Stats;

    #[test]
    fn a_summary_is_the_counters_of_its_moment() {
        let stats = Stats::default();
        stats.sent.count();
        stats.errors.add(3);
        let summary = stats.summary();
        stats.sent.count();
        assert_eq!((summary.sent, summary.errors), (1, 3));
        assert!(summary.to_string().contains("sent 1, delivered 0"));
    }
}
