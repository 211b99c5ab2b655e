//! The first start, the next ones, and starts that cannot be.

use std::net::TcpListener;

use serde_json::json;

use super::{complaint, entry, run, setup};

#[tokio::test]
async fn the_first_start_makes_an_account_and_shows_its_key_once() {
    let mut server = setup().start().await;
    let said = server.log();
    let key = entry(&said, "API key");
    assert!(key.starts_with("uk_") && key.len() == 67, "{said}");
    assert_eq!(entry(&said, "address"), server.url());
    let link = format!("{}/#/setup?key={key}", server.url());
    assert_eq!(entry(&said, "set up"), link);
    let curl = entry(&said, "curl");
    assert!(curl.contains(&key) && curl.contains(server.url()), "{said}");
    assert!(
        said.contains("httpsms user rotate-key --email owner@httpsms.local"),
        "{said}"
    );

    let me = server.user(&key).get("/v1/users/me").await.expect(200);
    assert_eq!(me.data()["email"], entry(&said, "account"));

    assert!(server.stop().await.success());
    server.restart().await;
    let said = server.log();
    assert!(
        !said.contains("uk_") && !said.contains("first start"),
        "{said}"
    );
    server.user(&key).get("/v1/users/me").await.expect(200);
}

#[tokio::test]
async fn the_key_is_shown_on_standard_output_and_nowhere_else() {
    let mut server = setup()
        .args(["--log", "trace", "--log-format", "json"])
        .start()
        .await;
    let key = entry(&server.log(), "API key");
    server.user(&key).get("/v1/users/me").await.expect(200);
    assert!(server.stop().await.success());
    let log = server.log();
    let records = log.lines().filter(|line| line.starts_with('{'));
    assert!(records.clone().count() > 0, "records are JSON");
    let telling = records
        .filter(|record| record.contains(&key[3..20]))
        .count();
    assert_eq!(telling, 0, "no record holds the key");
}

#[tokio::test]
async fn with_an_account_already_there_is_nothing_to_make() {
    let server = setup()
        .user("ann@example.com", "ann", "key-of-ann")
        .start()
        .await;
    assert!(!server.log().contains("API key"));
    let me = server
        .user("key-of-ann")
        .get("/v1/users/me")
        .await
        .expect(200);
    assert_eq!(me.data()["id"], "ann");
}

#[tokio::test]
async fn it_says_where_webhooks_may_go() {
    let server = setup().start().await;
    assert!(server.log().contains("webhooks may go to private networks"));
    assert!(server.log().contains("(--sign-up closed)"));
    let server = setup().arg("--sign-up=open").start().await;
    let said = server.log();
    assert!(said.contains("anybody may make an account"), "{said}");
    assert!(said.contains("webhooks may not go to private networks"));
    let server = setup().arg("--webhook-private-networks=deny").start().await;
    assert!(
        server
            .log()
            .contains("webhooks may not go to private networks")
    );
}

#[tokio::test]
async fn the_owner_is_set_up_and_signs_in() {
    let mut server = setup().start().await;
    let key = entry(&server.log(), "API key");
    let (email, password) = ("ann@example.org", "correct horse");
    let owner = json!({"api_key": key, "email": email, "password": password});
    let nobody = server.anonymous();
    nobody.post("/v1/setup", &owner).await.expect(201);
    nobody.post("/v1/setup", &owner).await.expect(409);
    assert!(server.stop().await.success());
    server.restart().await;

    let nobody = server.anonymous();
    let credentials = json!({"email": email, "password": password});
    let signed_in = nobody.post("/v1/sessions", &credentials).await.expect(201);
    let cookie = signed_in.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let browser = nobody.with_header("cookie", cookie);
    let me = browser.get("/v1/users/me").await.expect(200);
    assert_eq!(me.data()["email"], email);
    let name = json!({"name": "desk"});
    browser.post("/v1/phone-api-keys", &name).await.expect(403);
    let browser = browser.with_header("sec-fetch-site", "same-origin");
    browser.post("/v1/phone-api-keys", &name).await.expect(200);
    let log = server.log();
    assert!(!log.contains(password) && !log.contains(&cookie[20..]));
}

#[tokio::test]
async fn two_servers_do_not_share_a_data_directory() {
    let first = setup().start().await;
    let second = setup().data_dir(first.data_dir()).try_start().await;
    let refused = second.err().unwrap().to_string();
    assert!(
        refused.contains("error: another server runs on"),
        "{refused}"
    );
    first.anonymous().get("/health").await.expect(200);
}

#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let output = run(&["serve", "--listen", &address, "--data-dir", data_dir]);
    let said = complaint(&output, 1);
    assert_eq!(
        said,
        format!("cannot listen on {address}: the port is in use")
    );
}

#[test]
fn a_data_directory_that_cannot_be_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let file = file.to_str().unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let said = complaint(&run(&[command, &["--data-dir", file]].concat()), 1);
        assert!(
            said.starts_with(&format!("cannot use the data directory {file}: ")),
            "{said}"
        );
    }
}

#[test]
fn a_database_that_cannot_be_reached_is_told_without_its_password() {
    // Nobody listens there any more.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("postgres://sms:sesame@{free}/sms?sslmode=disable");
    let folder = tempfile::tempdir().unwrap();
    let place = [
        "--data-dir",
        folder.path().to_str().unwrap(),
        "--database-url",
        &url,
    ];
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"]] {
        let said = complaint(&run(&[command, &place].concat()), 1);
        assert!(said.starts_with("cannot open the database: "), "{said}");
        assert!(!said.contains("sesame"), "{said}");
    }
}
