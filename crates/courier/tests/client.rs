//! The HTTP client against receivers that behave badly, over real connections.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use courier::PrivateNetworks;
use courier::client::{Answer, BODY_LIMIT, Client};
use courier::connect::Connector;
use courier::failure::Failure;
use courier::resolve::Resolver;
use courier::tls::Tls;
use http::{Request, StatusCode};
use testkit::{Receiver, Respond};
use tokio::net::TcpListener;
use tokio::time::Instant;

/// Enough for whatever works.
const PLENTY: Duration = Duration::from_secs(20);

/// For what shall run into its limit.
const SHORT: Duration = Duration::from_millis(300);

async fn post(client: &Client, url: &str, limit: Duration) -> Result<Answer, Failure> {
    let body = Bytes::from_static(br#"{"specversion":"1.0"}"#);
    let request = Request::post(url).body(body).unwrap();
    let began = Instant::now();
    let result = client.send(request, limit).await;
    let over = began.elapsed().saturating_sub(limit);
    assert!(over < Duration::from_secs(2), "{over:?} over the limit");
    result
}

async fn answer_to(respond: Respond, limit: Duration) -> Result<Answer, Failure> {
    let receiver = Receiver::answering(vec![respond]).await;
    let client = Client::new(PrivateNetworks::Allow);
    post(&client, &receiver.url("/hook"), limit).await
}

/// A client that knows these names.
fn knowing(networks: PrivateNetworks, names: &[(&str, &[Ipv4Addr])]) -> Client {
    let names = names.iter().map(|(name, addresses)| {
        let addresses = addresses.iter().map(|address| IpAddr::V4(*address));
        ((*name).to_owned(), addresses.collect())
    });
    Client::with(Connector {
        networks,
        resolver: Resolver::table(names.collect::<HashMap<_, _>>()),
        tls: Tls::default(),
    })
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let receiver = Receiver::answering(vec![Respond::text(200, "thanks")]).await;
    let client = Client::new(PrivateNetworks::Allow);
    for _ in 0..20 {
        let answer = post(&client, &receiver.url("/hook"), PLENTY).await.unwrap();
        assert_eq!(
            (answer.status, &answer.body[..]),
            (StatusCode::OK, &b"thanks"[..])
        );
    }
    assert_eq!((receiver.count(), receiver.connections()), (20, 1));
}

#[tokio::test]
async fn a_connection_that_the_receiver_closed_is_made_anew() {
    let receiver = Receiver::start().await;
    let client = Client::new(PrivateNetworks::Allow);
    let (address, url) = (receiver.address(), receiver.url("/hook"));
    post(&client, &url, PLENTY).await.unwrap();
    receiver.stop().await;
    let receiver = Receiver::at(address, |_| Respond::ok()).await;
    post(&client, &url, PLENTY).await.unwrap();
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn whatever_does_not_come_to_an_end_is_a_timeout() {
    let timeout = Err(Failure::Timeout(SHORT));
    for respond in [
        Respond::HangBeforeHeaders,
        Respond::HangAfterHeaders,
        Respond::Drip(Duration::from_millis(20)),
        Respond::ok().after(PLENTY),
    ] {
        let answer = answer_to(respond.clone(), SHORT).await;
        assert_eq!(answer.map(|answer| answer.status), timeout, "{respond:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_at_all_is_a_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(PrivateNetworks::Allow);
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{}/", silent.local_addr().unwrap());
        let answer = post(&client, &url, SHORT).await;
        assert_eq!(answer.err(), Some(Failure::Timeout(SHORT)), "{scheme}");
    }
}

#[tokio::test]
async fn an_endless_body_is_read_to_its_limit_and_cut_off() {
    let receiver = Receiver::answering(vec![Respond::StreamForever]).await;
    let client = Client::new(PrivateNetworks::Allow);
    for _ in 0..3 {
        let answer = post(&client, &receiver.url("/hook"), PLENTY).await.unwrap();
        assert_eq!(
            (answer.status, answer.body.len()),
            (StatusCode::OK, BODY_LIMIT)
        );
    }
    assert_eq!(receiver.connections(), 3, "none can be used again");
}

#[tokio::test]
async fn broken_connections_are_told() {
    for respond in [Respond::Reset, Respond::Close] {
        let answer = answer_to(respond.clone(), PLENTY).await;
        assert_eq!(answer.err(), Some(Failure::Reset), "{respond:?}");
    }
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly so much";
    let answer = answer_to(Respond::Malformed(Bytes::from_static(cut)), PLENTY).await;
    assert_eq!(answer.err(), Some(Failure::Reset));
}

#[tokio::test]
async fn what_is_not_http_is_told() {
    let long = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-many: x\r\n".repeat(1_000));
    for bytes in [
        Bytes::from_static(b"SSH-2.0-OpenSSH_9.2\r\n"),
        Bytes::from_static(b"HTTP/1.1 abc\r\n\r\n"),
        Bytes::from(long),
        Bytes::from(many),
    ] {
        let shown = bytes.slice(..bytes.len().min(40));
        let answer = answer_to(Respond::Malformed(bytes), PLENTY).await;
        assert_eq!(answer.err(), Some(Failure::Invalid), "{shown:?}");
    }
}

#[tokio::test]
async fn interim_answers_without_end_are_a_timeout_or_an_end() {
    let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(50_000);
    let answer = answer_to(Respond::Malformed(flood.into()), PLENTY).await;
    assert!(answer.is_err(), "{answer:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Receiver::start().await;
    let answer = answer_to(Respond::Redirect(elsewhere.url("/")), PLENTY).await;
    assert_eq!(answer.unwrap().status, StatusCode::FOUND);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn where_nobody_listens_the_connection_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(PrivateNetworks::Allow);
    let answer = post(&client, &url, PLENTY).await;
    assert_eq!(answer.err(), Some(Failure::Refused));
}

#[tokio::test]
async fn forbidden_addresses_are_not_connected_to() {
    let receiver = Receiver::start().await;
    let port = receiver.address().port();
    let here = Ipv4Addr::LOCALHOST;
    let public = Ipv4Addr::new(1, 1, 1, 1);
    let names = [
        ("inside.test", &[here][..]),
        ("both.test", &[public, here][..]),
    ];
    let client = knowing(PrivateNetworks::Deny, &names);
    for host in [
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "inside.test",
        "both.test",
    ] {
        let answer = post(&client, &format!("http://{host}:{port}/"), PLENTY).await;
        assert_eq!(answer.err(), Some(Failure::Forbidden), "{host}");
    }
    let client = Client::new(PrivateNetworks::Deny);
    for host in ["localhost", "2130706433", "0x7f.1"] {
        let answer = post(&client, &format!("http://{host}:{port}/"), PLENTY).await;
        assert_eq!(answer.err(), Some(Failure::Forbidden), "{host}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn metadata_services_are_out_of_reach_even_where_private_networks_are_allowed() {
    let metadata = Ipv4Addr::new(169, 254, 169, 254);
    let client = knowing(PrivateNetworks::Allow, &[("cloud.test", &[metadata])]);
    for host in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "168.63.129.16",
        "0.0.0.0",
        "cloud.test",
    ] {
        let answer = post(&client, &format!("http://{host}/"), PLENTY).await;
        assert_eq!(answer.err(), Some(Failure::Forbidden), "{host}");
    }
}

/// A client for a name that has another address each time it is asked for.
fn moving(networks: PrivateNetworks, turns: &[Ipv4Addr]) -> (Client, Resolver) {
    let turns = turns.iter().map(|address| vec![IpAddr::V4(*address)]);
    let names = HashMap::from([("moves.test".to_owned(), turns.collect())]);
    let resolver = Resolver::in_turn(names);
    let client = Client::with(Connector {
        networks,
        resolver: resolver.clone(),
        tls: Tls::default(),
    });
    (client, resolver)
}

#[tokio::test]
async fn a_name_that_moves_inside_is_refused_when_it_is_connected_to() {
    let receiver = Receiver::start().await;
    let url = format!("http://moves.test:{}/", receiver.address().port());
    let (public, here) = (Ipv4Addr::new(93, 184, 216, 34), Ipv4Addr::LOCALHOST);
    for inside in [here, Ipv4Addr::new(169, 254, 169, 254)] {
        let (client, resolver) = moving(PrivateNetworks::Deny, &[public, inside]);
        // Whoever asks before gets the harmless answer.
        assert_eq!(resolver.resolve("moves.test").await.unwrap()[..], [public]);
        for _ in 0..2 {
            let answer = post(&client, &url, PLENTY).await;
            assert_eq!(answer.err(), Some(Failure::Forbidden), "{inside}");
        }
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn each_connection_is_judged_anew() {
    let closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let closing = Respond::Malformed(Bytes::from_static(closing));
    let receiver = Receiver::answering(vec![closing]).await;
    let url = format!("http://moves.test:{}/", receiver.address().port());
    let turns = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(169, 254, 169, 254)];
    let (client, _) = moving(PrivateNetworks::Allow, &turns);
    assert_eq!(post(&client, &url, PLENTY).await.unwrap().status, 200);
    let answer = post(&client, &url, PLENTY).await;
    assert_eq!(answer.err(), Some(Failure::Forbidden));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_an_answer_like_any_other() {
    let inside = Receiver::start().await;
    for target in [inside.url("/"), "http://169.254.169.254/".to_owned()] {
        let answer = answer_to(Respond::Redirect(target.clone()), PLENTY)
            .await
            .unwrap();
        assert_eq!(answer.status, StatusCode::FOUND);
        assert_eq!(answer.headers["location"], target);
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let client = knowing(PrivateNetworks::Allow, &[]);
    let answer = post(&client, "http://nowhere.test/", PLENTY).await;
    assert_eq!(answer.err(), Some(Failure::Name));
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let receiver = Receiver::start().await;
    let addresses = [Ipv4Addr::new(127, 0, 0, 99), Ipv4Addr::LOCALHOST];
    let client = knowing(PrivateNetworks::Allow, &[("two.test", &addresses)]);
    let url = format!("http://two.test:{}/", receiver.address().port());
    assert_eq!(
        post(&client, &url, PLENTY).await.unwrap().status,
        StatusCode::OK
    );
    assert_eq!(
        receiver.requests()[0].header("host"),
        url.get(7..url.len() - 1)
    );
}

#[tokio::test]
async fn plain_http_is_no_tls() {
    let receiver = Receiver::start().await;
    let url = format!("https://{}/", receiver.address());
    let client = Client::new(PrivateNetworks::Allow);
    let answer = post(&client, &url, PLENTY).await;
    assert!(matches!(answer, Err(Failure::Tls(_))), "{answer:?}");
}

mod secure {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsAcceptor;

    /// A server for `name` that answers every request on a connection with how many connections it had;
    /// and what a client must trust.
    async fn start(name: &str) -> (u16, ClientConfig) {
        let made = generate_simple_self_signed([name.to_owned()]).unwrap();
        let CertifiedKey { cert, signing_key } = made;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(server))));
        (port, client)
    }

    async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
        let mut connections = 0;
        while let Ok((tcp, _)) = listener.accept().await {
            connections += 1;
            let Ok(mut stream) = acceptor.accept(tcp).await else {
                continue;
            };
            let mut buffer = [0; 4_096];
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{connections}");
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.flush().await;
            }
        }
    }

    fn client(tls: Tls) -> Client {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let names = ["right.test", "wrong.test"].map(|name| (name.to_owned(), vec![here]));
        Client::with(Connector {
            networks: PrivateNetworks::Allow,
            resolver: Resolver::table(HashMap::from(names)),
            tls,
        })
    }

    #[tokio::test]
    async fn a_trusted_name_is_talked_to_over_one_connection() {
        let (port, trusting) = start("right.test").await;
        let client = client(Tls::with(trusting));
        for _ in 0..3 {
            let url = format!("https://right.test:{port}/");
            assert_eq!(&post(&client, &url, PLENTY).await.unwrap().body[..], b"1");
        }
    }

    #[tokio::test]
    async fn another_name_or_an_unknown_certificate_is_not() {
        let (port, trusting) = start("right.test").await;
        for (host, tls) in [
            ("wrong.test", Tls::with(trusting)),
            ("right.test", Tls::default()),
        ] {
            let answer = post(&client(tls), &format!("https://{host}:{port}/"), PLENTY).await;
            let Err(Failure::Tls(words)) = answer else {
                panic!("{host}: {answer:?}");
            };
            assert!(words.contains("certificate"), "{words}");
        }
    }
}
