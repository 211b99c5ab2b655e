//! `httpsms serve`: puts the parts together, runs them, and takes them apart in the right order.
//! The rules of each part stand with the part.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use courier::{Courier, DiscordBot, Fcm, Mailer, PrivateNetworks};
use gateway::discord::Bot;
use gateway::{Database, Gateway};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::bucket::Bucket;
use crate::config::{Config, Policy, SignUp, Wrong};
use crate::entrance::Entrance;
use crate::listener::Listener;
use crate::lock::Lock;
use crate::metrics::Metrics;
use crate::{demo, screen, signals, user, welcome};

/// For what the workers have under way when they are told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the server until a signal.
pub async fn serve(config: Config) -> Result<()> {
    let stop = signals::stop()?;
    let courier = courier_options(&config)?;
    let _lock = lock(&config)?;
    let listener = Listener::bind(&config.listen).await?;
    let figures = match &config.metrics_listen {
        Some(listen) => Some(Listener::bind(listen).await?),
        None => None,
    };
    let Some(gateway) = stop.run_until_cancelled(open(&config)).await else {
        return Ok(());
    };
    let gateway = gateway?;
    let workers = Workers::start(&config, &gateway, courier)?;
    let served = attend(&config, &stop, (listener, figures), &gateway, workers).await;
    gateway.close().await;
    served
}

async fn open(config: &Config) -> Result<Gateway> {
    let Some(address) = &config.attachments_url else {
        return user::open(config, None).await;
    };
    let bucket = Bucket::open(address)?;
    bucket.check().await?;
    user::open(config, Some(Arc::new(bucket))).await
}

/// Serves until it is to stop, or a worker fails; then stops everything but the database.
async fn attend(
    config: &Config,
    stop: &CancellationToken,
    (listener, figures): (Listener, Option<Listener>),
    gateway: &Gateway,
    mut workers: Workers,
) -> Result<()> {
    let (address, local) = (listener.url(), listener.local_url());
    let public_url = config.public_url.as_ref().unwrap_or(&local);
    // Before anybody can ask for an account.
    let owner = welcome::owner(gateway).await?;
    let options = api::Options {
        sign_up: config.sign_up == SignUp::Open,
        firebase: firebase(config)?,
        stop: stop.clone(),
        discord: workers.discord.clone().map(|bot| bot as Arc<dyn Bot>),
        discord_key: config.discord_public_key,
        ..api::Options::new(public_url.as_str())
    };
    let metrics = Metrics::new(options.requests.clone(), workers.courier.clone());
    let requests = tokio::spawn(listener.serve(entrance(gateway, options), stop.clone()));
    let figures = figures.map(|listener| {
        screen::line(format_args!("figures are on {}/metrics", listener.url()));
        tokio::spawn(listener.serve(metrics.router(), stop.clone()))
    });
    if let Some(owner) = owner {
        welcome::show(&owner, public_url);
    }
    announce(config, &address);
    let demo = start_demo(config, gateway, &local, stop).await?;

    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        worker = workers.ended() => Err(worker),
    };
    tracing::info!("stopping");
    stop.cancel();
    if let Some(demo) = demo {
        // What went wrong with it is in the log.
        let _ = demo.await;
    }
    requests.await.context("the listener failed")?;
    if let Some(figures) = figures {
        figures.await.context("the listener of figures failed")?;
    }
    // Only now: what the last requests have made is still carried.
    workers.stop().await;
    ended
}

/// What works without being asked.
struct Workers {
    stop: CancellationToken,
    running: JoinSet<()>,
    courier: Arc<courier::Stats>,
    discord: Option<Arc<DiscordBot>>,
}

impl Workers {
    fn start(config: &Config, gateway: &Gateway, options: courier::Options) -> Result<Self> {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        let discord = options.discord.clone();
        let courier = Courier::new(gateway.clone(), options).context("a second courier")?;
        let stats = courier.stats();
        running.spawn(courier.run(stop.clone()));
        let (timers, until) = (gateway.clone(), stop.clone());
        running.spawn(async move { timers.run_timers(until).await });
        // An SQLite file has no other nodes to listen to.
        if matches!(config.database, Database::Postgres(_)) {
            let (nodes, until) = (gateway.clone(), stop.clone());
            running.spawn(async move { nodes.run_listener(until).await });
        }
        Ok(Self {
            stop,
            running,
            courier: stats,
            discord,
        })
    }

