//! Names to addresses. One look-up per name at a time, kept for some seconds, so that a name server
//! that does not answer holds up one thread and not one for each attempt.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::failure::Failure;

/// How long an answer is used.
const FRESH: Duration = Duration::from_secs(5);

/// Names that are remembered, at most.
const REMEMBERED: usize = 4_096;

/// Look-ups at the same time. Each takes a thread of the runtime's pool while it lasts.
const AT_ONCE: usize = 128;

/// Finds the addresses of names. Clones share what they found.
#[derive(Debug, Clone)]
pub struct Resolver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    asked: Mutex<HashMap<String, Asked>>,
    permits: Arc<Semaphore>,
}

#[derive(Debug)]
enum Source {
    System,
    Table(HashMap<String, Vec<IpAddr>>),
    Turns(Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>),
}

#[derive(Debug, Clone)]
struct Asked {
    answer: watch::Receiver<Option<Answer>>,
    stale: Instant,
}

type Answer = Result<Arc<[IpAddr]>, Failure>;

impl Resolver {
    /// Asks the operating system.
    pub fn system() -> Self {
        Self::new(Source::System)
    }

    /// Knows only these names.
    pub fn table(names: HashMap<String, Vec<IpAddr>>) -> Self {
        Self::new(Source::Table(names))
    }

    /// Knows only these names, and tells something else of them each time; the last answer stays.
    pub fn in_turn(names: HashMap<String, VecDeque<Vec<IpAddr>>>) -> Self {
        Self::new(Source::Turns(Mutex::new(names)))
    }

    fn new(source: Source) -> Self {
        Self(Arc::new(Inner {
            source,
            asked: Mutex::default(),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }))
    }

    /// All addresses of a name, at least one.
    pub async fn resolve(&self, name: &str) -> Answer {
        match &self.0.source {
            Source::Table(names) => some(names.get(name).cloned().unwrap_or_default()),
            Source::Turns(names) => {
                let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
                let turns = names.get_mut(name).filter(|turns| !turns.is_empty());
                some(turns.map(take_turn).unwrap_or_default())
            }
            Source::System => {
                let mut answer = self.ask(name);
                let answer = answer.wait_for(Option::is_some).await;
                answer
                    .ok()
                    .and_then(|answer| answer.clone())
                    .unwrap_or(Err(Failure::Name))
            }
        }
    }

    /// The look-up that is under way or fresh, or a new one.
    fn ask(&self, name: &str) -> watch::Receiver<Option<Answer>> {
        let now = Instant::now();
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.get(name)
            && (now < known.stale || known.answer.borrow().is_none())
        {
            return known.answer.clone();
        }
        if asked.len() >= REMEMBERED {
            asked.retain(|_, known| now < known.stale || known.answer.borrow().is_none());
        }
        let answer = self.look_up(name.to_owned());
        let fresh = Asked {
            answer: answer.clone(),
            stale: now + FRESH,
        };
        asked.insert(name.to_owned(), fresh);
        answer
    }

    /// Looks up in a task of its own: whoever waits may give up, the next one finds it under way.
    fn look_up(&self, name: String) -> watch::Receiver<Option<Answer>> {
        let (tell, answer) = watch::channel(None);
        let permits = Arc::clone(&self.0.permits);
        tokio::spawn(async move {
            let _permit = permits.acquire().await;
            let found = match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(addresses) => some(addresses.map(|address| address.ip()).collect()),
                Err(_) => Err(Failure::Name),
            };
            tell.send_replace(Some(found));
        });
        answer
    }
}

fn take_turn(turns: &mut VecDeque<Vec<IpAddr>>) -> Vec<IpAddr> {
    if turns.len() > 1 {
        turns.pop_front().unwrap_or_default()
    } else {
        turns.front().cloned().unwrap_or_default()
    }
}

fn some(addresses: Vec<IpAddr>) -> Answer {
    if addresses.is_empty() {
        Err(Failure::Name)
    } else {
        Ok(addresses.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_table_knows_its_names_only() {
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let names = HashMap::from([("here.test".to_owned(), vec![address])]);
        let resolver = Resolver::table(names);
        assert_eq!(resolver.resolve("here.test").await.unwrap()[..], [address]);
        assert_eq!(resolver.resolve("there.test").await, Err(Failure::Name));
    }

    #[tokio::test]
    async fn the_system_knows_localhost_and_is_asked_once() {
        let resolver = Resolver::system();
        let (one, two) = tokio::join!(resolver.resolve("localhost"), resolver.resolve("localhost"));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one.iter().all(IpAddr::is_loopback), "{one:?}");
        assert!(Arc::ptr_eq(&one, &two));
    }
}
