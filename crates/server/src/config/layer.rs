//! Settings from one source: flags with environment variables, or the TOML file.
//! What each setting is called and how it is written; its default and what is right stand in `config`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer};

use super::{Listen, Secret, Wrong};
use crate::duration::Period;

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
    #[arg(
        long,
        env = "HTTPSMS_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
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
    /// Take ID tokens of this Firebase project as `Authorization: Bearer …` [default: none]
    #[arg(long, env = "HTTPSMS_FIREBASE_PROJECT_ID", value_name = "ID")]
    #[serde(alias = "firebase_project_id")]
    pub firebase_project_id: Option<String>,
    /// Where their certificates are published [default: Google's address]
    #[arg(long, env = "HTTPSMS_FIREBASE_CERTIFICATES_URL", value_name = "URL")]
    #[serde(alias = "firebase_certificates_url")]
    pub firebase_certificates_url: Option<String>,
    /// Send pushes here, without credentials, instead of to Google
    #[arg(long, env = "HTTPSMS_FCM_ENDPOINT", value_name = "URL")]
    #[serde(alias = "fcm_endpoint")]
    pub fcm_endpoint: Option<String>,
    /// A bucket for attachments: `s3://KEY:SECRET@HOST/BUCKET/FOLDER?region=REGION` [default: the data directory]
    #[arg(
        long,
        env = "HTTPSMS_ATTACHMENTS_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    #[serde(alias = "attachments_url")]
    pub attachments_url: Option<Secret>,
    /// How mail to account owners leaves: smtp[s]://[USER:PASSWORD@]HOST[:PORT][?tls=…] [default: none]
    #[arg(
        long,
        env = "HTTPSMS_SMTP_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    #[serde(alias = "smtp_url")]
    pub smtp_url: Option<Secret>,
    /// Whom mail is from [default: httpsms <httpsms@localhost>]
    #[arg(long, env = "HTTPSMS_SMTP_FROM", value_name = "ADDRESS")]
    #[serde(alias = "smtp_from")]
    pub smtp_from: Option<String>,
    /// The token of a Discord bot, so that accounts can be connected to Discord servers [default: none]
    #[arg(
        long,
        env = "HTTPSMS_DISCORD_BOT_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    #[serde(alias = "discord_bot_token")]
    pub discord_bot_token: Option<Secret>,
    /// The bot's application, which offers the command /httpsms [default: no command]
    #[arg(long, env = "HTTPSMS_DISCORD_APPLICATION_ID", value_name = "ID")]
    #[serde(alias = "discord_application_id")]
    pub discord_application_id: Option<String>,
    /// The application's public key, by which Discord's requests are known [default: none is]
    #[arg(long, env = "HTTPSMS_DISCORD_PUBLIC_KEY", value_name = "HEX")]
    #[serde(alias = "discord_public_key")]
    pub discord_public_key: Option<String>,
    /// Where Discord's own interface is [default: Discord]
    #[arg(long, env = "HTTPSMS_DISCORD_ENDPOINT", value_name = "URL")]
    #[serde(alias = "discord_endpoint")]
    pub discord_endpoint: Option<String>,
    /// Whether anybody may make an account [default: closed]
    #[arg(long, env = "HTTPSMS_SIGN_UP", value_name = "POLICY")]
    #[serde(alias = "sign_up")]
    pub sign_up: Option<SignUp>,
    /// How many messages an account may send and receive in a month [default: any number]
    #[arg(long, env = "HTTPSMS_MESSAGE_QUOTA", value_name = "COUNT")]
    #[serde(alias = "message_quota")]
    pub message_quota: Option<NonZeroU32>,
    /// A phone without a heartbeat for so long is offline [default: 1h]
    #[arg(long, env = "HTTPSMS_PHONE_OFFLINE_AFTER", value_name = "DURATION")]
    #[serde(alias = "phone_offline_after", deserialize_with = "written")]
    pub phone_offline_after: Option<Period>,
    /// Whether webhooks may go to private addresses [default: allow, or deny when sign-up is open]
    #[arg(long, env = "HTTPSMS_WEBHOOK_PRIVATE_NETWORKS", value_name = "POLICY")]
    #[serde(alias = "webhook_private_networks")]
    pub webhook_private_networks: Option<Policy>,
    /// Failing for so long with never a success, a webhook is paused [default: 5d]
    #[arg(long, env = "HTTPSMS_WEBHOOK_PAUSE_AFTER", value_name = "DURATION")]
    #[serde(alias = "webhook_pause_after", deserialize_with = "written")]
    pub webhook_pause_after: Option<Period>,
    /// How long attempts at webhooks are kept [default: 30d]
    #[arg(long, env = "HTTPSMS_DELIVERY_RETENTION", value_name = "DURATION")]
    #[serde(alias = "delivery_retention", deserialize_with = "written")]
    pub delivery_retention: Option<Period>,
    /// Address and port of GET /metrics, for Prometheus [default: none]
    #[arg(long, env = "HTTPSMS_METRICS_LISTEN", value_name = "HOST:PORT")]
    #[serde(alias = "metrics_listen", deserialize_with = "written")]
    pub metrics_listen: Option<Listen>,
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

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Go ahead.
    Allow,
    /// Refuse.
    Deny,
}

