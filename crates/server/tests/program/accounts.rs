//! `httpsms user`, before the first start and while the server runs, on both databases.

use testkit::postgres::fresh_database;
use testkit::{Server, Setup};

use super::{complaint, entry, program, setup, stdout};

async fn added_before_and_while_running(setup: Setup) {
    let server = setup
        .user("ann@example.com", "ann", "key-of-ann")
        .start()
        .await;
    let ben = server
        .add_user("ben@example.com", "ben", "key-of-ben")
        .await;
    for (user, id) in [(server.user("key-of-ann"), "ann"), (ben, "ben")] {
        let me = user.get("/v1/users/me").await.expect(200);
        assert_eq!(me.data()["id"], id);
    }
    let listed = stdout(&server.run(&["user", "list"]).await);
    assert!(
        listed.contains("ann@example.com") && listed.contains("ben@example.com"),
        "{listed}"
    );
    assert!(!listed.contains("key-of"), "{listed}");
    rotates(&server).await;
}

async fn rotates(server: &Server) {
    let rotated = server
        .run(&["user", "rotate-key", "--email", "Ann@example.com"])
        .await;
    let key = entry(&stdout(&rotated), "api key");
    assert!(key.starts_with("uk_"));
    server
        .user("key-of-ann")
        .get("/v1/users/me")
        .await
        .expect(401);
    server.user(&key).get("/v1/users/me").await.expect(200);

    let rotated = server.run(&["user", "rotate-key", "--id", "ben"]).await;
    assert_ne!(entry(&stdout(&rotated), "api key"), key);
    let nobody = server.run(&["user", "rotate-key", "--id", "nobody"]).await;
    assert!(complaint(&nobody, 1).contains("no such account"));
}

#[tokio::test]
async fn an_administrator_is_appointed_from_the_command_line() {
    let setup = setup().user("ann@example.com", "ann", "key-of-ann");
    let server = setup.start().await;
    let ben = server
        .add_user("ben@example.com", "ben", "key-of-ben")
        .await;
    let all = "/v1/admin/users";
    server.user("key-of-ann").get(all).await.expect(200);
    ben.get(all).await.expect(403);
    let appointed = server
        .run(&["user", "admin", "--email", "ben@example.com"])
        .await;
    assert_eq!(stdout(&appointed), "ben@example.com is an administrator\n");
    ben.get(all).await.expect(200);
    let carl = ["--email", "carl@example.com", "--api-key", "key-of-carl"];
    let added = server
        .run(&[&["user", "add", "--admin"], &carl[..]].concat())
        .await;
    assert!(added.status.success());
    server.user("key-of-carl").get(all).await.expect(200);
}

#[tokio::test]
async fn accounts_are_added_and_rotated_on_sqlite() {
    added_before_and_while_running(setup()).await;
}

#[tokio::test]
async fn accounts_are_added_and_rotated_on_postgresql() {
    let database = fresh_database().await;
    added_before_and_while_running(setup().database_url(database.url())).await;
}

#[tokio::test]
async fn a_key_and_an_id_are_made_when_none_are_given() {
    let setup = setup();
    let added = setup
        .run(&["user", "add", "--email", "ann@example.com"])
        .await
        .unwrap();
    let (id, key) = (
        entry(&stdout(&added), "id"),
        entry(&stdout(&added), "api key"),
    );
    assert!(key.starts_with("uk_") && key.len() == 67);
    let server = setup.start().await;
    let me = server.user(&key).get("/v1/users/me").await.expect(200);
    assert_eq!(me.data()["id"], id.as_str());
}

#[tokio::test]
async fn secrets_may_come_from_the_environment() {
    let setup = setup().env("HTTPSMS_USER_API_KEY", "key-of-ann");
    let setup = setup.env("HTTPSMS_USER_PASSWORD", "correct horse");
    let added = setup
        .run(&["user", "add", "--email", "ann@example.com"])
        .await
        .unwrap();
    assert_eq!(entry(&stdout(&added), "api key"), "key-of-ann");
    let server = setup.start().await;
    server
        .user("key-of-ann")
        .get("/v1/users/me")
        .await
        .expect(200);
}

#[test]
fn what_is_taken_or_wrong_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let add = |args: &[&str]| {
        let line = [&["user", "add", "--data-dir", data_dir], args].concat();
        program(&line).output().unwrap()
    };
    let first = [
        "--email",
        "a@example.com",
        "--id",
        "a",
        "--api-key",
        "key-a",
    ];
    assert!(add(&first).status.success());
    for (args, words) in [
        (
            ["--email", "a@example.com", "--id", "b"],
            "email is already in use",
        ),
        (
            ["--email", "b@example.com", "--id", "a"],
            "id is already in use",
        ),
        (
            ["--email", "nobody", "--id", "b"],
            "must be an e-mail address",
        ),
        (
            ["--email", "b@example.com", "--api-key", "key-a"],
            "api_key is already in use",
        ),
        (
            ["--email", "b@example.com", "--api-key", "pk_1"],
            "must not begin with pk_",
        ),
    ] {
        let said = complaint(&add(&args), 1);
        assert!(said.contains(words), "{args:?}: {said}");
    }
}
