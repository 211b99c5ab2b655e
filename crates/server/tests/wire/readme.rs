//! Every command that the README shows is run as it stands there.
//!
//! The convention: the fenced blocks marked `sh` are one script, in order, in an empty folder, by
//! `sh -eu`, with the program on the `PATH` and a server at work; `localhost:8000` and `uk_...` stand
//! for its address and key, and `127.0.0.1:9000` for another free port. A program that goes to the
//! background (` &`) is waited for until it has said something. Of the blocks marked `console`, which
//! start the server, the lines `$ make …` are checked without being run. A block marked `sh no-run`
//! is left out.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::stage::{USER_KEY, program, setup};

/// For all of it together.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn every_command_of_the_readme_works() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let server = setup().start().await;
    let address = server.url().trim_start_matches("http://");
    let script = as_here(&blocks(&text, "sh").collect::<String>(), address);
    assert!(!script.is_empty(), "the README shows no command");

    let folder = tempfile::tempdir().unwrap();
    let (ended, said) = run(&script, folder.path(), server.data_dir()).await;
    assert!(ended, "{said}");
    // curl is content with any answer.
    assert!(!said.contains(r#""status":"error""#), "{said}");
}

#[tokio::test]
async fn every_make_target_of_the_readme_exists() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let lines: Vec<_> = blocks(&text, "console").collect();
    for line in lines.concat().lines() {
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        let target = command
            .strip_prefix("make ")
            .expect("a console block shows make");
        let mut make = Command::new("make");
        make.args(["--dry-run", target]).current_dir(root());
        let checked = make.output().await.unwrap();
        assert!(
            checked.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the script; whether it ended well, and what was said.
async fn run(script: &str, folder: &Path, data: &Path) -> (bool, String) {
    let programs = folder.join("programs");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(program(), programs.join("httpsms")).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let said = folder.join("said");
    let output = File::create(&said).unwrap();
    let mut shell = Command::new("sh")
        .args(["-eux", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env("HTTPSMS_DATA_DIR", data)
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .process_group(0)
        .spawn()
        .unwrap();
    let group = shell.id().unwrap();
    let ended = tokio::time::timeout(PATIENCE, shell.wait()).await;
    // What was started in the background, and the shell if it still runs.
    let kill = Command::new("kill")
        .args(["-KILL", "--", &format!("-{group}")])
        .output()
        .await;
    drop(kill);
    let well = ended.is_ok_and(|status| status.unwrap().success());
    (well, std::fs::read_to_string(said).unwrap())
}

/// The bodies of the blocks with this mark.
fn blocks(text: &str, mark: &str) -> impl Iterator<Item = String> {
    text.split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| {
            let (info, body) = block.split_once('\n')?;
            (info.trim() == mark).then(|| format!("{body}\n"))
        })
}

/// Where nobody listens.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Puts in the server's address and key, and waits for what goes to the background.
fn as_here(block: &str, address: &str) -> String {
    let block = block
        .replace("localhost:8000", address)
        .replace("uk_...", USER_KEY)
        .replace("127.0.0.1:9000", &free_address());
    let lines = block.lines().map(|line| match line.strip_suffix(" &") {
        Some(command) => format!(
            "said=$(mktemp ./said.XXXXXX); {command} >$said &\n\
             until [ -s $said ]; do kill -0 $!; sleep 0.1; done\n"
        ),
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn blocks_are_found_and_put_in_place() {
    let text = "# A\n```sh\ncurl localhost:8000/health\n```\n```json\n{}\n```\nb\n```sh no-run\nrm x\n```\n";
    let found: Vec<_> = blocks(text, "sh")
        .map(|block| as_here(&block, "h:1"))
        .collect();
    assert_eq!(found, ["curl h:1/health\n"]);
    assert_eq!(blocks(text, "console").count(), 0);
}
