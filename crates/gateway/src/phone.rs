//! Phones: a number of the account, its settings, and how to wake it.

mod health;
mod limits;
mod queue;

use std::time::Duration;

use db::Tx;
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::event::{About, Kind};
use crate::{Error, Fields, Gateway, Page, PhoneNumber, Result, Work, for_update, id, schedule};

pub use health::{Bucket, Gap, Health};
pub use queue::Queued;

/// The SIM of a phone that a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sim {
    /// The first, and what is meant when nothing is said.
    Sim1,
    /// The second.
    Sim2,
}

crate::names::names!(Sim { Sim1 => "SIM1", Sim2 => "SIM2" });

impl Sim {
    /// Anything but the two names means the first SIM.
    pub fn or_first(name: &str) -> Self {
        name.parse().unwrap_or(Self::Sim1)
    }
}

db::row! {
    /// A phone, with the members of the wire's Phone; one number and SIM each.
    #[derive(Debug, Clone, Serialize)]
    pub struct Phone {
        /// Its id.
        pub id: Uuid,
        /// The account.
        pub user_id: String,
        /// How to wake it: a token of the push service, or `stream:…` when it fetches its wake-ups.
        pub fcm_token: Option<String>,
        /// In E.164.
        pub phone_number: String,
        /// At most so many messages leave it in a minute, evenly spaced; 0: no limit.
        pub messages_per_minute: i64,
        /// Its SIM.
        pub sim: Sim,
        /// When it may send.
        pub message_send_schedule_id: Option<Uuid>,
        /// Wake-ups per message before it is given up; 0 means 2.
        pub max_send_attempts: i64,
        /// How long it may take to report; 0 means 600.
        pub message_expiration_seconds: i64,
        /// What callers are answered whose call was missed.
        pub missed_call_auto_reply: Option<String>,
        /// Whether an incoming message takes its thread out of the archive.
        pub unarchive_thread: bool,
        /// When it was added.
        pub created_at: Time,
        /// When it was last changed.
        pub updated_at: Time,
        /// What its owner calls it.
        pub name: Option<String>,
        /// Segments that may leave it in any minute; none: no limit.
        pub limit_per_minute: Option<i64>,
        /// The same in any hour.
        pub limit_per_hour: Option<i64>,
        /// The same in any 24 hours.
        pub limit_per_day: Option<i64>,
        #[serde(skip)]
        pub(crate) phone_key_id: Option<Uuid>,
        #[serde(skip)]
        pub(crate) last_slot_at: Option<Time>,
        #[serde(skip)]
        pub(crate) pushed_at: Option<Time>,
        #[serde(skip)]
        pub(crate) monitor_id: Uuid,
        #[serde(skip)]
        pub(crate) monitor_source: String,
        /// Whether it is heard of; also true of a phone that never was.
        pub online: bool,
        /// When its last heartbeat came.
        #[serde(rename = "last_heartbeat_at")]
        pub heartbeat_at: Option<Time>,
        #[serde(skip)]
        pub(crate) heartbeat_due_at: Option<Time>,
    }
}

/// The columns of [`Phone`], in its order.
pub(crate) const COLUMNS: &str = "id, user_id, fcm_token, phone_number, messages_per_minute, sim,
    message_send_schedule_id, max_send_attempts, message_expiration_seconds,
    missed_call_auto_reply, unarchive_thread, created_at, updated_at, name, limit_per_minute,
    limit_per_hour, limit_per_day, phone_key_id, last_slot_at, pushed_at, monitor_id, monitor_source, online, heartbeat_at,
    heartbeat_due_at";

impl Phone {
    /// How long the phone may take to report before its message expires.
    pub(crate) fn expiration(&self) -> Duration {
        let seconds = match self.message_expiration_seconds {
            0 => 600,
            seconds => seconds,
        };
        Duration::from_secs(seconds.unsigned_abs())
    }

    /// How often a message is tried at most.
    pub(crate) fn attempts(&self) -> i64 {
        match self.max_send_attempts {
            0 => 2,
            attempts => attempts,
        }
    }

    /// The least time between two messages, rounded up: 60/n seconds.
    pub(crate) fn spacing(&self) -> Duration {
        match u64::try_from(self.messages_per_minute) {
            Ok(rate @ 1..) => Duration::from_micros(60_000_000_u64.div_ceil(rate)),
            _ => Duration::ZERO,
        }
    }

    fn about<'a>(&'a self, source: &'a str) -> About<'a> {
        About {
            user_id: &self.user_id,
            owner: Some(&self.phone_number),
            source,
            message: None,
        }
    }
}

