//! Discord servers that accounts are connected to: what the account's phones receive is shown in a
//! channel there, and a slash command there sends SMS.

mod bot;
mod failed;

use db::{Later, Scalar, Tx};
use serde::Serialize;
use uuid::Uuid;

use crate::caller::{Caller, Key};
use crate::clock::Time;
use crate::{Error, Fields, Gateway, Page, Result, Work, id};

pub use bot::{Asking, Bot, PublicKey};

db::row! {
    /// A connection to a server, with the members of the wire's Discord.
    #[derive(Debug, Clone, Serialize)]
    pub struct Discord {
        /// Its id.
        pub id: Uuid,
        /// The account.
        pub user_id: String,
        /// For people, 1 to 255 bytes.
        pub name: String,
        /// The server, digits.
        pub server_id: String,
        /// The channel that shows what is received, digits.
        pub incoming_channel_id: String,
        /// When it was made.
        pub created_at: Time,
        /// When it was last changed.
        pub updated_at: Time,
    }

    struct Known { id: Uuid, user_id: String, server_id: String }
}

/// What a connection is made of, and what a change puts in its place.
#[derive(Debug, Clone)]
pub struct Draft {
    /// See [`Discord::name`].
    pub name: String,
    /// See [`Discord::server_id`].
    pub server_id: String,
    /// See [`Discord::incoming_channel_id`].
    pub incoming_channel_id: String,
}

const COLUMNS: &str = "id, user_id, name, server_id, incoming_channel_id, created_at, updated_at";

impl Gateway {
    /// The caller's connections whose name contains the query, newest first.
    pub async fn discords(&self, caller: &Caller, page: Page) -> Result<Vec<Discord>> {
        let user_id = caller.user_id.clone();
        self.read(move |tx| {
            Ok(tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM discord WHERE user_id = $1 AND LOWER(name) LIKE $2
                      ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
                ),
                &[&user_id, &page.pattern(), &page.limit(), &page.skip()],
            )?)
        })
        .await
    }

    /// Whether this could be stored now: as a new connection, or in place of the one with this id.
    ///
    /// # Errors
    /// Those of [`Gateway::add_discord`] or [`Gateway::put_discord`].
    pub async fn check_discord(
        &self,
        caller: &Caller,
        place: Option<Uuid>,
        draft: &Draft,
    ) -> Result<()> {
        let (user_id, draft) = (caller.user_id.clone(), draft.clone());
        self.read(move |tx| check(tx, &user_id, place, &draft))
            .await
    }

    /// Connects the account to a server.
    ///
    /// # Errors
    /// [`Error::Limit`] if the account has a connection; [`Error::Invalid`] under `server_id` if the
    /// server has one.
    pub async fn add_discord(&self, caller: &Caller, draft: Draft) -> Result<Discord> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            check(work.tx, &user_id, None, &draft)?;
            work.tx
                .one(
                    &format!(
                        "INSERT INTO discord ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $6)
                         RETURNING {COLUMNS}"
                    ),
                    &[
                        &id::new(work.now),
                        &user_id,
                        &draft.name,
                        &draft.server_id,
                        &draft.incoming_channel_id,
                        &work.now,
                    ],
                )
                .map_err(|error| meanwhile(error, &draft))
        })
        .await
    }

    /// Puts the draft in place of a connection.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] under `server_id` if the server is another account's.
    pub async fn put_discord(&self, caller: &Caller, id: Uuid, draft: Draft) -> Result<Discord> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            check(work.tx, &user_id, Some(id), &draft)?;
            let changed = work.tx.optional(
                &format!(
                    "UPDATE discord SET name = $3, server_id = $4, incoming_channel_id = $5,
                         updated_at = $6
                      WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"
                ),
                &[
                    &id,
                    &user_id,
                    &draft.name,
                    &draft.server_id,
                    &draft.incoming_channel_id,
                    &work.now,
                ],
            );
            let changed: Option<Discord> = changed.map_err(|error| meanwhile(error, &draft))?;
            changed.ok_or_else(|| unknown(id))
        })
        .await
    }

    /// Ends a connection, and forgets what still waits for it.
    pub async fn delete_discord(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let deleted = work.tx.execute(
                "DELETE FROM discord WHERE id = $1 AND user_id = $2",
                &[&id, &user_id],
            )?;
            if deleted == 0 {
                return Err(unknown(id));
            }
            work.tx
                .execute("DELETE FROM delivery WHERE target = $1", &[&id])?;
            Ok(())
        })
        .await
    }

    /// The account that is connected to this server; its members may send for it.
    pub async fn discord_caller(&self, server_id: &str) -> Result<Option<Caller>> {
        let server_id = server_id.to_owned();
        self.lookup(move |tx| {
            let user_id: Option<Scalar<String>> = tx.optional(
                "SELECT user_id FROM discord WHERE server_id = $1
                    AND EXISTS (SELECT 1 FROM account
                                 WHERE account.id = discord.user_id AND disabled_at IS NULL)",
                &[&server_id],
            )?;
            Ok(user_id.map(|Scalar(user_id)| Caller {
                user_id,
                key: Key::User,
            }))
        })
        .await
    }

    /// The channel that a delivery to this connection goes to; `None` once it is deleted.
    pub async fn discord_channel(&self, id: Uuid) -> Result<Option<String>> {
        self.lookup(move |tx| {
            let channel: Option<Scalar<String>> = tx.optional(
                "SELECT incoming_channel_id FROM discord WHERE id = $1",
                &[&id],
            )?;
            Ok(channel.map(|Scalar(channel)| channel))
        })
        .await
    }
}

impl Work<'_, '_> {
    /// The account's connections, once they are there.
    pub(crate) fn discords_of(&mut self, user_id: &str) -> Result<Later<Scalar<Uuid>>> {
        Ok(self
            .tx
            .later("SELECT id FROM discord WHERE user_id = $1", &[&user_id])?)
    }
}

fn check(tx: &mut Tx<'_>, user_id: &str, place: Option<Uuid>, draft: &Draft) -> Result<()> {
    let known: Vec<Known> = tx.all(
        "SELECT id, user_id, server_id FROM discord WHERE user_id = $1 OR server_id = $2",
        &[&user_id, &draft.server_id],
    )?;
    let mut mine = known.iter().filter(|known| known.user_id == user_id);
    match place {
        None if mine.next().is_some() => return Err(one_is_enough()),
        Some(id) if !mine.any(|mine| mine.id == id) => return Err(unknown(id)),
        None | Some(_) => {}
    }
    let mut others = known.iter().filter(|known| Some(known.id) != place);
    if others.any(|other| other.server_id == draft.server_id) {
        return Err(taken(draft));
    }
    Ok(())
}

/// What somebody else did since it was looked at.
fn meanwhile(error: db::Error, draft: &Draft) -> Error {
    if error.is_unique("discord(server_id)") {
        return taken(draft);
    }
    if error.is_unique("discord(user_id)") {
        return one_is_enough();
    }
    error.into()
}

fn taken(draft: &Draft) -> Error {
    let id = &draft.server_id;
    let text = format!("the discord server with ID [{id}] is already connected to an account");
    Error::Invalid(Fields::one("server_id", text))
}

fn one_is_enough() -> Error {
    let text =
        "You can't create more than 1 discord integration contact us to upgrade your account.";
    Error::Limit(text.to_owned())
}

fn unknown(id: Uuid) -> Error {
    Error::not_found(format!("cannot find discord integration with ID [{id}]"))
}
