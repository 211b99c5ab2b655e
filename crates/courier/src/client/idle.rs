//! Connections that wait for their next request. They have no tasks of their own: one looks after all
//! of them, as long as there are some.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::task::unconstrained;
use tokio::time::sleep;

use super::line::Line;
use crate::connect::Place;

/// Idle connections to one place, and for how long.
const MOST: usize = 256;
const LONGEST: Duration = Duration::from_secs(50);

/// How often those that the other side has closed are looked for.
const ROUND: Duration = Duration::from_secs(1);

/// Idle connections by where they lead.
#[derive(Default)]
pub(super) struct Idle(Mutex<Lines>);

#[derive(Default)]
struct Lines {
    by_place: HashMap<Place, Vec<Kept>>,
    /// Somebody looks after them.
    tended: bool,
}

struct Kept {
    line: Line,
    since: Instant,
}

impl Idle {
    /// The one that was used last and is still good.
    pub fn take(&self, place: &Place) -> Option<Line> {
        loop {
            let mut kept = self.lines().by_place.get_mut(place)?.pop()?;
            if kept.is_good() {
                return Some(kept.line);
            }
        }
    }

    /// Keeps one for later, unless there are enough.
    pub fn put(self: &Arc<Self>, place: Place, line: Line) {
        let since = Instant::now();
        let mut lines = self.lines();
        let there = lines.by_place.entry(place).or_default();
        if there.len() < MOST {
            there.push(Kept { line, since });
        }
        if !std::mem::replace(&mut lines.tended, true) {
            tokio::spawn(unconstrained(tend(Arc::downgrade(self))));
        }
    }

    /// Drops those that are no good; false when none is left.
    fn sweep(&self) -> bool {
        let mut gone = Vec::new();
        let mut lines = self.lines();
        lines.by_place.retain(|_, there| {
            gone.extend(there.extract_if(.., |kept| !kept.is_good()));
            !there.is_empty()
        });
        lines.tended = !lines.by_place.is_empty();
        let tended = lines.tended;
        // Closing takes its time; others need not wait for it.
        drop(lines);
        drop(gone);
        tended
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is_good(&mut self) -> bool {
        self.since.elapsed() < LONGEST && self.line.is_quiet()
    }
}

async fn tend(idle: Weak<Idle>) {
    loop {
        sleep(ROUND).await;
        if !idle.upgrade().is_some_and(|idle| idle.sweep()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Stream;
    use tokio::net::{TcpListener, TcpStream};

    fn place(listener: &TcpListener) -> Place {
        let uri = format!("http://{}/", listener.local_addr().unwrap());
        Place::of(&uri.parse().unwrap()).unwrap()
    }

    async fn line(listener: &TcpListener) -> (Line, TcpStream) {
        let address = listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        (Line::new(Stream::Plain(ours.unwrap())), theirs.unwrap().0)
    }

    #[tokio::test]
    async fn those_that_are_closed_or_speak_unasked_are_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = place(&listener);
        let idle = Arc::<Idle>::default();
        let (quiet, _theirs) = line(&listener).await;
        idle.put(place.clone(), quiet);
        let (closed, theirs) = line(&listener).await;
        idle.put(place.clone(), closed);
        drop(theirs);
        let (loud, theirs) = line(&listener).await;
        idle.put(place.clone(), loud);
        theirs.writable().await.unwrap();
        theirs.try_write(b"HTTP/1.1 408 x\r\n").unwrap();
        let soon = Duration::from_secs(20);
        testkit::until("the other two are gone", soon, async || {
            (idle.lines().by_place[&place].len() == 1).then_some(())
        })
        .await;
        assert!(idle.take(&place).is_some(), "the quiet one is good");
        assert!(idle.take(&place).is_none());
    }

    #[tokio::test]
    async fn so_many_are_kept_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = place(&listener);
        let idle = Arc::<Idle>::default();
        let mut theirs = Vec::new();
        for _ in 0..=MOST {
            let (line, other) = line(&listener).await;
            idle.put(place.clone(), line);
            theirs.push(other);
        }
        assert_eq!(idle.lines().by_place[&place].len(), MOST);
    }
}
