//! Webhooks: addresses that want to be told of an account's events.

pub mod filter;
mod health;
mod key;
mod pause;
pub mod policy;

use std::collections::BTreeMap;

use db::{Later, Tx};
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::delivery::{Endpoint, Letter, News};
use crate::event::{About, Kind};
use crate::{Error, Fields, Gateway, Page, Result, Work, id, secret};

pub use health::Health;
pub use key::{KeyInfo, Rotation, SigningKey, active, valid};
pub use pause::PauseReason;
use policy::{Ordering, Policy};

/// A webhook, with the members of the wire's Webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// The account.
    pub user_id: String,
    /// Absolute http or https URL.
    pub url: String,
    /// Signs the token; empty: no token is sent.
    pub signing_key: String,
    /// The numbers whose events it wants.
    pub phone_numbers: Vec<String>,
    /// The events that it wants.
    pub events: Vec<Kind>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// How it wants to be told.
    #[serde(flatten)]
    pub policy: Policy,
    /// The names of the extra headers of its requests; their values are not shown again.
    pub headers: Vec<String>,
    /// The key that takes over next, so that receivers can learn it before.
    pub next_signing_key: Option<String>,
    /// Its signing keys, without the secrets.
    pub signing_keys: Vec<KeyInfo>,
    /// While this is set nothing is sent, and what happens waits.
    pub paused_at: Option<Time>,
    /// Why it is paused.
    pub pause_reason: Option<PauseReason>,
    /// The first failure since the last success.
    pub failing_since: Option<Time>,
}

/// What a webhook is made of, and what a change puts in its place.
#[derive(Debug, Clone)]
pub struct Draft {
    /// See [`Webhook::url`].
    pub url: WebhookUrl,
    /// Absent at creation: one is made. Absent in a change: the old one stays.
    pub signing_key: Option<String>,
    /// Exactly as the phones' numbers are stored.
    pub phone_numbers: Vec<String>,
    /// Without repetition.
    pub events: Vec<Kind>,
    /// How it wants to be told.
    pub policy: Policy,
    /// Extra headers of its requests. Absent: none at creation, as they are in a change.
    pub headers: Option<BTreeMap<String, String>>,
}

/// An absolute http or https URL of at most 2,048 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// The longest URL, in bytes.
    pub const MAX: usize = 2048;

    /// Reads a URL as typed: `https://` is put before one without a scheme.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.split_once("://") {
            Some(_) => text.to_owned(),
            None => format!("https://{text}"),
        };
        let url = url::Url::parse(&text).ok()?;
        let fits = text.len() <= Self::MAX
            && matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && !text.contains(char::is_whitespace);
        fits.then_some(Self(text))
    }

    /// As it was typed, with its scheme.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

db::row! {
    struct Row {
        id: Uuid,
        user_id: String,
        url: String,
        phone_numbers: String,
        events: String,
        policy: String,
        headers_sealed: Vec<u8>,
        paused_at: Option<Time>,
        pause_reason: Option<PauseReason>,
        failing_since: Option<Time>,
        version: i64,
        created_at: Time,
        updated_at: Time,
    }

    /// What is needed to decide whether a webhook wants an event.
    #[derive(Debug)]
    pub(crate) struct Choice {
        id: Uuid,
        phone_numbers: String,
        events: String,
        policy: String,
        paused_at: Option<Time>,
        version: i64,
    }
}

const COLUMNS: &str = "id, user_id, url, phone_numbers, events, policy, headers_sealed, paused_at,
    pause_reason, failing_since, version, created_at, updated_at";

impl Row {
    fn policy(&self) -> Policy {
        serde_json::from_str(&self.policy).unwrap_or_default()
    }
}

