//! Sessions: who is signed in to the dashboard, by a token of which only a digest is kept.

mod guess;

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::Scalar;
use serde::Serialize;
use uuid::Uuid;

use crate::caller::{Caller, Key};
use crate::clock::Time;
use crate::{Error, Fields, Gateway, Result, id, password};

pub(crate) use guess::Guesses;

/// How long a session lasts without being used.
pub const LIFETIME: Duration = Duration::from_hours(30 * 24);

/// How often at most a used session is written.
const SEEN_EVERY: Duration = Duration::from_hours(1);

/// Bytes that are kept of what a browser calls itself.
const AGENT: usize = 255;

/// Who is at the door.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Where from, as far as is known: guesses are slowed down by it.
    pub address: Option<IpAddr>,
    /// What the browser or program calls itself: its sessions are listed with it.
    pub agent: String,
}

/// A new session. Its token is shown this once.
#[derive(Clone)]
pub struct SignedIn {
    /// The account.
    pub user_id: String,
    /// 256 random bits, in 43 characters.
    pub token: String,
    /// When it ends, unless it is used before.
    pub expires_at: Time,
}

db::row! {
    /// A session of an account.
    #[derive(Debug, Clone, Serialize)]
    pub struct Session {
        /// Its id.
        pub id: Uuid,
        /// What the browser or program called itself.
        pub agent: String,
        /// When it was made.
        pub created_at: Time,
        /// When it was last used, within the hour.
        pub seen_at: Time,
        /// When it ends, unless it is used before.
        pub expires_at: Time,
    }

    struct Secret { id: String, password_hash: Option<String>, disabled_at: Option<Time> }

    struct Live { id: Uuid, user_id: String, seen_at: Time }
}

impl Gateway {
    /// Signs an owner in; `None` if there is no such account or that is not its password, which
    /// takes the same time.
    ///
    /// # Errors
    /// [`Error::TooMany`] after many wrong passwords, or while many others sign in;
    /// [`Error::Forbidden`] if the account is disabled, which only its owner is told.
    pub async fn sign_in(
        &self,
        email: &str,
        password: String,
        visitor: &Visitor,
    ) -> Result<Option<SignedIn>> {
        let email = email.trim().to_owned();
        let (guesses, now) = (&self.0.guesses, self.now());
        let attempt = guesses
            .attempt(&email, visitor.address, now)
            .map_err(Error::TooMany)?;
        let found = self.secret_of(email).await?;
        let (user_id, hash, disabled) = match found {
            Some(account) => (
                Some(account.id),
                account.password_hash,
                account.disabled_at.is_some(),
            ),
            None => (None, None, false),
        };
        let right = password::is_right(password, hash).await?;
        let Some(user_id) = user_id.filter(|_| right) else {
            return Ok(None);
        };
        guesses.was_right(&attempt, now);
        if disabled {
            let why = "This account is disabled. Ask who runs this server.";
            return Err(Error::Forbidden(why.to_owned()));
        }
        self.open_session(user_id, &visitor.agent).await.map(Some)
    }

    async fn secret_of(&self, email: String) -> Result<Option<Secret>> {
        self.lookup(move |tx| {
            Ok(tx.optional(
                "SELECT id, password_hash, disabled_at FROM account
                  WHERE email <> '' AND LOWER(email) = LOWER($1)
                  ORDER BY CASE WHEN email = $1 THEN 0 ELSE 1 END LIMIT 1",
                &[&email],
            )?)
        })
        .await
    }

    /// Begins a session of an account whose owner has proved to be so, in this browser or program.
    pub async fn open_session(&self, user_id: String, agent: &str) -> Result<SignedIn> {
        let agent = shortened(agent);
        self.write(move |work| {
            let token = new_token();
            let expires_at = work.now + LIFETIME;
            work.tx.execute(
                "INSERT INTO session (token_hash, id, user_id, agent, created_at, seen_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $5, $6)",
                &[
                    &hash(&token),
                    &id::new(work.now),
                    &user_id,
                    &agent,
                    &work.now,
                    &expires_at,
                ],
            )?;
            work.tx
                .execute("DELETE FROM session WHERE expires_at <= $1", &[&work.now])?;
            Ok(SignedIn {
                user_id: user_id.clone(),
                token,
                expires_at,
            })
        })
        .await
    }

    /// Who shows this token; using a session makes it last longer.
    pub async fn session(&self, token: &str) -> Result<Option<Caller>> {
        let (hash, now) = (hash(token), self.now());
        let live: Option<Live> = self
            .lookup(move |tx| {
                Ok(tx.optional(
                    "SELECT id, user_id, seen_at FROM session
                      WHERE token_hash = $1 AND expires_at > $2
                        AND EXISTS (SELECT 1 FROM account
                                     WHERE account.id = session.user_id AND disabled_at IS NULL)",
                    &[&hash, &now],
                )?)
            })
            .await?;
        let Some(live) = live else { return Ok(None) };
        if live.seen_at + SEEN_EVERY <= now {
            self.session_seen(live.id).await;
        }
        Ok(Some(Caller {
            user_id: live.user_id,
            key: Key::Session { id: live.id },
        }))
    }

