//! What the program says to somebody who asks wrongly, or for help.

use super::{complaint, run, stderr, stdout};

#[test]
fn without_a_command_it_helps() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    let help = stderr(&output);
    assert!(
        help.contains("serve") && help.contains("user") && help.contains("phone"),
        "{help}"
    );
}

#[test]
fn help_and_version_are_no_errors() {
    let version = run(&["--version"]);
    assert!(version.status.success() && stdout(&version).starts_with("httpsms "));
    let help = stdout(&run(&["serve", "--help"]));
    for setting in [
        "listen",
        "data-dir",
        "database-url",
        "public-url",
        "firebase-credentials",
        "firebase-project-id",
        "firebase-certificates-url",
        "fcm-endpoint",
        "sign-up",
        "smtp-url",
        "smtp-from",
        "message-quota",
        "phone-offline-after",
        "webhook-private-networks",
        "config",
        "log",
        "log-format",
        "demo",
    ] {
        assert!(help.contains(&format!("--{setting}")), "{setting}");
        let variable = setting.replace('-', "_").to_uppercase();
        assert!(help.contains(&format!("HTTPSMS_{variable}")), "{variable}");
    }
}

#[test]
fn what_is_wrong_with_the_arguments_is_named() {
    for (args, named) in [
        (&["serve", "--lisen", "x"][..], "--lisen"),
        (&["serve", "--listen", "8000"], "8000"),
        (&["serve", "--phone-offline-after", "soon"], "soon"),
        (&["serve", "--message-quota", "0"], "message-quota"),
        (&["serve", "--webhook-private-networks", "maybe"], "maybe"),
        (&["serve", "--log-format", "xml"], "xml"),
        (&["user", "add"], "--email"),
        (&["user", "rotate-key"], "--email"),
        (
            &["phone", "simulate", "--number", "+14155550111"],
            "--api-key",
        ),
        (&["phone", "simulate", "--api-key", "pk_1"], "--number"),
        (&["phone", "simulate", "--latency", "2s..1s"], "2s..1s"),
        (&["phone", "simulate", "--failure-rate", "5"], "from 0 to 1"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = stderr(&output);
        assert!(
            said.starts_with("error: ") && said.contains(named),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn settings_that_cannot_be_are_wrong_arguments_too() {
    for (args, named) in [
        (["--public-url", "sms.example.com"], "public-url"),
        (["--fcm-endpoint", "ftp://example.com"], "fcm-endpoint"),
        (["--log", "loud"], "loud"),
        (
            ["--firebase-credentials", "/nowhere/account.json"],
            "Firebase",
        ),
        (["--firebase-credentials", "{}"], "Firebase"),
        (["--smtp-url", "mail.example.com"], "smtp://host"),
    ] {
        let said = complaint(&run(&["serve", args[0], args[1]]), 2);
        assert!(said.contains(named), "{args:?}: {said}");
    }
    let said = complaint(
        &run(&["serve", "--database-url", "mysql://u:sesame@h/d"]),
        2,
    );
    assert!(
        said.contains("postgres://") && !said.contains("sesame"),
        "{said}"
    );
    let said = complaint(
        &run(&["serve", "--smtp-url", "smtp://u:sesame@h?tls=perhaps"]),
        2,
    );
    assert!(
        said.contains("?tls=required") && !said.contains("sesame"),
        "{said}"
    );
}
