//! What a simulated phone is like: its numbers, its pace and its faults.
//! Checked once, before anything goes over the wire.

use std::ops::Range;
use std::time::Duration;

use url::Url;

use crate::{ApiKey, Error};

/// The character of one simulated phone. Rates are shares from 0 to 1.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's base address.
    pub server: Url,
    /// A phone key, which knows its numbers. With an account key the phone answers for every
    /// phone of the account.
    pub api_key: ApiKey,
    /// E.164; the first is SIM1, the second SIM2, and so on in turn.
    pub numbers: Vec<String>,
    /// From claim to SENT or FAILED.
    pub latency: Range<Duration>,
    /// From SENT to DELIVERED.
    pub delivery_latency: Range<Duration>,
    /// Messages that the network refuses.
    pub failure_rate: f64,
    /// Reports that are never posted.
    pub drop_rate: f64,
    /// Reports that are posted twice.
    pub duplicate_rate: f64,
    /// Between two heartbeats.
    pub heartbeat_every: Duration,
    /// Between two strangers who write or ring; none when absent.
    pub incoming_every: Option<Duration>,
    /// Of those, how many ring and get no answer instead of writing.
    pub missed_call_rate: f64,
    /// Whether some recipients write back.
    pub replies: bool,
    /// Makes latencies, faults and texts the same in each run, as far as the order of events is.
    pub seed: Option<u64>,
    /// How long a stopping phone may go on handing in what it has.
    pub flush: Duration,
}

impl Options {
    /// A quick, faultless phone that nobody writes to.
    pub fn new<N: Into<String>>(
        server: Url,
        api_key: impl Into<ApiKey>,
        numbers: impl IntoIterator<Item = N>,
    ) -> Self {
        let instantly = Duration::ZERO..Duration::ZERO;
        Self {
            server,
            api_key: api_key.into(),
            numbers: numbers.into_iter().map(Into::into).collect(),
            latency: instantly.clone(),
            delivery_latency: instantly,
            failure_rate: 0.0,
            drop_rate: 0.0,
            duplicate_rate: 0.0,
            heartbeat_every: Duration::from_mins(15),
            incoming_every: None,
            missed_call_rate: 0.0,
            replies: false,
            seed: None,
            flush: Duration::from_secs(5),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.numbers.is_empty() {
            return Err(Error::setting("a phone needs at least one number"));
        }
        for (name, rate) in [
            ("failure rate", self.failure_rate),
            ("drop rate", self.drop_rate),
            ("duplicate rate", self.duplicate_rate),
            ("missed call rate", self.missed_call_rate),
        ] {
            if !(0.0..=1.0).contains(&rate) {
                return Err(Error::setting(format!("the {name} must be from 0 to 1")));
            }
        }
        if self.heartbeat_every.is_zero() || self.incoming_every.is_some_and(|it| it.is_zero()) {
            return Err(Error::setting("an interval must be longer than nothing"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Options};

    fn options() -> Options {
        let server = "http://localhost:8000".parse().unwrap();
        Options::new(server, "pk_secret", ["+18005550199"])
    }

    fn complaint(change: impl FnOnce(&mut Options)) -> String {
        let mut options = options();
        change(&mut options);
        options.check().unwrap_err().to_string()
    }

    #[test]
    fn plain_options_are_fine() {
        options().check().unwrap();
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        assert!(complaint(|it| it.numbers.clear()).contains("number"));
        assert!(complaint(|it| it.drop_rate = 1.5).contains("drop rate"));
        assert!(complaint(|it| it.failure_rate = f64::NAN).contains("failure rate"));
        assert!(complaint(|it| it.missed_call_rate = -0.1).contains("missed call"));
        assert!(complaint(|it| it.heartbeat_every = Duration::ZERO).contains("interval"));
        assert!(complaint(|it| it.incoming_every = Some(Duration::ZERO)).contains("interval"));
    }

    #[test]
    fn printing_options_hides_the_key() {
        assert!(!format!("{:?}", options()).contains("secret"));
    }
}
