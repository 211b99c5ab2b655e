//! Where files are kept: in the data directory, or in a bucket elsewhere.

use std::fmt;
use std::io;
use std::pin::Pin;

use tokio::io::AsyncRead;

/// What comes of an operation of a store.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// A file to be kept.
pub struct NewFile {
    /// Its place in its folder: an index and a plain name, `0/photo.jpg`.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub content: Vec<u8>,
}

/// A file that is kept, open for reading.
pub struct Opened {
    /// From its start.
    pub content: Box<dyn AsyncRead + Send + Unpin>,
    /// In bytes.
    pub length: u64,
}

/// Keeps files in folders. One that is away for now says [`io::ErrorKind::NetworkDown`]. The names of folders and files are plain: letters, digits, `-`, `_`, `~`
/// and `.`, separated by slashes.
pub trait Store: Send + Sync + fmt::Debug {
    /// Keeps files so that they survive a crash, all of them or none.
    fn keep<'a>(&'a self, folder: &'a str, files: Vec<NewFile>) -> Later<'a, ()>;

    /// Opens a file; `None` if there is none.
    fn open<'a>(&'a self, path: &'a str) -> Later<'a, Option<Opened>>;

    /// The places of some files of a folder, in it, that come after this one in some order that is
    /// always the same; none at the end. To begin with, `after` is empty.
    fn list<'a>(&'a self, folder: &'a str, after: &'a str) -> Later<'a, Vec<String>>;

    /// Removes a folder with everything in it, if it is there.
    fn remove<'a>(&'a self, folder: &'a str) -> Later<'a, ()>;
}
