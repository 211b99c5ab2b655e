//! Files that came with an MMS: kept before their message is committed, gone if it is not.
//!
//! They lie under `<account>/<message>/<index>/<name>` of their [`Store`], and are opened only by names
//! that could have been given here.

mod disk;
mod store;
mod upload;

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::caller::Caller;
use crate::message::{Message, ReceivedSms};
use crate::{Error, Gateway, Result, id, idempotency};

pub(crate) use disk::Disk;
pub use store::{Later, NewFile, Opened, Store};
pub use upload::Uploaded;

/// Files of one message at most.
pub const MAX_COUNT: usize = 10;
/// Bytes of one file at most.
pub const MAX_BYTES: usize = 1_572_864;
/// Bytes of all files of one message at most.
pub const MAX_TOTAL: usize = 3_145_728;

/// The kinds of files that are taken, and the ending each is stored with. The first with an ending
/// is what it is served as.
const MEDIA: [Media; 13] = [
    Media("image/jpeg", "jpg"),
    Media("image/png", "png"),
    Media("image/gif", "gif"),
    Media("image/webp", "webp"),
    Media("image/bmp", "bmp"),
    Media("video/mp4", "mp4"),
    Media("video/3gpp", "3gp"),
    Media("audio/mpeg", "mp3"),
    Media("audio/ogg", "ogg"),
    Media("audio/amr", "amr"),
    Media("application/pdf", "pdf"),
    Media("text/vcard", "vcf"),
    Media("text/x-vcard", "vcf"),
];

/// Longest part of a name that is the sender's own.
const MAX_STEM: usize = 100;

/// A kind of file: its media type and its ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Media(&'static str, &'static str);

impl Media {
    /// The kind with this media type, spelled exactly so.
    pub fn named(content_type: &str) -> Option<Self> {
        MEDIA.into_iter().find(|media| media.0 == content_type)
    }

    /// The media types that are taken.
    pub fn types() -> impl Iterator<Item = &'static str> {
        MEDIA.into_iter().map(|media| media.0)
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        self.0
    }

    /// `photo one.jpeg` becomes `photo-one.jpg`; a name without a usable letter is made from `index`.
    fn file_name(self, name: &str, index: usize) -> String {
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        let stem = name[last..]
            .rfind('.')
            .map_or(name, |dot| &name[..last + dot]);
        let kept: String = stem
            .chars()
            .map(|char| if char == ' ' { '-' } else { char })
            .filter(|char| is_plain(*char))
            .take(MAX_STEM)
            .collect();
        match kept.trim_matches('-') {
            "" => format!("attachment-{index}.{}", self.1),
            stem => format!("{stem}.{}", self.1),
        }
    }
}

fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '_')
}

/// A file that a phone sent along.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    /// As the phone names it.
    pub name: String,
    /// What it is.
    pub media: Media,
    /// At most [`MAX_BYTES`].
    pub content: Vec<u8>,
}

/// A stored file, to be read.
pub struct Attachment {
    /// What is in it.
    pub opened: Opened,
    /// By its ending.
    pub content_type: &'static str,
}

impl Gateway {
    /// Stores an MMS: the files first, then the message with their URLs under `public_url`. Runs to
    /// its end even if the caller stops waiting, so that no file stays without its message.
    ///
    /// # Errors
    /// Those of [`Gateway::receive`], and [`Error::Files`]. No file is left then.
    pub async fn receive_with_files(
        &self,
        caller: &Caller,
        mut sms: ReceivedSms,
        files: Vec<NewAttachment>,
        public_url: &str,
    ) -> Result<Message> {
        caller.may_act_for(sms.to.as_str())?;
        let folder = folder(&caller.user_id, sms.id);
        let files = named(files);
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        sms.attachments = urls(public_url, &caller.user_id, sms.id, &names);
        let (gateway, caller) = (self.clone(), caller.clone());
        let work = async move {
            let store = Arc::clone(&gateway.0.files);
            let files = files.into_iter().map(|(_, file)| file).collect();
            store.keep(&folder, files).await?;
            let received = gateway.receive(&caller, sms).await;
            match &received {
                // The message may have been stored all the same.
                Ok(_) | Err(Error::Db(db::Error::CommitUnknown)) => {}
                Err(_) => store.remove(&folder).await?,
            }
            received
        };
        tokio::spawn(idempotency::inherited(work, idempotency::current()))
            .await
            .unwrap_or_else(|error| Err(Error::Files(std::io::Error::other(error))))
    }

    /// Opens a stored file by the parts of its URL.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, whatever the parts say.
    pub async fn attachment(
        &self,
        user_id: &str,
        message: &str,
        index: &str,
        name: &str,
    ) -> Result<Attachment> {
        let unknown = || Error::not_found("attachment not found");
        let message = id::parse(message).ok_or_else(unknown)?;
        let content_type = served_as(index, name).ok_or_else(unknown)?;
        let path = format!("{}/{index}/{name}", folder(user_id, message));
        let opened = self.0.files.open(&path).await?.ok_or_else(unknown)?;
        Ok(Attachment {
            opened,
            content_type,
        })
    }

    /// Removes the files of a message that was deleted.
    pub async fn remove_attachments(&self, caller: &Caller, message: Uuid) -> Result<()> {
        let folder = folder(&caller.user_id, message);
        Ok(self.0.files.remove(&folder).await?)
    }

