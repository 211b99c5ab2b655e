//! What tests and load programs share: the real binary, its callers, webhook receivers, a push endpoint, `PostgreSQL`.
//! It knows the wire and none of the product's crates; what fails here panics with the words a test needs.
#![expect(
    clippy::disallowed_methods,
    reason = "stands outside the product: reads the clock and the environment of the test run"
)]

pub mod answer;
pub mod client;
pub mod fcm;
pub mod postgres;
mod process;
pub mod receiver;
pub mod respond;
pub mod server;
pub mod setup;

use std::time::Duration;

use tokio::time::Instant;

pub use answer::Answer;
pub use client::{Anonymous, Client, PhoneClient, UserClient};
pub use fcm::{Fcm, FcmAnswer, Push};
pub use process::Usage;
pub use receiver::{Received, Receiver};
pub use respond::Respond;
pub use server::Server;
pub use setup::Setup;

/// Looks every 10 ms until `condition` yields something; `None` when `deadline` has passed.
pub async fn within<T>(deadline: Duration, condition: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    looking_every(Duration::from_millis(10), deadline, condition).await
}

async fn looking_every<T>(
    pause: Duration,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = condition().await {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Like [`within`], but panics with `what` when `deadline` has passed.
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    match within(deadline, condition).await {
        Some(found) => found,
        None => panic!("after {deadline:?} still waiting until {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn until_looks_again_and_within_gives_up() {
        let mut looks = 0;
        let third = until("the third look", Duration::from_secs(5), async || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(third.await, 3);
        let never = within(Duration::from_millis(20), async || None::<()>);
        assert_eq!(never.await, None);
    }
}
