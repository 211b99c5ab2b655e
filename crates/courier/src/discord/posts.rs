//! One attempt to show a received message in a Discord channel.

use std::sync::Arc;

use gateway::Gateway;
use gateway::delivery::{Delivery, Outcome};
use tracing::{debug, warn};

use super::DiscordBot;
use crate::carry::{Ending, UNAVAILABLE};
use crate::retry::{Schedule, Verdict, judge};
use crate::webhook::{status, words};

/// Posts to channels.
pub(crate) struct Posts {
    pub gateway: Gateway,
    pub bot: Option<Arc<DiscordBot>>,
}

impl Posts {
    /// Posts what a delivery carries to the channel as it is configured now.
    pub async fn attempt(&self, delivery: &Delivery) -> Ending {
        let message = delivery.letter.as_ref().map(|letter| &letter.body);
        let Some(message) = message.and_then(|event| super::post(event)) else {
            // The event is gone, and with it what there was to tell.
            return Ending::Settled(Outcome::Dropped);
        };
        let channel = match self.gateway.discord_channel(delivery.target).await {
            Ok(Some(channel)) => channel,
            Ok(None) => return Ending::Settled(Outcome::Dropped),
            Err(error) => {
                debug!(discord = %delivery.target, %error, "the channel could not be read");
                return UNAVAILABLE;
            }
        };
        let Some(bot) = &self.bot else {
            return Ending::Settled(Outcome::Dead {
                status: None,
                error: "this server has no Discord bot configured".to_owned(),
            });
        };
        let result = bot.post(&channel, message).await;
        let (schedule, now) = (Schedule::default(), self.gateway.now());
        match judge(&schedule, delivery.attempt, &result, now, rand::random()) {
            Verdict::Done => Ending::Settled(Outcome::Delivered),
            Verdict::Again(wait) => Ending::Again(wait),
            Verdict::GiveUp => {
                let (status, error) = (status(&result), words(&result));
                warn!(discord = %delivery.target, attempt = delivery.attempt, status, "post to Discord given up");
                Ending::Settled(Outcome::Dead { status, error })
            }
        }
    }
}
