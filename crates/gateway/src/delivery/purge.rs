//! Purging the log of attempts, in bites that hold up nobody.
//!
//! The log has no index of times. Deliveries have growing numbers, and a delivery made after some
//! time has no attempt before it: so it is noted now and then how far the numbers are. The purge goes
//! through the numbers up to the first mark that is young enough; what it leaves there are late
//! attempts alone, which are few.

use std::time::Duration;

use db::Scalar;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::clock::Time;
use crate::{Gateway, Result, Work};

/// Attempts that one transaction looks at.
const BITE: i64 = 1000;

/// Rests between bites, as a multiple of their time.
const REST: u32 = 4;

/// How close marks are.
const APART: Duration = Duration::from_mins(30);

db::row! {
    struct Place { delivery_id: i64, number: i64 }
}

impl Gateway {
    /// Deletes all attempts before this time; how many.
    pub async fn purge_attempts(&self, before: Time) -> Result<u64> {
        let webhooks: Vec<Scalar<Uuid>> = self
            .read(|tx| Ok(tx.all("SELECT id FROM webhook", &[])?))
            .await?;
        let count = self.purge_attempts_at(webhooks, before).await?;
        self.write(move |work| {
            // Nobody keeps attempts for longer.
            work.tx
                .execute("DELETE FROM delivery_mark WHERE at < $1", &[&before])?;
            Ok(())
        })
        .await?;
        Ok(count)
    }

    /// The same for the webhooks of an account.
    pub(crate) async fn purge_attempts_of(&self, user_id: &str, before: Time) -> Result<u64> {
        let user_id = user_id.to_owned();
        let webhooks: Vec<Scalar<Uuid>> = self
            .read(move |tx| Ok(tx.all("SELECT id FROM webhook WHERE user_id = $1", &[&user_id])?))
            .await?;
        self.purge_attempts_at(webhooks, before).await
    }

    async fn purge_attempts_at(&self, webhooks: Vec<Scalar<Uuid>>, before: Time) -> Result<u64> {
        let last = self.write(move |work| work.last_before(before)).await?;
        let mut count = 0;
        for Scalar(webhook) in webhooks {
            let mut place = Some(Place {
                delivery_id: 0,
                number: 0,
            });
            while let Some(Place {
                delivery_id,
                number,
            }) = place
            {
                let begun = Instant::now();
                let (deleted, next) = self
                    .write(move |work| {
                        let from = Place {
                            delivery_id,
                            number,
                        };
                        work.bite_attempts(webhook, &from, last, before)
                    })
                    .await?;
                count += deleted;
                place = next;
                if place.is_some() {
                    sleep(begun.elapsed() * REST).await;
                }
            }
        }
        Ok(count)
    }
}

impl Work<'_, '_> {
    /// The greatest number of a delivery that may have been attempted before this time. Notes how
    /// far they are now.
    fn last_before(&mut self, before: Time) -> Result<i64> {
        let Scalar(newest): Scalar<i64> = self.tx.one(
            "SELECT CAST(COALESCE(MAX(last), 0) AS BIGINT) FROM (
                 SELECT MAX(id) AS last FROM delivery
                  UNION ALL
                 SELECT (SELECT MAX(delivery_id) FROM attempt WHERE webhook_id = webhook.id)
                   FROM webhook) AS known",
            &[],
        )?;
        self.tx.execute(
            "INSERT INTO delivery_mark (at, delivery_id) SELECT $1, $2
              WHERE NOT EXISTS (SELECT 1 FROM delivery_mark WHERE at > $3)
             ON CONFLICT DO NOTHING",
            &[
                &self.now,
                &newest,
                &Time::from_micros(self.now.micros() - APART.as_micros() as i64),
            ],
        )?;
        let mark: Option<Scalar<i64>> = self.tx.optional(
            "SELECT delivery_id FROM delivery_mark WHERE at >= $1 ORDER BY at LIMIT 1",
            &[&before],
        )?;
        Ok(mark.map_or(newest, |Scalar(number)| number))
    }

    /// Deletes what is old of some attempts after this place; how many, and where to go on.
    fn bite_attempts(
        &mut self,
        webhook: Uuid,
        from: &Place,
        last: i64,
        before: Time,
    ) -> Result<(u64, Option<Place>)> {
        let next: Option<Place> = self.tx.optional(
            "SELECT delivery_id, number FROM attempt
              WHERE webhook_id = $1 AND (delivery_id, number) > ($2, $3) AND delivery_id <= $4
              ORDER BY delivery_id, number LIMIT 1 OFFSET $5",
            &[
                &webhook,
                &from.delivery_id,
                &from.number,
                &last,
                &(BITE - 1),
            ],
        )?;
        let (until, number) = match &next {
            Some(place) => (place.delivery_id, place.number),
            None => (last, i64::MAX),
        };
        let deleted = self.tx.execute(
            "DELETE FROM attempt
              WHERE webhook_id = $1 AND (delivery_id, number) > ($2, $3)
                AND (delivery_id, number) <= ($4, $5) AND started_at < $6",
            &[
                &webhook,
                &from.delivery_id,
                &from.number,
                &until,
                &number,
                &before,
            ],
        )?;
        Ok((deleted, next))
    }
}
