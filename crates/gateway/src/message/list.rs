//! Reading messages.

use uuid::Uuid;

use super::{COLUMNS, Message, between, owned};
use crate::caller::Caller;
use crate::clock::Time;
use crate::{Before, Gateway, Page, Result};

/// Whose messages a list is of.
#[derive(Debug, Clone)]
pub struct Between {
    /// The account's number.
    pub owner: String,
    /// The other side, exactly.
    pub contact: String,
    /// Only those that come after this one in the list.
    pub before: Option<Before>,
}

impl Gateway {
    /// One message of the caller's account.
    pub async fn message(&self, caller: &Caller, id: Uuid) -> Result<Message> {
        let user_id = caller.user_id.clone();
        self.lookup(move |tx| owned(tx, &user_id, id)).await
    }

    /// The account's messages that were made after this one, in the order they were made.
    pub(crate) async fn messages_after(
        &self,
        caller: &Caller,
        (time, id): (Time, Uuid),
        limit: i64,
    ) -> Result<Vec<Message>> {
        let user_id = caller.user_id.clone();
        self.scan(move |tx| {
            Ok(tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM message
                      WHERE user_id = $1 AND (created_at, id) > ($2, $3)
                      ORDER BY created_at, id LIMIT $4"
                ),
                &[&user_id, &time, &id, &limit],
            )?)
        })
        .await
    }

    /// The messages between a phone and a contact whose text contains the query, newest first.
    pub async fn messages(
        &self,
        caller: &Caller,
        pair: Between,
        page: Page,
    ) -> Result<Vec<Message>> {
        let user_id = caller.user_id.clone();
        let (time, id) = Before::bounds(pair.before);
        self.list(&page.clone(), move |tx| {
            Ok(tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM message WHERE id IN ({})
                      ORDER BY order_timestamp DESC, id DESC LIMIT $5 OFFSET $6",
                    between(
                        tx.engine(),
                        "LOWER(content) LIKE $4
                            AND order_timestamp <= $7 AND (order_timestamp < $7 OR id < $8)",
                        "ORDER BY order_timestamp DESC, id DESC LIMIT $9",
                    )
                ),
                &[
                    &user_id,
                    &pair.owner,
                    &pair.contact,
                    &page.pattern(),
                    &page.limit(),
                    &page.skip(),
                    &time,
                    &id,
                    &page.end(),
                ],
            )?)
        })
        .await
    }
}