    /// Some of an account's files, after this place: `message/index/name`.
    pub(crate) async fn account_files(&self, user_id: &str, after: &str) -> Result<Vec<String>> {
        let folder = account_folder(user_id);
        Ok(self.0.files.list(&folder, after).await?)
    }

    /// Opens a file of an account by its place.
    pub(crate) async fn account_file(&self, user_id: &str, place: &str) -> Result<Option<Opened>> {
        let path = format!("{}/{place}", account_folder(user_id));
        Ok(self.0.files.open(&path).await?)
    }

    /// Removes all files of an account.
    pub(crate) async fn remove_account_files(&self, user_id: &str) -> Result<()> {
        Ok(self.0.files.remove(&account_folder(user_id)).await?)
    }
}

/// Where the files of a message or upload are.
fn folder(user_id: &str, id: Uuid) -> String {
    format!("{}/{id}", account_folder(user_id))
}

/// Files with the names that they are kept under.
fn named(files: Vec<NewAttachment>) -> Vec<(String, NewFile)> {
    let named = |(index, file): (usize, NewAttachment)| {
        let name = file.media.file_name(&file.name, index);
        let file = NewFile {
            path: format!("{index}/{name}"),
            content_type: file.media.content_type(),
            content: file.content,
        };
        (name, file)
    };
    files.into_iter().enumerate().map(named).collect()
}

/// An account's id is any text: one that is no plain name is replaced by its hash.
fn account_folder(user_id: &str) -> String {
    if (1..=64).contains(&user_id.len()) && user_id.chars().all(is_plain) {
        return user_id.to_owned();
    }
    let hash = digest::digest(&digest::SHA256, user_id.as_bytes());
    format!("~{}", URL_SAFE_NO_PAD.encode(hash))
}

/// The media type of a file, if these can be its index and name.
fn served_as(index: &str, name: &str) -> Option<&'static str> {
    let (stem, ending) = name.split_once('.')?;
    let plain = matches!(index.as_bytes(), [b'0'..=b'9'])
        && !stem.is_empty()
        && name.len() <= MAX_STEM + 8
        && stem.chars().all(is_plain);
    let media = MEDIA.into_iter().find(|media| media.1 == ending)?;
    plain.then_some(media.0)
}

fn urls(public_url: &str, user_id: &str, message: Uuid, names: &[String]) -> Vec<String> {
    let user: String = user_id
        .bytes()
        .map(|byte| match char::from(byte) {
            plain if is_plain(plain) => plain.to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let url = |(index, name): (usize, &String)| {
        format!("{public_url}/v1/attachments/{user}/{message}/{index}/{name}")
    };
    names.iter().enumerate().map(url).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_end_with_their_kind() {
        let jpeg = Media::named("image/jpeg").unwrap();
        for (given, stored) in [
            ("photo.jpeg", "photo.jpg"),
            ("My photo 1.png", "My-photo-1.jpg"),
            ("a.b.c.jpg", "abc.jpg"),
            ("../../etc/passwd", "etcpasswd.jpg"),
            ("../..", "attachment-3.jpg"),
            ("-émoji-😀-.gif", "moji.jpg"),
            (".jpg", "attachment-3.jpg"),
            ("", "attachment-3.jpg"),
        ] {
            assert_eq!(jpeg.file_name(given, 3), stored, "{given}");
        }
        let long = jpeg.file_name(&"x".repeat(5000), 0);
        assert_eq!(long.len(), MAX_STEM + 4);
        assert_eq!(served_as("0", &long), Some("image/jpeg"));
    }

    #[test]
    fn only_what_was_stored_can_be_named() {
        assert_eq!(served_as("9", "card_1-x.vcf"), Some("text/vcard"));
        for (index, name) in [
            ("0", ".."),
            ("0", "../x.jpg"),
            ("0", "x"),
            ("0", "x.exe"),
            ("0", "x.jpg.png"),
            ("0", "a/b.jpg"),
            ("0", "a\0b.jpg"),
            ("0", ".jpg"),
            ("..", "x.jpg"),
            ("10", "x.jpg"),
            ("00", "x.jpg"),
            ("", "x.jpg"),
        ] {
            assert_eq!(served_as(index, name), None, "{index}/{name}");
        }
    }

    #[test]
    fn an_account_has_a_folder_of_its_own_inside_the_folder() {
        assert_eq!(account_folder("k3Qm8TzVw1Yp"), "k3Qm8TzVw1Yp");
        let odd = ["", ".", "..", "../x", "a/b", "ana@example.org", "a\0b"];
        for id in odd.map(str::to_owned).into_iter().chain(["x".repeat(255)]) {
            let folder = account_folder(&id);
            assert_eq!(folder.len(), 44, "{id}");
            assert!(folder[1..].chars().all(is_plain));
        }
    }

    #[test]
    fn urls_escape_the_account() {
        let message = Uuid::nil();
        let urls = urls("http://h", "a/b c", message, &["x.jpg".to_owned()]);
        assert_eq!(
            urls,
            [format!(
                "http://h/v1/attachments/a%2Fb%20c/{message}/0/x.jpg"
            )]
        );
    }
}
