//! `serve --demo`: two simulated phones and people who write to them, so that there is something to see.
//! Everything goes through the public API of the running server, as from outside.

mod account;
mod script;

use std::time::Duration;

use anyhow::{Context as _, Result};
use modem::simulate::{Happening, Options, Phone};
use modem::wire::{MissedCall, Received, Sim};
use modem::{Client, Stamp, Transport};
use tokio_util::sync::CancellationToken;
use url::Url;

use account::Account;
use script::{Line, PHONES, SCRIPT};

/// The demo's phones, signed in or about to be.
struct Demo {
    account: Account,
    handsets: Vec<Handset>,
}

/// One of the phones.
struct Handset {
    number: &'static str,
    /// For handing in what the script says that people write.
    client: Client,
    phone: Phone,
    registered: CancellationToken,
}

/// Plays until `stop`. Says in the log what goes wrong: the server goes on without a demo.
pub async fn run(server: Url, account_key: String, stop: CancellationToken) {
    let played = async {
        let (demo, first_time) = Demo::prepare(&server, account_key).await?;
        demo.play(first_time, stop.clone()).await
    };
    match stop.run_until_cancelled(played).await {
        Some(Err(error)) => tracing::warn!("the demo ended: {error:#}"),
        Some(Ok(())) | None => {}
    }
}

impl Demo {
    /// Finds or makes the phones' keys; beside them whether this is the first time.
    async fn prepare(server: &Url, account_key: String) -> Result<(Self, bool)> {
        let account = Account::new(server, account_key)?;
        let transport = Transport::new()?;
        let (mut handsets, mut first_time) = (Vec::new(), false);
        for (place, phone) in PHONES.iter().enumerate() {
            let (key, new) = account.phone_key(phone.name).await?;
            first_time |= new;
            let busy = place == 0;
            let options = options(server, &key, phone.number, busy);
            handsets.push(Handset::new(&transport, phone.number, options)?);
        }
        Ok((Self { account, handsets }, first_time))
    }

    async fn play(self, first_time: bool, stop: CancellationToken) -> Result<()> {
        let Self { account, handsets } = self;
        let mut clients = Vec::new();
        let mut registered = Vec::new();
        let mut phones = tokio::task::JoinSet::new();
        for handset in handsets {
            clients.push((handset.number, handset.client));
            registered.push(handset.registered);
            phones.spawn(handset.phone.run(stop.clone()));
        }
        let script = async {
            for signed_in in registered {
                signed_in.cancelled().await;
            }
            perform(&account, &clients, first_time).await
        };
        tokio::select! {
            performed = script => performed?,
            // A phone ends early only when the server does not take it.
            ended = phones.join_next() => return early(ended),
        }
        early(phones.join_next().await)
    }
}
