//! Heartbeats: a phone says that it is alive; when it stops saying so, it is nudged, then offline.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::event::{About, Kind};
use crate::mail::{Letter, Topic, local, readable};
use crate::phone::{self, Phone};
use crate::{Gateway, Page, PhoneNumber, Result, Work, for_update, id};

db::row! {
    /// A heartbeat, with the members of the wire's Heartbeat.
    #[derive(Debug, Clone, Serialize)]
    pub struct Heartbeat {
        /// Its id.
        pub id: Uuid,
        /// The phone's number.
        pub owner: String,
        /// The app's version, from `X-Client-Version`.
        pub version: String,
        /// Whether the phone is plugged in.
        pub charging: bool,
        /// The account.
        pub user_id: String,
        /// When it arrived, by the server's clock.
        pub timestamp: Time,
    }
}

const COLUMNS: &str = "id, owner, version, charging, user_id, timestamp";

/// What a phone says of itself.
#[derive(Debug, Clone)]
pub struct Beat {
    /// One or two numbers.
    pub numbers: Vec<PhoneNumber>,
    /// Whether the phone is plugged in.
    pub charging: bool,
    /// The app's version.
    pub version: String,
}

/// The payload that missed, offline and online share (contract: events, §1.3, 21 to 23).
#[derive(Serialize)]
struct Seen<'a> {
    phone_id: Uuid,
    user_id: &'a str,
    last_heartbeat_timestamp: Time,
    timestamp: Time,
    monitor_id: Uuid,
    owner: &'a str,
}

impl Gateway {
    /// The account's heartbeats with a greater id, by their ids.
    pub(crate) async fn heartbeats_after(
        &self,
        caller: &Caller,
        id: Uuid,
        limit: i64,
    ) -> Result<Vec<Heartbeat>> {
        let user_id = caller.user_id.clone();
        self.scan(move |tx| {
            Ok(tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM heartbeat WHERE user_id = $1 AND id > $2
                      ORDER BY id LIMIT $3"
                ),
                &[&user_id, &id, &limit],
            )?)
        })
        .await
    }

    /// Heartbeats of a number, newest first.
    pub async fn heartbeats(
        &self,
        caller: &Caller,
        owner: PhoneNumber,
        page: Page,
    ) -> Result<Vec<Heartbeat>> {
        let user_id = caller.user_id.clone();
        self.list(&page.clone(), move |tx| {
            Ok(tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM heartbeat
                      WHERE user_id = $1 AND owner = $2 AND LOWER(version) LIKE $3
                      ORDER BY timestamp DESC, id DESC LIMIT $4 OFFSET $5"
                ),
                &[
                    &user_id,
                    &owner.as_str(),
                    &page.pattern(),
                    &page.limit(),
                    &page.skip(),
                ],
            )?)
        })
        .await
    }

    /// Stores a heartbeat for each number. A phone that was offline is online again.
    ///
    /// # Errors
    /// [`crate::Error::NotBound`] if a phone key does not hold one of the numbers; nothing is stored then.
    pub async fn beat(&self, caller: &Caller, beat: Beat) -> Result<Vec<Heartbeat>> {
        for number in &beat.numbers {
            caller.may_act_for(number.as_str())?;
        }
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            beat.numbers
                .iter()
                .map(|number| work.store_beat(&user_id, number.as_str(), &beat))
                .collect()
        })
        .await
    }
}

impl Work<'_, '_> {
    fn store_beat(&mut self, user_id: &str, owner: &str, beat: &Beat) -> Result<Heartbeat> {
        let heartbeat = self.tx.one(
            &format!(
                "INSERT INTO heartbeat (id, owner, version, charging, user_id, timestamp)
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING {COLUMNS}"
            ),
            &[
                &id::new(self.now),
                &owner,
                &beat.version,
                &beat.charging,
                &user_id,
                &self.now,
            ],
        )?;
        if let Some(mut phone) = phone::owned(self.tx, user_id, owner)? {
            let was_online = phone.online;
            phone.heartbeat_at = Some(self.now);
            phone.online = true;
            self.watch(&mut phone, self.now);
            self.save_monitor(&phone)?;
            self.forget_nudges(phone.id)?;
            if !was_online {
                self.append_seen(Kind::PhoneHeartbeatOnline, &phone, "/v1/heartbeats")?;
            }
        }
        Ok(heartbeat)
    }