/// Changes to a phone: only what is present is applied.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// `Some(None)` and empty text take it away.
    pub fcm_token: Option<Option<String>>,
    /// Between 1 and 60.
    pub messages_per_minute: Option<i64>,
    /// Which SIM.
    pub sim: Option<Sim>,
    /// `Some(None)` takes it away.
    pub message_send_schedule_id: Option<Option<Uuid>>,
    /// Between 1 and 5.
    pub max_send_attempts: Option<i64>,
    /// Between 60 and 3600; 0 for the default.
    pub message_expiration_seconds: Option<i64>,
    /// `Some(None)` takes it away.
    pub missed_call_auto_reply: Option<Option<String>>,
    /// See [`Phone::unarchive_thread`].
    pub unarchive_thread: Option<bool>,
    /// `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// At least 1; `Some(None)` takes the limit away.
    pub limit_per_minute: Option<Option<i64>>,
    /// The same.
    pub limit_per_hour: Option<Option<i64>>,
    /// The same.
    pub limit_per_day: Option<Option<i64>>,
}

#[derive(Serialize)]
struct Updated<'a> {
    phone_id: Uuid,
    user_id: &'a str,
    phone_api_key_id: Option<Uuid>,
    timestamp: Time,
    owner: &'a str,
    sim: Sim,
}

#[derive(Serialize)]
struct Deleted<'a> {
    phone_id: Uuid,
    user_id: &'a str,
    timestamp: Time,
    owner: &'a str,
    sim: Sim,
}

impl Gateway {
    /// One phone of the caller's account.
    pub async fn phone(&self, caller: &Caller, id: Uuid) -> Result<Phone> {
        let user_id = caller.user_id.clone();
        self.lookup(move |tx| by_id(tx, &user_id, id)).await
    }

    /// The caller's phones whose number contains the query, newest first.
    pub async fn phones(&self, caller: &Caller, page: Page) -> Result<Vec<Phone>> {
        let user_id = caller.user_id.clone();
        self.read(move |tx| {
            Ok(tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM phone
                      WHERE user_id = $1 AND LOWER(phone_number) LIKE $2
                      ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
                ),
                &[&user_id, &page.pattern(), &page.limit(), &page.skip()],
            )?)
        })
        .await
    }

    /// Changes the phone with this number, adding it with the defaults if there is none.
    pub async fn put_phone(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        changes: Changes,
    ) -> Result<Phone> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            check(work.tx, &user_id, &changes)?;
            let mut phone = work.phone_or_new(&user_id, &number, "/v1/phones")?;
            apply(&mut phone, changes.clone());
            work.save(&mut phone)?;
            work.phone_updated(&phone, None, "/v1/phones")?;
            Ok(phone)
        })
        .await
    }

    /// A phone signs in: stores how to wake it, and binds its number to the phone key it came with,
    /// before the answer. The heartbeat monitor starts.
    pub async fn sign_in_phone(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        fcm_token: String,
        sim: Sim,
    ) -> Result<Phone> {
        const SOURCE: &str = "/v1/phones/fcm-token";
        let (user_id, phone_key) = (caller.user_id.clone(), caller.phone_key());
        self.write(move |work| {
            let mut phone = work.phone_or_new(&user_id, &number, SOURCE)?;
            phone.fcm_token = Some(fcm_token.clone());
            phone.sim = sim;
            if phone.heartbeat_due_at.is_none() && phone.online {
                work.watch(&mut phone, work.now);
            }
            work.save(&mut phone)?;
            if let Some(phone_key) = phone_key {
                work.bind(phone.id, phone_key)?;
                phone.phone_key_id = Some(phone_key);
            }
            work.phone_updated(&phone, phone_key, SOURCE)?;
            Ok(phone)
        })
        .await
    }

    /// Deletes a phone; its messages stay.
    pub async fn delete_phone(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let phone: Option<Phone> = work.tx.optional(
                &format!("DELETE FROM phone WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"),
                &[&id, &user_id],
            )?;
            let phone = phone
                .ok_or_else(|| Error::not_found(format!("cannot find phone with ID [{id}]")))?;
            let source = format!("/v1/phones/{id}");
            let deleted = Deleted {
                phone_id: phone.id,
                user_id: &phone.user_id,
                timestamp: phone.updated_at,
                owner: &phone.phone_number,
                sim: phone.sim,
            };
            work.append(Kind::PhoneDeleted, phone.about(&source), &deleted)
        })
        .await
    }
}

/// What the database has to say about the changes.
fn check(tx: &mut Tx<'_>, user_id: &str, changes: &Changes) -> Result<()> {
    match changes.message_send_schedule_id {
        Some(Some(id)) if !schedule::is_owned(tx, user_id, id)? => {
            Err(Error::Invalid(Fields::one(
                "message_send_schedule_id",
                "The message_send_schedule_id does not belong to the authenticated user or does not exist",
            )))
        }
        _ => Ok(()),
    }
}

