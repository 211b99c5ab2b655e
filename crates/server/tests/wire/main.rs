//! The running binary seen from outside: over HTTP, at its receivers, in its rows, and when it is killed.
//! Each file tells one kind of story; where they play is in `stage`.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]
#![expect(
    clippy::disallowed_methods,
    reason = "stands outside the product: reads the environment of the test run"
)]

mod all_at_once;
mod crash;
mod nodes;
mod phone;
mod readme;
mod refusals;
mod restart;
mod rows;
mod scenes;
mod stage;
mod token;
mod webhooks;