    /// Waits for the end of one of them, which never comes before they are told to stop: better to
    /// be started again than to go on without it.
    async fn ended(&mut self) -> anyhow::Error {
        match self.running.join_next().await {
            Some(Err(error)) => failed(error),
            _ => anyhow!("a part of the server has ended by itself"),
        }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        let all = async { while self.running.join_next().await.is_some() {} };
        if timeout(GRACE, all).await.is_err() {
            tracing::warn!("stopped in the midst of work; it goes on at the next start");
        }
    }
}

fn failed(error: JoinError) -> anyhow::Error {
    anyhow!(error).context("a part of the server has failed")
}

/// One server for each data directory: it is a node's name and, with SQLite, its database.
fn lock(config: &Config) -> Result<Lock> {
    let folder = &config.data_dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot use the data directory {}", folder.display()))?;
    Lock::take(folder)
}

fn entrance(gateway: &Gateway, options: api::Options) -> Entrance {
    let public_url = options.public_url.clone();
    Entrance::new(api::front(gateway.clone(), options), &public_url)
}

fn courier_options(config: &Config) -> Result<courier::Options, Wrong> {
    let private_networks = match config.webhook_private_networks {
        Policy::Allow => PrivateNetworks::Allow,
        Policy::Deny => PrivateNetworks::Deny,
    };
    Ok(courier::Options {
        private_networks,
        fcm: fcm(config)?,
        mailer: mailer(config)?,
        discord: discord(config)?,
        ..courier::Options::default()
    })
}

/// An endpoint of its own is for tests, and wins over the credentials.
fn fcm(config: &Config) -> Result<Option<Fcm>, Wrong> {
    if let Some(endpoint) = &config.fcm_endpoint {
        let fcm = Fcm::test(endpoint.as_str());
        return fcm
            .map(Some)
            .ok_or_else(|| Wrong("fcm-endpoint cannot be used".to_owned()));
    }
    config
        .firebase_credentials
        .as_ref()
        .map(|credentials| Fcm::google(credentials.reveal()))
        .transpose()
        .map_err(|error| Wrong(error.to_string()))
}

/// Takes ID tokens of the operator's project.
fn firebase(config: &Config) -> Result<Option<Arc<api::Firebase>>> {
    let Some(project) = &config.firebase_project_id else {
        return Ok(None);
    };
    let certificates = config.firebase_certificates_url.as_ref();
    let certificates = certificates.map_or(api::CERTIFICATES, |url| url.as_str());
    let firebase = api::Firebase::new(project, certificates).context("no HTTP client")?;
    Ok(Some(Arc::new(firebase)))
}

fn mailer(config: &Config) -> Result<Option<Mailer>, Wrong> {
    let Some(url) = &config.smtp_url else {
        return Ok(None);
    };
    let mailer = Mailer::new(url.reveal(), &config.smtp_from);
    mailer.map(Some).map_err(|error| Wrong(error.to_string()))
}

fn discord(config: &Config) -> Result<Option<Arc<DiscordBot>>, Wrong> {
    let Some(token) = &config.discord_bot_token else {
        return Ok(None);
    };
    let endpoint = config.discord_endpoint.as_ref();
    let endpoint = endpoint.map_or(DiscordBot::ENDPOINT, Url::as_str);
    let application = config.discord_application_id.clone();
    let bot = DiscordBot::new(endpoint, token.reveal(), application);
    let wrong = || Wrong("discord-bot-token cannot be used".to_owned());
    bot.map(|bot| Some(Arc::new(bot))).ok_or_else(wrong)
}

fn announce(config: &Config, address: &str) {
    screen::line(match config.sign_up {
        SignUp::Open => "anybody may make an account (--sign-up open)",
        SignUp::Closed => "nobody may make an account by asking (--sign-up closed)",
    });
    screen::line(match config.webhook_private_networks {
        Policy::Allow => "webhooks may go to private networks (--webhook-private-networks allow)",
        Policy::Deny => "webhooks may not go to private networks (--webhook-private-networks deny)",
    });
    screen::line(format_args!("listening on {address}"));
}

/// Starts the demo with the first account's key.
async fn start_demo(
    config: &Config,
    gateway: &Gateway,
    server: &str,
    stop: &CancellationToken,
) -> Result<Option<JoinHandle<()>>> {
    if !config.demo {
        return Ok(None);
    }
    let Some(user) = gateway.users().await?.into_iter().next() else {
        return Ok(None);
    };
    let server = server.parse().context("the server's own address")?;
    screen::line(format_args!("the demo's phones are of {}", user.email));
    let demo = demo::run(server, user.api_key, stop.clone());
    Ok(Some(tokio::spawn(demo)))
}