/// Whether anybody may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignUp {
    /// Whoever asks.
    Open,
    /// Only the operator, on the command line.
    Closed,
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

impl Layer {
    /// Reads a TOML file.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let name = file.display();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        Self::parse(&text).map_err(|complaint| Wrong(format!("{name}{complaint}")).into())
    }

    /// Complains with the line and what is wrong in it, but without the line itself: it may hold a secret.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or_else(String::new, |span| {
                let before = text.get(..span.start).unwrap_or(text);
                format!(", line {}", before.matches('\n').count() + 1)
            });
            format!("{line}: {}", error.message())
        })
    }

    /// This layer, and where it says nothing the one below.
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            data_dir: self.data_dir.or(below.data_dir),
            database_url: self.database_url.or(below.database_url),
            public_url: self.public_url.or(below.public_url),
            firebase_credentials: self.firebase_credentials.or(below.firebase_credentials),
            firebase_project_id: self.firebase_project_id.or(below.firebase_project_id),
            firebase_certificates_url: self
                .firebase_certificates_url
                .or(below.firebase_certificates_url),
            fcm_endpoint: self.fcm_endpoint.or(below.fcm_endpoint),
            attachments_url: self.attachments_url.or(below.attachments_url),
            smtp_url: self.smtp_url.or(below.smtp_url),
            smtp_from: self.smtp_from.or(below.smtp_from),
            discord_bot_token: self.discord_bot_token.or(below.discord_bot_token),
            discord_application_id: self.discord_application_id.or(below.discord_application_id),
            discord_public_key: self.discord_public_key.or(below.discord_public_key),
            discord_endpoint: self.discord_endpoint.or(below.discord_endpoint),
            sign_up: self.sign_up.or(below.sign_up),
            message_quota: self.message_quota.or(below.message_quota),
            phone_offline_after: self.phone_offline_after.or(below.phone_offline_after),
            webhook_private_networks: self
                .webhook_private_networks
                .or(below.webhook_private_networks),
            webhook_pause_after: self.webhook_pause_after.or(below.webhook_pause_after),
            delivery_retention: self.delivery_retention.or(below.delivery_retention),
            metrics_listen: self.metrics_listen.or(below.metrics_listen),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
            demo: self.demo.or(below.demo),
        }
    }
}

/// A setting that a file writes as text.
fn written<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_is_told_by_line_without_its_words() {
        let wrong = |file| Layer::parse(file).unwrap_err();
        let unknown = wrong("log = 'info'\ndata-dri = 'x'");
        assert!(
            unknown.starts_with(", line 2: unknown field `data-dri`"),
            "{unknown}"
        );
        assert!(wrong("phone-offline-after = 'soon'").contains("`soon` is no duration"));
        assert!(wrong("listen = '8000'").contains("line 1: `8000`"));
        assert!(wrong("data-dir = 'a'\ndata_dir = 'b'").contains("duplicate"));
        assert!(!wrong("smtp-url = smtp://u:sesame@h").contains("sesame"));
    }
}
