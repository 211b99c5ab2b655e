//! What is known of the webhooks that are being delivered to. The session alone keeps it, so it needs no lock.

use std::sync::Arc;
use std::time::Duration;

use gateway::Uuid;
use rustc_hash::FxHashMap;

use crate::scheduler::Moment;
use crate::webhook::Hook;

/// What is known is asked for again after so long, should the news of a change not have come.
const FRESH: Duration = Duration::from_mins(1);

/// Webhooks that are remembered before the stale ones are looked for.
const REMEMBERED: usize = 1_024;

/// Prepared webhooks by their ids.
#[derive(Default)]
pub(crate) struct Hooks {
    known: FxHashMap<Uuid, Known>,
    /// Counts the news of changes.
    pub changes: u64,
    /// How many to reach before stale ones are looked for.
    crowd: usize,
}

struct Known {
    hook: Arc<Hook>,
    stale: Moment,
}

impl Hooks {
    /// What is known of a webhook, unless a row of this version says that there is newer.
    pub fn get(&self, webhook: Uuid, version: i64, now: Moment) -> Option<Arc<Hook>> {
        let known = self.known.get(&webhook)?;
        (known.hook.version >= version && now < known.stale).then(|| Arc::clone(&known.hook))
    }

    /// Whether a webhook is known to be paused.
    pub fn is_paused(&self, webhook: Uuid) -> bool {
        self.known
            .get(&webhook)
            .is_some_and(|known| known.hook.paused)
    }

    /// Keeps what was found by somebody who started when there were so many `changes`. If there were
    /// more since, it may be old.
    pub fn keep(&mut self, webhook: Uuid, hook: Arc<Hook>, changes: u64, now: Moment) {
        if changes != self.changes {
            return;
        }
        if self.known.len() >= self.crowd.max(REMEMBERED) {
            self.known.retain(|_, known| now < known.stale);
            self.crowd = self.known.len() * 2;
        }
        let stale = now + FRESH;
        self.known.insert(webhook, Known { hook, stale });
    }

    /// The webhook was changed or deleted.
    pub fn forget(&mut self, webhook: Uuid) {
        self.changes += 1;
        self.known.remove(&webhook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::delivery::Endpoint;

    const WEBHOOK: Uuid = Uuid::from_u128(7);

    fn hook(version: i64) -> Arc<Hook> {
        let endpoint = Endpoint {
            id: WEBHOOK,
            user_id: "user".to_owned(),
            url: "http://example.org".to_owned(),
            keys: Vec::new(),
            policy: gateway::webhook::policy::Policy::default(),
            headers: Vec::new(),
            paused: false,
            version,
        };
        Arc::new(Hook::new(&endpoint).unwrap())
    }

    fn second(second: u64) -> Moment {
        Duration::from_secs(second)
    }

    #[test]
    fn what_is_known_is_used_until_it_is_stale_or_changed() {
        let mut hooks = Hooks::default();
        hooks.keep(WEBHOOK, hook(2), 0, second(0));
        assert!(hooks.get(WEBHOOK, 2, second(59)).is_some());
        assert!(
            hooks.get(WEBHOOK, 1, second(59)).is_some(),
            "the row is older"
        );
        assert!(
            hooks.get(WEBHOOK, 3, second(59)).is_none(),
            "the row is newer"
        );
        assert!(hooks.get(WEBHOOK, 2, second(60)).is_none(), "stale");
        hooks.forget(WEBHOOK);
        assert!(hooks.get(WEBHOOK, 2, second(1)).is_none());
    }

    #[test]
    fn what_was_found_before_a_change_is_not_kept() {
        let mut hooks = Hooks::default();
        let started = hooks.changes;
        hooks.forget(WEBHOOK);
        hooks.keep(WEBHOOK, hook(1), started, second(0));
        assert!(hooks.get(WEBHOOK, 1, second(0)).is_none());
    }

    #[test]
    fn stale_ones_go_when_there_are_many() {
        let mut hooks = Hooks::default();
        for id in 0..REMEMBERED as u128 {
            hooks.keep(Uuid::from_u128(id), hook(1), 0, second(0));
        }
        hooks.keep(WEBHOOK, hook(1), 0, second(100));
        assert_eq!(hooks.known.len(), 1);
    }
}
