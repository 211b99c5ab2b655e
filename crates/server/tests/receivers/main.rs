//! The receivers of `examples/receivers`, at work: what they take, what they refuse.
//! The requests are signed here, by libraries that the server does not use.
//!
//! A receiver whose tools are not on this machine is left out, which is said on standard error.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod cases;
mod example;
mod program;
mod request;

use std::fmt::Display;
use std::io::Write as _;

use crate::example::{Example, Missing};

#[tokio::test]
async fn python() {
    at_work("python", example::python().await).await;
}

#[tokio::test]
async fn go() {
    at_work("go", example::go().await).await;
}

#[tokio::test]
async fn express() {
    at_work("express", example::express().await).await;
}

#[tokio::test]
#[ignore = "builds a package with dependencies of its own: a minute or two"]
async fn rust() {
    at_work("rust", example::rust().await).await;
}

#[tokio::test]
async fn laravel_is_php() {
    if let Err(missing) = example::php_reads_laravel().await {
        left_out("laravel", missing);
    }
}

async fn at_work(name: &str, example: Result<Example, Missing>) {
    match example {
        Ok(example) => {
            cases::standard(&example).await;
            cases::jwt(&example).await;
        }
        Err(missing) => left_out(name, missing),
    }
}

/// Not by `eprintln!`: what a passing test prints is not shown.
fn left_out(name: &str, why: impl Display) {
    let mut stderr = std::io::stderr();
    drop(writeln!(stderr, "left out: the receiver {name}: {why}"));
}
