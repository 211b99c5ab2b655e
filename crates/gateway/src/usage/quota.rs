//! The operator's quota: how many messages each account may send and receive in a billing cycle.
//!
//! It is decided in the transaction that sends, while the account's row is locked, so that sends at
//! the same time cannot pass it together. What was accepted for later counts already. What comes in
//! counts too, but is never refused: a phone that is told no forgets the SMS for good.

use db::{Engine, Scalar};

use super::count::uncounted;
use super::cycle::Cycle;
use crate::clock::Time;
use crate::mail::{Letter, Topic};
use crate::{Error, Gateway, Result, Work};

/// Percents of a quota that are mailed about once in a cycle, the most first.
const MAILED: [i64; 3] = [95, 90, 80];

/// The reference has plans; here everybody has this one.
const PLAN: &str = "free";

/// What an account has used of its quota.
struct Used {
    cycle: Cycle,
    /// Sent, and accepted for later.
    sent: i64,
    received: i64,
}

db::row! {
    struct Counted { position: i64, sent: i64, received: i64 }
}

impl Gateway {
    /// Runs a transaction that sends something, and so may be refused; then its owner is told.
    pub(crate) async fn write_within_quota<T: Send + 'static>(
        &self,
        user_id: &str,
        work: impl FnMut(&mut Work<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some(quota) = self.0.settings.message_quota else {
            return self.write(work).await;
        };
        // The transaction has only the rest to count.
        self.count_now(user_id).await?;
        let done = self.write(work).await;
        if let Err(Error::Limit(_)) = &done {
            let user_id = user_id.to_owned();
            self.write(move |work| work.mail_quota_is_spent(&user_id, quota))
                .await?;
        }
        done
    }
}

impl Work<'_, '_> {
    /// Makes sure that the account may send so many messages more. Phones are locked before this.
    ///
    /// # Errors
    /// [`Error::Limit`] if it may not, in the words of the wire.
    pub(crate) fn spend_quota(&mut self, user_id: &str, count: usize) -> Result<()> {
        let Some(quota) = self.gateway.settings.message_quota else {
            return Ok(());
        };
        let used = self.used(user_id)?;
        let total = used.total() + i64::try_from(count).unwrap_or(i64::MAX - used.total());
        if total > quota {
            return Err(Error::Limit(format!(
                "You have exceeded your limit of [{quota}] messages on your [{PLAN}] plan. Upgrade to send more messages on https://httpsms.com/billing"
            )));
        }
        match reached(total, quota) {
            Some(percent) => self.mail_quota_is_near(user_id, quota, percent, total, &used),
            None => Ok(()),
        }
    }

    fn used(&mut self, user_id: &str) -> Result<Used> {
        let lock = match self.tx.engine() {
            Engine::Sqlite => "",
            // Rows that name the account may be made meanwhile.
            Engine::Postgres => "FOR NO KEY UPDATE",
        };
        let Scalar(anchor): Scalar<Time> = self.tx.one(
            &format!("SELECT created_at FROM account WHERE id = $1 {lock}"),
            &[&user_id],
        )?;
        let cycle = Cycle::containing(self.now, anchor);
        // First: what is released in this very moment counts twice rather than not at all.
        let Scalar(waiting): Scalar<i64> = self.tx.one(
            "SELECT COUNT(*) FROM message
              WHERE user_id = $1 AND status = 'pending' AND request_received_at >= $2",
            &[&user_id, &cycle.start],
        )?;
        let counted: Counted = self.tx.one(
            "SELECT COALESCE(MAX(position), 0) AS position, COALESCE(MAX(sent_messages), 0) AS sent,
                    COALESCE(MAX(received_messages), 0) AS received
               FROM (SELECT $1 AS user_id) AS account
               LEFT JOIN usage_place ON usage_place.user_id = $1
               LEFT JOIN usage_cycle ON usage_cycle.user_id = $1 AND start_timestamp = $2",
            &[&user_id, &cycle.start],
        )?;
        let late = uncounted(self.tx, user_id, counted.position, anchor)?;
        let late = late.cycles.get(&cycle).copied().unwrap_or_default();
        Ok(Used {
            cycle,
            sent: counted.sent + late.sent + waiting,
            received: counted.received + late.received,
        })
    }

    fn mail_quota_is_near(
        &mut self,
        user_id: &str,
        quota: i64,
        percent: i64,
        total: i64,
        used: &Used,
    ) -> Result<()> {
        let about = format!("{}/{percent}", used.cycle.start);
        let sent = total - used.received;
        let facts = used.cycle_with(quota, sent);
        self.mail(Topic::QuotaNear, user_id, &about, |_| Letter {
            subject: format!("{percent}% of your messages are used"),
            opening: format!("You have used {percent}% of the messages of this month."),
            facts,
        })
    }

    fn mail_quota_is_spent(&mut self, user_id: &str, quota: i64) -> Result<()> {
        let used = self.used(user_id)?;
        let facts = used.cycle_with(quota, used.sent);
        self.mail(Topic::QuotaSpent, user_id, "", |_| Letter {
            subject: "Your limit of messages is reached".to_owned(),
            opening: "A message was not sent, because it would have passed your limit. What your \
                      phones receive is still taken."
                .to_owned(),
            facts,
        })
    }
}

impl Used {
    fn total(&self) -> i64 {
        self.sent + self.received
    }

    fn cycle_with(&self, quota: i64, sent: i64) -> Vec<(&'static str, String)> {
        vec![
            ("Limit", grouped(quota)),
            ("Plan", PLAN.to_owned()),
            ("From", self.cycle.start.to_string()),
            ("Until", self.cycle.end.to_string()),
            ("Sent", grouped(sent)),
            ("Received", grouped(self.received)),
            ("Total", grouped(sent + self.received)),
        ]
    }
}

/// The highest of the percents that is reached.
fn reached(total: i64, quota: i64) -> Option<i64> {
    let (total, quota) = (i128::from(total), i128::from(quota));
    MAILED
        .into_iter()
        .find(|percent| total * 100 >= quota * i128::from(*percent))
}

/// A count as people read it: `12,345`.
fn grouped(count: i64) -> String {
    let digits = count.max(0).to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn percents_are_reached_from_their_first_message_on() {
        let at = |total| reached(total, 200);
        assert_eq!((at(159), at(160), at(179)), (None, Some(80), Some(80)));
        assert_eq!((at(180), at(190), at(200)), (Some(90), Some(95), Some(95)));
        assert_eq!(reached(1, 1), Some(95));
    }
}
