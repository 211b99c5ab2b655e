//! Accounts: who uses the server, and the one key of each that clients know.

mod admin;
mod delete;
mod disable;
mod link;
mod outside;
mod settings;
mod setup;

use db::{Scalar, Tx};
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::event::{About, Kind};
use crate::mail::{Letter, Topic, local};
use crate::{Error, Fields, Gateway, Result, Work, api_key, id, password, secret};

pub use admin::{Account, Change, State};
pub use link::PasswordLink;
pub use settings::Notifications;

/// An account, with the members of the wire's User.
#[derive(Debug, Clone, Serialize)]
pub struct User {
    /// Opaque text.
    pub id: String,
    /// E-mail address.
    pub email: String,
    /// The account's key, in clear.
    pub api_key: String,
    /// IANA name.
    pub timezone: String,
    /// The phone that the dashboard shows.
    pub active_phone_id: Option<Uuid>,
    /// Always `free`: this server bills nobody.
    pub subscription_name: &'static str,
    /// Always null.
    pub subscription_id: Option<String>,
    /// Always null.
    pub subscription_status: Option<String>,
    /// Always null.
    pub subscription_renews_at: Option<Time>,
    /// Always null.
    pub subscription_ends_at: Option<Time>,
    /// Mails about failed and expired messages.
    pub notification_message_status_enabled: bool,
    /// Mails about webhooks that cannot be reached.
    pub notification_webhook_enabled: bool,
    /// Mails about phones that went offline.
    pub notification_heartbeat_enabled: bool,
    /// Kept for clients; nothing reads it.
    pub notification_newsletter_enabled: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Whether it looks after all accounts of the server. Ours.
    pub admin: bool,
}

/// What an operator says about a new account.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// E-mail address; unique.
    pub email: String,
    /// Its id; made if absent.
    pub id: Option<String>,
    /// Its key, any text that does not begin with `pk_` or `ak_`; made if absent.
    pub api_key: Option<String>,
    /// For signing in to the dashboard.
    pub password: Option<String>,
    /// Whether it looks after all accounts. The first one of a server does in any case.
    pub admin: bool,
}

/// The zone of accounts that chose none, as in the reference.
const TIMEZONE: &str = "Africa/Accra";

db::row! {
    struct AccountRow {
        id: String,
        email: String,
        key_sealed: Vec<u8>,
        timezone: String,
        active_phone_id: Option<Uuid>,
        notify_message_status: bool,
        notify_webhook: bool,
        notify_heartbeat: bool,
        notify_newsletter: bool,
        created_at: Time,
        updated_at: Time,
        admin: bool,
    }
}

#[derive(Serialize)]
struct Created<'a> {
    user_id: &'a str,
    timestamp: Time,
}

#[derive(Serialize)]
struct Rotated<'a> {
    user_id: &'a str,
    email: &'a str,
    timestamp: Time,
    timezone: &'a str,
}

impl Gateway {
    /// Makes an account.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty or taken e-mail address, id or key.
    pub async fn add_user(&self, new: NewUser) -> Result<User> {
        check(&new)?;
        let password_hash = hashed(&new).await?;
        self.write(move |work| work.create(&new, password_hash.as_deref()))
            .await
    }

    /// Makes an account for whoever asks: the first one always, later ones while sign-up is `open`.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] while it is closed; those of [`Gateway::add_user`]; and a password
    /// is needed.
    pub async fn sign_up(&self, email: String, password: String, open: bool) -> Result<User> {
        let mut wrong = Fields::default();
        password::check("password", &password, &mut wrong);
        wrong.check().map_err(Error::Invalid)?;
        let new = NewUser {
            email,
            password: Some(password),
            ..NewUser::default()
        };
        check(&new)?;
        // Not worth hashing for somebody who may not.
        if !open && !self.is_unused().await? {
            return Err(Error::Unauthorized);
        }
        let password_hash = hashed(&new).await?;
        self.write(move |work| {
            if !open && !work.is_unused()? {
                return Err(Error::Unauthorized);
            }
            work.create(&new, password_hash.as_deref())
        })
        .await
    }

    /// Whether nobody has an account yet, so that whoever comes first may make one.
    pub async fn is_unused(&self) -> Result<bool> {
        self.lookup(no_accounts).await
    }

    /// All accounts, oldest first.
    pub async fn users(&self) -> Result<Vec<User>> {
        let gateway = self.clone();
        self.read(move |tx| {
            let rows: Vec<AccountRow> =
                tx.all(&format!("{SELECT} ORDER BY created_at, id"), &[])?;
            rows.into_iter().map(|row| gateway.0.reveal(row)).collect()
        })
        .await
    }

    /// The caller's account.
    pub async fn me(&self, caller: &Caller) -> Result<User> {
        let (gateway, user_id) = (self.clone(), caller.user_id.clone());
        self.read(move |tx| gateway.0.reveal(one(tx, &user_id)?))
            .await
    }

