//! What becomes of a delivery after an attempt, and when it is tried again.
//! Pure rules; the courier measures every wait from the end of the attempt.

use std::time::Duration;

use gateway::Time;
use http::{HeaderValue, StatusCode};

use crate::client::Answer;
use crate::failure::Failure;

/// No wait is shorter (published webhook documentation: at least one second between attempts).
const LEAST: Duration = Duration::from_secs(1);

/// A receiver cannot ask for more patience than this.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The longest wait between attempts to reach the push service.
const LONGEST_PUSH: Duration = Duration::from_mins(1);

/// By how much a wait may be longer, at random, so that not everybody comes back at once.
const JITTER: f64 = 0.2;

/// The waits after the first attempt of a webhook, the second, and so on. After the last there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Schedule {
    /// These waits, none under a second.
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self(waits.into_iter().map(|wait| wait.max(LEAST)).collect())
    }

    /// The wait after this attempt, counted from 1; none after the last one.
    fn after(&self, attempt: i64) -> Option<Duration> {
        let index = usize::try_from(attempt.max(1) - 1).ok()?;
        self.0.get(index).copied()
    }
}

impl Default for Schedule {
    /// Four retries (published webhook documentation), each wait twice the one before.
    fn default() -> Self {
        Self::new([1, 2, 4, 8].map(Duration::from_secs))
    }
}

/// What an attempt means for its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// It is tried again after this wait.
    Again(Duration),
    /// It is given up.
    GiveUp,
}

/// Judges an attempt to deliver to a webhook. `chance` is random from 0 up to 1.
///
/// 2xx is success. Timeouts, broken connections, 5xx, 408 and 429 are tried again as the schedule says,
/// later if the receiver asks for it. Everything else would be the same the next time.
pub fn judge(
    schedule: &Schedule,
    attempt: i64,
    result: &Result<Answer, Failure>,
    now: Time,
    chance: f64,
) -> Verdict {
    let asked = match result {
        Ok(answer) if answer.status.is_success() => return Verdict::Done,
        Ok(answer) if is_passing(answer.status) => asked(answer.retry_after(), now),
        Err(failure) if !failure.is_final() => None,
        _ => return Verdict::GiveUp,
    };
    match schedule.after(attempt) {
        Some(wait) => Verdict::Again(longer(wait, chance).max(asked.unwrap_or_default())),
        None => Verdict::GiveUp,
    }
}

/// The wait after a failed attempt to reach the push service: doubled each time, up to a minute.
pub fn push_wait(
    attempt: i64,
    retry_after: Option<&HeaderValue>,
    now: Time,
    chance: f64,
) -> Duration {
    let doublings = u32::try_from(attempt.clamp(1, 7) - 1).unwrap_or(0);
    let wait = LONGEST_PUSH.min(LEAST * 2_u32.pow(doublings));
    longer(wait, chance).max(asked(retry_after, now).unwrap_or_default())
}

/// Whether the same request may be answered differently later.
pub fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
}

/// Adds to a wait, never takes away.
pub(crate) fn longer(wait: Duration, chance: f64) -> Duration {
    wait + wait.mul_f64(JITTER * chance.clamp(0.0, 1.0))
}

