//! One mail and one server: how it travels, and what a refusal means.

use courier::mail::{Mailer, Refusal};
use gateway::mail::Mail;
use gateway::{Time, Uuid};

use crate::certificate::for_localhost;
use crate::server::{MailServer, Offer, Reserved, Step};

const FROM: &str = "httpsms <sms@gw.example>";

/// The login of the test server, as a URL writes it.
const LOGIN: &str = "gateway%40example.org:open%20sesame%2F+%25";

fn mail(id: u128) -> Mail {
    Mail {
        id: Uuid::from_u128(id),
        to: "ann@example.org".to_owned(),
        subject: "Ein Grüßchen ist gescheitert".to_owned(),
        text: ".\nReason: no signal\n\nyou".to_owned(),
    }
}

fn mailer(url: &str) -> Mailer {
    Mailer::new(url, FROM).unwrap()
}

async fn send(mailer: &Mailer, id: u128) -> Result<(), Refusal> {
    let now: Time = "2026-03-04T09:15:20Z".parse().unwrap();
    mailer.send(&mail(id), now).await
}

/// Sends a mail that is refused for now, because of the server.
async fn unusable(mailer: &Mailer) -> String {
    match send(mailer, 1).await {
        Err(Refusal::Unusable(words)) => words,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_mail_arrives_with_its_headers_and_its_text() {
    let server = MailServer::start();
    send(&mailer(&server.url()), 7).await.unwrap();
    let taken = &server.taken()[0];
    assert_eq!(taken.from, "sms@gw.example");
    assert_eq!(taken.to, "ann@example.org");
    assert!(!taken.encrypted && !taken.hello.is_empty());
    let (head, text) = taken.text.split_once("\r\n\r\n").unwrap();
    assert_eq!(text, ".\r\nReason: no signal\r\n\r\nyou\r\n");
    for header in [
        "From: httpsms <sms@gw.example>",
        "To: ann@example.org",
        "Date: Wed, 04 Mar 2026 09:15:20 +0000",
        "Message-ID: <00000000-0000-0000-0000-000000000007@gw.example>",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(head.lines().any(|line| line == header), "{header}: {head}");
    }
    assert!(head.contains("Subject: Ein =?utf-8?"), "{head}");
}

#[tokio::test]
async fn a_line_serves_for_the_next_mail_unless_it_was_cut() {
    let server = MailServer::start();
    let mailer = mailer(&server.url());
    for id in 1..=3 {
        send(&mailer, id).await.unwrap();
    }
    assert_eq!((server.taken().len(), server.lines()), (3, 1));
    server.cut_lines();
    send(&mailer, 4).await.unwrap();
    assert_eq!((server.taken().len(), server.lines()), (4, 2));
}

#[tokio::test]
async fn mails_at_the_same_time_have_lines_of_their_own() {
    let server = MailServer::start();
    let mailer = mailer(&server.url());
    let (one, two) = tokio::join!(send(&mailer, 1), send(&mailer, 2));
    one.and(two).unwrap();
    assert_eq!((server.taken().len(), server.lines()), (2, 2));
}

#[tokio::test]
async fn a_passing_refusal_is_for_later_whoever_says_it() {
    let server = MailServer::start();
    let mailer = mailer(&server.url());
    for step in [Step::Sender, Step::Recipient, Step::Text] {
        server.refuse(step, 451, "4.7.1 Greylisted, ann@example.org");
        let refused = send(&mailer, 1).await.unwrap_err();
        let words = "451 4.7.1 Greylisted, …@example.org".to_owned();
        assert_eq!(refused, Refusal::Later(words), "{step:?}");
    }
    send(&mailer, 1).await.unwrap();
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn a_lasting_refusal_is_for_good_and_names_nobody() {
    let server = MailServer::start();
    let mailer = mailer(&server.url());
    for step in [Step::Recipient, Step::Text] {
        server.refuse(step, 550, "5.1.1 <Ann@Example.org>: no such user");
        let refused = send(&mailer, 1).await.unwrap_err();
        let words = "550 5.1.1 <…@Example.org>: no such user".to_owned();
        assert_eq!(refused, Refusal::Never(words), "{step:?}");
    }
    send(&mailer, 2).await.unwrap();
}

#[tokio::test]
async fn a_server_that_wants_a_login_is_no_fault_of_the_mail() {
    let server = MailServer::start();
    server.refuse(Step::Sender, 530, "5.7.0 Authentication required");
    let words = unusable(&mailer(&server.url())).await;
    assert_eq!(words, "530 5.7.0 Authentication required");
}

#[tokio::test]
async fn a_server_that_is_away_is_found_when_it_is_back() {
    let port = Reserved::new();
    let mailer = mailer(&format!("smtp://{}", port.address()));
    let words = unusable(&mailer).await;
    assert!(words.contains("refused"), "{words}");
    let server = port.open(Offer::default());
    send(&mailer, 1).await.unwrap();
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn encryption_is_as_the_url_asks_and_the_login_is_accepted() {
    let (der, tls) = for_localhost();
    for (scheme, query, wrapped) in [
        ("smtp", "?tls=required", false),
        ("smtp", "?tls=opportunistic", false),
        ("smtps", "", true),
    ] {
        let server = MailServer::offering(Offer {
            tls: Some(tls.clone()),
            wrapped,
            login: true,
        });
        let port = server.address.port();
        let url = format!("{scheme}://{LOGIN}@localhost:{port}/gw.example{query}");
        let mailer = mailer(&url).trusting(&der).unwrap();
        for id in 1..=2 {
            send(&mailer, id).await.unwrap();
        }
        let taken = server.taken();
        assert!(taken.iter().all(|mail| mail.encrypted), "{url}");
        assert_eq!((taken.len(), server.lines()), (2, 1), "{url}");
        assert_eq!(taken[0].hello, "gw.example");
    }
}

#[tokio::test]
async fn without_encryption_nothing_is_said_that_was_to_be_encrypted() {
    let server = MailServer::start();
    let port = server.address.port();
    let required = mailer(&format!("smtp://{LOGIN}@localhost:{port}?tls=required"));
    let words = unusable(&required).await;
    assert!(words.contains("no encryption"), "{words}");
    send(
        &mailer(&format!("smtp://localhost:{port}?tls=opportunistic")),
        1,
    )
    .await
    .unwrap();
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_not_trusted() {
    let (_, tls) = for_localhost();
    let server = MailServer::offering(Offer {
        tls: Some(tls),
        ..Offer::default()
    });
    let port = server.address.port();
    let url = format!("smtp://localhost:{port}?tls=opportunistic");
    let words = unusable(&mailer(&url)).await;
    assert!(words.contains("certificate"), "{words}");
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let (der, tls) = for_localhost();
    let server = MailServer::offering(Offer {
        tls: Some(tls),
        login: true,
        ..Offer::default()
    });
    let port = server.address.port();
    let url = format!("smtp://gateway:sesame@localhost:{port}?tls=required");
    let mailer = mailer(&url).trusting(&der).unwrap();
    let words = unusable(&mailer).await;
    assert!(
        words.contains("535") && !words.contains("sesame"),
        "{words}"
    );
    assert!(!format!("{mailer:?}").contains("sesame"));
}