impl Gateway {
    /// The caller's webhooks whose URL contains the query, newest first.
    pub async fn webhooks(&self, caller: &Caller, page: Page) -> Result<Vec<Webhook>> {
        let (gateway, user_id) = (self.clone(), caller.user_id.clone());
        self.read(move |tx| {
            let rows: Vec<Row> = tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM webhook WHERE user_id = $1 AND LOWER(url) LIKE $2
                      ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
                ),
                &[&user_id, &page.pattern(), &page.limit(), &page.skip()],
            )?;
            let now = gateway.now();
            rows.into_iter()
                .map(|row| gateway.0.reveal_webhook(tx, row, now))
                .collect()
        })
        .await
    }

    /// One webhook of the caller's account.
    pub async fn webhook(&self, caller: &Caller, id: Uuid) -> Result<Webhook> {
        let (gateway, user_id) = (self.clone(), caller.user_id.clone());
        self.read(move |tx| {
            let row: Option<Row> = tx.optional(
                &format!("SELECT {COLUMNS} FROM webhook WHERE id = $1 AND user_id = $2"),
                &[&id, &user_id],
            )?;
            let row = row.ok_or_else(|| unknown(id))?;
            gateway.0.reveal_webhook(tx, row, gateway.now())
        })
        .await
    }

    /// Makes a webhook. Its signing key, if none is given, has 64 characters.
    ///
    /// # Errors
    /// [`Error::Invalid`] (under `from`, as the wire has it) if a number is no phone of the account.
    pub async fn add_webhook(&self, caller: &Caller, draft: Draft) -> Result<Webhook> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            owns_numbers(work.tx, &user_id, &draft.phone_numbers)?;
            let signing_key = draft
                .signing_key
                .clone()
                .unwrap_or_else(|| secret::new_key(""));
            let id = id::new(work.now);
            let headers = draft.headers.clone().unwrap_or_default();
            work.tx.execute(
                &format!(
                    "INSERT INTO webhook ({COLUMNS})
                     VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, NULL, NULL, 1, $8, $8)"
                ),
                &[
                    &id,
                    &user_id,
                    &draft.url.as_str(),
                    &list(&draft.phone_numbers),
                    &list(&draft.events),
                    &kept(&draft.policy),
                    &work.seal_headers(&headers),
                    &work.now,
                ],
            )?;
            work.add_signing_key(id, &signing_key, work.now)?;
            let row = work.webhook_row(&user_id, id)?;
            work.gateway.reveal_webhook(work.tx, row, work.now)
        })
        .await
    }

    /// Puts the draft in place of a webhook. What still waits for it goes to the new address.
    pub async fn put_webhook(&self, caller: &Caller, id: Uuid, draft: Draft) -> Result<Webhook> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            owns_numbers(work.tx, &user_id, &draft.phone_numbers)?;
            let headers = draft
                .headers
                .as_ref()
                .map(|headers| work.seal_headers(headers));
            let changed = work.tx.execute(
                "UPDATE webhook SET url = $3, phone_numbers = $4, events = $5, policy = $6,
                     headers_sealed = COALESCE($7, headers_sealed), version = version + 1,
                     updated_at = $8
                  WHERE id = $1 AND user_id = $2",
                &[
                    &id,
                    &user_id,
                    &draft.url.as_str(),
                    &list(&draft.phone_numbers),
                    &list(&draft.events),
                    &kept(&draft.policy),
                    &headers,
                    &work.now,
                ],
            )?;
            if changed == 0 {
                return Err(unknown(id));
            }
            if let Some(key) = &draft.signing_key {
                work.replace_signing_key(id, key)?;
            }
            work.on_commit(move |gateway| gateway.handoff.tell(News::Changed(id)));
            let row = work.webhook_row(&user_id, id)?;
            work.gateway.reveal_webhook(work.tx, row, work.now)
        })
        .await
    }

    /// Deletes a webhook and what still waits for it.
    pub async fn delete_webhook(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let deleted = work.tx.execute(
                "DELETE FROM webhook WHERE id = $1 AND user_id = $2",
                &[&id, &user_id],
            )?;
            if deleted == 0 {
                return Err(unknown(id));
            }
            work.tx
                .execute("DELETE FROM delivery WHERE target = $1", &[&id])?;
            work.forget_attempts(id)?;
            work.on_commit(move |gateway| gateway.handoff.tell(News::Changed(id)));
            Ok(())
        })
        .await
    }

    /// Where a webhook's events go; `None` once it is deleted.
    pub async fn endpoint(&self, webhook: Uuid) -> Result<Option<Endpoint>> {
        let gateway = self.clone();
        self.lookup(move |tx| {
            let row: Option<Row> = tx.optional(
                &format!("SELECT {COLUMNS} FROM webhook WHERE id = $1"),
                &[&webhook],
            )?;
            row.map(|row| gateway.0.endpoint(tx, row)).transpose()
        })
        .await
    }
}

