//! The settings of `serve`: where each comes from, its default, and what is right.
//! Flags win over environment variables, those over the file, and that over the defaults.

mod layer;
mod listen;
mod secret;

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use gateway::Database;
use gateway::discord::PublicKey;
use url::Url;

pub use layer::{Layer, LogFormat, Policy, SignUp};
pub use listen::Listen;
pub use secret::Secret;

use crate::duration::Period;

/// What the server runs with.
#[derive(Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// Keys, lock and, with SQLite, the database.
    pub data_dir: PathBuf,
    /// Where the rows are kept.
    pub database: Database,
    /// How others reach the server, without a slash at its end; if absent, where it listens.
    pub public_url: Option<String>,
    /// The service account for pushes: its JSON, or the path of a file with it.
    pub firebase_credentials: Option<Secret>,
    /// Whose ID tokens are taken.
    pub firebase_project_id: Option<String>,
    /// Where their certificates are published, if not at Google's address.
    pub firebase_certificates_url: Option<Url>,
    /// Where pushes go instead of Google.
    pub fcm_endpoint: Option<Url>,
    /// The bucket for attachments; if absent, they are in the data directory.
    pub attachments_url: Option<Secret>,
    /// How mail leaves; if absent, none is made.
    pub smtp_url: Option<Secret>,
    /// Whom it is from.
    pub smtp_from: String,
    /// Discord's bot, by its token.
    pub discord_bot_token: Option<Secret>,
    /// Whose slash command is offered on Discord.
    pub discord_application_id: Option<String>,
    /// How Discord's requests are known.
    pub discord_public_key: Option<PublicKey>,
    /// Where Discord's own interface is.
    pub discord_endpoint: Option<Url>,
    /// Whether anybody may make an account.
    pub sign_up: SignUp,
    /// How many messages an account may send and receive in a month of its own; if absent, any number.
    pub message_quota: Option<NonZeroU32>,
    /// A phone without a heartbeat for so long is offline.
    pub phone_offline_after: Duration,
    /// Whether webhooks may go to addresses of the own network.
    pub webhook_private_networks: Policy,
    /// A webhook that failed for so long, with never a success, is paused.
    pub webhook_pause_after: Duration,
    /// How long attempts at webhooks are kept.
    pub delivery_retention: Duration,
    /// Where to show figures, if anywhere.
    pub metrics_listen: Option<Listen>,
    /// Which records reach the log.
    pub log: String,
    /// How they are written.
    pub log_format: LogFormat,
    /// Whether simulated phones make something happen.
    pub demo: bool,
}

/// A setting is not right: the program was asked wrongly, nothing failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(pub String);

impl Config {
    /// Puts the file, if there is one, under the flags and environment variables, and the defaults under both.
    ///
    /// # Errors
    /// [`Wrong`] for a setting that is not right; others for a file that cannot be read.
    pub fn resolve(settings: Layer, file: Option<&Path>) -> Result<Self> {
        let layer = match file {
            Some(file) => settings.over(Layer::read(file)?),
            None => settings,
        };
        let sign_up = layer.sign_up.unwrap_or(SignUp::Closed);
        Ok(Self {
            listen: layer
                .listen
                .unwrap_or_else(|| Listen("127.0.0.1:8000".to_owned())),
            data_dir: layer.data_dir.unwrap_or_else(|| "./data".into()),
            database: database(present(layer.database_url))?,
            public_url: web("public-url", layer.public_url)?.map(|url| without_slashes(&url)),
            firebase_credentials: present(layer.firebase_credentials),
            firebase_project_id: layer
                .firebase_project_id
                .map(|id| id.trim().to_owned())
                .filter(|id| !id.is_empty()),
            firebase_certificates_url: web(
                "firebase-certificates-url",
                layer.firebase_certificates_url,
            )?,
            fcm_endpoint: web("fcm-endpoint", layer.fcm_endpoint)?,
            attachments_url: present(layer.attachments_url),
            smtp_url: present(layer.smtp_url),
            smtp_from: layer
                .smtp_from
                .filter(|from| !from.trim().is_empty())
                .unwrap_or_else(|| "httpsms <httpsms@localhost>".to_owned()),
            discord_bot_token: present(layer.discord_bot_token),
            discord_application_id: digits(layer.discord_application_id)?,
            discord_public_key: public_key(layer.discord_public_key)?,
            discord_endpoint: web("discord-endpoint", layer.discord_endpoint)?,
            message_quota: layer.message_quota,
            phone_offline_after: period(layer.phone_offline_after, Duration::from_hours(1)),
            sign_up,
            webhook_private_networks: layer.webhook_private_networks.unwrap_or(match sign_up {
                SignUp::Closed => Policy::Allow,
                SignUp::Open => Policy::Deny,
            }),
            webhook_pause_after: period(layer.webhook_pause_after, Duration::from_hours(5 * 24)),
            delivery_retention: period(layer.delivery_retention, Duration::from_hours(30 * 24)),
            metrics_listen: layer.metrics_listen,
            log: layer.log.unwrap_or_else(|| "info".to_owned()),
            log_format: layer.log_format.unwrap_or(LogFormat::Text),
            demo: layer.demo.unwrap_or(false),
        })
    }

