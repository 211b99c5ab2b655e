//! What waits for a phone: when it is due, and why it waits.

use db::Tx;
use serde::Serialize;
use uuid::Uuid;

use super::{Phone, by_id};
use crate::caller::Caller;
use crate::clock::Time;
use crate::message::{COLUMNS, Message, Status, Waiting, waiting};
use crate::{Gateway, Page, Result, schedule};

/// Messages of all accounts in the hands of phones that are looked at for those of one phone.
const IN_HANDS: i64 = 10_000;

/// A message that waits for its phone, or for its phone's report.
#[derive(Debug, Clone, Serialize)]
pub struct Queued {
    /// The message.
    pub message_id: Uuid,
    /// Who is to get it.
    pub contact: String,
    /// The text, or cipher text.
    pub content: String,
    /// Whether `content` is cipher text.
    pub encrypted: bool,
    /// Where it stands.
    pub status: Status,
    /// When it is released, sent, or given up waiting for.
    pub due_at: Option<Time>,
    /// Why it waits, in words.
    pub reason: String,
    /// The same for programs.
    pub waiting_for: Waiting,
}

impl Gateway {
    /// What waits for a phone, in the order in which it is due.
    pub async fn phone_queue(&self, caller: &Caller, id: Uuid, page: Page) -> Result<Vec<Queued>> {
        let (user_id, now) = (caller.user_id.clone(), self.now());
        self.read(move |tx| {
            let phone = by_id(tx, &user_id, id)?;
            let week = schedule::week_of(tx, &phone)?;
            let last = page.limit().saturating_add(page.skip());
            let mut found = Vec::new();
            for message in queue(tx, &phone, last, now)? {
                if let Some(waiting) = waiting(tx, &message, Some(&phone), week.as_ref(), now)? {
                    found.push(queued(message, waiting));
                }
            }
            let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
            let skip = usize::try_from(page.skip()).unwrap_or(usize::MAX);
            Ok(found.into_iter().skip(skip).take(limit).collect())
        })
        .await
    }
}

fn due(message: &Message) -> Option<Time> {
    message.due_at.or(message.scheduled_at)
}

/// The first messages: those that wait for their slot, those that wait to be released, and those
/// that the phone was told of.
fn queue(tx: &mut Tx<'_>, phone: &Phone, first: i64, now: Time) -> Result<Vec<Message>> {
    let (user_id, owner) = (&phone.user_id, &phone.phone_number);
    let mut found: Vec<Message> = tx.all(
        &format!(
            "SELECT {COLUMNS} FROM message WHERE id IN (
                 SELECT message_id FROM delivery WHERE target = $1 AND message_id IS NOT NULL
                  ORDER BY due_at LIMIT $2)"
        ),
        &[&phone.id, &first],
    )?;
    found.extend(tx.all::<Message>(
        &format!(
            "SELECT {COLUMNS} FROM message
              WHERE user_id = $1 AND owner = $2 AND status = 'pending' ORDER BY due_at LIMIT $3"
        ),
        &[user_id, owner, &first],
    )?);
    found.extend(tx.all::<Message>(
        &format!(
            "SELECT {COLUMNS} FROM (
                 SELECT {COLUMNS} FROM message
                  WHERE due_at IS NOT NULL AND due_at >= $3 AND status <> 'pending'
                  ORDER BY due_at LIMIT $4) AS in_hands
              WHERE user_id = $1 AND owner = $2 ORDER BY due_at LIMIT $5"
        ),
        &[user_id, owner, &now, &IN_HANDS, &first],
    )?);
    found.sort_by_key(|message| (due(message), message.id));
    found.dedup_by_key(|message| message.id);
    Ok(found)
}

fn queued(message: Message, waiting: Waiting) -> Queued {
    Queued {
        due_at: waiting.until.or_else(|| due(&message)),
        message_id: message.id,
        contact: message.contact,
        content: message.content,
        encrypted: message.encrypted,
        status: message.status,
        reason: waiting.words(),
        waiting_for: waiting,
    }
}