impl Work<'_, '_> {
    /// The account's webhooks, once they are there.
    pub(crate) fn webhooks_of(&mut self, user_id: &str) -> Result<Later<Choice>> {
        Ok(self.tx.later(
            "SELECT id, phone_numbers, events, policy, paused_at, version FROM webhook
              WHERE user_id = $1",
            &[&user_id],
        )?)
    }

    /// Makes a delivery for each webhook that wants the event.
    pub(crate) fn queue_for_webhooks(
        &mut self,
        webhooks: &[Choice],
        about: About<'_>,
        letter: &Letter,
    ) -> Result<()> {
        for webhook in webhooks {
            if has(&webhook.events, letter.kind.as_str()) {
                self.queue_if_wanted(about, webhook, letter)?;
            }
        }
        Ok(())
    }

    fn queue_if_wanted(
        &mut self,
        about: About<'_>,
        webhook: &Choice,
        letter: &Letter,
    ) -> Result<()> {
        // Most webhooks have no policy of their own, and need no parsing.
        let policy: Policy = match webhook.policy.as_str() {
            PLAIN => Policy::default(),
            text => serde_json::from_str(text).unwrap_or_default(),
        };
        let owner = about.owner.unwrap_or_default();
        let wanted = (policy.all_phone_numbers || has(&webhook.phone_numbers, owner))
            && about
                .message
                .is_none_or(|message| policy.filter.passes(message));
        if !wanted {
            return Ok(());
        }
        let order = match (policy.ordering, about.message) {
            (Ordering::Contact, Some(message)) => Some(order_key(owner, message.contact)),
            _ => None,
        };
        let paused = webhook.paused_at.is_some();
        self.queue_letter(
            about.user_id,
            webhook.id,
            webhook.version,
            letter,
            order,
            paused,
        )
    }

    /// The account's webhook.
    fn webhook_row(&mut self, user_id: &str, id: Uuid) -> Result<Row> {
        self.tx
            .optional(
                &format!("SELECT {COLUMNS} FROM webhook WHERE id = $1 AND user_id = $2"),
                &[&id, &user_id],
            )?
            .ok_or_else(|| unknown(id))
    }

    fn seal_headers(&self, headers: &BTreeMap<String, String>) -> Vec<u8> {
        let json = serde_json::to_string(headers).unwrap_or_default();
        self.gateway.keys.seal(&json)
    }
}

/// What a webhook chose, for events that happened before.
pub(crate) struct Wants {
    phone_numbers: String,
    events: String,
    policy: Policy,
}

impl Wants {
    /// Whether the webhook would have got this event.
    pub(crate) fn takes(&self, kind: Kind, owner: Option<&str>, body: &str) -> bool {
        has(&self.events, kind.as_str())
            && self
                .policy
                .takes_number(&self.phone_numbers, owner.unwrap_or_default())
            && self.policy.filter.passes_event(kind, body)
    }
}

impl Work<'_, '_> {
    /// What a webhook chose.
    pub(crate) fn wants(&mut self, webhook: Uuid) -> Result<Wants> {
        let row: Row = self.tx.one(
            &format!("SELECT {COLUMNS} FROM webhook WHERE id = $1"),
            &[&webhook],
        )?;
        Ok(Wants {
            policy: row.policy(),
            phone_numbers: row.phone_numbers,
            events: row.events,
        })
    }
}

impl Policy {
    fn takes_number(&self, phone_numbers: &str, owner: &str) -> bool {
        self.all_phone_numbers || has(phone_numbers, owner)
    }
}

