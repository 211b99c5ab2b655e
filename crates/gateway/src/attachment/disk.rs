//! Files in the data directory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::store::{Later, NewFile, Opened, Store};

/// A folder that files are kept in.
#[derive(Debug)]
pub(crate) struct Disk(pub(crate) PathBuf);

impl Store for Disk {
    fn keep<'a>(&'a self, folder: &'a str, files: Vec<NewFile>) -> Later<'a, ()> {
        let (root, folder) = (self.0.clone(), self.0.join(folder));
        Box::pin(elsewhere(move || store(&root, &folder, &files)))
    }

    fn open<'a>(&'a self, path: &'a str) -> Later<'a, Option<Opened>> {
        let path = self.0.join(path);
        Box::pin(elsewhere(move || match File::open(path).and_then(opened) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }))
    }

    fn list<'a>(&'a self, folder: &'a str, after: &'a str) -> Later<'a, Vec<String>> {
        let (folder, begun) = (self.0.join(folder), !after.is_empty());
        Box::pin(elsewhere(move || {
            if begun { Ok(Vec::new()) } else { list(&folder) }
        }))
    }

    fn remove<'a>(&'a self, folder: &'a str) -> Later<'a, ()> {
        let folder = self.0.join(folder);
        Box::pin(elsewhere(move || remove(&folder)))
    }
}

fn opened(file: File) -> io::Result<Opened> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(Opened {
        content: Box::new(tokio::fs::File::from_std(file)),
        length: found.len(),
    })
}

/// All files of an account at once: `message/index/name`.
fn list(root: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for message in entries(root)? {
        for index in entries(&message)? {
            files.extend(entries(&index)?.into_iter().filter_map(|path| {
                let place = path.strip_prefix(root).ok()?.to_str()?;
                Some(place.to_owned())
            }));
        }
    }
    Ok(files)
}

/// What is in a folder, if it is there.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if is_nothing(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Writes the files so that they survive a loss of power, or leaves nothing.
fn store(root: &Path, folder: &Path, files: &[NewFile]) -> io::Result<()> {
    let stored = write(root, folder, files);
    if stored.is_err() {
        // What cannot be removed either is told by the first error.
        let _ = remove(folder);
    }
    stored
}

fn write(root: &Path, folder: &Path, files: &[NewFile]) -> io::Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        let place = path.parent().unwrap_or(folder);
        fs::create_dir_all(place)?;
        let mut written = File::create_new(&path)?;
        written.write_all(&file.content)?;
        written.sync_all()?;
        sync_folder(place)?;
    }
    // The folders above may be new as well, up to the one that the root is in.
    let above = root.parent().unwrap_or(root);
    let mut folders = folder
        .ancestors()
        .take_while(|folder| folder.starts_with(above));
    folders.try_for_each(sync_folder)
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

async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // It fails when the runtime is shutting down, or the work panicked.
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn file(path: &str) -> NewFile {
        NewFile {
            path: path.to_owned(),
            content_type: "image/png",
            content: b"content".to_vec(),
        }
    }

    #[tokio::test]
    async fn files_are_stored_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let disk = Disk(root.path().join("attachments"));
        let folder = "user/message";
        let files = vec![file("0/a.jpg"), file("1/b.png")];
        disk.keep(folder, files).await.unwrap();
        let mut found = disk.open("user/message/1/b.png").await.unwrap().unwrap();
        let mut content = String::new();
        found.content.read_to_string(&mut content).await.unwrap();
        assert_eq!((content.as_str(), found.length), ("content", 7));
        for none in ["user/message/1", "user/message/1/c.png", "user"] {
            assert!(disk.open(none).await.unwrap().is_none(), "{none}");
        }
        disk.remove(folder).await.unwrap();
        disk.remove(folder).await.unwrap();
        let impossible = format!("1/{}", "x".repeat(300));
        let files = vec![file("0/a.jpg"), file(&impossible)];
        disk.keep(folder, files).await.unwrap_err();
        assert!(!root.path().join("attachments/user/message").exists());
    }
}
