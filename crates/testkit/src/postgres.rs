//! A PostgreSQL server for tests, and a fresh database on it for each of them.
//! The server is the one `TEST_POSTGRES` names, else one started here, one per process.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::within;

/// The variable that names a server: a `postgres://` URL whose user may create databases.
pub const VARIABLE: &str = "TEST_POSTGRES";

/// Runs the server until its standard input ends, which it does however its starter dies.
const KEEPER: &str = r#"
dir=$(mktemp -d /tmp/httpsms-postgres.XXXXXX) || exit
trap 'rm -rf "$dir"' EXIT
"$1/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; exit 1; }
"$1/postgres" -D "$dir/data" -p "$2" -k "$dir" -c listen_addresses=127.0.0.1 \
    -c max_connections=300 >"$dir/log" 2>&1 &
server=$!
exec 3<&0
{ cat <&3 >/dev/null; kill -INT "$server"; } 2>/dev/null &
echo started
wait "$server" || { tail -n 20 "$dir/log" >&2; exit 1; }
"#;

/// Starting takes about two seconds when the machine has nothing else to do.
const START: Duration = Duration::from_mins(1);

/// A running server that goes, with all its files, when this is dropped or the process dies.
pub struct PostgresServer {
    url: String,
    keeper: Child,
    alive: Option<ChildStdin>,
}

impl PostgresServer {
    /// Starts one on a free port of the loopback interface; as `postgres` when run as root,
    /// which PostgreSQL refuses.
    pub async fn start() -> Result<Self> {
        let programs = programs()?;
        let mut tried = Self::start_once(&programs).await;
        if tried.is_err() {
            // Somebody else may have taken the port that was free.
            tried = Self::start_once(&programs).await;
        }
        tried.context("PostgreSQL does not start")
    }

    /// `postgres://…` of its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn start_once(programs: &Path) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut keeper = as_ordinary_user("sh")?
            .args(["-c", KEEPER, "postgres-keeper"])
            .arg(programs)
            .arg(port.to_string())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("sh does not start")?;
        let alive = keeper.stdin.take();
        let said = keeper.stdout.take().context("its output is piped")?;
        let mut server = Self {
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"),
            keeper,
            alive,
        };
        let mut started = String::new();
        BufReader::new(said).read_line(&mut started)?;
        ensure!(started.trim() == "started", "initdb failed, see above");
        server.wait_until_ready().await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let ready = within(START, async || {
            if matches!(self.keeper.try_wait(), Ok(Some(_))) {
                return Some(false);
            }
            let connected = tokio_postgres::connect(&self.url, NoTls).await;
            connected.is_ok().then_some(true)
        });
        match ready.await {
            Some(true) => Ok(()),
            Some(false) => bail!("it ended at once, see above"),
            None => bail!("it takes no connection within {START:?}"),
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.alive.take());
        drop(self.keeper.wait());
    }
}

/// A database that only its test knows; dropped with this.
pub struct Database {
    url: String,
    name: String,
    server: String,
}

impl Database {
    /// `postgres://…` of this database.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Creates an empty database with a name of its own.
pub async fn fresh_database() -> Database {
    let server = server_url().await;
    let name = format!("test_{}", Uuid::new_v4().simple());
    run(
        &server,
        &format!("CREATE DATABASE {name} TEMPLATE template0"),
    )
    .await
    .unwrap_or_else(|error| panic!("cannot create a database at ${VARIABLE}: {error:#}"));
    Database {
        url: with_database(&server, &name),
        name,
        server,
    }
}

impl Drop for Database {
    /// As well as it can: a server that has gone takes the database with it.
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        let dropped = std::thread::spawn(move || {
            let rt = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            rt.block_on(run(&server, &sql))
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("the database {} stays: {error:#}", self.name);
        }
    }
}

async fn server_url() -> String {
    static STARTED: OnceCell<PostgresServer> = OnceCell::const_new();
    if let Ok(url) = env::var(VARIABLE) {
        return url;
    }
    let started = STARTED.get_or_try_init(PostgresServer::start).await;
    started
        .unwrap_or_else(|error| panic!("{error:#}"))
        .url()
        .to_owned()
}

async fn run(url: &str, sql: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    Ok(connection.await??)
}

/// The URL with another database in its path.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let host = base.find("://").map_or(0, |scheme| scheme + 3);
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    format!("{}/{name}?{query}", &base[..end])
}

/// The folder with `initdb` and `postgres`, of the newest version there is.
fn programs() -> Result<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort_by_key(|bin| std::cmp::Reverse(version(bin)));
    versions.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    versions
        .into_iter()
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .with_context(|| {
            format!("no PostgreSQL here: apt-get install postgresql, or set {VARIABLE}")
        })
}

/// 17 of `/usr/lib/postgresql/17/bin`.
fn version(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

fn as_ordinary_user(program: &str) -> Result<Command> {
    if std::fs::metadata("/proc/self").map_or(1, |own| own.uid()) != 0 {
        return Ok(Command::new(program));
    }
    let ways: [(&str, &[&str]); 2] = [
        (
            "setpriv",
            &["--reuid=postgres", "--regid=postgres", "--init-groups"],
        ),
        ("runuser", &["-u", "postgres", "--"]),
    ];
    for (way, arguments) in ways {
        let mut command = Command::new(way);
        command.args(arguments);
        let works = command.arg("true").stderr(Stdio::null()).status();
        if works.is_ok_and(|status| status.success()) {
            let mut command = Command::new(way);
            command.args(arguments).arg(program);
            return Ok(command);
        }
    }
    bail!("PostgreSQL does not run as root, and setpriv cannot become the user postgres")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        let url = with_database("postgres://u:p@h:1/postgres?sslmode=disable", "t");
        assert_eq!(url, "postgres://u:p@h:1/t?sslmode=disable");
        assert_eq!(with_database("postgres://h", "t"), "postgres://h/t?");
    }

    #[tokio::test]
    async fn a_fresh_database_is_empty_and_goes() {
        let database = fresh_database().await;
        let (url, server) = (database.url().to_owned(), database.server.clone());
        run(&url, "CREATE TABLE a (b INT)").await.unwrap();
        drop(database);
        assert!(run(&url, "SELECT 1").await.is_err());
        run(&server, "SELECT 1").await.unwrap();
    }
}
