//! Administrators: who looks after all accounts of a server. The first account is one, and one that
//! may come in always stays, unless it deletes itself.

use db::Scalar;
use serde::Serialize;

use super::{NewUser, User};
use crate::caller::Caller;
use crate::clock::Time;
use crate::names::names;
use crate::{Error, Fields, Gateway, Page, Result, Work, password};

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its owner may come in.
    Active,
    /// Its owner has a link to choose the first password.
    Invited,
    /// Nobody comes in, its phones and webhooks rest.
    Disabled,
}

names!(State { Active => "active", Invited => "invited", Disabled => "disabled" });

db::row! {
    /// An account as an administrator sees it: without its secrets.
    #[derive(Debug, Clone, Serialize)]
    pub struct Account {
        /// Opaque text.
        pub id: String,
        /// E-mail address.
        pub email: String,
        /// Whether it looks after all accounts.
        pub admin: bool,
        /// How it stands.
        pub state: State,
        /// When a session, a named key or a phone of it was last heard of, within the hour.
        pub last_seen_at: Option<Time>,
        /// Messages released to its phones within thirty days.
        pub sent_messages: i64,
        /// SMS that its phones received within thirty days.
        pub received_messages: i64,
        /// When it was made.
        pub created_at: Time,
    }
}

/// What an administrator changes of an account; what is absent stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    /// Whether it looks after all accounts.
    pub admin: Option<bool>,
    /// Whether nobody comes in.
    pub disabled: Option<bool>,
}

/// The columns of [`Account`]; `$1` is the time thirty days ago.
const COLUMNS: &str = "id, email, admin,
    CASE WHEN disabled_at IS NOT NULL THEN 'disabled'
         WHEN password_hash IS NULL AND EXISTS
             (SELECT 1 FROM password_link WHERE password_link.user_id = account.id) THEN 'invited'
         ELSE 'active' END AS state,
    (SELECT MAX(at) FROM (
        SELECT MAX(seen_at) AS at FROM session WHERE session.user_id = account.id
        UNION ALL SELECT MAX(last_used_at) FROM api_key WHERE api_key.user_id = account.id
        UNION ALL SELECT MAX(heartbeat_at) FROM phone WHERE phone.user_id = account.id
    ) AS seen) AS last_seen_at,
    CAST(COALESCE((SELECT SUM(sent) FROM usage_quarter
        WHERE usage_quarter.user_id = account.id AND start_at >= $1), 0) AS BIGINT) AS sent_messages,
    CAST(COALESCE((SELECT SUM(received) FROM usage_quarter
        WHERE usage_quarter.user_id = account.id AND start_at >= $1), 0) AS BIGINT)
        AS received_messages,
    created_at";

/// Microseconds of thirty days.
const MONTH: i64 = 30 * 24 * 60 * 60 * 1_000_000;

impl Gateway {
    /// Whether the caller's account looks after all accounts.
    pub async fn is_admin(&self, caller: &Caller) -> Result<bool> {
        let user_id = caller.user_id.clone();
        let admin: Option<Scalar<bool>> = self
            .lookup(move |tx| {
                Ok(tx.optional("SELECT admin FROM account WHERE id = $1", &[&user_id])?)
            })
            .await?;
        Ok(admin.is_some_and(|Scalar(admin)| admin))
    }

    /// All accounts whose address contains the query, oldest first.
    pub async fn accounts(&self, page: Page) -> Result<Vec<Account>> {
        let since = self.month_ago();
        let listed = page.clone();
        let wanted = self
            .read(move |tx| {
                Ok(tx.all(
                    "SELECT id, created_at FROM account WHERE LOWER(email) LIKE $1
                      ORDER BY created_at, id LIMIT $2 OFFSET $3",
                    &[&listed.pattern(), &listed.limit(), &listed.skip()],
                )?)
            })
            .await?;
        let late = self.count_accounts(wanted, since).await?;
        let mut found: Vec<Account> = self
            .read(move |tx| {
                Ok(tx.all(
                    &format!(
                        "SELECT {COLUMNS} FROM account WHERE LOWER(email) LIKE $2
                      ORDER BY created_at, id LIMIT $3 OFFSET $4"
                    ),
                    &[&since, &page.pattern(), &page.limit(), &page.skip()],
                )?)
            })
            .await?;
        for account in &mut found {
            let (sent, received) = late.get(&account.id).copied().unwrap_or_default();
            account.sent_messages += sent;
            account.received_messages += received;
        }
        Ok(found)
    }

