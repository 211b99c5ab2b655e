//! The wire, route by route, as clients of the reference know it, on both engines.
#![expect(clippy::unwrap_used, reason = "a test fails where it likes")]

mod attachments;
mod conformance;
mod heartbeats;
mod incoming;
mod keys;
mod malformed;
mod messages;
mod notifications;
mod phones;
mod principals;
mod reports;
mod routing;
mod send;
mod support;
mod webhooks;
