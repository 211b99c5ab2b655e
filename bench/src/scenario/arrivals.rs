//! Receivers of all that is handed in, and what handing in as fast as possible came to.
//! Over when all that was accepted has arrived at each of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::figure::{millis, percentile, real};
use crate::ledger::Ledger;
use crate::load::{Flood, flood};
use crate::meter::{Meter, Used};
use crate::sink::{Manner, Sink};
use crate::stage::Phone;

/// Messages before it counts: connections are open and code is warm.
const WARM_UP: usize = 500;

/// Nothing arriving for so long means that nothing will.
const PATIENCE: Duration = Duration::from_secs(15);

/// Receivers that answer at once.
pub struct Receivers {
    ledgers: Vec<Arc<Ledger>>,
    sinks: Vec<Sink>,
}

/// What was handed in and what became of it.
pub struct Arrivals {
    /// Receivers of each message.
    receivers: usize,
    began: Instant,
    /// When the last one arrived.
    end: Instant,
    flood: Flood,
    /// Deliveries that never arrived.
    pub missing: usize,
    /// Deliveries that arrived though they had arrived before.
    pub repeated: usize,
    /// What it cost.
    pub used: Used,
}

impl Receivers {
    /// So many, for up to `most` messages after the first ones.
    pub fn start(count: usize, most: usize) -> Result<Self> {
        let (mut ledgers, mut sinks) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let ledger = Arc::new(Ledger::new(most + WARM_UP));
            let arrivals = Arc::clone(&ledger);
            let told = move |number| {
                arrivals.arrive(number);
            };
            sinks.push(Sink::start(Manner::Prompt, told)?);
            ledgers.push(ledger);
        }
        Ok(Self { ledgers, sinks })
    }

    /// The receivers themselves.
    pub fn sinks(&self) -> &[Sink] {
        &self.sinks
    }

    /// Hands in messages of these phones for `length`, after a few that do not count, to the process with
    /// this id, which listens there and delivers to each receiver.
    pub async fn flood(
        &self,
        (address, pid): (SocketAddr, u32),
        phones: &[Phone],
        length: Duration,
    ) -> Result<Arrivals> {
        let ledger = &self.ledgers[0];
        flood(address, phones, ledger, (0, WARM_UP), PATIENCE).await?;
        self.wait_for(WARM_UP).await;

        let meter = Meter::start(pid)?;
        let numbers = (WARM_UP, usize::MAX);
        let flood = flood(address, phones, ledger, numbers, length).await?;
        self.wait_for(WARM_UP + flood.accepted).await;
        // It still writes down how the last ones went.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let used = meter.stop()?;
        Ok(self.arrivals(meter.began(), flood, used))
    }

    fn arrivals(&self, began: Instant, flood: Flood, used: Used) -> Arrivals {
        let receivers = self.ledgers.len();
        let sum = |count: fn(&Ledger) -> usize| self.ledgers.iter().map(|one| count(one)).sum();
        let distinct: usize = sum(Ledger::distinct);
        let last = self.ledgers.iter().map(|ledger| ledger.last()).max();
        Arrivals {
            receivers,
            began,
            end: last.unwrap_or(flood.last),
            missing: ((WARM_UP + flood.accepted) * receivers).saturating_sub(distinct),
            repeated: sum(Ledger::repeated),
            flood,
            used,
        }
    }

    /// Waits until so many different messages have arrived at each.
    async fn wait_for(&self, count: usize) {
        for ledger in &self.ledgers {
            ledger.wait_for(count, PATIENCE).await;
        }
    }
}

impl Arrivals {
    /// Messages that were accepted, each second until the last of them was.
    pub fn accepted_rate(&self) -> f64 {
        self.rate(self.flood.accepted, self.flood.last)
    }

    /// Messages that were accepted, each second until the last had arrived everywhere.
    pub fn whole_rate(&self) -> f64 {
        self.rate(self.flood.accepted, self.end)
    }

    /// Deliveries, each second until the last had arrived.
    pub fn delivery_rate(&self) -> f64 {
        self.rate(self.deliveries(), self.end)
    }

    /// One for each message and receiver.
    pub fn deliveries(&self) -> usize {
        self.flood.accepted * self.receivers
    }

    /// Seconds of processor time for a thousand deliveries.
    pub fn cpu(&self) -> f64 {
        self.used.per_thousand(self.deliveries())
    }

    /// Milliseconds until the phone had its answer, but for one in a hundred.
    pub fn answer_p99(&self) -> f64 {
        millis(percentile(&self.flood.answers, 99))
    }

    fn rate(&self, count: usize, end: Instant) -> f64 {
        let time = end.saturating_duration_since(self.began).as_secs_f64();
        real(count) / time.max(0.001)
    }
}
