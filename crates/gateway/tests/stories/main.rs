//! Stories of the product, told on both engines with the clock in hand.
#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails")]

mod courier;
mod heartbeats;
mod incoming;
mod keys;
mod life;
mod mails;
mod orders;
mod slots;
mod support;
mod webhooks;
