//! What can be done to a bulk send on its way: hold it back, let it go on, cancel it, and send again
//! what failed.
//!
//! Long ones are done part by part, so that no transaction holds up the others. Each part is done for
//! good; whoever repeats a request that was interrupted finishes the rest. What is sent again is
//! one part, so that the same request never sends anything twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use db::Scalar;
use uuid::Uuid;

use super::accept::{Accepted, SOURCE, Sender};
use super::history::{HELD, OF_BULK, one};
use super::{BulkMessage, State, name};
use crate::caller::Caller;
use crate::clock::Time;
use crate::message::{self, CANCELLED, Message, Status};
use crate::phone;
use crate::{Error, Gateway, Result, Work, for_update};

/// Messages that one transaction takes.
const PART: usize = 500;

/// Messages that are sent again at once; whoever has more asks again.
const AGAIN: usize = 1000;

/// The bulk send that something is done to.
#[derive(Clone)]
struct Job {
    user_id: String,
    request_id: String,
    /// When it was asked for.
    begun: Time,
}

/// What is done to it.
#[derive(Clone, Copy)]
enum Act {
    Pause,
    Resume,
    Cancel,
}

impl Gateway {
    /// Holds back what no phone has yet. What a phone has it may still send, but it is not tried
    /// again. Twice is the same as once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if nothing of it is on its way.
    pub async fn pause_bulk(&self, caller: &Caller, request_id: String) -> Result<BulkMessage> {
        let job = self.job(caller, request_id);
        self.in_parts(&job, Act::Pause).await?;
        self.unless_finished(job, "paused").await
    }

    /// Lets what was held back go on, at the rate of its phone or at its own time. Twice is the same
    /// as once.
    ///
    /// # Errors
    /// Those of [`Gateway::pause_bulk`].
    pub async fn resume_bulk(&self, caller: &Caller, request_id: String) -> Result<BulkMessage> {
        let job = self.job(caller, request_id);
        self.in_parts(&job, Act::Resume).await?;
        self.unless_finished(job, "resumed").await
    }

    /// Cancels what no phone has yet: it has `failed` then. Twice is the same as once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if there is nothing to cancel, nor was.
    pub async fn cancel_bulk(&self, caller: &Caller, request_id: String) -> Result<BulkMessage> {
        let job = self.job(caller, request_id);
        self.in_parts(&job, Act::Cancel).await?;
        let bulk = self.counted(&job).await?;
        if bulk.cancelled_count == 0 {
            return Err(conflict(&job, "cannot be cancelled any more"));
        }
        Ok(bulk)
    }

    /// Sends again what failed or expired, up to a thousand messages, but not what was cancelled, nor
    /// what was sent again before: as a bulk send of its own.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if there is nothing to send again, or a phone of it
    /// is gone; [`Error::Limit`] if it would pass the account's quota.
    pub async fn retry_bulk(&self, caller: &Caller, request_id: String) -> Result<Accepted> {
        let job = self.job(caller, request_id);
        self.write_within_quota(&caller.user_id, move |work| work.send_lost_again(&job))
            .await
    }

    fn job(&self, caller: &Caller, request_id: String) -> Job {
        Job {
            user_id: caller.user_id.clone(),
            request_id,
            begun: self.now(),
        }
    }

    /// Does it until nothing is left to do.
    async fn in_parts(&self, job: &Job, act: Act) -> Result<()> {
        loop {
            let part = job.clone();
            let count = self.write(move |work| work.do_part(act, &part)).await?;
            if count < PART {
                return Ok(());
            }
        }
    }

    async fn counted(&self, job: &Job) -> Result<BulkMessage> {
        let job = job.clone();
        self.read(move |tx| one(tx, &job.user_id, &job.request_id))
            .await
    }

    async fn unless_finished(&self, job: Job, what: &str) -> Result<BulkMessage> {
        let bulk = self.counted(&job).await?;
        if bulk.status == State::Finished {
            return Err(conflict(&job, &format!("is finished and cannot be {what}")));
        }
        Ok(bulk)
    }
}