fn apply(phone: &mut Phone, changes: Changes) {
    fn set<T>(field: &mut T, change: Option<T>) {
        if let Some(value) = change {
            *field = value;
        }
    }
    set(&mut phone.fcm_token, changes.fcm_token);
    set(&mut phone.messages_per_minute, changes.messages_per_minute);
    set(&mut phone.sim, changes.sim);
    set(
        &mut phone.message_send_schedule_id,
        changes.message_send_schedule_id,
    );
    set(&mut phone.max_send_attempts, changes.max_send_attempts);
    set(
        &mut phone.message_expiration_seconds,
        changes.message_expiration_seconds,
    );
    set(
        &mut phone.missed_call_auto_reply,
        changes.missed_call_auto_reply,
    );
    set(&mut phone.unarchive_thread, changes.unarchive_thread);
    set(&mut phone.name, changes.name);
    set(&mut phone.limit_per_minute, changes.limit_per_minute);
    set(&mut phone.limit_per_hour, changes.limit_per_hour);
    set(&mut phone.limit_per_day, changes.limit_per_day);
}

/// The account's phone with this number, its row locked until the transaction ends.
pub(crate) fn owned(tx: &mut Tx<'_>, user_id: &str, number: &str) -> Result<Option<Phone>> {
    let lock = for_update(tx);
    Ok(tx.optional(
        &format!("SELECT {COLUMNS} FROM phone WHERE user_id = $1 AND phone_number = $2 {lock}"),
        &[&user_id, &number],
    )?)
}

/// The same, for those who only read.
pub(crate) fn found(tx: &mut Tx<'_>, user_id: &str, number: &str) -> Result<Option<Phone>> {
    Ok(tx.optional(
        &format!("SELECT {COLUMNS} FROM phone WHERE user_id = $1 AND phone_number = $2"),
        &[&user_id, &number],
    )?)
}

/// The account's phone with this id, for those who only read.
pub(crate) fn by_id(tx: &mut Tx<'_>, user_id: &str, id: Uuid) -> Result<Phone> {
    let phone: Option<Phone> = tx.optional(
        &format!("SELECT {COLUMNS} FROM phone WHERE id = $1 AND user_id = $2"),
        &[&id, &user_id],
    )?;
    phone.ok_or_else(|| Error::not_found(format!("cannot find phone with ID [{id}]")))
}

impl Work<'_, '_> {
    /// The phone with this number, or a new one with the defaults, stored and locked.
    fn phone_or_new(&mut self, user_id: &str, number: &PhoneNumber, source: &str) -> Result<Phone> {
        self.tx.execute(
            "INSERT INTO phone (id, user_id, phone_number, messages_per_minute, sim,
                 max_send_attempts, message_expiration_seconds, unarchive_thread,
                 monitor_id, monitor_source, online, created_at, updated_at)
             VALUES ($1, $2, $3, 10, 'SIM1', 2, 600, $4, $5, $6, $7, $8, $8)
             ON CONFLICT (user_id, phone_number) DO NOTHING",
            &[
                &id::new(self.now),
                &user_id,
                &number.as_str(),
                &false,
                &id::new(self.now),
                &source,
                &true,
                &self.now,
            ],
        )?;
        owned(self.tx, user_id, number.as_str())?.ok_or(Error::Db(db::Error::NoRow))
    }

    fn save(&mut self, phone: &mut Phone) -> Result<()> {
        phone.updated_at = self.now;
        self.tx.execute(
            "UPDATE phone SET fcm_token = $2, messages_per_minute = $3, sim = $4,
                 message_send_schedule_id = $5, max_send_attempts = $6,
                 message_expiration_seconds = $7, missed_call_auto_reply = $8,
                 unarchive_thread = $9, heartbeat_due_at = $10, updated_at = $11, name = $12,
                 limit_per_minute = $13, limit_per_hour = $14, limit_per_day = $15
              WHERE id = $1",
            &[
                &phone.id,
                &phone.fcm_token,
                &phone.messages_per_minute,
                &phone.sim,
                &phone.message_send_schedule_id,
                &phone.max_send_attempts,
                &phone.message_expiration_seconds,
                &phone.missed_call_auto_reply,
                &phone.unarchive_thread,
                &phone.heartbeat_due_at,
                &phone.updated_at,
                &phone.name,
                &phone.limit_per_minute,
                &phone.limit_per_hour,
                &phone.limit_per_day,
            ],
        )?;
        Ok(())
    }

    fn phone_updated(
        &mut self,
        phone: &Phone,
        phone_key: Option<Uuid>,
        source: &str,
    ) -> Result<()> {
        let updated = Updated {
            phone_id: phone.id,
            user_id: &phone.user_id,
            phone_api_key_id: phone_key,
            timestamp: phone.updated_at,
            owner: &phone.phone_number,
            sim: phone.sim,
        };
        self.append(Kind::PhoneUpdated, phone.about(source), &updated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_other_sim_is_the_first() {
        assert_eq!(Sim::or_first("SIM2"), Sim::Sim2);
        assert_eq!(Sim::or_first("DEFAULT"), Sim::Sim1);
    }
}
