//! Deleting a thread: with all its messages, their wake-ups and their files.

use db::Scalar;
use serde::Serialize;
use uuid::Uuid;

use super::{COLUMNS, Thread};
use crate::caller::Caller;
use crate::clock::Time;
use crate::event::{About, Kind};
use crate::message::{Status, between};
use crate::{Error, Gateway, Result, Work, for_update};

/// Messages that one transaction deletes: others need not wait long for it.
const AT_ONCE: i64 = 500;

/// `message-thread.api.deleted` (contract: events, §1.3).
#[derive(Serialize)]
struct ApiDeleted<'a> {
    message_thread_id: Uuid,
    user_id: &'a str,
    owner: &'a str,
    contact: &'a str,
    is_archived: bool,
    color: &'a str,
    status: Status,
    timestamp: Time,
}

db::row! {
    struct Deleted { id: Uuid, attachments: Option<String> }

    struct Bound { order_timestamp: Time, id: Uuid }
}

/// What a transaction came to.
struct Part {
    done: bool,
    with_files: Vec<Uuid>,
}

impl Gateway {
    /// Deletes a thread and all messages between its number and its contact; what was still to be
    /// sent is cancelled. The oldest go first, so that one that is cut short can be repeated.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Files`] if files of its messages could not be removed.
    pub async fn delete_thread(&self, caller: &Caller, id: Uuid) -> Result<()> {
        loop {
            let user_id = caller.user_id.clone();
            let part = self
                .write(move |work| work.delete_part(&user_id, id))
                .await?;
            for message in part.with_files {
                self.remove_attachments(caller, message).await?;
            }
            if part.done {
                return Ok(());
            }
        }
    }
}

impl Work<'_, '_> {
    fn delete_part(&mut self, user_id: &str, id: Uuid) -> Result<Part> {
        let lock = for_update(self.tx);
        // Held first: what comes in meanwhile waits, and then has a thread of its own.
        let thread: Option<Thread> = self.tx.optional(
            &format!("SELECT {COLUMNS} FROM thread WHERE id = $1 AND user_id = $2 {lock}"),
            &[&id, &user_id],
        )?;
        let thread = thread
            .ok_or_else(|| Error::not_found(format!("cannot find thread thread with ID [{id}]")))?;
        let bound = self.bound(&thread)?;
        let done = bound.is_none();
        let with_files = self.delete_messages(&thread, bound)?;
        if done {
            self.delete_emptied(&thread)?;
        }
        Ok(Part { done, with_files })
    }

    /// The last message of this part; none, if all the rest fits.
    fn bound(&mut self, thread: &Thread) -> Result<Option<Bound>> {
        Ok(self.tx.optional(
            &format!(
                "SELECT order_timestamp, id FROM message WHERE id IN ({})
                  ORDER BY order_timestamp, id LIMIT 1 OFFSET $4",
                between(
                    self.tx.engine(),
                    "TRUE",
                    "ORDER BY order_timestamp, id LIMIT CAST($4 AS BIGINT) + 1"
                )
            ),
            &[&thread.user_id, &thread.owner, &thread.contact, &AT_ONCE],
        )?)
    }

    /// Deletes the messages up to the bound; those that have files.
    fn delete_messages(&mut self, thread: &Thread, bound: Option<Bound>) -> Result<Vec<Uuid>> {
        let (time, id) = bound.map_or((Time::from_micros(i64::MAX), Uuid::max()), |bound| {
            (bound.order_timestamp, bound.id)
        });
        let chosen = "(order_timestamp < $4 OR (order_timestamp = $4 AND id <= $5))";
        let engine = self.tx.engine();
        let sent = between(
            engine,
            &format!("{chosen} AND kind = 'mobile-terminated'"),
            "",
        );
        let args: [&dyn db::Arg; 5] = [&thread.user_id, &thread.owner, &thread.contact, &time, &id];
        for table in ["notification", "delivery"] {
            self.tx.execute(
                &format!("DELETE FROM {table} WHERE message_id IN ({sent})"),
                &args,
            )?;
        }
        let deleted: Vec<Deleted> = self.tx.all(
            &format!(
                "DELETE FROM message WHERE id IN ({}) RETURNING id,
                     CASE WHEN kind = 'mobile-originated' THEN attachments END AS attachments",
                between(engine, chosen, "")
            ),
            &args,
        )?;
        let has_files = |row: &Deleted| !matches!(row.attachments.as_deref(), None | Some("[]"));
        Ok(deleted
            .into_iter()
            .filter(has_files)
            .map(|row| row.id)
            .collect())
    }

    fn delete_emptied(&mut self, thread: &Thread) -> Result<()> {
        let Scalar(id): Scalar<Uuid> = self.tx.one(
            "DELETE FROM thread WHERE id = $1 RETURNING id",
            &[&thread.id],
        )?;
        let source = format!("/v1/message-threads/{id}");
        let about = About {
            user_id: &thread.user_id,
            owner: Some(&thread.owner),
            source: &source,
            message: None,
        };
        let payload = ApiDeleted {
            message_thread_id: id,
            user_id: &thread.user_id,
            owner: &thread.owner,
            contact: &thread.contact,
            is_archived: thread.is_archived,
            color: &thread.color,
            status: thread.status,
            timestamp: self.now,
        };
        self.append(Kind::MessageThreadApiDeleted, about, &payload)
    }
}