    /// Whether pushes can go through Firebase, or to what stands in for it.
    pub fn fcm(&self) -> bool {
        self.firebase_credentials.is_some() || self.fcm_endpoint.is_some()
    }

    /// What the gateway wants to know.
    pub fn gateway(&self) -> gateway::Settings {
        gateway::Settings {
            database: self.database.clone(),
            phone_offline_after: self.phone_offline_after,
            webhook_pause_after: self.webhook_pause_after,
            attempt_retention: self.delivery_retention,
            message_quota: self.message_quota.map(|quota| i64::from(quota.get())),
            mail: self.smtp_url.is_some(),
            fcm: self.fcm(),
            ..gateway::Settings::new(&self.data_dir)
        }
    }
}

impl fmt::Debug for Config {
    /// Secrets are left out, and the database's address with its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = match self.database {
            Database::Sqlite => "SQLite",
            Database::Postgres(_) => "PostgreSQL",
        };
        f.debug_struct("Config")
            .field("listen", &self.listen.0)
            .field("data_dir", &self.data_dir)
            .field("database", &database)
            .field("public_url", &self.public_url)
            .field("firebase_credentials", &self.firebase_credentials)
            .field("firebase_project_id", &self.firebase_project_id)
            .field(
                "firebase_certificates_url",
                &self.firebase_certificates_url.is_some(),
            )
            .field("fcm_endpoint", &self.fcm_endpoint.is_some())
            .field("attachments_url", &self.attachments_url)
            .field("smtp_url", &self.smtp_url)
            .field("smtp_from", &self.smtp_from)
            .field("discord_bot_token", &self.discord_bot_token)
            .field("discord_application_id", &self.discord_application_id)
            .field("discord_public_key", &self.discord_public_key)
            .field("discord_endpoint", &self.discord_endpoint.is_some())
            .field("sign_up", &self.sign_up)
            .field("message_quota", &self.message_quota)
            .field("phone_offline_after", &self.phone_offline_after)
            .field("webhook_private_networks", &self.webhook_private_networks)
            .field("webhook_pause_after", &self.webhook_pause_after)
            .field("delivery_retention", &self.delivery_retention)
            .field("metrics_listen", &self.metrics_listen)
            .field("log", &self.log)
            .field("log_format", &self.log_format)
            .field("demo", &self.demo)
            .finish()
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

fn period(said: Option<Period>, default: Duration) -> Duration {
    said.map_or(default, |period| period.0)
}

/// An empty environment variable says nothing.
fn present(secret: Option<Secret>) -> Option<Secret> {
    secret.filter(|secret| !secret.is_blank())
}

