//! The log: which records, in which form, always to standard error.
//! No record holds a key, a token or a password.

use std::io::IsTerminal as _;

use anyhow::Result;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat, Wrong};

/// Below a warning it repeats notices of the server, and then statements with what people wrote.
const QUIET: &str = "tokio_postgres=warn";

/// Starts writing the log.
///
/// # Errors
/// [`Wrong`] for a level or filter that cannot be read.
pub fn start(config: &Config) -> Result<()> {
    let filter = filter(&config.log)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, Wrong> {
    let words: Vec<&str> = level.split(',').map(str::trim).collect();
    let wrong = || Wrong(format!("log: `{level}` is no level and no list of filters"));
    if !words.iter().all(|word| is_known(word)) {
        return Err(wrong());
    }
    // Of two filters about the same thing the last one counts.
    EnvFilter::try_new(format!("{QUIET},{}", words.join(","))).map_err(|_| wrong())
}

/// A word that is no level would be taken for the name of a part of the program, and nothing be logged.
fn is_known(word: &str) -> bool {
    word.contains('=')
        || ["off", "error", "warn", "info", "debug", "trace"]
            .iter()
            .any(|level| word.eq_ignore_ascii_case(level))
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn levels_and_filters_are_known() {
        for right in [
            "info",
            "DEBUG",
            "off",
            "info,db=debug",
            "warn, courier=trace",
        ] {
            assert!(filter(right).is_ok(), "{right}");
        }
        for wrong in ["", "loud", "info,", "db=loud"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }
}