/// How long the other side asks to wait: seconds, or a date.
fn asked(retry_after: Option<&HeaderValue>, now: Time) -> Option<Duration> {
    let text = retry_after?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let date = jiff::fmt::rfc2822::parse(text).ok()?;
        Time::from_micros(date.timestamp().as_microsecond()).since(now)
    };
    Some(wait.min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    const NOW: Time = Time::from_micros(1_772_442_000_000_000);

    fn answer(status: u16, retry_after: Option<&str>) -> Result<Answer, Failure> {
        let mut headers = http::HeaderMap::new();
        if let Some(asked) = retry_after {
            let asked = HeaderValue::from_str(asked).map_err(|_| Failure::Invalid)?;
            headers.insert(http::header::RETRY_AFTER, asked);
        }
        Ok(Answer {
            status: StatusCode::from_u16(status).map_err(|_| Failure::Invalid)?,
            headers,
            body: Bytes::new(),
        })
    }

    fn verdict(attempt: i64, result: &Result<Answer, Failure>) -> Verdict {
        judge(&Schedule::default(), attempt, result, NOW, 0.0)
    }

    fn seconds(seconds: u64) -> Verdict {
        Verdict::Again(Duration::from_secs(seconds))
    }

    #[test]
    fn a_server_error_is_retried_four_times_and_no_more() {
        for status in [500, 501, 502, 503, 504, 599, 408, 429] {
            let result = answer(status, None);
            let verdicts: Vec<_> = (1..=6).map(|attempt| verdict(attempt, &result)).collect();
            let expected = [
                seconds(1),
                seconds(2),
                seconds(4),
                seconds(8),
                Verdict::GiveUp,
                Verdict::GiveUp,
            ];
            assert_eq!(verdicts, expected, "{status}");
        }
    }

    #[test]
    fn failures_on_the_way_are_retried_too() {
        for failure in [
            Failure::Timeout(Duration::from_secs(5)),
            Failure::Refused,
            Failure::Name,
            Failure::Tls("expired".into()),
            Failure::Reset,
            Failure::Invalid,
            Failure::Unreachable(std::io::ErrorKind::HostUnreachable),
        ] {
            assert_eq!(verdict(1, &Err(failure.clone())), seconds(1), "{failure}");
            assert_eq!(verdict(5, &Err(failure)), Verdict::GiveUp);
        }
    }

    #[test]
    fn what_will_not_change_ends_it_at_once() {
        for status in [
            300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422, 425,
        ] {
            assert_eq!(
                verdict(1, &answer(status, Some("1"))),
                Verdict::GiveUp,
                "{status}"
            );
        }
        for failure in [Failure::Forbidden, Failure::Url] {
            assert_eq!(verdict(1, &Err(failure)), Verdict::GiveUp);
        }
    }

    #[test]
    fn every_2xx_is_success() {
        for status in [200, 201, 202, 204, 206, 299] {
            assert_eq!(verdict(5, &answer(status, None)), Verdict::Done, "{status}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_more_patience_but_not_for_less() {
        for (asked, wait) in [
            ("30", 30),
            ("0", 1),
            ("7200", 3_600),
            ("99999999999999999999", 1),
            ("soon", 1),
            ("-5", 1),
            ("", 1),
            // NOW is Mon, 02 Mar 2026 09:00:00 GMT.
            ("Mon, 02 Mar 2026 09:00:45 GMT", 45),
            ("Mon, 02 Mar 2026 08:00:00 GMT", 1),
            ("Tue, 03 Mar 2026 09:00:00 GMT", 3_600),
        ] {
            assert_eq!(
                verdict(1, &answer(503, Some(asked))),
                seconds(wait),
                "{asked}"
            );
        }
    }

    #[test]
    fn no_wait_of_a_schedule_is_under_a_second() {
        let schedule = Schedule::new([Duration::ZERO, Duration::from_millis(1_500)]);
        let result = answer(500, None);
        let wait = |attempt| judge(&schedule, attempt, &result, NOW, 0.0);
        assert_eq!(wait(1), seconds(1));
        assert_eq!(wait(2), Verdict::Again(Duration::from_millis(1_500)));
        assert_eq!(wait(3), Verdict::GiveUp);
    }

    #[test]
    fn pushes_double_their_wait_up_to_a_minute() {
        let wait = |attempt| push_wait(attempt, None, NOW, 0.0).as_secs();
        let waits: Vec<_> = (1..=9).map(wait).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let asked = HeaderValue::from_static("90");
        assert_eq!(push_wait(1, Some(&asked), NOW, 0.0).as_secs(), 90);
    }

    proptest! {
        #[test]
        fn jitter_only_adds_and_at_most_a_fifth(attempt in 1..=4_i64, chance in 0.0..1.0_f64) {
            let base = Schedule::default().after(attempt).unwrap();
            let verdict = judge(&Schedule::default(), attempt, &answer(500, None), NOW, chance);
            let Verdict::Again(wait) = verdict else { panic!("{verdict:?}") };
            prop_assert!(wait >= base && wait <= base.mul_f64(1.2));
        }

        #[test]
        fn whatever_a_header_says_the_wait_has_its_bounds(header in "[ -~]{0,40}") {
            let Verdict::Again(wait) = verdict(1, &answer(429, Some(&header))) else { panic!() };
            prop_assert!((Duration::from_secs(1)..=Duration::from_hours(1)).contains(&wait));
        }
    }
}