fn database(url: Option<Secret>) -> Result<Database, Wrong> {
    let Some(url) = url else {
        return Ok(Database::Sqlite);
    };
    let url = url.reveal().trim();
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(url.to_owned()));
    }
    // Without the value: a password may stand in it.
    Err(Wrong(
        "database-url must begin with postgres://; without it the data is kept in SQLite".into(),
    ))
}

fn web(name: &str, text: Option<String>) -> Result<Option<Url>, Wrong> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
        _ => Err(Wrong(format!(
            "{name} must be an address that begins with http:// or https://"
        ))),
    }
}

fn digits(text: Option<String>) -> Result<Option<String>, Wrong> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(text.to_owned()));
    }
    Err(Wrong(
        "discord-application-id must have digits only".to_owned(),
    ))
}

fn public_key(text: Option<String>) -> Result<Option<PublicKey>, Wrong> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let wrong = || Wrong("discord-public-key must have 64 hexadecimal digits".to_owned());
    PublicKey::parse(&text).map(Some).ok_or_else(wrong)
}

fn without_slashes(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(flags: Layer, file: &str) -> Config {
        Config::resolve(flags.over(Layer::parse(file).unwrap()), None).unwrap()
    }

    fn complaint(layer: Layer) -> String {
        let error = Config::resolve(layer, None).unwrap_err();
        assert!(error.is::<Wrong>());
        error.to_string()
    }

    #[test]
    fn defaults_stand_where_nothing_is_said() {
        let config = resolved(Layer::default(), "");
        assert_eq!(config.listen.0, "127.0.0.1:8000");
        assert_eq!(config.data_dir, Path::new("./data"));
        assert!(matches!(config.database, Database::Sqlite));
        assert_eq!(config.phone_offline_after, Duration::from_hours(1));
        assert_eq!(config.webhook_private_networks, Policy::Allow);
        assert_eq!((config.public_url.as_deref(), config.demo), (None, false));
        assert!(!config.fcm() && config.metrics_listen.is_none());
        let settings = config.gateway();
        assert_eq!(settings.message_quota, None);
        let days = |days: u64| Duration::from_hours(days * 24);
        assert_eq!(settings.webhook_pause_after, days(5));
        assert_eq!(settings.attempt_retention, days(30));
    }

    #[test]
    fn strangers_webhooks_stay_out_of_the_own_network() {
        let policy = |file| {
            let config = resolved(Layer::default(), file);
            (config.sign_up, config.webhook_private_networks)
        };
        assert_eq!(policy(""), (SignUp::Closed, Policy::Allow));
        assert_eq!(policy("sign-up = 'open'"), (SignUp::Open, Policy::Deny));
        let both = "sign_up = 'open'\nwebhook-private-networks = 'allow'";
        assert_eq!(policy(both), (SignUp::Open, Policy::Allow));
    }

    #[test]
    fn every_setting_can_stand_in_the_file() {
        let config = resolved(
            Layer::default(),
            r#"
            listen = "0.0.0.0:80"
            data-dir = "/srv/sms"
            database-url = "postgres://sms@db/sms"
            public-url = "https://sms.example.com/gw//"
            firebase-credentials = '{"project_id":"p"}'
            fcm-endpoint = "http://localhost:9"
            attachments-url = "s3://k:s@localhost/sms"
            smtp-url = "smtp://localhost"
            smtp-from = "sms@example.com"
            discord-bot-token = "x"
            discord-application-id = "33"
            discord-public-key = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
            discord-endpoint = "http://localhost:9"
            message-quota = 5000
            phone-offline-after = "4s"
            webhook-private-networks = "deny"
            webhook-pause-after = "36h"
            delivery-retention = "7d"
            metrics-listen = "127.0.0.1:9100"
            log = "debug"
            log-format = "json"
            demo = true
            "#,
        );
        assert_eq!(config.listen.0, "0.0.0.0:80");
        assert_eq!(config.data_dir, Path::new("/srv/sms"));
        assert!(matches!(config.database, Database::Postgres(_)));
        let public = config.public_url.as_deref();
        assert_eq!(public, Some("https://sms.example.com/gw"));
        assert!(config.firebase_credentials.is_some());
        assert!(config.attachments_url.is_some());
        assert!(config.smtp_url.is_some() && config.gateway().mail);
        assert_eq!(config.smtp_from, "sms@example.com");
        assert!(config.fcm_endpoint.is_some() && config.fcm() && config.demo);
        assert!(config.discord_bot_token.is_some() && config.discord_endpoint.is_some());
        assert_eq!(config.discord_application_id.as_deref(), Some("33"));
        assert!(config.discord_public_key.is_some());
        assert_eq!(config.gateway().message_quota, Some(5000));
        assert_eq!(config.phone_offline_after, Duration::from_secs(4));
        assert_eq!(config.webhook_private_networks, Policy::Deny);
        assert_eq!(config.webhook_pause_after, Duration::from_hours(36));
        assert_eq!(config.delivery_retention, Duration::from_hours(7 * 24));
        assert_eq!(config.metrics_listen.unwrap().0, "127.0.0.1:9100");
        assert_eq!(config.log, "debug");
        assert_eq!(config.log_format, LogFormat::Json);
    }

    #[test]
    fn flags_win_over_the_file() {
        let flags = Layer {
            phone_offline_after: Some("30m".parse().unwrap()),
            demo: Some(false),
            ..Layer::default()
        };
        let config = resolved(
            flags,
            "phone_offline_after = '4s'\ndemo = true\nlog = 'warn'",
        );
        assert_eq!(config.phone_offline_after, Duration::from_mins(30));
        assert!(!config.demo);
        assert_eq!(config.log, "warn");
    }

    #[test]
    fn empty_settings_are_absent() {
        let config = resolved(
            Layer {
                database_url: Some("".into()),
                public_url: Some(String::new()),
                fcm_endpoint: Some(" ".into()),
                firebase_credentials: Some("".into()),
                attachments_url: Some("".into()),
                smtp_url: Some("".into()),
                smtp_from: Some(" ".to_owned()),
                ..Layer::default()
            },
            "",
        );
        assert!(matches!(config.database, Database::Sqlite));
        assert!(config.public_url.is_none() && config.smtp_url.is_none() && !config.fcm());
        assert!(!config.gateway().mail && config.attachments_url.is_none());
        assert_eq!(config.smtp_from, "httpsms <httpsms@localhost>");
    }

    #[test]
    fn what_is_not_right_is_said_without_secrets() {
        let database = complaint(Layer {
            database_url: Some("mysql://u:sesame@h/d".into()),
            ..Layer::default()
        });
        assert!(database.contains("postgres://") && !database.contains("sesame"));
        let public = complaint(Layer {
            public_url: Some("sms.example.com".into()),
            ..Layer::default()
        });
        assert!(public.contains("public-url"), "{public}");
        let key = complaint(Layer {
            discord_public_key: Some("fc51".to_owned()),
            ..Layer::default()
        });
        assert!(key.contains("64 hexadecimal digits"), "{key}");
        let application = complaint(Layer {
            discord_application_id: Some("../x".to_owned()),
            ..Layer::default()
        });
        assert!(application.contains("digits only"), "{application}");
    }

    #[test]
    fn printing_hides_secrets() {
        let layer = Layer {
            database_url: Some("postgres://u:sesame@h/d".into()),
            firebase_credentials: Some(r#"{"private_key":"sesame"}"#.into()),
            attachments_url: Some("s3://u:sesame@h/b".into()),
            smtp_url: Some("smtp://u:sesame@h".into()),
            discord_bot_token: Some("sesame".into()),
            fcm_endpoint: Some("http://u:sesame@h".into()),
            ..Layer::default()
        };
        let printed = format!("{:?}", Config::resolve(layer, None).unwrap());
        assert!(!printed.contains("sesame"), "{printed}");
    }
}
