//! The settings of `serve`: where each comes from, its default, and what is right.
//! Flags win over environment variables, those over the file, and that over the defaults.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use gateway::Database;
use serde::{Deserialize, Deserializer};
use url::Url;

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
    /// The service account for pushes, as JSON.
    pub firebase_credentials: Option<Secret>,
    /// Where pushes go instead of Google.
    pub fcm_endpoint: Option<Url>,
    /// How mail leaves.
    pub smtp_url: Option<Secret>,
    /// A phone without a heartbeat for so long is offline.
    pub phone_offline_after: Duration,
    /// Whether webhooks may go to addresses of the own network.
    pub webhook_private_networks: Policy,
    /// Which records reach the log.
    pub log: String,
    /// How they are written.
    pub log_format: LogFormat,
    /// Whether simulated phones make something happen.
    pub demo: bool,
}

/// Settings from one source; what it does not say is absent.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Layer {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(long, env = "HTTPSMS_LISTEN", value_name = "HOST:PORT")]
    #[serde(deserialize_with = "written")]
    pub listen: Option<Listen>,
    /// Where the data is kept [default: ./data]
    #[arg(long, env = "HTTPSMS_DATA_DIR", value_name = "DIR")]
    #[serde(alias = "data_dir")]
    pub data_dir: Option<PathBuf>,
    /// postgres://… [default: an SQLite file in the data directory]
    #[arg(long, env = "HTTPSMS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[serde(alias = "database_url")]
    pub database_url: Option<Secret>,
    /// How others reach the server [default: http:// and where it listens]
    #[arg(long, env = "HTTPSMS_PUBLIC_URL", value_name = "URL")]
    #[serde(alias = "public_url")]
    pub public_url: Option<String>,
    /// Service account for pushes through Firebase: a file, or its JSON
    #[arg(
        long,
        env = "HTTPSMS_FIREBASE_CREDENTIALS",
        value_name = "FILE|JSON",
        hide_env_values = true
    )]
    #[serde(alias = "firebase_credentials")]
    pub firebase_credentials: Option<Secret>,
    /// Send pushes here, without credentials, instead of to Google
    #[arg(long, env = "HTTPSMS_FCM_ENDPOINT", value_name = "URL")]
    #[serde(alias = "fcm_endpoint")]
    pub fcm_endpoint: Option<String>,
    /// How mail leaves: smtp://… or smtps://…
    #[arg(long, env = "HTTPSMS_SMTP_URL", value_name = "URL", hide_env_values = true)]
    #[serde(alias = "smtp_url")]
    pub smtp_url: Option<Secret>,
    /// A phone without a heartbeat for so long is offline [default: 1h]
    #[arg(long, env = "HTTPSMS_PHONE_OFFLINE_AFTER", value_name = "DURATION")]
    #[serde(alias = "phone_offline_after", deserialize_with = "written")]
    pub phone_offline_after: Option<Period>,
    /// Whether webhooks may go to private addresses [default: allow]
    #[arg(long, env = "HTTPSMS_WEBHOOK_PRIVATE_NETWORKS", value_name = "POLICY")]
    #[serde(alias = "webhook_private_networks")]
    pub webhook_private_networks: Option<Policy>,
    /// error, warn, info, debug, trace, or filters such as info,db=debug [default: info]
    #[arg(long, env = "HTTPSMS_LOG", value_name = "LEVEL")]
    pub log: Option<String>,
    /// How log records are written, to standard error [default: text]
    #[arg(long, env = "HTTPSMS_LOG_FORMAT", value_name = "FORMAT")]
    #[serde(alias = "log_format")]
    pub log_format: Option<LogFormat>,
    /// Start two simulated phones, so that something happens
    #[arg(
        long,
        env = "HTTPSMS_DEMO",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub demo: Option<bool>,
}

/// `HOST:PORT`; the host is a name or an address, the one of IPv6 in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(pub String);

/// Something that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Go ahead.
    Allow,
    /// Refuse.
    Deny,
}

/// How log records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object per line.
    Json,
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
        Ok(Self {
            listen: layer
                .listen
                .unwrap_or_else(|| Listen("127.0.0.1:8000".to_owned())),
            data_dir: layer.data_dir.unwrap_or_else(|| "./data".into()),
            database: database(present(layer.database_url))?,
            public_url: web("public-url", layer.public_url)?.map(|url| without_slashes(&url)),
            firebase_credentials: present(layer.firebase_credentials)
                .map(credentials)
                .transpose()?,
            fcm_endpoint: web("fcm-endpoint", layer.fcm_endpoint)?,
            smtp_url: present(layer.smtp_url),
            phone_offline_after: layer
                .phone_offline_after
                .map_or(Duration::from_hours(1), |period| period.0),
            webhook_private_networks: layer.webhook_private_networks.unwrap_or(Policy::Allow),
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
            .field("fcm_endpoint", &self.fcm_endpoint.is_some())
            .field("smtp_url", &self.smtp_url)
            .field("phone_offline_after", &self.phone_offline_after)
            .field("webhook_private_networks", &self.webhook_private_networks)
            .field("log", &self.log)
            .field("log_format", &self.log_format)
            .field("demo", &self.demo)
            .finish()
    }
}