    /// A session is worth no refusal: one that cannot be written lasts as long as it did.
    async fn session_seen(&self, id: Uuid) {
        let written = self
            .write(move |work| {
                work.tx.execute(
                    "UPDATE session SET seen_at = $2, expires_at = $3 WHERE id = $1",
                    &[&id, &work.now, &(work.now + LIFETIME)],
                )?;
                Ok(())
            })
            .await;
        if let Err(error) = written {
            tracing::debug!(%error, "a session could not be made to last longer");
        }
    }

    /// The caller's sessions, newest first.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        let (user_id, now) = (caller.user_id.clone(), self.now());
        self.read(move |tx| {
            Ok(tx.all(
                "SELECT id, agent, created_at, seen_at, expires_at FROM session
                  WHERE user_id = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC",
                &[&user_id, &now],
            )?)
        })
        .await
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn sign_out(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let ended = work.tx.execute(
                "DELETE FROM session WHERE id = $1 AND user_id = $2",
                &[&id, &user_id],
            )?;
            match ended {
                0 => Err(Error::not_found(format!(
                    "cannot find session with ID [{id}]"
                ))),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Ends all sessions of the caller's account.
    pub async fn sign_out_everywhere(&self, caller: &Caller) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            work.tx
                .execute("DELETE FROM session WHERE user_id = $1", &[&user_id])?;
            Ok(())
        })
        .await
    }

    /// Changes the caller's password and ends every session but the one it is changed in. An
    /// account that never had one needs no old one.
    ///
    /// # Errors
    /// [`Error::Invalid`] under `old_password` or `new_password`; [`Error::TooMany`] as for signing in.
    pub async fn change_password(
        &self,
        caller: &Caller,
        old: String,
        new: String,
        visitor: &Visitor,
    ) -> Result<()> {
        let mut wrong = Fields::default();
        password::check("new_password", &new, &mut wrong);
        wrong.check().map_err(Error::Invalid)?;
        let known = self.password_hash(&caller.user_id).await?;
        if let Some(known) = &known {
            self.prove(&caller.user_id, old, known.clone(), visitor)
                .await?;
        }
        let hash = password::hash(new).await?;
        let (user_id, session) = (caller.user_id.clone(), caller.session());
        self.write(move |work| {
            // Changed meanwhile: then the old one proves nothing any more.
            let changed = work.tx.execute(
                "UPDATE account SET password_hash = $2, updated_at = $3
                  WHERE id = $1 AND COALESCE(password_hash, '') = $4",
                &[&user_id, &hash, &work.now, &known.as_deref().unwrap_or("")],
            )?;
            if changed == 0 {
                return Err(Error::Unauthorized);
            }
            work.tx.execute(
                "DELETE FROM session WHERE user_id = $1 AND id <> $2",
                &[&user_id, &session.unwrap_or(Uuid::nil())],
            )?;
            Ok(())
        })
        .await
    }

    /// Refuses a wrong old password. Whoever has found an open session may not guess for ever.
    async fn prove(
        &self,
        user_id: &str,
        old: String,
        known: String,
        visitor: &Visitor,
    ) -> Result<()> {
        let (guesses, now) = (&self.0.guesses, self.now());
        let attempt = guesses
            .attempt(user_id, visitor.address, now)
            .map_err(Error::TooMany)?;
        if !password::is_right(old, Some(known)).await? {
            let text = "The old_password field is not your password";
            return Err(Error::Invalid(Fields::one("old_password", text)));
        }
        guesses.was_right(&attempt, now);
        Ok(())
    }

    async fn password_hash(&self, user_id: &str) -> Result<Option<String>> {
        let user_id = user_id.to_owned();
        let Scalar(hash) = self
            .lookup(move |tx| {
                Ok(tx.one::<Scalar<Option<String>>>(
                    "SELECT password_hash FROM account WHERE id = $1",
                    &[&user_id],
                )?)
            })
            .await?;
        Ok(hash)
    }
}

/// The beginning, without what no database can keep.
fn shortened(agent: &str) -> String {
    let mut end = agent.len().min(AGENT);
    while !agent.is_char_boundary(end) {
        end -= 1;
    }
    agent[..end].replace('\0', "")
}

pub(crate) fn new_token() -> String {
    let mut bytes = [0; 32];
    if rand::fill(&mut bytes).is_err() {
        unreachable!("the library's generator does not fail once it is seeded");
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token is random, so a plain digest says nothing about it.
pub(crate) fn hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes())
        .as_ref()
        .to_vec()
}
