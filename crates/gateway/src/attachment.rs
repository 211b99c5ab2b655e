//! Files that came with an MMS: on disk before their message is committed, gone if it is not.
//!
//! They lie under `attachments/<account>/<message>/<index>/<name>` of the data directory, and are
//! opened only by names that could have been given here.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::caller::Caller;
use crate::message::{Message, ReceivedSms};
use crate::{Error, Gateway, Result, id, idempotency};

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
#[derive(Debug)]
pub struct Attachment {
    /// Open for reading, at its start.
    pub file: File,
    /// In bytes.
    pub length: u64,
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
        let folder = self.folder(&caller.user_id, sms.id);
        let files: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .enumerate()
            .map(|(index, file)| (file.media.file_name(&file.name, index), file.content))
            .collect();
        sms.attachments = urls(public_url, &caller.user_id, sms.id, &files);
        let (gateway, caller) = (self.clone(), caller.clone());
        let work = async move {
            let within = folder.clone();
            on_disk(move || store(&within, &files)).await?;
            let received = gateway.receive(&caller, sms).await;
            match &received {
                // The message may have been stored all the same.
                Ok(_) | Err(Error::Db(db::Error::CommitUnknown)) => {}
                Err(_) => on_disk(move || remove(&folder)).await?,
            }
            received
        };
        tokio::spawn(idempotency::inherited(work, idempotency::current()))
            .await
            .unwrap_or_else(|error| Err(stopped(error)))
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
        let path = self.folder(user_id, message).join(index).join(name);
        match on_disk(move || File::open(path).and_then(sized)).await {
            Ok((file, length)) => Ok(Attachment {
                file,
                length,
                content_type,
            }),
            Err(Error::Files(error)) if error.kind() == io::ErrorKind::NotFound => Err(unknown()),
            Err(error) => Err(error),
        }
    }

    /// Removes the files of a message that was deleted.
    pub async fn remove_attachments(&self, caller: &Caller, message: Uuid) -> Result<()> {
        let folder = self.folder(&caller.user_id, message);
        on_disk(move || remove(&folder)).await
    }

    /// Removes all files of an account.
    pub(crate) async fn remove_account_files(&self, user_id: &str) -> Result<()> {
        let folder = self.account_files(user_id);
        on_disk(move || remove(&folder)).await
    }

    fn folder(&self, user_id: &str, message: Uuid) -> PathBuf {
        self.account_files(user_id).join(message.to_string())
    }

    fn account_files(&self, user_id: &str) -> PathBuf {
        self.0
            .settings
            .data_dir
            .join("attachments")
            .join(account_folder(user_id))
    }
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

fn urls(
    public_url: &str,
    user_id: &str,
    message: Uuid,
    files: &[(String, Vec<u8>)],
) -> Vec<String> {
    let user: String = user_id
        .bytes()
        .map(|byte| match char::from(byte) {
            plain if is_plain(plain) => plain.to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let url = |(index, (name, _)): (usize, &(String, _))| {
        format!("{public_url}/v1/attachments/{user}/{message}/{index}/{name}")
    };
    files.iter().enumerate().map(url).collect()
}

fn sized(file: File) -> io::Result<(File, u64)> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok((file, found.len()))
}

/// Writes the files so that they survive a loss of power, or leaves nothing.
fn store(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let stored = write(folder, files);
    if stored.is_err() {
        // What cannot be removed either is told by the first error.
        let _ = remove(folder);
    }
    stored
}

fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    for (index, (name, content)) in files.iter().enumerate() {
        let place = folder.join(index.to_string());
        fs::create_dir_all(&place)?;
        let mut file = File::create_new(place.join(name))?;
        file.write_all(content)?;
        file.sync_all()?;
        sync_folder(&place)?;
    }
    // The folders above may be new as well: the message's, the account's, `attachments`.
    folder.ancestors().take(4).try_for_each(sync_folder)
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(stopped(error)),
    }
}

/// The runtime is shutting down, or the work panicked.
fn stopped(error: tokio::task::JoinError) -> Error {
    Error::Files(io::Error::other(error))
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
        let urls = urls(
            "http://h",
            "a/b c",
            message,
            &[("x.jpg".to_owned(), vec![])],
        );
        assert_eq!(
            urls,
            [format!(
                "http://h/v1/attachments/a%2Fb%20c/{message}/0/x.jpg"
            )]
        );
    }

    #[test]
    fn files_are_stored_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("attachments/user/message");
        let file = |name: &str| (name.to_owned(), b"content".to_vec());
        store(&folder, &[file("a.jpg"), file("b.png")]).unwrap();
        assert_eq!(fs::read(folder.join("1/b.png")).unwrap(), b"content");
        remove(&folder).unwrap();
        remove(&folder).unwrap();
        let impossible = "x".repeat(300);
        store(&folder, &[file("a.jpg"), file(&impossible)]).unwrap_err();
        assert!(!folder.exists());
    }
}
