//! Who hears of an account's events: its webhooks, and its channels of Discord.

use std::sync::Arc;

use db::{Later, Scalar};
use uuid::Uuid;

use super::Kind;
use crate::webhook::Choice;
use crate::{Result, Work};

/// They, as they are stored.
#[derive(Debug, Default)]
pub(crate) struct Hearers {
    pub webhooks: Vec<Choice>,
    /// Channels of Discord hear of received messages only.
    pub discords: Vec<Scalar<Uuid>>,
}

/// They, remembered or asked for.
pub(super) enum Asked {
    Known(Arc<Hearers>),
    Coming(Later<Choice>, Option<Later<Scalar<Uuid>>>),
}

impl Work<'_, '_> {
    /// Asks for those who hear of an event of this kind.
    pub(super) fn ask_for_hearers(&mut self, kind: Kind, user_id: &str) -> Result<Asked> {
        if let Some(known) = self.gateway.hearers.get(user_id, self.changes()) {
            return Ok(Asked::Known(known));
        }
        let webhooks = self.webhooks_of(user_id)?;
        let discords = match kind {
            Kind::MessagePhoneReceived => Some(self.discords_of(user_id)?),
            _ => None,
        };
        Ok(Asked::Coming(webhooks, discords))
    }

    /// They, now that the answers are there.
    pub(super) fn hearers(&self, asked: Asked, user_id: &str) -> Arc<Hearers> {
        let (webhooks, discords) = match asked {
            Asked::Known(known) => return known,
            Asked::Coming(webhooks, discords) => (webhooks, discords),
        };
        let whole = discords.is_some();
        let hearers = Arc::new(Hearers {
            webhooks: webhooks.take(),
            discords: discords.map(|discords| discords.take()).unwrap_or_default(),
        });
        if whole {
            let (key, known) = (user_id.to_owned(), Arc::clone(&hearers));
            self.gateway.hearers.put(key, self.changes(), known);
        }
        hearers
    }
}
