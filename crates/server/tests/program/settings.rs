//! Where a setting comes from: flag, environment variable, file, default.

use super::{complaint, program, run, setup};

/// The address that the server thinks it has, as its page shows it.
async fn public_url(setup: testkit::Setup) -> String {
    let server = setup.start().await;
    let page = server.anonymous().get("/start").await.expect(200).text();
    let (_, rest) = page.split_once("curl ").unwrap();
    rest.split("/v1/").next().unwrap().to_owned()
}

#[tokio::test]
async fn flags_win_over_variables_and_those_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("httpsms.toml");
    std::fs::write(&file, "public-url = 'http://file.example/'\nlog = 'warn'").unwrap();
    let with_file = || setup().arg("--config").arg(file.to_str().unwrap());
    let with_variable = || with_file().env("HTTPSMS_PUBLIC_URL", "http://variable.example");
    let with_flag = || with_variable().arg("--public-url=http://flag.example//");

    assert_eq!(public_url(with_file()).await, "http://file.example");
    assert_eq!(public_url(with_variable()).await, "http://variable.example");
    assert_eq!(public_url(with_flag()).await, "http://flag.example");
}

#[tokio::test]
async fn without_a_public_address_it_is_the_one_it_listens_on() {
    let server = setup().start().await;
    let page = server.anonymous().get("/start").await.expect(200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(page.text().contains(&format!("curl {}/v1/", server.url())));
}

#[tokio::test]
async fn the_file_may_be_named_by_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("httpsms.toml");
    std::fs::write(&file, "public_url = 'http://file.example'").unwrap();
    let setup = setup().env("HTTPSMS_CONFIG", file.to_str().unwrap());
    assert_eq!(public_url(setup).await, "http://file.example");
}

#[test]
fn a_wrong_file_is_told_with_line_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    let file = file.to_str().unwrap();
    std::fs::write(file, "log = 'info'\nlisten-on = 'x'").unwrap();
    let said = complaint(&run(&["serve", "--config", file]), 2);
    assert!(
        said.contains("wrong.toml, line 2") && said.contains("listen-on"),
        "{said}"
    );

    let missing = folder.path().join("missing.toml");
    let said = complaint(&run(&["serve", "--config", missing.to_str().unwrap()]), 1);
    assert!(
        said.contains("cannot read") && said.contains("missing.toml"),
        "{said}"
    );
}

#[test]
fn the_commands_for_accounts_read_the_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("httpsms.toml");
    let text = format!("data-dir = '{}'\nlisten = 'localhost:1'", data.display());
    std::fs::write(&file, text).unwrap();
    let mut list = program(&["user", "list"]);
    let listed = list.env("HTTPSMS_CONFIG", &file).output().unwrap();
    assert!(listed.status.success());
    assert!(data.join("httpsms.db").exists());
}
