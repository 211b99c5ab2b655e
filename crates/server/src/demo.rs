//! `serve --demo`: two simulated phones and people who write to them, so that there is something to see.
//! Everything goes through the public API of the running server, as from outside.

mod account;
mod script;

use std::time::Duration;

use anyhow::Result;
use modem::simulate::{Happening, Options, Phone};
use modem::wire::{MissedCall, Received, Sim};
use modem::{Client, Stamp, Transport};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use account::{Account, PhoneKey};
use script::{AGAIN, AUTO_REPLY, FIRST_TIME, Line, Model, PHONES, What};

/// Between two lines of the script.
const BREATH: Duration = Duration::from_millis(700);

/// For the server's list of client versions.
const VERSION: &str = concat!("demo-", env!("CARGO_PKG_VERSION"));

/// One of the phones, as the script sees it.
struct Handset {
    model: &'static Model,
    /// Hands in what people write and whose calls are missed.
    client: Client,
    registered: CancellationToken,
    /// Its key was made just now.
    new: bool,
}

/// Plays until `stop`. What goes wrong is said in the log: the server goes on without a demo.
pub async fn run(server: Url, account_key: String, stop: CancellationToken) {
    let ended = stop.run_until_cancelled(play(&server, &account_key)).await;
    if let Some(Err(error)) = ended {
        tracing::warn!("the demo has ended: {error:#}");
    }
}

async fn play(server: &Url, account_key: &str) -> Result<()> {
    let account = Account::new(server, account_key)?;
    let transport = Transport::new()?;
    let mut phones = JoinSet::new();
    let mut handsets = Vec::new();
    for model in &PHONES {
        let key = account.phone_key(model.name).await?;
        let (handset, phone) = Handset::new(&transport, server, model, key)?;
        phones.spawn(phone.run(CancellationToken::new()));
        handsets.push(handset);
    }
    tokio::select! {
        performed = perform(&account, &handsets) => performed?,
        // A phone ends by itself only when the server does not take it.
        Some(ended) = phones.join_next() => drop(ended??),
    }
    while let Some(ended) = phones.join_next().await {
        ended??;
    }
    Ok(())
}

/// Plays the script, once the phones are there: whole the first time, later a few lines of it.
async fn perform(account: &Account, handsets: &[Handset]) -> Result<()> {
    for handset in handsets {
        handset.registered.cancelled().await;
        if handset.new {
            account.tune(handset.model.number, AUTO_REPLY).await?;
        }
    }
    let script = if handsets.iter().any(|handset| handset.new) {
        FIRST_TIME
    } else {
        AGAIN
    };
    for line in script {
        let handset = &handsets[line.phone];
        handset.perform(account, line).await?;
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

impl Handset {
    fn new(
        transport: &Transport,
        server: &Url,
        model: &'static Model,
        key: PhoneKey,
    ) -> Result<(Self, Phone)> {
        let registered = CancellationToken::new();
        let phone = Phone::new(transport, options(server, model, &key))?.on_happening({
            let registered = registered.clone();
            move |happening| {
                if matches!(happening, Happening::Registered { .. }) {
                    registered.cancel();
                }
                tracing::info!(phone = model.name, "{happening}");
            }
        });
        let handset = Self {
            model,
            client: Client::new(transport, server, &key.api_key.into(), VERSION)?,
            registered,
            new: key.new,
        };
        Ok((handset, phone))
    }

    async fn perform(&self, account: &Account, line: &Line) -> Result<()> {
        let number = self.model.number;
        let (from, to) = (line.contact.to_owned(), number.to_owned());
        let happened = match line.what {
            // The phone tells what it does with it.
            What::Sends(text) => return account.send(number, line.contact, text).await,
            What::Receives(text) => {
                self.client.receive(&received(number, line, text)).await?;
                let content = text.to_owned();
                Happening::Received { from, to, content }
            }
            What::MissesCall => {
                self.client.missed_call(&missed(number, line)).await?;
                Happening::MissedCall { from, to }
            }
        };
        tracing::info!(phone = self.model.name, "{happened}");
        Ok(())
    }
}

fn missed<'a>(number: &'a str, line: &'a Line) -> MissedCall<'a> {
    MissedCall {
        sim: Sim::One,
        from: line.contact,
        timestamp: Stamp::now(),
        to: number,
    }
}

fn received<'a>(number: &'a str, line: &'a Line, text: &'a str) -> Received<'a> {
    Received {
        sim: Sim::One,
        from: line.contact,
        to: number,
        content: text,
        encrypted: false,
        timestamp: Stamp::now(),
        attachments: None,
    }
}

fn options(server: &Url, model: &Model, key: &PhoneKey) -> Options {
    Options {
        latency: Duration::from_millis(200)..Duration::from_millis(1500),
        delivery_latency: Duration::from_millis(300)..Duration::from_millis(2500),
        failure_rate: 0.03,
        incoming_every: model.incoming_every,
        missed_call_rate: 0.15,
        replies: model.replies,
        ..Options::new(server.clone(), key.api_key.as_str(), [model.number])
    }
}
