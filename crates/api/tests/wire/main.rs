//! The wire, route by route, as clients of the reference know it, on both engines.
#![expect(clippy::unwrap_used, reason = "a test fails where it likes")]

mod api_keys;
mod attachments;
mod bulk;
mod care;
mod conformance;
mod contract;
mod deliveries;
mod events;
mod heartbeats;
mod incoming;
mod integrations;
mod keys;
mod malformed;
mod messages;
mod notifications;
mod phones;
mod policies;
mod principals;
mod published;
mod reference;
mod replays;
mod reports;
mod routing;
mod schedules;
mod schema;
mod search;
mod send;
mod sessions;
mod support;
mod threads;
mod usage;
mod users;
mod webhooks;
