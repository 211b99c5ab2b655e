//! The bulk sends of an account so far, with what became of their messages.

use serde::Serialize;

use crate::caller::Caller;
use crate::clock::Time;
use crate::{Gateway, Result};

/// Sends that are shown at most.
const SHOWN: i64 = 10;

db::row! {
    /// Messages with the same request id, counted by where they stand; the counts add up.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct BulkMessage {
        /// Begins with `bulk-`.
        pub request_id: String,
        /// All of them.
        pub total: i64,
        /// Those that have a slot, or that the phone has.
        pub scheduled_count: i64,
        /// Those that wait for theirs.
        pub pending_count: i64,
        /// Those that failed.
        pub failed_count: i64,
        /// Those that the phone did not report in time.
        pub expired_count: i64,
        /// Those that were sent.
        pub sent_count: i64,
        /// Those that arrived.
        pub delivered_count: i64,
        /// When the first was accepted.
        pub created_at: Time,
    }
}

impl Gateway {
    /// The caller's ten newest bulk sends, by files or by request ids that look like theirs.
    pub async fn bulk_messages(&self, caller: &Caller) -> Result<Vec<BulkMessage>> {
        let user_id = caller.user_id.clone();
        self.read(move |tx| {
            // The newest are chosen by an index that has no status, and only those are counted.
            Ok(tx.all(
                "WITH newest AS (
                     SELECT request_id, MIN(created_at) AS begun FROM message
                      WHERE user_id = $1 AND substr(request_id, 1, 5) = 'bulk-'
                      GROUP BY request_id ORDER BY begun DESC, request_id DESC LIMIT $2)
                 SELECT message.request_id AS request_id, count(*) AS total,
                     count(CASE WHEN status IN ('scheduled','sending') THEN 1 END) AS scheduled_count,
                     count(CASE WHEN status = 'pending' THEN 1 END) AS pending_count,
                     count(CASE WHEN status = 'failed' THEN 1 END) AS failed_count,
                     count(CASE WHEN status = 'expired' THEN 1 END) AS expired_count,
                     count(CASE WHEN status = 'sent' THEN 1 END) AS sent_count,
                     count(CASE WHEN status = 'delivered' THEN 1 END) AS delivered_count,
                     MIN(message.created_at) AS created_at
                   FROM newest JOIN message ON message.request_id = newest.request_id
                  WHERE message.user_id = $1 AND substr(message.request_id, 1, 5) = 'bulk-'
                  GROUP BY message.request_id ORDER BY created_at DESC, request_id DESC",
                &[&user_id, &SHOWN],
            )?)
        })
        .await
    }
}
