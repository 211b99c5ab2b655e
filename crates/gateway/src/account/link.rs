//! Links by which an account's owner chooses a password, once: an invitation, or help for whoever
//! has forgotten the old one. An administrator hands them over.

use std::time::Duration;

use db::Scalar;

use super::User;
use crate::clock::Time;
use crate::{Error, Gateway, Result, password, session};

/// How long a link is good for.
const LIFETIME: Duration = Duration::from_hours(3 * 24);

/// A link, by its secret. It is shown this once.
#[derive(Clone)]
pub struct PasswordLink {
    /// 256 random bits, in 43 characters.
    pub token: String,
    /// From then on it is good for nothing.
    pub expires_at: Time,
}

impl Gateway {
    /// Makes a link for an account; an older one of it ends. The password stays until it is used.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn password_link(&self, user_id: &str) -> Result<PasswordLink> {
        let user_id = user_id.to_owned();
        self.write(move |work| {
            super::one(work.tx, &user_id)?;
            let token = session::new_token();
            let expires_at = work.now + LIFETIME;
            work.tx.execute(
                "INSERT INTO password_link (user_id, token_hash, expires_at) VALUES ($1, $2, $3)
                 ON CONFLICT (user_id) DO UPDATE SET
                     token_hash = excluded.token_hash, expires_at = excluded.expires_at",
                &[&user_id, &session::hash(&token), &expires_at],
            )?;
            Ok(PasswordLink { token, expires_at })
        })
        .await
    }

    /// Gives the account of this link a password. The link is used up, and all sessions are over.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the password; [`Error::NotFound`] for a link that is used up, has
    /// expired or never was.
    pub async fn choose_password(&self, token: &str, password: String) -> Result<User> {
        let mut wrong = crate::Fields::default();
        password::check("password", &password, &mut wrong);
        wrong.check().map_err(Error::Invalid)?;
        let token_hash = session::hash(token);
        // Not worth hashing for somebody who has no link.
        if !self.is_link(token_hash.clone()).await? {
            return Err(spent());
        }
        let password_hash = password::hash(password).await?;
        self.write(move |work| {
            let used: Option<Scalar<String>> = work.tx.optional(
                "DELETE FROM password_link WHERE token_hash = $1 AND expires_at > $2
                 RETURNING user_id",
                &[&token_hash, &work.now],
            )?;
            let Scalar(user_id) = used.ok_or_else(spent)?;
            let changed = work.tx.execute(
                "UPDATE account SET password_hash = $2, updated_at = $3
                  WHERE id = $1 AND disabled_at IS NULL",
                &[&user_id, &password_hash, &work.now],
            )?;
            if changed == 0 {
                return Err(spent());
            }
            work.tx
                .execute("DELETE FROM session WHERE user_id = $1", &[&user_id])?;
            work.load_user(&user_id)
        })
        .await
    }

    async fn is_link(&self, token_hash: Vec<u8>) -> Result<bool> {
        let now = self.now();
        let found: Option<Scalar<String>> = self
            .lookup(move |tx| {
                Ok(tx.optional(
                    "SELECT user_id FROM password_link JOIN account ON account.id = user_id
                      WHERE token_hash = $1 AND expires_at > $2 AND disabled_at IS NULL",
                    &[&token_hash, &now],
                )?)
            })
            .await?;
        Ok(found.is_some())
    }
}

fn spent() -> Error {
    Error::not_found("This link was used already, or has expired. Ask for a new one.")
}
