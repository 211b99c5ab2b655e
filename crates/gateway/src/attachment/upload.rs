//! Files that a client uploads, to be sent along with messages.
//!
//! The row comes first and the file after it, so that nothing is left behind by a crash. An upload
//! that no message takes along is purged after a day, and so is one whose messages are all gone.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::store::NewFile;
use super::{NewAttachment, folder, urls};
use crate::caller::Caller;
use crate::clock::Time;
use crate::message::Message;
use crate::{Gateway, Result, Work, for_update, id};

/// How long an upload is kept without a message.
const UNUSED: Duration = Duration::from_hours(24);

/// Uploads that are purged at a time.
const PART: i64 = 100;

/// A file that was uploaded.
#[derive(Debug, Clone, Serialize)]
pub struct Uploaded {
    /// Its id.
    pub id: Uuid,
    /// Where it can be fetched: what `attachments` of a message may name.
    pub url: String,
    /// Its name, as it is kept.
    pub name: String,
    /// Its media type.
    pub content_type: &'static str,
    /// In bytes.
    pub size: usize,
    /// When it was uploaded.
    pub created_at: Time,
}

db::row! {
    struct Unused { id: Uuid, user_id: String }
}

impl Gateway {
    /// Keeps a file that is to be sent along, with a URL under `public_url`.
    pub async fn upload(
        &self,
        caller: &Caller,
        file: NewAttachment,
        public_url: &str,
    ) -> Result<Uploaded> {
        let (id, created_at) = (id::new(self.now()), self.now());
        let name = file.media.file_name(&file.name, 0);
        let url = urls(public_url, &caller.user_id, id, std::slice::from_ref(&name));
        let uploaded = Uploaded {
            id,
            url: url.concat(),
            content_type: file.media.content_type(),
            size: file.content.len(),
            created_at,
            name,
        };
        let (row, user_id) = (uploaded.clone(), caller.user_id.clone());
        self.write(move |work| {
            work.tx.execute(
                "INSERT INTO upload (id, user_id, name, created_at) VALUES ($1, $2, $3, $4)",
                &[&row.id, &user_id, &row.name, &row.created_at],
            )?;
            Ok(row.clone())
        })
        .await?;
        let file = NewFile {
            path: format!("0/{}", uploaded.name),
            content_type: uploaded.content_type,
            content: file.content,
        };
        let folder = folder(&caller.user_id, id);
        self.0.files.keep(&folder, vec![file]).await?;
        Ok(uploaded)
    }

    /// Removes uploads that no message takes along; how many.
    pub async fn purge_uploads(&self) -> Result<usize> {
        let before = Time::from_micros(self.now().micros() - UNUSED.as_micros() as i64);
        let mut all = 0;
        loop {
            let unused = self.write(move |work| work.forget_unused(before)).await?;
            all += unused.len();
            for upload in &unused {
                let folder = folder(&upload.user_id, upload.id);
                self.0.files.remove(&folder).await?;
            }
            if unused.len() < PART as usize {
                return Ok(all);
            }
        }
    }
}

impl Work<'_, '_> {
    /// Uploads that nothing uses are locked first and looked at again: somebody may just be about to.
    fn forget_unused(&mut self, before: Time) -> Result<Vec<Unused>> {
        const FREE: &str = "NOT EXISTS (SELECT 1 FROM upload_use WHERE upload_id = upload.id)";
        let lock = for_update(self.tx);
        let found: Vec<Unused> = self.tx.all(
            &format!(
                "SELECT id, user_id FROM upload WHERE created_at < $1 AND {FREE}
                  ORDER BY id LIMIT $2 {lock}"
            ),
            &[&before, &PART],
        )?;
        let mut gone = Vec::with_capacity(found.len());
        for upload in found {
            let deleted = self.tx.execute(
                &format!("DELETE FROM upload WHERE id = $1 AND {FREE}"),
                &[&upload.id],
            )?;
            gone.extend((deleted > 0).then_some(upload));
        }
        Ok(gone)
    }

    /// Notes which uploads of the account a message takes along: they stay as long as it does.
    pub(crate) fn use_uploads(&mut self, message: &Message) -> Result<()> {
        let Some(urls) = &message.attachments else {
            return Ok(());
        };
        for id in urls.texts().iter().filter_map(|url| upload_of(url)) {
            let lock = for_update(self.tx);
            let own: Option<db::Scalar<Uuid>> = self.tx.optional(
                &format!("SELECT id FROM upload WHERE id = $1 AND user_id = $2 {lock}"),
                &[&id, &message.user_id],
            )?;
            if own.is_some() {
                self.tx.execute(
                    "INSERT INTO upload_use (message_id, upload_id) VALUES ($1, $2)
                     ON CONFLICT DO NOTHING",
                    &[&message.id, &id],
                )?;
            }
        }
        Ok(())
    }
}

/// The upload that a URL may lead to: `…/v1/attachments/{account}/{upload}/0/{name}`.
fn upload_of(url: &str) -> Option<Uuid> {
    let mut words = url.rsplit('/');
    let (name, index, upload) = (words.next()?, words.next()?, words.next()?);
    let _account = words.next()?;
    let ours = index == "0" && !name.is_empty() && words.next()? == "attachments";
    id::parse(upload).filter(|_| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_known_by_their_urls() {
        let id = "5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11";
        let upload = |path: String| upload_of(&format!("https://sms.example/v1/{path}"));
        assert!(upload(format!("attachments/ann/{id}/0/a.jpg")).is_some());
        for other in [
            format!("attachments/ann/{id}/1/a.jpg"),
            format!("attachments/{id}/0/a.jpg"),
            format!("files/ann/{id}/0/a.jpg"),
            "attachments/ann/x/0/a.jpg".to_owned(),
        ] {
            assert_eq!(upload(other.clone()), None, "{other}");
        }
        assert_eq!(upload_of("a.jpg"), None);
    }
}
