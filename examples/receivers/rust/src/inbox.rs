//! What was taken and waits for its work; and which events were taken.
//! In earnest this is a table with the event's id as its key: insert the event, then answer.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::Event;

/// Ids of events.
const REMEMBERED: usize = 10_000;

pub struct Inbox {
    known: Mutex<Known>,
    waiting: Sender<Event>,
}

#[derive(Default)]
struct Known {
    ids: HashSet<String>,
    oldest: VecDeque<String>,
}

/// Too much waits.
pub struct Full;

impl Inbox {
    pub fn new() -> (Self, Receiver<Event>) {
        let (waiting, work) = channel(1_000);
        let known = Mutex::default();
        (Self { known, waiting }, work)
    }

    /// Whether the event is new.
    pub fn take(&self, event: Event) -> Result<bool, Full> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.ids.contains(&event.id) {
            return Ok(false);
        }
        let id = event.id.clone();
        self.waiting.try_send(event).map_err(|_| Full)?;
        known.ids.insert(id.clone());
        known.oldest.push_back(id);
        if known.oldest.len() > REMEMBERED
            && let Some(oldest) = known.oldest.pop_front()
        {
            known.ids.remove(&oldest);
        }
        Ok(true)
    }
}
