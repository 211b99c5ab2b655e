//! Exporting an account: everything of it that is its owner's, table by table, in parts, and files.
//!
//! Keys and passwords are left out. It is no snapshot: what changes meanwhile may be in it or not.

use serde::Serialize;
use serde_json::{Value, from_str, to_value};
use uuid::Uuid;

use crate::attachment::Opened;
use crate::caller::Caller;
use crate::clock::Time;
use crate::patience::patiently;
use crate::{Gateway, Page, Result};

/// Rows of a part at most, where a table can be long.
const PART: i64 = 500;

/// What comes next; of a long table, what comes after this row.
#[derive(Debug, Clone, Copy)]
enum Next {
    Account,
    Phones,
    Schedules,
    Webhooks,
    PhoneKeys,
    ApiKeys,
    Discords,
    Messages(Time, Uuid),
    Heartbeats(Uuid),
    Events(i64),
    End,
}

/// Some rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What the rows are.
    pub table: &'static str,
    /// JSON objects with the members of the wire; there may be none.
    pub rows: Vec<Value>,
}

/// An export under way: ask for its parts until there is none left.
pub struct Export {
    gateway: Gateway,
    caller: Caller,
    next: Next,
}

impl Gateway {
    /// Begins an export of the caller's account.
    pub fn export(&self, caller: &Caller) -> Export {
        Export {
            gateway: self.clone(),
            caller: caller.clone(),
            next: Next::Account,
        }
    }
}

impl Export {
    /// The next rows; `None` at the end. A long table comes in several parts, one after the other.
    pub async fn part(&mut self) -> Result<Option<Part>> {
        let export = &*self;
        let Some((part, next)) = patiently(|| export.read()).await? else {
            return Ok(None);
        };
        self.next = next;
        Ok(Some(part))
    }

    /// What comes next, and what comes after it.
    async fn read(&self) -> Result<Option<(Part, Next)>> {
        let (gateway, caller) = (&self.gateway, &self.caller);
        let all = Page {
            limit: -1,
            ..Page::default()
        };
        let (table, rows, next) = match self.next {
            Next::Account => {
                let user = [gateway.me(caller).await?];
                ("account", values(&user, &["api_key"]), Next::Phones)
            }
            Next::Phones => {
                let phones = gateway.phones(caller, all).await?;
                ("phones", values(&phones, &["fcm_token"]), Next::Schedules)
            }
            Next::Schedules => {
                let schedules = gateway.schedules(caller).await?;
                ("schedules", values(&schedules, &[]), Next::Webhooks)
            }
            Next::Webhooks => {
                let webhooks = gateway.webhooks(caller, all).await?;
                let secrets = ["signing_key", "next_signing_key", "signing_keys"];
                let rows = values(&webhooks, &secrets);
                ("webhooks", rows, Next::PhoneKeys)
            }
            Next::PhoneKeys => {
                let keys = gateway.phone_keys(caller, all).await?;
                let rows = values(&keys, &["api_key"]);
                ("phone-api-keys", rows, Next::ApiKeys)
            }
            Next::ApiKeys => {
                let rows = values(&gateway.api_keys(caller, all).await?, &[]);
                ("api-keys", rows, Next::Discords)
            }
            Next::Discords => {
                let rows = values(&gateway.discords(caller, all).await?, &[]);
                let next = Next::Messages(Time::ZERO, Uuid::nil());
                ("discord-integrations", rows, next)
            }
            Next::Messages(time, id) => {
                let found = gateway.messages_after(caller, (time, id), PART).await?;
                let next = match found.last() {
                    Some(last) => Next::Messages(last.created_at, last.id),
                    None => Next::Heartbeats(Uuid::nil()),
                };
                ("messages", values(&found, &[]), next)
            }
            Next::Heartbeats(id) => {
                let found = gateway.heartbeats_after(caller, id, PART).await?;
                let next = found
                    .last()
                    .map_or(Next::Events(0), |last| Next::Heartbeats(last.id));
                ("heartbeats", values(&found, &[]), next)
            }
            Next::Events(seq) => {
                let found = gateway.events(&caller.user_id, seq, PART).await?;
                let next = found
                    .last()
                    .map_or(Next::End, |last| Next::Events(last.seq));
                let rows = found.iter().filter_map(|event| from_str(&event.body).ok());
                ("events", rows.collect(), next)
            }
            Next::End => return Ok(None),
        };
        Ok(Some((Part { table, rows }, next)))
    }

    /// Some files of the account's messages and uploads, by their places: `message/index/name`; those
    /// after this one, to begin with an empty text. None at the end.
    ///
    /// # Errors
    /// Of the store.
    pub async fn files(&self, after: &str) -> Result<Vec<String>> {
        self.gateway
            .account_files(&self.caller.user_id, after)
            .await
    }

    /// Opens one of them; `None` if it is gone meanwhile.
    ///
    /// # Errors
    /// Of the store.
    pub async fn open(&self, place: &str) -> Result<Option<Opened>> {
        self.gateway.account_file(&self.caller.user_id, place).await
    }
}

fn values<T: Serialize>(rows: &[T], secrets: &[&str]) -> Vec<Value> {
    let value = |row: &T| {
        let mut value = to_value(row).ok()?;
        let members = value.as_object_mut()?;
        members.retain(|name, _| !secrets.contains(&name.as_str()));
        Some(value)
    };
    rows.iter().filter_map(value).collect()
}
