//! How much may be in memory and in flight, and what that leaves for one target.

/// A target may have at most this part of the free places in flight, so that many slow ones leave room.
const SHARE: usize = 8;

/// How much may be in memory and in flight.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Attempts at the same time.
    pub in_flight: usize,
    /// Attempts at the same time to one webhook. A phone gets one.
    pub per_webhook: usize,
    /// Rows of one target in memory, before its new ones stay on disk.
    pub window: usize,
    /// With fewer rows of a target in memory, more of them are loaded.
    pub refill: usize,
    /// Rows loaded at a time.
    pub chunk: usize,
    /// Rows of all targets in memory, before each gets only the smallest window.
    pub rows: usize,
    /// Bytes of all events in memory, before each target gets only the smallest window.
    pub bytes: usize,
    /// The smallest window.
    pub floor: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 10_000,
            per_webhook: 64,
            window: 1_000,
            refill: 250,
            chunk: 500,
            rows: 100_000,
            bytes: 64 << 20,
            floor: 16,
        }
    }
}

impl Limits {
    /// How many attempts one webhook may have in flight, when there are so many altogether.
    pub(super) fn cap(&self, in_flight: usize) -> usize {
        let free = self.in_flight.saturating_sub(in_flight);
        self.per_webhook.min(free / SHARE).max(1)
    }

    /// How many rows a target may have in memory, when there is so much altogether.
    pub(super) fn window(&self, rows: usize, bytes: usize) -> Window {
        if rows < self.rows && bytes < self.bytes {
            Window {
                high: self.window,
                low: self.refill,
                chunk: self.chunk,
            }
        } else {
            Window {
                high: self.floor,
                low: (self.floor / 2).max(1),
                chunk: self.floor,
            }
        }
    }
}

/// How much of a target may be in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// With so many rows it is full.
    pub high: usize,
    /// With fewer it is refilled.
    pub low: usize,
    /// So many are loaded at a time.
    pub chunk: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewer_places_are_free_the_fewer_one_webhook_gets() {
        let limits = Limits::default();
        let caps = [0, 9_000, 9_600, 9_992, 10_000].map(|in_flight| limits.cap(in_flight));
        assert_eq!(caps, [64, 64, 50, 1, 1]);
    }

    #[test]
    fn in_a_crowd_everybody_gets_the_smallest_window() {
        let limits = Limits::default();
        assert_eq!(limits.window(99_999, 0).high, 1_000);
        assert_eq!(limits.window(100_000, 0).high, 16);
        assert_eq!(limits.window(0, 64 << 20).low, 8);
    }
}
