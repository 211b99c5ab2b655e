//! Disabling: nobody comes in by a key, a session or a password, webhooks rest and keep what
//! happens for later, phones are not woken. Nothing is lost, and enabling undoes it.

use db::Scalar;
use uuid::Uuid;

use crate::wake::Mailbox;
use crate::webhook::PauseReason;
use crate::{Result, Work};

impl Work<'_, '_> {
    /// Shuts an account out. Its sessions are over.
    pub(super) fn disable(&mut self, user_id: &str) -> Result<()> {
        let disabled = self.tx.execute(
            "UPDATE account SET disabled_at = $2, updated_at = $2
              WHERE id = $1 AND disabled_at IS NULL",
            &[&user_id, &self.now],
        )?;
        if disabled == 0 {
            return Ok(());
        }
        self.tx
            .execute("DELETE FROM session WHERE user_id = $1", &[&user_id])?;
        let webhooks: Vec<Scalar<Uuid>> = self.tx.all(
            "SELECT id FROM webhook WHERE user_id = $1 AND paused_at IS NULL",
            &[&user_id],
        )?;
        for Scalar(id) in webhooks {
            self.pause(user_id, id, PauseReason::Disabled)?;
        }
        self.end_polls(user_id)
    }

    /// Phones that wait for wake-ups are told to look, and find that their keys open nothing.
    fn end_polls(&mut self, user_id: &str) -> Result<()> {
        let keys: Vec<Scalar<Uuid>> = self
            .tx
            .all("SELECT id FROM phone_key WHERE user_id = $1", &[&user_id])?;
        self.on_commit(move |gateway| {
            for Scalar(id) in keys {
                gateway.wake.mailbox(&Mailbox::Key(id));
            }
        });
        Ok(())
    }

    /// Lets an account in again. Webhooks that rested only for this go on.
    pub(super) fn enable(&mut self, user_id: &str) -> Result<()> {
        let enabled = self.tx.execute(
            "UPDATE account SET disabled_at = NULL, updated_at = $2
              WHERE id = $1 AND disabled_at IS NOT NULL",
            &[&user_id, &self.now],
        )?;
        if enabled == 0 {
            return Ok(());
        }
        let webhooks: Vec<Scalar<Uuid>> = self.tx.all(
            "SELECT id FROM webhook WHERE user_id = $1 AND pause_reason = $2",
            &[&user_id, &PauseReason::Disabled],
        )?;
        for Scalar(id) in webhooks {
            self.resume(user_id, id)?;
        }
        Ok(())
    }
}