    /// Makes an account; without a password its owner needs a link to choose one.
    ///
    /// # Errors
    /// Those of [`Gateway::add_user`], and for the password.
    pub async fn add_account(&self, new: NewUser) -> Result<Account> {
        let mut wrong = Fields::default();
        if let Some(password) = &new.password {
            password::check("password", password, &mut wrong);
        }
        wrong.check().map_err(Error::Invalid)?;
        let user = self.add_user(new).await?;
        self.account(&user.id).await
    }

    /// An account by its id.
    pub async fn account(&self, user_id: &str) -> Result<Account> {
        let (user_id, since) = (user_id.to_owned(), self.month_ago());
        self.read(move |tx| {
            tx.optional(
                &format!("SELECT {COLUMNS} FROM account WHERE id = $2"),
                &[&since, &user_id],
            )?
            .ok_or_else(|| unknown(&user_id))
        })
        .await
    }

    /// Lets an account in or out, and makes it an administrator or none.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if no administrator would be left who may come in.
    pub async fn change_account(&self, user_id: &str, change: Change) -> Result<Account> {
        let id = user_id.to_owned();
        self.write(move |work| {
            work.lock_accounts()?;
            super::one(work.tx, &id).map_err(|_| unknown(&id))?;
            if change.admin == Some(false) || change.disabled == Some(true) {
                work.keep_an_admin(&id)?;
            }
            if let Some(admin) = change.admin {
                work.set_admin(&id, admin)?;
            }
            match change.disabled {
                Some(true) => work.disable(&id),
                Some(false) => work.enable(&id),
                None => Ok(()),
            }
        })
        .await?;
        self.account(user_id).await
    }

    /// Makes an account an administrator who may come in, whatever it was before.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn appoint(&self, user_id: &str) -> Result<User> {
        let user_id = user_id.to_owned();
        self.write(move |work| {
            super::one(work.tx, &user_id)?;
            work.set_admin(&user_id, true)?;
            work.enable(&user_id)?;
            work.load_user(&user_id)
        })
        .await
    }

    /// Deletes somebody's account with everything of it. It is shut at once, so that a deletion that
    /// was interrupted can only be finished or repeated.
    ///
    /// # Errors
    /// Those of [`Gateway::delete_user`] and [`Gateway::change_account`].
    pub async fn remove_account(&self, user_id: &str) -> Result<()> {
        let shut = Change {
            admin: Some(false),
            disabled: Some(true),
        };
        self.change_account(user_id, shut).await?;
        self.delete_user(user_id).await
    }

    fn month_ago(&self) -> Time {
        Time::from_micros(self.now().micros() - MONTH)
    }
}

impl Work<'_, '_> {
    /// Refuses if this is the last administrator who may come in.
    fn keep_an_admin(&mut self, user_id: &str) -> Result<()> {
        let admins: Vec<Scalar<String>> = self.tx.all(
            "SELECT id FROM account WHERE admin AND disabled_at IS NULL",
            &[],
        )?;
        match admins.as_slice() {
            [Scalar(last)] if last == user_id => Err(Error::conflict(
                "This is the last administrator of the server. Make somebody else one before.",
            )),
            _ => Ok(()),
        }
    }

    fn set_admin(&mut self, user_id: &str, admin: bool) -> Result<()> {
        self.tx.execute(
            "UPDATE account SET admin = $2, updated_at = $3 WHERE id = $1 AND admin <> $2",
            &[&user_id, &admin, &self.now],
        )?;
        Ok(())
    }
}

fn unknown(user_id: &str) -> Error {
    Error::not_found(format!("cannot find user with ID [{user_id}]"))
}