    /// Sets the monitor's timer: the first look after a heartbeat at `seen`.
    pub(crate) fn watch(&mut self, phone: &mut Phone, seen: Time) {
        let offline_after = self.gateway.settings.phone_offline_after;
        let due = seen + nudge_every(offline_after).min(offline_after);
        phone.heartbeat_due_at = Some(due);
        self.timer(due);
    }

    fn save_monitor(&mut self, phone: &Phone) -> Result<()> {
        self.tx.execute(
            "UPDATE phone SET online = $2, heartbeat_at = $3, heartbeat_due_at = $4 WHERE id = $1",
            &[
                &phone.id,
                &phone.online,
                &phone.heartbeat_at,
                &phone.heartbeat_due_at,
            ],
        )?;
        Ok(())
    }

    /// Looks at a phone whose monitor is due: nudges it while there is hope, then calls it offline.
    pub(crate) fn check_heartbeat(&mut self, phone: Uuid) -> Result<()> {
        let lock = for_update(self.tx);
        let found: Option<Phone> = self.tx.optional(
            &format!(
                "SELECT {} FROM phone WHERE id = $1 AND heartbeat_due_at <= $2 {lock}",
                phone::COLUMNS
            ),
            &[&phone, &self.now],
        )?;
        let Some(mut phone) = found else {
            return Ok(());
        };
        let offline_after = self.gateway.settings.phone_offline_after;
        let last = phone.heartbeat_at.unwrap_or(phone.created_at);
        let source = phone.monitor_source.clone();
        if self.now.since(last) >= offline_after {
            phone.online = false;
            phone.heartbeat_due_at = None;
            self.save_monitor(&phone)?;
            self.append_seen(Kind::PhoneHeartbeatOffline, &phone, &source)?;
            return self.mail_offline(&phone, last);
        }
        let next = (self.now + nudge_every(offline_after)).min(last + offline_after);
        phone.heartbeat_due_at = Some(next);
        self.save_monitor(&phone)?;
        self.timer(next);
        self.append_seen(Kind::PhoneHeartbeatMissed, &phone, &source)?;
        self.queue_nudge(&phone, next)
    }

    fn mail_offline(&mut self, phone: &Phone, last: Time) -> Result<()> {
        let owner = readable(&phone.phone_number);
        self.mail(
            Topic::PhoneOffline,
            &phone.user_id,
            &phone.phone_number,
            |zone| Letter {
                subject: format!("No heartbeat from your phone {owner}"),
                opening:
                    "One of your phones has not been heard of for a while. Messages wait until \
                      it is back."
                        .to_owned(),
                facts: vec![("Number", owner), ("Last heartbeat", local(last, zone))],
            },
        )
    }

    fn append_seen(&mut self, kind: Kind, phone: &Phone, source: &str) -> Result<()> {
        let seen = Seen {
            phone_id: phone.id,
            user_id: &phone.user_id,
            last_heartbeat_timestamp: phone.heartbeat_at.unwrap_or(phone.created_at),
            timestamp: self.now,
            monitor_id: phone.monitor_id,
            owner: &phone.phone_number,
        };
        let about = About {
            user_id: &phone.user_id,
            owner: Some(&phone.phone_number),
            source,
            message: None,
        };
        self.append(kind, about, &seen)
    }
}

/// How long after a heartbeat, and after a nudge, the phone is nudged: 16 minutes of the documented
/// hour, and the same part of any other time.
fn nudge_every(offline_after: Duration) -> Duration {
    offline_after * 16 / 60
}
