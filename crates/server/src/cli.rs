//! The command line: commands and flags, and their help.
//! The settings of `serve`, which may also stand in the environment or in a file, are in `config`.

use std::path::PathBuf;

use axum::http::StatusCode;
use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::config::{Layer, Secret};
use crate::duration::{Period, Span};

/// Turns phones and modems into an SMS API.
#[derive(Debug, Parser)]
#[command(name = "httpsms", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Box<Serve>),
    /// Accounts of the server: also before its first start, and while it runs
    User(User),
    /// Phones that are programs
    #[command(subcommand)]
    Phone(Phone),
    /// Receivers of webhooks, to try them with
    #[command(subcommand)]
    Webhook(Webhook),
}

/// What can be done with webhooks.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Receive events, print them, and say whether their tokens are genuine
    Listen(Listen),
}

/// `httpsms webhook listen`
#[derive(Debug, Args)]
pub struct Listen {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    pub listen: String,
    /// The webhook's signing key; without it tokens are not checked
    #[arg(
        long,
        env = "HTTPSMS_SIGNING_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub signing_key: Option<Secret>,
    /// The HTTP status of every answer: 500 shows the retries
    #[arg(long, default_value = "200")]
    pub status: StatusCode,
}

/// `httpsms serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// A TOML file with settings, named like the flags; flags and environment variables win over it
    #[arg(long, env = "HTTPSMS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Everything else.
    #[command(flatten)]
    pub settings: Layer,
}

/// `httpsms user`
#[derive(Debug, Args)]
pub struct User {
    /// Which server's accounts.
    #[command(flatten)]
    pub place: Place,
    /// What to do with them.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// Where a server keeps its data.
#[derive(Debug, Args)]
pub struct Place {
    /// The server's TOML file
    #[arg(long, env = "HTTPSMS_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// The server's data directory [default: ./data]
    #[arg(long, env = "HTTPSMS_DATA_DIR", value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// The server's database, when it is PostgreSQL
    #[arg(
        long,
        env = "HTTPSMS_DATABASE_URL",
        value_name = "URL",
        global = true,
        hide_env_values = true
    )]
    pub database_url: Option<Secret>,
    /// The server's mail server, when owners are to be told of their new keys
    #[arg(
        long,
        env = "HTTPSMS_SMTP_URL",
        value_name = "URL",
        global = true,
        hide_env_values = true
    )]
    pub smtp_url: Option<Secret>,
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add an account, and show its API key this once
    Add(UserAdd),
    /// List the accounts, without their keys
    List,
    /// Give an account a new API key, and show it this once; the old key stops working
    RotateKey(UserName),
    /// Let an account look after all others in the dashboard, and let it in again if it was disabled
    Admin(UserName),
}

/// `httpsms user add`
#[derive(Debug, Args)]
pub struct UserAdd {
    /// E-mail address
    #[arg(long)]
    pub email: String,
    /// Its id; made if absent
    #[arg(long)]
    pub id: Option<String>,
    /// Its API key; made if absent
    #[arg(
        long,
        env = "HTTPSMS_USER_API_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub api_key: Option<Secret>,
    /// For signing in to the dashboard
    #[arg(long, env = "HTTPSMS_USER_PASSWORD", hide_env_values = true)]
    pub password: Option<Secret>,
    /// Let it look after all accounts in the dashboard; the first account does in any case
    #[arg(long)]
    pub admin: bool,
}

/// Which account is meant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct UserName {
    /// The account with this e-mail address
    #[arg(long)]
    pub email: Option<String>,
    /// The account with this id
    #[arg(long)]
    pub id: Option<String>,
}

/// The kinds of phone.
#[derive(Debug, Subcommand)]
pub enum Phone {
    /// A phone that only pretends to send, for trying things out and for load
    Simulate(Simulate),
}

/// `httpsms phone simulate`
#[derive(Debug, Args)]
pub struct Simulate {
    /// The server's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub server: Url,
    /// A phone API key, pk_…
    #[arg(
        long,
        env = "HTTPSMS_PHONE_API_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub api_key: Secret,
    /// A number of the phone, +1…; the second one is SIM2
    #[arg(long = "number", value_name = "NUMBER", required = true)]
    pub numbers: Vec<String>,
    /// How long sending takes, and then delivering: 300ms, or 100ms..2s
    #[arg(long, value_name = "SPAN", default_value = "100ms..2s")]
    pub latency: Span,
    /// The share of messages that the network refuses, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub failure_rate: f64,
    /// The share of reports that are never handed in, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub drop_rate: f64,
    /// The share of reports that are handed in twice, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub duplicate_rate: f64,
    /// Somebody writes or rings so often; nobody if absent
    #[arg(long, value_name = "DURATION")]
    pub incoming_every: Option<Period>,
    /// The share of those who ring and get no answer, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    pub missed_call_rate: f64,
    /// Some recipients write back
    #[arg(long)]
    pub replies: bool,
    /// Between two heartbeats
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub heartbeat_every: Period,
    /// The same number makes the same choices in each run
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "a share is a number from 0 to 1, such as 0.05".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_share_is_from_nothing_to_all() {
        assert_eq!(share("0.05"), Ok(0.05));
        for wrong in ["-0.1", "1.1", "NaN", "5%", ""] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn printing_the_command_line_hides_secrets() {
        let line = [
            "httpsms",
            "user",
            "add",
            "--email=a@b.c",
            "--api-key=sesame-1",
            "--password=sesame-2",
            "--database-url=postgres://u:sesame-3@h/d",
        ];
        let printed = format!("{:?}", Cli::try_parse_from(line).unwrap());
        assert!(!printed.contains("sesame"), "{printed}");
    }
}