    /// Gives an account a new key; the old one stops working with the same commit.
    pub async fn rotate_key(&self, user_id: &str) -> Result<User> {
        let user_id = user_id.to_owned();
        self.write(move |work| {
            let key = secret::new_key("uk_");
            let keys = &work.gateway.keys;
            work.tx.execute(
                "UPDATE account SET key_hash = $2, key_sealed = $3, updated_at = $4 WHERE id = $1",
                &[&user_id, &keys.hash(&key), &keys.seal(&key), &work.now],
            )?;
            let user = work.load_user(&user_id)?;
            let source = format!("/v1/users/{user_id}/api-keys");
            let about = About {
                user_id: &user_id,
                owner: None,
                source: &source,
                message: None,
            };
            let rotated = Rotated {
                user_id: &user_id,
                email: &user.email,
                timestamp: work.now,
                timezone: &user.timezone,
            };
            work.append(Kind::UserApiKeyRotated, about, &rotated)?;
            let now = work.now;
            work.mail(Topic::KeyRotated, &user_id, "", |zone| Letter {
                subject: "Your API key was changed".to_owned(),
                opening: "Your account has a new API key; the old one does not work any more. \
                          If that was not you, change it again and look for who did."
                    .to_owned(),
                facts: vec![("Time", local(now, zone))],
            })?;
            Ok(user)
        })
        .await
    }
}

const SELECT: &str = "SELECT id, email, key_sealed, timezone, active_phone_id,
    notify_message_status, notify_webhook, notify_heartbeat, notify_newsletter,
    created_at, updated_at, admin FROM account";

fn one(tx: &mut Tx<'_>, user_id: &str) -> Result<AccountRow> {
    tx.optional(&format!("{SELECT} WHERE id = $1"), &[&user_id])?
        .ok_or_else(|| Error::not_found(format!("cannot find user with ID [{user_id}]")))
}

fn no_accounts(tx: &mut Tx<'_>) -> Result<bool> {
    let first: Option<Scalar<String>> = tx.optional("SELECT id FROM account LIMIT 1", &[])?;
    Ok(first.is_none())
}

impl Work<'_, '_> {
    /// Whether there is no account; it stays so until the transaction ends.
    fn is_unused(&mut self) -> Result<bool> {
        self.lock_accounts()?;
        no_accounts(self.tx)
    }

    fn create(&mut self, new: &NewUser, password_hash: Option<&str>) -> Result<User> {
        let key = new
            .api_key
            .clone()
            .unwrap_or_else(|| secret::new_key("uk_"));
        let id = new
            .id
            .clone()
            .unwrap_or_else(|| id::new(self.now).simple().to_string()[..28].to_owned());
        let is_first = no_accounts(self.tx)? && self.is_unused()?;
        let keys = &self.gateway.keys;
        let (hash, sealed) = (keys.hash(&key), keys.seal(&key));
        self.tx
            .execute(
                "INSERT INTO account (id, email, key_hash, key_sealed, password_hash, timezone,
                                      created_at, updated_at, admin)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
                &[
                    &id,
                    &new.email.trim(),
                    &hash,
                    &sealed,
                    &password_hash,
                    &TIMEZONE,
                    &self.now,
                    &(new.admin || is_first),
                ],
            )
            .map_err(taken)?;
        let about = About {
            user_id: &id,
            owner: None,
            source: "/v1/users/me",
            message: None,
        };
        let created = Created {
            user_id: &id,
            timestamp: self.now,
        };
        self.append(Kind::UserAccountCreated, about, &created)?;
        self.load_user(&id)
    }

    fn load_user(&mut self, user_id: &str) -> Result<User> {
        self.gateway.reveal(one(self.tx, user_id)?)
    }
}

impl crate::Inner {
    /// The account as its owner may see it, key included.
    fn reveal(&self, row: AccountRow) -> Result<User> {
        Ok(User {
            api_key: self.keys.open_sealed(&row.key_sealed)?,
            id: row.id,
            email: row.email,
            timezone: row.timezone,
            active_phone_id: row.active_phone_id,
            subscription_name: "free",
            subscription_id: None,
            subscription_status: None,
            subscription_renews_at: None,
            subscription_ends_at: None,
            notification_message_status_enabled: row.notify_message_status,
            notification_webhook_enabled: row.notify_webhook,
            notification_heartbeat_enabled: row.notify_heartbeat,
            notification_newsletter_enabled: row.notify_newsletter,
            created_at: row.created_at,
            updated_at: row.updated_at,
            admin: row.admin,
        })
    }
}

fn check(new: &NewUser) -> Result<()> {
    let mut wrong = Fields::default();
    if !new.email.contains('@') || new.email.trim().len() > 255 {
        wrong.add(
            "email",
            "The email must be an e-mail address of at most 255 characters",
        );
    }
    if new
        .id
        .as_ref()
        .is_some_and(|id| id.is_empty() || id.len() > 255)
    {
        wrong.add("id", "The id must have between 1 and 255 characters");
    }
    if let Some(key) = &new.api_key
        && (key.is_empty()
            || key == "undefined"
            || key.starts_with("pk_")
            || key.starts_with(api_key::PREFIX))
    {
        wrong.add(
            "api_key",
            "The API key must not be empty and must not begin with pk_ or ak_, which mark other keys",
        );
    }
    wrong.check().map_err(Error::Invalid)
}

fn taken(error: db::Error) -> Error {
    for (key, field) in [
        ("account(email)", "email"),
        ("account(key_hash)", "api_key"),
        ("account(id)", "id"),
    ] {
        if error.is_unique(key) {
            return Error::Invalid(Fields::one(field, format!("The {field} is already in use")));
        }
    }
    error.into()
}

async fn hashed(new: &NewUser) -> Result<Option<String>> {
    match new.password.clone() {
        Some(password) => password::hash(password).await,
        None => Ok(None),
    }
}