fn conflict(job: &Job, why: &str) -> Error {
    Error::conflict(format!("the bulk message [{}] {why}", job.request_id))
}

type Senders = BTreeMap<String, Option<Sender>>;

impl Work<'_, '_> {
    /// Does it to some messages; to how many.
    fn do_part(&mut self, act: Act, job: &Job) -> Result<usize> {
        match act {
            Act::Pause => self.pause_part(job),
            Act::Resume => self.resume_part(job),
            Act::Cancel => self.cancel_part(job),
        }
    }

    fn pause_part(&mut self, job: &Job) -> Result<usize> {
        let open = "held_from IS NULL AND status IN ('pending','scheduled','sending')";
        // The last ones first: their slots can be given back.
        let messages = self.some_of(job, open, "created_at DESC, id DESC", PART)?;
        for message in &messages {
            self.hold(message)?;
        }
        self.give_back(&messages)?;
        Ok(messages.len())
    }

    /// Gives back the slots of those of these messages that no phone was woken for.
    fn give_back(&mut self, messages: &[Message]) -> Result<()> {
        let mut phones: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
        for message in messages {
            if message.status == Status::Scheduled && message.due_at.is_none() {
                phones.entry(&message.owner).or_default().push(message);
            }
        }
        for (owner, messages) in phones {
            if let Some(mut phone) = phone::owned(self.tx, &messages[0].user_id, owner)? {
                self.give_slots_back(&mut phone, &messages)?;
            }
        }
        Ok(())
    }

    fn hold(&mut self, message: &Message) -> Result<()> {
        let from = message.due_at.or(message.scheduled_at).unwrap_or(self.now);
        let due_at = match message.status {
            Status::Pending => None,
            // A phone was woken for it: its time runs.
            _ => message.due_at,
        };
        self.tx.execute(
            "UPDATE message SET held_from = $2, due_at = $3, updated_at = $4 WHERE id = $1",
            &[&message.id, &from, &due_at, &self.now],
        )?;
        if message.status == Status::Scheduled && due_at.is_none() {
            self.forget_wakeups(message.id)?;
        }
        Ok(())
    }

    fn resume_part(&mut self, job: &Job) -> Result<usize> {
        let messages = self.some_of(
            job,
            "held_from IS NOT NULL",
            "held_from, created_at, id",
            PART,
        )?;
        let mut senders = self.senders_of(job, &job.request_id, &messages)?;
        let count = messages.len();
        for message in messages {
            self.tx.execute(
                "UPDATE message SET held_from = NULL, updated_at = $2 WHERE id = $1",
                &[&message.id, &self.now],
            )?;
            match senders.get_mut(&message.owner).and_then(Option::as_mut) {
                Some(sender) => self.go_on(message, sender)?,
                None => self.lost_its_phone(&message)?,
            }
        }
        Ok(count)
    }

    fn go_on(&mut self, message: Message, sender: &mut Sender) -> Result<()> {
        match message.status {
            Status::Pending => {
                let release = match message.scheduled_send_time {
                    Some(exact) => exact,
                    None => sender.next(),
                };
                if release > self.now {
                    return self.set_due(message.id, release);
                }
                self.release(message, &mut sender.phone)
            }
            Status::Scheduled if message.due_at.is_none() => {
                self.reschedule(message, &mut sender.phone)
            }
            Status::Expired if message.send_attempt_count < message.max_send_attempts => {
                self.retry_message(message, &mut sender.phone)
            }
            _ => Ok(()),
        }
    }

    fn lost_its_phone(&mut self, message: &Message) -> Result<()> {
        let reason = format!("the phone [{}] was deleted", message.owner);
        self.failed(&message.user_id, message.id, self.now, &reason, None)
            .map(drop)
    }

