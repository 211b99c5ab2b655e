//! Makes groups of jobs durable, and answers them: on a thread of its own, so that the writer runs
//! the next group meanwhile. SQLite itself writes commits to the log without waiting for the disk.
//!
//! Once the disk has failed to keep the log, nobody knows what of it is there: from then on
//! everything is refused, until the server is started again and reads what it has.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use super::writer::{Done, answer};
use crate::{Error, Result};

/// The way to the thread that waits for the disk.
pub(super) struct Syncer {
    groups: SyncSender<Done>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Groups that are not answered yet.
    unanswered: AtomicUsize,
    /// Why nothing can be kept any more.
    failed: OnceLock<Error>,
}

impl Syncer {
    /// For the log of this database; `idle` is called whenever no group is left.
    pub(super) fn start(database: &Path, idle: impl Fn() + Send + 'static) -> Result<Self> {
        let mut log = Log::of(database);
        Self::with(move || log.sync(), idle)
    }

    fn with(
        mut sync: impl FnMut() -> io::Result<()> + Send + 'static,
        idle: impl Fn() + Send + 'static,
    ) -> Result<Self> {
        let (groups, given) = sync_channel(1);
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let work = move || {
            while let Some(groups) = next(&given) {
                let kept = match theirs.failed.get() {
                    Some(error) => Err(error.clone()),
                    None => sync().map_err(|error| failed(&theirs, &error)),
                };
                let count = groups.len();
                answer(groups.into_iter().flatten(), &kept);
                if theirs.unanswered.fetch_sub(count, Ordering::AcqRel) == count {
                    idle();
                }
            }
        };
        let thread = thread::Builder::new().name("db-sync".into());
        let thread = thread
            .spawn(work)
            .map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            groups,
            shared,
            thread,
        })
    }

    /// Whether there are groups that wait for the disk.
    pub(super) fn is_busy(&self) -> bool {
        self.shared.unanswered.load(Ordering::Acquire) > 0
    }

    /// Why nothing can be kept any more, if so.
    pub(super) fn failed(&self) -> Option<&Error> {
        self.shared.failed.get()
    }

    /// From now on everything is refused.
    pub(super) fn fail(&self, error: &dyn Display) {
        failed(&self.shared, error);
    }

    /// Takes jobs whose commit is in the log.
    pub(super) fn committed(&self, jobs: Done) {
        self.shared.unanswered.fetch_add(1, Ordering::AcqRel);
        if let Err(unsent) = self.groups.send(jobs) {
            let dead = Error::Unavailable("the thread that waits for the disk has died".into());
            answer(unsent.0, &Err(dead));
            self.shared.unanswered.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Comes back when every group is answered; whether the disk has kept all of them.
    pub(super) fn stop(self) -> bool {
        drop(self.groups);
        drop(self.thread.join());
        self.shared.failed.get().is_none()
    }
}

/// Waits for a group, and takes those that follow along; `None` at the end.
fn next(given: &Receiver<Done>) -> Option<Vec<Done>> {
    let mut groups = vec![given.recv().ok()?];
    groups.extend(given.try_iter());
    Some(groups)
}

fn failed(shared: &Shared, error: &dyn Display) -> Error {
    tracing::error!(%error, "the disk does not keep what is written: restart the server");
    let error = Error::Unavailable(format!("the disk does not keep what is written: {error}"));
    shared.failed.get_or_init(|| error).clone()
}

/// The write-ahead log as a file.
struct Log {
    path: PathBuf,
    file: Option<File>,
}

impl Log {
    fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self {
            path: path.into(),
            file: None,
        }
    }

    /// Comes back when all that was written to it is on the disk.
    fn sync(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => match self.open() {
                Ok(file) => self.file.insert(file),
                // Nothing was written yet.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        file.sync_data()
    }

    /// Opens it, and makes its name durable too. It is the same file as long as the database is open.
    fn open(&self) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        if let Some(folder) = self.path.parent()
            && cfg!(unix)
        {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            File::open(folder)?.sync_all()?;
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::job::{Job, Ran};
    use crate::tx::Tx;

    /// Says what it was answered.
    struct Asked(SyncSender<Result<()>>);

    impl Job for Asked {
        fn is_wanted(&self) -> bool {
            true
        }

        fn run(&mut self, _: Tx<'_>) -> Ran {
            unreachable!("it was run already")
        }

        fn tell(self: Box<Self>, committed: Result<()>) {
            self.0.send(committed).unwrap();
        }
    }

    fn group(answers: &SyncSender<Result<()>>) -> Done {
        vec![Box::new(Asked(answers.clone()))]
    }

    #[test]
    fn a_group_is_answered_once_it_is_on_the_disk_and_then_more_are_called_for() {
        let (answers, answered) = sync_channel(8);
        let (let_sync, may_sync) = channel::<()>();
        let (idle, became_idle) = channel();
        let sync = move || {
            may_sync.recv().unwrap();
            Ok(())
        };
        let syncer = Syncer::with(sync, move || idle.send(()).unwrap()).unwrap();
        assert!(!syncer.is_busy());
        syncer.committed(group(&answers));
        assert!(syncer.is_busy());
        assert!(answered.try_recv().is_err());
        let_sync.send(()).unwrap();
        answered.recv().unwrap().unwrap();
        became_idle.recv().unwrap();
        assert!(!syncer.is_busy());
        assert!(syncer.stop());
    }

    #[test]
    fn what_the_file_does_not_keep_ends_it_too() {
        let (answers, answered) = sync_channel(8);
        let syncer = Syncer::with(|| Ok(()), || {}).unwrap();
        syncer.fail(&"torn off");
        assert!(syncer.failed().is_some());
        syncer.committed(group(&answers));
        assert!(answered.recv().unwrap().unwrap_err().is_unavailable());
        assert!(!syncer.stop());
    }

    #[test]
    fn after_a_failure_nothing_is_kept_any_more() {
        let (answers, answered) = sync_channel(8);
        let results = Mutex::new(vec![Ok(()), Err(io::Error::other("torn off"))]);
        let sync = move || results.lock().unwrap().pop().unwrap();
        let syncer = Syncer::with(sync, || {}).unwrap();
        for _ in 0..2 {
            syncer.committed(group(&answers));
            let error = answered.recv().unwrap().unwrap_err();
            assert!(error.is_unavailable() && error.to_string().contains("torn off"));
        }
        assert!(syncer.failed().is_some());
        assert!(!syncer.stop());
    }
}
