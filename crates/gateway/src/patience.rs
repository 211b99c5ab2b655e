//! Long work in parts: what is begun shall not end because others ask much for a moment.

use std::time::Duration;

use tokio::time::sleep;

use crate::{Error, Result};

/// Before a part is asked for again while too many long reads wait.
const LATER: Duration = Duration::from_secs(1);
/// How often.
const TRIES: usize = 30;

/// Asks for a part until it is there, or something else than [`Error::Busy`] is the answer, or it has
/// been tried for long.
pub(crate) async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 0..TRIES {
        match ask().await {
            Err(Error::Busy) => sleep(LATER).await,
            done => return done,
        }
    }
    ask().await
}