impl Layer {
    /// Reads a TOML file.
    fn read(file: &Path) -> Result<Self> {
        let name = file.display();
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        Self::parse(&text).map_err(|complaint| Wrong(format!("{name}{complaint}")).into())
    }

    /// Complains with the line and what is wrong in it, but without the line itself: it may hold a secret.
    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or_else(String::new, |span| {
                let before = text.get(..span.start).unwrap_or(text);
                format!(", line {}", before.matches('\n').count() + 1)
            });
            format!("{line}: {}", error.message())
        })
    }

    /// This layer, and where it says nothing the one below.
    fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            data_dir: self.data_dir.or(below.data_dir),
            database_url: self.database_url.or(below.database_url),
            public_url: self.public_url.or(below.public_url),
            firebase_credentials: self.firebase_credentials.or(below.firebase_credentials),
            fcm_endpoint: self.fcm_endpoint.or(below.fcm_endpoint),
            smtp_url: self.smtp_url.or(below.smtp_url),
            phone_offline_after: self.phone_offline_after.or(below.phone_offline_after),
            webhook_private_networks: self
                .webhook_private_networks
                .or(below.webhook_private_networks),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
            demo: self.demo.or(below.demo),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = text
            .rsplit_once(':')
            .filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        match address {
            Some((host, _)) if !host.contains(':') || host.starts_with('[') => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(format!(
                "`{text}` is no address with a port, such as 127.0.0.1:8000 or [::1]:8000"
            )),
        }
    }
}

impl Secret {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// A setting that a file writes as text.
fn written<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// An empty environment variable says nothing.
fn present(secret: Option<Secret>) -> Option<Secret> {
    secret.filter(|secret| !secret.0.trim().is_empty())
}

fn database(url: Option<Secret>) -> Result<Database, Wrong> {
    match url {
        None => Ok(Database::Sqlite),
        Some(Secret(url)) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(Database::Postgres(url))
        }
        // Without the value: a password may stand in it.
        Some(_) => Err(Wrong(
            "database-url must begin with postgres://; without it the data is kept in SQLite".into(),
        )),
    }
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

fn without_slashes(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// The JSON itself, or the file that holds it.
fn credentials(given: Secret) -> Result<Secret> {
    if given.0.trim_start().starts_with('{') {
        return Ok(given);
    }
    let read = std::fs::read_to_string(&given.0)
        .with_context(|| format!("cannot read the Firebase credentials {}", given.0))?;
    Ok(Secret(read))
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
        assert!(!config.fcm());
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
            smtp-url = "smtp://localhost"
            phone-offline-after = "4s"
            webhook-private-networks = "deny"
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
        assert!(config.firebase_credentials.is_some() && config.smtp_url.is_some());
        assert!(config.fcm_endpoint.is_some() && config.fcm() && config.demo);
        assert_eq!(config.phone_offline_after, Duration::from_secs(4));
        assert_eq!(config.webhook_private_networks, Policy::Deny);
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
        let config = resolved(flags, "phone_offline_after = '4s'\ndemo = true\nlog = 'warn'");
        assert_eq!(config.phone_offline_after, Duration::from_mins(30));
        assert!(!config.demo);
        assert_eq!(config.log, "warn");
    }

    #[test]
    fn a_wrong_file_is_told_by_line_without_its_words() {
        let wrong = |file| Layer::parse(file).unwrap_err();
        let unknown = wrong("log = 'info'\ndata-dri = 'x'");
        assert!(unknown.starts_with(", line 2: unknown field `data-dri`"), "{unknown}");
        assert!(wrong("phone-offline-after = 'soon'").contains("`soon` is no duration"));
        assert!(wrong("listen = '8000'").contains("line 1: `8000`"));
        assert!(wrong("data-dir = 'a'\ndata_dir = 'b'").contains("duplicate"));
        assert!(!wrong("smtp-url = smtp://u:sesame@h").contains("sesame"));
    }

    #[test]
    fn addresses_to_listen_on_have_a_port() {
        for right in ["127.0.0.1:0", "localhost:8000", "[::1]:8000", "0.0.0.0:80"] {
            assert!(right.parse::<Listen>().is_ok(), "{right}");
        }
        for wrong in ["", "8000", ":8000", "localhost", "::1:8000", "host:99999"] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn empty_settings_are_absent() {
        let config = resolved(
            Layer {
                database_url: Some("".into()),
                public_url: Some(String::new()),
                fcm_endpoint: Some(" ".into()),
                firebase_credentials: Some("".into()),
                smtp_url: Some("".into()),
                ..Layer::default()
            },
            "",
        );
        assert!(matches!(config.database, Database::Sqlite));
        assert!(config.public_url.is_none() && config.smtp_url.is_none() && !config.fcm());
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
    }

    #[test]
    fn printing_hides_secrets() {
        let layer = Layer {
            database_url: Some("postgres://u:sesame@h/d".into()),
            firebase_credentials: Some(r#"{"private_key":"sesame"}"#.into()),
            smtp_url: Some("smtp://u:sesame@h".into()),
            fcm_endpoint: Some("http://u:sesame@h".into()),
            ..Layer::default()
        };
        let printed = format!("{:?}", Config::resolve(layer, None).unwrap());
        assert!(!printed.contains("sesame"), "{printed}");
    }
}