impl crate::Inner {
    fn reveal_webhook(&self, tx: &mut Tx<'_>, row: Row, now: Time) -> Result<Webhook> {
        let (signing_keys, keys): (Vec<_>, Vec<_>) =
            self.signing_keys(tx, row.id)?.into_iter().unzip();
        let policy = row.policy();
        Ok(Webhook {
            signing_key: active(&keys, now).map_or_else(String::new, |key| key.secret.clone()),
            next_signing_key: keys
                .last()
                .filter(|key| key.active_from > now)
                .map(|key| key.secret.clone()),
            policy,
            headers: self.headers(&row)?.into_keys().collect(),
            signing_keys,
            id: row.id,
            user_id: row.user_id,
            url: row.url,
            phone_numbers: items(&row.phone_numbers),
            events: items(&row.events)
                .iter()
                .filter_map(|name| name.parse().ok())
                .collect(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            paused_at: row.paused_at,
            pause_reason: row.pause_reason,
            failing_since: row.failing_since,
        })
    }

    fn endpoint(&self, tx: &mut Tx<'_>, row: Row) -> Result<Endpoint> {
        let keys = self.signing_keys(tx, row.id)?;
        Ok(Endpoint {
            keys: keys.into_iter().map(|(_, key)| key).collect(),
            policy: row.policy(),
            headers: self.headers(&row)?.into_iter().collect(),
            paused: row.paused_at.is_some(),
            id: row.id,
            user_id: row.user_id,
            url: row.url,
            version: row.version,
        })
    }

    fn headers(&self, row: &Row) -> Result<BTreeMap<String, String>> {
        let json = self.keys.open_sealed(&row.headers_sealed)?;
        Ok(serde_json::from_str(&json).unwrap_or_default())
    }
}

/// How the column keeps a policy without anything of its own.
const PLAIN: &str = "{}";

fn kept(policy: &Policy) -> String {
    if *policy == Policy::default() {
        return PLAIN.to_owned();
    }
    serde_json::to_string(policy).unwrap_or_else(|_| PLAIN.to_owned())
}

/// What events must share to be kept in order: the first 8 bytes of a digest of both sides.
fn order_key(owner: &str, contact: &str) -> i64 {
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        format!("{owner}\n{contact}").as_bytes(),
    );
    let mut key = [0; 8];
    key.copy_from_slice(&digest.as_ref()[..8]);
    i64::from_be_bytes(key)
}

pub(crate) fn unknown(id: Uuid) -> Error {
    Error::not_found(format!("cannot find webhook with ID [{id}]"))
}

fn owns_numbers(tx: &mut Tx<'_>, user_id: &str, numbers: &[String]) -> Result<()> {
    let mut wrong = Fields::default();
    for number in numbers {
        if crate::phone::owned(tx, user_id, number)?.is_none() {
            wrong.add(
                "from",
                format!("The phone number [{number}] is not available in your account. Install the android app on your phone to store a webhook with this phone number"),
            );
        }
    }
    wrong.check().map_err(Error::Invalid)
}

/// A list as its column keeps it: JSON.
fn list<T: Serialize>(items: &[T]) -> String {
    serde_json::to_string(items).unwrap_or_else(|_| "[]".to_owned())
}

fn items(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}

/// Whether a list has this item, without parsing it: names of events and numbers in E.164 have no
/// character that JSON escapes, so an item is its text in quotes.
fn has(list: &str, item: &str) -> bool {
    let list = list.as_bytes();
    memchr::memmem::find_iter(list, item)
        .any(|at| list[..at].ends_with(b"\"") && list[at + item.len()..].starts_with(b"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_absolute_http_and_may_lack_their_scheme() {
        let parse = |text| WebhookUrl::parse(text).map(|url| url.0);
        assert_eq!(
            parse(" example.org/x ").as_deref(),
            Some("https://example.org/x")
        );
        for right in [
            "http://localhost:8080/hook",
            "http://127.0.0.1:9/x?y=%20",
            "https://[::1]/",
            "HTTPS://Example.org",
        ] {
            assert_eq!(parse(right).as_deref(), Some(right));
        }
        for wrong in [
            "",
            "ftp://example.org",
            "javascript://alert",
            "http://",
            "https://user:secret@example.org/",
            "http://exa mple.org/",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            parse(&format!("http://example.org/{}", "x".repeat(2048))),
            None
        );
    }

    #[test]
    fn a_list_has_whole_items_only() {
        let numbers = list(&["+18005550100", "+18005550199"]);
        assert!(has(&numbers, "+18005550199"));
        assert!(!has(&numbers, "+1800555019"));
        assert!(!has(&numbers, "18005550199"));
        assert!(!has(&numbers, ""));
    }
}
