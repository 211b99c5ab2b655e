//! `httpsms phone simulate` against a running server.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use super::{complaint, program, run, setup, signal};

const NUMBER: &str = "+14155550111";

#[tokio::test]
async fn it_tells_what_happens_and_ends_in_good_order() {
    let server = setup()
        .user("ann@example.com", "ann", "key-of-ann")
        .start()
        .await;
    let user = server.user("key-of-ann");
    let made = user
        .post("/v1/phone-api-keys", &serde_json::json!({"name": "desk"}))
        .await;
    let key = made.expect(200).into_data()["api_key"]
        .as_str()
        .unwrap()
        .to_owned();
    let args = [
        "phone",
        "simulate",
        "--server",
        server.url(),
        "--number",
        NUMBER,
        "--latency=0s",
    ];
    let mut phone = program(&args)
        .env("HTTPSMS_PHONE_API_KEY", key)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(phone.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(line(), format!("{NUMBER} is registered as SIM1\n"));
    user.send(NUMBER, "+14155550122", "Hello!").await;
    for happens in ["\"Hello!\"", "SENT", "DELIVERED"] {
        let line = line();
        assert!(line.contains(happens), "{line}");
    }
    signal("INT", phone.id());
    assert!(phone.wait().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("sent 1, delivered 1"), "{rest}");
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_told() {
    let server = setup().start().await;
    let args = [
        "phone",
        "simulate",
        "--server",
        server.url(),
        "--number",
        NUMBER,
    ];
    let output = run(&[&args[..], &["--api-key", "pk_unknown"]].concat());
    assert!(complaint(&output, 1).contains("API key"));
}
