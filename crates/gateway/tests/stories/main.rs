//! Stories of the product, told on both engines with the clock in hand.
#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails")]

mod accounts;
mod admins;
mod api_keys;
mod bulk;
mod bulk_control;
mod bulk_preview;
mod cancels;
mod care;
mod courier;
mod feed;
mod heartbeats;
mod incoming;
mod keys;
mod life;
mod limits;
mod mails;
mod orders;
mod quota;
mod repeats;
mod retention;
mod schedules;
mod search;
mod slots;
mod support;
mod threads;
mod usage;
mod webhooks;
