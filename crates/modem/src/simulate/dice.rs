//! Everything about a simulated phone that is left to chance.
//! One generator per phone: with a seed the same order of events draws the same fates.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use uuid::{Builder, Uuid};

use super::Options;

/// What networks say when they refuse a message (the phone protocol §8).
const REFUSALS: [&str; 5] = [
    "GENERIC_FAILURE",
    "NO_SERVICE",
    "NULL_PDU",
    "RADIO_OFF",
    "LIMIT_EXCEEDED",
];

const TEXTS: [&str; 12] = [
    "Running five minutes late, please save me a seat!",
    "The parcel is here, thank you.",
    "Happy birthday! Cake at eight?",
    "Could you call me when you are home?",
    "Yes, that works for me.",
    "Lunch at the usual place today?",
    "I found your umbrella under my desk.",
    "The train is on time for once.",
    "Schöne Grüße aus Wien 🌻",
    "On y va à pied ou à vélo ?",
    "Good news: the cat is back.",
    "Thanks for your help yesterday. It made my day, and I owe you a coffee, a slice of that \
     lemon cake and a long walk along the river as soon as the rain stops.",
];

/// One recipient in three writes back.
const REPLY_RATE: f64 = 1.0 / 3.0;

/// What is going to happen to one message.
#[derive(Debug, PartialEq)]
pub(super) struct Fate {
    pub latency: Duration,
    pub refusal: Option<&'static str>,
    pub delivery_latency: Duration,
    pub outcome_report: Posting,
    pub delivery_report: Posting,
    pub reply: Option<&'static str>,
}

/// How often a report goes to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Posting {
    Never,
    Once,
    Twice,
}

/// Somebody who writes (`text`) or rings.
pub(super) struct Stranger {
    pub from: String,
    /// Index into the phone's numbers.
    pub to: usize,
    pub text: Option<&'static str>,
}

pub(super) struct Dice(SmallRng);

impl Dice {
    pub fn new(seed: Option<u64>) -> Self {
        Self(match seed {
            Some(seed) => SmallRng::seed_from_u64(seed),
            None => SmallRng::from_rng(&mut rand::rng()),
        })
    }

    pub fn device_id(&mut self) -> Uuid {
        Builder::from_random_bytes(self.0.random()).into_uuid()
    }

    /// All of a message's fate at once, so that messages in flight cannot disturb each other's.
    pub fn fate(&mut self, options: &Options) -> Fate {
        Fate {
            latency: self.within(&options.latency),
            refusal: (self.0.random_bool(options.failure_rate)).then(|| self.one_of(&REFUSALS)),
            delivery_latency: self.within(&options.delivery_latency),
            outcome_report: self.posting(options),
            delivery_report: self.posting(options),
            reply: (options.replies && self.0.random_bool(REPLY_RATE)).then(|| self.one_of(&TEXTS)),
        }
    }

    pub fn stranger(&mut self, options: &Options) -> Stranger {
        let rings = self.0.random_bool(options.missed_call_rate);
        Stranger {
            // Numbers that are set aside for fiction: nobody can be called by mistake.
            from: format!("+120255501{:02}", self.0.random_range(0..100)),
            to: self.0.random_range(0..options.numbers.len()),
            text: (!rings).then(|| self.one_of(&TEXTS)),
        }
    }

    /// A moment before `end`, so that phones started together do not act together.
    pub fn phase(&mut self, end: Duration) -> Duration {
        self.within(&(Duration::ZERO..end))
    }

    fn within(&mut self, range: &Range<Duration>) -> Duration {
        if range.is_empty() {
            return range.start;
        }
        self.0.random_range(range.clone())
    }

    fn posting(&mut self, options: &Options) -> Posting {
        let dropped = self.0.random_bool(options.drop_rate);
        let doubled = self.0.random_bool(options.duplicate_rate);
        match (dropped, doubled) {
            (true, _) => Posting::Never,
            (false, false) => Posting::Once,
            (false, true) => Posting::Twice,
        }
    }

    fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        texts.choose(&mut self.0).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        let server = "http://localhost:8000".parse().unwrap();
        let mut options = Options::new(server, "pk_secret", ["+18005550199", "+18005550101"]);
        options.latency = Duration::from_millis(10)..Duration::from_millis(20);
        options.failure_rate = 0.3;
        options.drop_rate = 0.2;
        options.duplicate_rate = 0.2;
        options.replies = true;
        options
    }

    #[test]
    fn the_same_seed_draws_the_same_fates() {
        let options = options();
        let fates = |seed| {
            let mut dice = Dice::new(Some(seed));
            let fates = (0..50).map(|_| dice.fate(&options)).collect::<Vec<_>>();
            (dice.device_id(), fates)
        };
        assert_eq!(fates(7), fates(7));
        assert_ne!(fates(7), fates(8));
    }

    #[test]
    fn rates_come_out_about_right() {
        let options = options();
        let mut dice = Dice::new(Some(1));
        let fates: Vec<Fate> = (0..10_000).map(|_| dice.fate(&options)).collect();
        let share = |is: fn(&Fate) -> bool| fates.iter().filter(|fate| is(fate)).count();
        assert!((2_800..3_200).contains(&share(|fate| fate.refusal.is_some())));
        assert!((1_800..2_200).contains(&share(|fate| fate.outcome_report == Posting::Never)));
        assert!((1_400..1_800).contains(&share(|fate| fate.delivery_report == Posting::Twice)));
        assert!((3_100..3_600).contains(&share(|fate| fate.reply.is_some())));
        assert!(
            fates
                .iter()
                .all(|fate| options.latency.contains(&fate.latency))
        );
    }

    #[test]
    fn strangers_have_fictional_numbers_and_short_texts() {
        let mut options = options();
        options.missed_call_rate = 0.5;
        let mut dice = Dice::new(Some(1));
        for _ in 0..1_000 {
            let stranger = dice.stranger(&options);
            assert!(stranger.from.starts_with("+120255501") && stranger.from.len() == 12);
            assert!(stranger.to < 2);
            assert!(
                stranger
                    .text
                    .is_none_or(|text| (1..=320).contains(&text.len()))
            );
        }
    }

    #[test]
    fn a_range_without_width_is_its_start() {
        let mut dice = Dice::new(None);
        let second = Duration::from_secs(1);
        assert_eq!(dice.within(&(second..second)), second);
        assert_eq!(dice.phase(Duration::ZERO), Duration::ZERO);
    }
}
