//! Lists of threads, and how many are unread.

use db::{Scalar, Tx};
use serde::Serialize;
use uuid::Uuid;

use super::{COLUMNS, Thread};
use crate::caller::Caller;
use crate::{Before, Error, Gateway, Page, Result};

/// Which threads a list is of.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The account's number; `None`: all of them.
    pub owner: Option<String>,
    /// Those in the archive, or those out of it.
    pub is_archived: bool,
    /// Only those in which something was not read.
    pub unread: bool,
    /// Only those that come after this one in the list.
    pub before: Option<Before>,
}

/// How many threads there are to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Threads out of the archive in which something was not read.
    pub unread: i64,
    /// Threads in the archive.
    pub archived: i64,
    /// The unread ones by the account's numbers, in their order; only numbers that have threads.
    pub by_owner: Vec<Unread>,
}

/// Unread threads of one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The account's number.
    pub owner: String,
    /// Its unread threads.
    pub unread: i64,
}

db::row! {
    struct Count { owner: String, unread: i64, archived: i64 }
}

impl Gateway {
    /// Threads whose last text or whose numbers contain the query, newest first.
    pub async fn threads(
        &self,
        caller: &Caller,
        wanted: Wanted,
        page: Page,
    ) -> Result<Vec<Thread>> {
        let user_id = caller.user_id.clone();
        self.list(&page.clone(), move |tx| match &wanted.owner {
            Some(owner) => of_one(tx, &user_id, owner, &wanted, &page),
            None => of_all(tx, &user_id, &wanted, &page),
        })
        .await
    }

    /// One thread of the caller's account.
    pub async fn thread(&self, caller: &Caller, id: Uuid) -> Result<Thread> {
        let user_id = caller.user_id.clone();
        self.lookup(move |tx| {
            let thread: Option<Thread> = tx.optional(
                &format!("SELECT {COLUMNS} FROM thread WHERE id = $1 AND user_id = $2"),
                &[&id, &user_id],
            )?;
            thread.ok_or_else(|| unknown(id))
        })
        .await
    }

    /// How many of the account's threads are unread, and how many are in the archive.
    pub async fn thread_counts(&self, caller: &Caller) -> Result<Counts> {
        let user_id = caller.user_id.clone();
        let counts: Vec<Count> = self
            .read(move |tx| {
                Ok(tx.all(
                    "SELECT owner, count(CASE WHEN is_archived THEN 1 END) AS archived,
                         count(CASE WHEN NOT is_archived AND NOT is_read THEN 1 END) AS unread
                       FROM thread WHERE user_id = $1 GROUP BY owner ORDER BY owner",
                    &[&user_id],
                )?)
            })
            .await?;
        Ok(Counts {
            unread: counts.iter().map(|count| count.unread).sum(),
            archived: counts.iter().map(|count| count.archived).sum(),
            by_owner: counts
                .into_iter()
                .map(|Count { owner, unread, .. }| Unread { owner, unread })
                .collect(),
        })
    }
}

pub(super) fn unknown(id: Uuid) -> Error {
    Error::not_found(format!("cannot find message thread with ID [{id}]"))
}

fn of_one(
    tx: &mut Tx<'_>,
    user_id: &str,
    owner: &str,
    wanted: &Wanted,
    page: &Page,
) -> Result<Vec<Thread>> {
    let (time, id) = Before::bounds(wanted.before);
    Ok(tx.all(
        &format!(
            "SELECT {COLUMNS} FROM thread
              WHERE user_id = $1 AND owner = $2 AND is_archived = $3 AND NOT (is_read AND $8)
                AND order_timestamp <= $6 AND (order_timestamp < $6 OR id < $7)
                AND (LOWER(last_message_content) LIKE $4 OR LOWER(contact) LIKE $4
                     OR LOWER(owner) LIKE $4)
              ORDER BY order_timestamp DESC, id DESC LIMIT $5 OFFSET $9"
        ),
        &[
            &user_id,
            &owner,
            &wanted.is_archived,
            &page.pattern(),
            &page.limit(),
            &time,
            &id,
            &wanted.unread,
            &page.skip(),
        ],
    )?)
}

/// One number after the other, because that is how the index goes, and then the newest of all.
fn of_all(tx: &mut Tx<'_>, user_id: &str, wanted: &Wanted, page: &Page) -> Result<Vec<Thread>> {
    let last = page.end();
    let first = Page {
        skip: 0,
        limit: last,
        query: page.query.clone(),
    };
    let mut newest: Vec<Thread> = Vec::new();
    for Scalar(owner) in tx.all::<Scalar<String>>(OWNERS, &[&user_id])? {
        newest.extend(of_one(tx, user_id, &owner, wanted, &first)?);
        newest.sort_by_key(|thread| std::cmp::Reverse((thread.order_timestamp, thread.id)));
        newest.truncate(usize::try_from(last).unwrap_or(usize::MAX));
    }
    let skip = usize::try_from(page.skip()).unwrap_or(usize::MAX);
    Ok(newest.into_iter().skip(skip).collect())
}

/// The numbers that have threads, each found by one step in the index.
const OWNERS: &str = "WITH RECURSIVE number (owner) AS (
         SELECT MIN(owner) FROM thread WHERE user_id = $1
         UNION ALL
         SELECT (SELECT MIN(thread.owner) FROM thread
                  WHERE thread.user_id = $1 AND thread.owner > number.owner)
           FROM number WHERE number.owner IS NOT NULL)
     SELECT owner FROM number WHERE owner IS NOT NULL";
