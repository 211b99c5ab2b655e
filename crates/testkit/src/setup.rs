//! How a server shall run: which binary, on which data, with which settings and users.
//! It starts a [`Server`], and runs the binary's other commands on the same data.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::server::Server;

/// How a server shall run: `Setup::new().arg("--phone-offline-after=4s").start().await`.
pub struct Setup {
    pub(crate) binary: PathBuf,
    pub(crate) data_dir: PathBuf,
    database_url: Option<String>,
    pub(crate) listen: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    users: Vec<[String; 3]>,
    /// Removed when the last server that uses it is gone.
    temp_dir: Option<TempDir>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// Default settings on a free port, with an empty data directory. The binary is the one `HTTPSMS_BIN`
    /// names, else the one beside the running program in the target folder.
    pub fn new() -> Self {
        let temp_dir = TempDir::with_prefix("httpsms-").expect("a temporary directory");
        Self {
            binary: std::env::var_os("HTTPSMS_BIN").map_or_else(neighbour, PathBuf::from),
            data_dir: temp_dir.path().to_owned(),
            database_url: None,
            listen: "127.0.0.1:0".to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            users: Vec::new(),
            temp_dir: Some(temp_dir),
        }
    }

    /// The binary of the caller's own build, `env!("CARGO_BIN_EXE_httpsms")`; `HTTPSMS_BIN` wins over it.
    #[must_use]
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        if std::env::var_os("HTTPSMS_BIN").is_none() {
            self.binary = path.into();
        }
        self
    }

    /// A directory of the caller's instead of a temporary one; it stays.
    #[must_use]
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = path.into();
        self.temp_dir = None;
        self
    }

    /// A database instead of the `SQLite` file in the data directory.
    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }

    /// One more argument of `serve`.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments of `serve`.
    #[must_use]
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_owned));
        self
    }

    /// One more environment variable; no `HTTPSMS_…` of the test run reaches the server.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A user who is added before the start.
    #[must_use]
    pub fn user(mut self, email: &str, id: &str, api_key: &str) -> Self {
        self.users.push([email, id, api_key].map(str::to_owned));
        self
    }

    /// Adds the users and starts; panics with what the server said when it does not get ready.
    pub async fn start(self) -> Server {
        self.try_start()
            .await
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Like [`Setup::start`], for tests of a server that shall refuse to start.
    pub async fn try_start(mut self) -> Result<Server> {
        for [email, id, api_key] in std::mem::take(&mut self.users) {
            self.add_user(&email, &id, &api_key).await?;
        }
        Server::spawn(self).await
    }

    /// Runs another command of the binary to its end on the same data, such as `["user", "list"]`.
    pub async fn run(&self, args: &[&str]) -> Result<Output> {
        let mut command = self.command(args);
        command.stdin(Stdio::null());
        let output = tokio::process::Command::from(command).output();
        output
            .await
            .with_context(|| format!("cannot run {}", self.binary.display()))
    }

    pub(crate) async fn add_user(&self, email: &str, id: &str, api_key: &str) -> Result<()> {
        let args = [
            "user",
            "add",
            "--email",
            email,
            "--id",
            id,
            "--api-key",
            api_key,
        ];
        let output = self.run(&args).await?;
        if !output.status.success() {
            bail!(
                "`user add` for {email}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    pub(crate) fn serve(&self) -> Command {
        let mut command = self.command(&["serve"]);
        command.arg("--listen").arg(&self.listen).args(&self.args);
        command
    }

    /// The binary with `args` and then the flags that say where the data is.
    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"HTTPSMS_") {
                command.env_remove(name);
            }
        }
        let pairs = self.env.iter().map(|(name, value)| (name, value));
        command
            .env("NO_COLOR", "1")
            .envs(pairs)
            .args(args)
            .arg("--data-dir")
            .arg(&self.data_dir);
        if let Some(url) = &self.database_url {
            command.arg("--database-url").arg(url);
        }
        command
    }
}

/// `target/debug/httpsms` for a test in `target/debug/deps`, and for a program in `target/debug`.
fn neighbour() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let folder = program.parent().expect("a program is in a folder");
    let folder = if folder.ends_with("deps") || folder.ends_with("examples") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    folder.join("httpsms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_binary_says_how_to_build_it() {
        let mut setup = Setup::new();
        setup.binary = "/nowhere/httpsms".into();
        let error = format!(
            "{:#}",
            setup.try_start().await.err().expect("nothing to start")
        );
        assert!(error.contains("cargo build"), "{error}");
    }

    #[tokio::test]
    async fn no_setting_of_the_test_run_reaches_the_server() {
        let setup = Setup::new().env("HTTPSMS_SMTP_URL", "smtp://localhost");
        let command = setup.serve();
        let set = command.get_envs().filter(|(name, value)| {
            name.as_encoded_bytes().starts_with(b"HTTPSMS_") && value.is_some()
        });
        assert_eq!(set.count(), 1, "only what the setup itself says");
    }
}
