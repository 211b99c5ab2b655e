//! The program as its operator knows it: commands, settings, starting, stopping, accounts, connections.
//! Each file tells one kind of story; here is how they run the binary.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod accounts;
mod connections;
mod dashboard;
mod demo;
mod metrics;
mod settings;
mod simulated;
mod starting;
mod stopping;
mod usage;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use testkit::Setup;

/// Long enough for a debug build beside a compiler; nothing waits so long unless it fails.
const SOON: Duration = Duration::from_secs(30);

/// A server of this build.
fn setup() -> Setup {
    Setup::new().binary(env!("CARGO_BIN_EXE_httpsms"))
}

/// The binary with these arguments, and without the settings of the test run.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_httpsms"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"HTTPSMS_") {
            command.env_remove(name);
        }
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
fn run(args: &[&str]) -> Output {
    program(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The one line that says what failed.
#[track_caller]
fn complaint(output: &Output, code: i32) -> String {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "one line is enough: {said}");
    let complaint = said.trim_end().strip_prefix("error: ");
    complaint
        .unwrap_or_else(|| panic!("no error: {said}"))
        .to_owned()
}

/// What stands after `name` in the line of the output that begins with it.
#[track_caller]
fn entry(output: &str, name: &str) -> String {
    let mut lines = output.lines().map(str::trim_start);
    let value = lines.find_map(|line| line.strip_prefix(name));
    value
        .unwrap_or_else(|| panic!("no {name} in {output}"))
        .trim()
        .to_owned()
}

/// Sends a signal to a process of the test.
fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}
