//! The owner of a new server: its first account has a key, and gets an e-mail address and a
//! password by whoever shows that key.

use db::{Scalar, Tx};

use super::{NewUser, User, check, hashed, taken};
use crate::{Error, Fields, Gateway, Result, Work, password};

impl Gateway {
    /// Whether nobody can sign in yet, because no account has a password.
    pub async fn needs_owner(&self) -> Result<bool> {
        self.lookup(no_passwords).await
    }

    /// Gives the account with this key its e-mail address and password, if no account has one yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the address or the password; [`Error::Unauthorized`] for the key;
    /// [`Error::Conflict`] if somebody has a password already.
    pub async fn set_up(&self, api_key: &str, email: String, password: String) -> Result<User> {
        let mut wrong = Fields::default();
        password::check("password", &password, &mut wrong);
        wrong.check().map_err(Error::Invalid)?;
        let new = NewUser {
            email,
            password: Some(password),
            ..NewUser::default()
        };
        check(&new)?;
        if !self.needs_owner().await? {
            return Err(done());
        }
        // Not worth hashing for somebody who does not know the key.
        let caller = self.user(api_key).await?.ok_or(Error::Unauthorized)?;
        let hash = hashed(&new).await?;
        self.write(move |work| {
            work.lock_accounts()?;
            if !no_passwords(work.tx)? {
                return Err(done());
            }
            work.tx
                .execute(
                    "UPDATE account SET email = $2, password_hash = $3, updated_at = $4 WHERE id = $1",
                    &[&caller.user_id, &new.email.trim(), &hash, &work.now],
                )
                .map_err(taken)?;
            work.load_user(&caller.user_id)
        })
        .await
    }
}

impl Work<'_, '_> {
    /// Nobody else adds or changes an account until the transaction ends.
    pub(super) fn lock_accounts(&mut self) -> Result<()> {
        if self.tx.engine() == db::Engine::Postgres {
            self.tx
                .execute("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE", &[])?;
        }
        Ok(())
    }
}

fn no_passwords(tx: &mut Tx<'_>) -> Result<bool> {
    let first: Option<Scalar<String>> = tx.optional(
        "SELECT id FROM account WHERE password_hash IS NOT NULL LIMIT 1",
        &[],
    )?;
    Ok(first.is_none())
}

fn done() -> Error {
    Error::Conflict("This server has an owner already. Sign in instead.".to_owned())
}