    fn cancel_part(&mut self, job: &Job) -> Result<usize> {
        let open = format!("(status IN ('pending','scheduled') OR ({HELD}))");
        let messages = self.some_of(job, &open, "created_at DESC, id DESC", PART)?;
        for message in messages.iter().rev() {
            let (user_id, now) = (&message.user_id, self.now);
            self.failed(user_id, message.id, now, CANCELLED, Some(SOURCE))?;
        }
        self.give_back(&messages)?;
        Ok(messages.len())
    }

    fn send_lost_again(&mut self, job: &Job) -> Result<Accepted> {
        let lost = format!(
            "status IN ('failed','expired') AND NOT ({HELD}) AND retried_as IS NULL
                 AND COALESCE(failure_reason, '') <> '{CANCELLED}'"
        );
        let messages = self.some_of(job, &lost, "created_at, id", AGAIN)?;
        if messages.is_empty() {
            one(self.tx, &job.user_id, &job.request_id)?;
            return Err(conflict(job, "has nothing to send again"));
        }
        let again = name::request_id_again(&job.request_id, job.begun);
        let mut senders = self.senders_of(job, &again, &messages)?;
        self.spend_quota(&job.user_id, messages.len())?;
        for (message, nth) in messages.iter().zip(0..) {
            let sender = senders.get_mut(&message.owner).and_then(Option::as_mut);
            let Some(sender) = sender else {
                let why = format!("is from [{}], which is not registered", message.owner);
                return Err(conflict(job, &why));
            };
            let copy = self.send_again(message, sender, &again, nth)?;
            self.tx.execute(
                "UPDATE message SET retried_as = $2 WHERE id = $1",
                &[&message.id, &copy],
            )?;
        }
        Ok(Accepted {
            request_id: again,
            count: messages.len(),
        })
    }

    fn send_again(
        &mut self,
        message: &Message,
        sender: &mut Sender,
        request_id: &str,
        nth: usize,
    ) -> Result<Uuid> {
        let mut copy = self.draft(&sender.phone, SOURCE);
        copy.contact.clone_from(&message.contact);
        copy.content.clone_from(&message.content);
        copy.attachments.clone_from(&message.attachments);
        copy.encrypted = message.encrypted;
        copy.request_id = Some(request_id.to_owned());
        copy.created_at = self.now + Duration::from_micros(nth as u64);
        let id = copy.id;
        let release = sender.next();
        self.accept(copy, &mut sender.phone, release)?;
        Ok(id)
    }

    /// Some messages of a bulk send, locked. The conditions are a few fixed ones.
    fn some_of(
        &mut self,
        job: &Job,
        which: &str,
        order: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let (columns, lock) = (message::COLUMNS, for_update(self.tx));
        Ok(self.tx.all(
            &format!(
                "SELECT {columns} FROM message WHERE {OF_BULK} AND {which}
                  ORDER BY {order} LIMIT {limit} {lock}"
            ),
            &[&job.user_id, &job.request_id],
        )?)
    }

    /// The phones of these messages, locked in the order of their numbers; none for one that is gone.
    /// Each goes on after what already waits of the bulk send `request_id`.
    fn senders_of(&mut self, job: &Job, request_id: &str, messages: &[Message]) -> Result<Senders> {
        let owners: BTreeSet<&String> = messages.iter().map(|message| &message.owner).collect();
        let mut senders = Senders::new();
        for owner in owners {
            let phone = phone::owned(self.tx, &job.user_id, owner)?;
            let Scalar(last): Scalar<Option<Time>> = self.tx.one(
                &format!(
                    "SELECT MAX(due_at) FROM message WHERE {OF_BULK} AND owner = $3
                        AND status = 'pending' AND scheduled_send_time IS NULL"
                ),
                &[&job.user_id, &request_id, owner],
            )?;
            let sender = phone.map(|phone| Sender::after(phone, last, self.now));
            senders.insert(owner.clone(), sender);
        }
        Ok(senders)
    }
}
