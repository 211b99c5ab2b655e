//! Usage: how many messages an account sent and received in each of its billing cycles.
//!
//! Nothing is counted where messages are made: a counter there would be a row that everybody waits
//! for. The event log is counted when somebody asks, and now and then.

mod count;
mod cycle;
mod day;
mod quota;

use std::collections::HashMap;

use db::Scalar;
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::{Gateway, Page, Result};

use count::Count;
use cycle::Cycle;
pub use day::{DAYS, Day};

db::row! {
    struct Row {
        id: Uuid,
        user_id: String,
        sent_messages: i64,
        received_messages: i64,
        start_timestamp: Time,
        end_timestamp: Time,
        created_at: Time,
        updated_at: Time,
        position: i64,
    }
}

/// The columns of [`Row`] but the last, in its order.
const COLUMNS: &str = "id, user_id, sent_messages, received_messages, start_timestamp,
    end_timestamp, created_at, updated_at";

/// A billing cycle, with the members of the wire's `BillingUsage` in its order (contract: API, §3.10).
#[derive(Debug, Clone, Serialize)]
pub struct Usage {
    /// Its id.
    pub id: Uuid,
    /// The account.
    pub user_id: String,
    /// Messages released to a phone; the cycle is that of their request.
    pub sent_messages: i64,
    /// SMS that phones received. Missed calls are free.
    pub received_messages: i64,
    /// Always 0.
    pub total_cost: i64,
    /// Midnight of the account's day, in UTC.
    pub start_timestamp: Time,
    /// One second before the next cycle begins.
    pub end_timestamp: Time,
    /// When it was counted first.
    pub created_at: Time,
    /// When its numbers last changed.
    pub updated_at: Time,
    /// How many messages may be sent and received in it: the operator's; null if any number, and of
    /// cycles that are over.
    pub message_quota: Option<i64>,
}

impl From<Row> for Usage {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            sent_messages: row.sent_messages,
            received_messages: row.received_messages,
            total_cost: 0,
            start_timestamp: row.start_timestamp,
            end_timestamp: row.end_timestamp,
            created_at: row.created_at,
            updated_at: row.updated_at,
            message_quota: None,
        }
    }
}

impl Gateway {
    /// The account's current cycle, counted up to now.
    pub async fn usage(&self, caller: &Caller) -> Result<Usage> {
        let current = self.counted_until_now(&caller.user_id).await?;
        let page = Page {
            limit: 1,
            ..Page::default()
        };
        let found = self.cycles(&caller.user_id, current, "=", page).await?;
        let usage = found.into_iter().next().ok_or(db::Error::NoRow)?;
        Ok(Usage {
            message_quota: self.0.settings.message_quota,
            ..usage
        })
    }

    /// Counts what has happened to an account up to now.
    async fn count_now(&self, user_id: &str) -> Result<()> {
        let anchor = self.anchor(user_id).await?;
        self.count(user_id, anchor).await.map(drop)
    }

    /// The account's cycles that are over, the latest first.
    pub async fn usage_history(&self, caller: &Caller, page: Page) -> Result<Vec<Usage>> {
        let current = self.counted_until_now(&caller.user_id).await?;
        self.cycles(&caller.user_id, current, "<", page).await
    }

    /// Counts what these accounts did up to now, each with the time when it was made. What cannot
    /// be counted for good yet: messages sent and received since then, by account.
    pub(crate) async fn count_accounts(
        &self,
        accounts: Vec<(String, Time)>,
        since: Time,
    ) -> Result<HashMap<String, (i64, i64)>> {
        let mut late = HashMap::new();
        for (user_id, anchor) in accounts {
            let place = self.count(&user_id, anchor).await?;
            let counts = self.uncounted(&user_id, place, anchor).await?;
            let add =
                |(sent, received), count: &Count| (sent + count.sent, received + count.received);
            let sum = counts.quarters.range(since..).map(|(_, count)| count);
            let sum = sum.fold((0, 0), add);
            late.insert(user_id, sum);
        }
        Ok(late)
    }

    /// Counts, and makes the rows that are still missing; the current cycle.
    async fn counted_until_now(&self, user_id: &str) -> Result<Current> {
        let anchor = self.anchor(user_id).await?;
        let place = self.count(user_id, anchor).await?;
        let cycle = Cycle::containing(self.now(), anchor);
        let mut wanted = self.uncounted(user_id, place, anchor).await?;
        wanted.cycles.entry(cycle).or_default();
        let user_id = user_id.to_owned();
        self.write(move |work| {
            wanted
                .cycles
                .keys()
                .try_for_each(|cycle| work.make_cycle(&user_id, *cycle))
        })
        .await?;
        Ok(Current { anchor, cycle })
    }

    /// The current cycle, or those before it.
    async fn cycles(
        &self,
        user_id: &str,
        current: Current,
        which: &'static str,
        page: Page,
    ) -> Result<Vec<Usage>> {
        let owner = user_id.to_owned();
        let rows: Vec<Row> = self
            .read(move |tx| {
                // One statement: the numbers and the place up to which they were counted belong
                // together.
                Ok(tx.all(
                    &format!(
                        "SELECT {COLUMNS}, COALESCE((SELECT position FROM usage_place
                                WHERE usage_place.user_id = $1), 0) AS position
                           FROM usage_cycle
                          WHERE user_id = $1 AND start_timestamp {which} $2
                          ORDER BY start_timestamp DESC LIMIT $3 OFFSET $4"
                    ),
                    &[&owner, &current.cycle.start, &page.limit(), &page.skip()],
                )?)
            })
            .await?;
        let Some(place) = rows.first().map(|row| row.position) else {
            return Ok(Vec::new());
        };
        let late = self.uncounted(user_id, place, current.anchor).await?;
        let mut found: Vec<Usage> = rows.into_iter().map(Usage::from).collect();
        for usage in &mut found {
            let cycle = Cycle::containing(usage.start_timestamp, current.anchor);
            let count = late.cycles.get(&cycle).copied().unwrap_or_default();
            usage.sent_messages += count.sent;
            usage.received_messages += count.received;
        }
        Ok(found)
    }

    /// When the account was made: its cycles begin on that day of the month.
    async fn anchor(&self, user_id: &str) -> Result<Time> {
        let user_id = user_id.to_owned();
        self.lookup(move |tx| {
            let Scalar(made) =
                tx.one("SELECT created_at FROM account WHERE id = $1", &[&user_id])?;
            Ok(made)
        })
        .await
    }
}

/// An account's cycles, and the one it is in.
#[derive(Clone, Copy)]
struct Current {
    anchor: Time,
    cycle: Cycle,
}
