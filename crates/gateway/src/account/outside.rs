//! Accounts whose owners sign in elsewhere: made when they first come (contract: events, §9.1).

use db::Scalar;

use super::{NewUser, check};
use crate::caller::{Caller, Key};
use crate::{Error, Gateway, Result};

impl Gateway {
    /// The account of somebody with this id and e-mail address, who was vouched for. It is made if
    /// there is none; `None` if it cannot be, for its address is another account's.
    pub async fn outside_caller(&self, id: &str, email: &str) -> Result<Option<Caller>> {
        let caller = Caller {
            user_id: id.to_owned(),
            key: Key::User,
        };
        if self.has_account(id).await? {
            return Ok(Some(caller));
        }
        let new = NewUser {
            email: email.to_owned(),
            id: Some(id.to_owned()),
            ..NewUser::default()
        };
        check(&new)?;
        match self.write(move |work| work.create(&new, None)).await {
            Ok(_) => Ok(Some(caller)),
            // Of two first requests one comes too late, and finds what the other has made.
            Err(Error::Invalid(_)) => Ok(self.has_account(id).await?.then_some(caller)),
            Err(error) => Err(error),
        }
    }

    async fn has_account(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        let found: Option<Scalar<String>> = self
            .lookup(move |tx| {
                Ok(tx.optional(
                    "SELECT id FROM account
                      WHERE id = $1 AND email <> '' AND disabled_at IS NULL",
                    &[&id],
                )?)
            })
            .await?;
        Ok(found.is_some())
    }
}
