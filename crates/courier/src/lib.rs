//! Carries due deliveries to the world, webhooks, wake-ups, mails and posts to Discord, and says how it went.
//!
//! Memory schedules, disk remembers: commits tell this crate of their rows, the scheduler plans them,
//! attempts run as tasks, and their ends go back to the gateway in batches.

mod carry;
pub mod client;
pub mod connect;
mod discord;
pub mod failure;
pub mod fcm;
mod google;
pub mod guard;
mod hooks;
mod lease;
mod load;
pub mod mail;
mod push;
pub mod resolve;
pub mod retry;
pub mod scheduler;
mod session;
mod settle;
pub mod signature;
mod stats;
mod three_cx;
pub mod tls;
mod walk;
pub mod webhook;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use gateway::Gateway;
use gateway::delivery::News;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

pub use discord::DiscordBot;
pub use fcm::Fcm;
pub use google::BadCredentials;
pub use guard::PrivateNetworks;
pub use mail::{BadMailSettings, Mailer};
pub use retry::Schedule;
pub use scheduler::Limits;
pub use stats::Stats;

use carry::Carrier;
use client::Client;
use discord::Posts;
use lease::Lease;
use mail::Mails;
use push::Pushes;
use session::{Office, Session};
use webhook::Webhooks;

/// What an operator decides.
pub struct Options {
    /// Whether webhooks may be in this machine's own networks.
    pub private_networks: PrivateNetworks,
    /// How much at the same time.
    pub limits: Limits,
    /// The push service, if there is one.
    pub fcm: Option<Fcm>,
    /// The mail server, if there is one. The gateway makes mails only if its settings say so too.
    pub mailer: Option<Mailer>,
    /// The Discord bot, if there is one.
    pub discord: Option<Arc<DiscordBot>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            private_networks: PrivateNetworks::Allow,
            limits: Limits::default(),
            fcm: None,
            mailer: None,
            discord: None,
        }
    }
}

/// The courier of this process.
pub struct Courier {
    office: Office,
    news: UnboundedReceiver<News>,
}

impl Courier {
    /// None if this process has one already.
    pub fn new(gateway: Gateway, options: Options) -> Option<Self> {
        let news = gateway.news()?;
        let webhooks = Webhooks {
            gateway: gateway.clone(),
            client: Client::new(options.private_networks),
        };
        let pushes = Pushes {
            gateway: gateway.clone(),
            fcm: options.fcm,
            complained: AtomicBool::new(false),
        };
        let mails = Mails {
            gateway: gateway.clone(),
            mailer: options.mailer,
            complained: AtomicBool::new(false),
        };
        let posts = Posts {
            gateway: gateway.clone(),
            bot: options.discord,
        };
        let office = Office {
            gateway,
            carrier: Arc::new(Carrier {
                webhooks,
                pushes,
                mails,
                posts,
            }),
            limits: options.limits,
            stats: Arc::default(),
        };
        Some(Self { office, news })
    }

    /// What it has done and what it holds.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.office.stats)
    }

    /// Carries until it is stopped, whenever this node holds the lease. After that it takes some seconds
    /// at most, for what is in flight.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(lease) = self.win_lease(&stop).await {
            Session::new(&self.office, &mut self.news, lease)
                .run(&stop)
                .await;
        }
    }

    /// Waits for the lease. What is told meanwhile is on disk, and is found there by whoever gets it.
    async fn win_lease(&mut self, stop: &CancellationToken) -> Option<Lease> {
        while self.news.try_recv().is_ok() {}
        let mut win = std::pin::pin!(Lease::win(&self.office.gateway));
        loop {
            tokio::select! {
                // In this order: once the lease is won, what is told is for the session.
                biased;
                () = stop.cancelled() => return None,
                lease = &mut win => return Some(lease),
                Some(_) = self.news.recv() => {}
            }
        }
    }
}
