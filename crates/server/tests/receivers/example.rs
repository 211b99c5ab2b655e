//! The receivers of `examples/receivers`, made ready to start with the tools of this machine. What is
//! built or installed goes to the target folder and is used again by the next run.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::program::Program;

/// For a tool that builds or installs. The next run finds what this one has left of it.
const PATIENCE: Duration = Duration::from_secs(25);
const LONG_PATIENCE: Duration = Duration::from_mins(10);

/// Why a receiver cannot be started here.
pub type Missing = String;

/// A receiver that can be started.
pub struct Example {
    program: PathBuf,
    script: Option<PathBuf>,
    /// Where the script is a copy.
    _folder: Option<TempDir>,
}

impl Example {
    pub async fn start(&self, verify: &str, keys: &[&str; 2]) -> Program {
        let mut command = Command::new(&self.program);
        command
            .args(&self.script)
            .env("HTTPSMS_VERIFY", verify)
            .env("HTTPSMS_WEBHOOK_SIGNING_KEY", keys[0])
            .env("HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT", keys[1]);
        Program::start(command).await
    }
}

pub async fn python() -> Result<Example, Missing> {
    at_least("python3", "--version", [3, 8]).await?;
    Ok(Example {
        program: "python3".into(),
        script: Some(folder("python").join("receiver.py")),
        _folder: None,
    })
}

pub async fn go() -> Result<Example, Missing> {
    at_least("go", "version", [1, 22]).await?;
    let program = kept("go").join("receiver");
    let mut build = Command::new("go");
    build
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        // No other toolchain than the one that is there.
        .env("GOTOOLCHAIN", "local")
        .current_dir(folder("go"));
    succeeded(&run(&mut build, PATIENCE).await?);
    Ok(Example {
        program,
        script: None,
        _folder: None,
    })
}

/// A copy beside the modules, for Node looks for them there.
pub async fn express() -> Result<Example, Missing> {
    let home = modules().await?;
    let copy = TempDir::new_in(home).map_err(|error| error.to_string())?;
    let script = copy.path().join("receiver.js");
    std::fs::copy(folder("express").join("receiver.js"), &script).unwrap();
    Ok(Example {
        program: "node".into(),
        script: Some(script),
        _folder: Some(copy),
    })
}

/// The folder with the example's `package.json` and what npm has installed for it.
async fn modules() -> Result<PathBuf, Missing> {
    at_least("node", "--version", [18, 0]).await?;
    let wanted = std::fs::read(folder("express").join("package.json")).unwrap();
    let home = kept("express").join("home");
    if std::fs::read(home.join("package.json")).is_ok_and(|installed| installed == wanted) {
        return Ok(home);
    }
    let new = TempDir::new_in(kept("express")).map_err(|error| error.to_string())?;
    std::fs::write(new.path().join("package.json"), wanted).unwrap();
    let quiet = [
        "install",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--ignore-scripts",
    ];
    let mut npm = Command::new("npm");
    let installed = run(npm.args(quiet).current_dir(new.path()), PATIENCE).await?;
    if !installed.status.success() {
        // Most likely there is no way to its registry.
        return Err(format!("npm installs nothing: {}", said(&installed)));
    }
    // Put in place at once, so that nobody finds half of it; somebody may have been faster.
    drop(std::fs::remove_dir_all(&home));
    let new = new.keep();
    match std::fs::rename(&new, &home) {
        Ok(()) => Ok(home),
        Err(_) => Ok(new),
    }
}

/// Built from a copy, so that no lock file is left beside the example.
pub async fn rust() -> Result<Example, Missing> {
    let (from, copy) = (folder("rust"), TempDir::new().unwrap());
    let sources = copy.path().join("src");
    std::fs::create_dir(&sources).unwrap();
    std::fs::copy(from.join("Cargo.toml"), copy.path().join("Cargo.toml")).unwrap();
    for file in std::fs::read_dir(from.join("src")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), sources.join(file.file_name())).unwrap();
    }
    let target = kept("rust");
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(copy.path());
    succeeded(&run(&mut build, LONG_PATIENCE).await?);
    Ok(Example {
        program: target.join("debug/receiver"),
        script: None,
        _folder: Some(copy),
    })
}

/// Panics if PHP finds fault with a file. More would need a Laravel project.
pub async fn php_reads_laravel() -> Result<(), Missing> {
    at_least("php", "--version", [8, 1]).await?;
    for file in [
        "app/Http/Controllers/HttpsmsWebhookController.php",
        "config/httpsms.php",
        "routes/api.php",
    ] {
        let mut php = Command::new("php");
        succeeded(&run(php.arg("-l").arg(folder("laravel").join(file)), PATIENCE).await?);
    }
    Ok(())
}

fn folder(name: &str) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/receivers");
    examples.join(name)
}

/// A folder for what is built or installed.
fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("receivers")
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whether the tool is there and new enough, by the first two numbers that it says.
async fn at_least(tool: &str, argument: &str, version: [u32; 2]) -> Result<(), Missing> {
    let asked = run(Command::new(tool).arg(argument), PATIENCE).await?;
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    let found: Vec<u32> = numbers
        .filter_map(|number| number.parse().ok())
        .take(2)
        .collect();
    if found.as_slice() < version.as_slice() {
        return Err(format!("{tool} is older than {version:?}: {}", text.trim()));
    }
    Ok(())
}

/// Runs a tool to its end, unless it is not there or takes too long.
async fn run(command: &mut Command, patience: Duration) -> Result<Output, Missing> {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    match timeout(patience, running).await {
        Ok(done) => done.map_err(|error| format!("{name}: {error}")),
        Err(_) => Err(format!(
            "{name} took more than {} seconds",
            patience.as_secs()
        )),
    }
}

fn succeeded(done: &Output) {
    assert!(done.status.success(), "{}", said(done));
}

fn said(done: &Output) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    format!("{}\n{out}{err}", done.status)
}
