//! What the courier does with a real gateway and real receivers, on every engine.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod discord;
mod nodes;
mod order;
mod outage;
mod policies;
mod pushes;
mod support;
mod webhooks;
