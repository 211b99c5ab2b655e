//! Bulk files: all of their messages or none, at the rate of their phones.

use std::path::PathBuf;
use std::time::Duration;

use gateway::bulk::{State, Upload};
use gateway::message::{Message, Status};
use gateway::phone::Changes;
use gateway::{Error, Page};

use crate::support::{CONTACT, MINUTE, OWNER, World, between, on_each_engine};

const HEADER: &str = "FromPhoneNumber,ToPhoneNumber,Content,SendTime(optional)";

fn csv(name: &str, rows: &[String]) -> Upload {
    Upload {
        name: name.to_owned(),
        content_type: "text/csv".to_owned(),
        content: format!("{HEADER}\n{}", rows.join("\n")).into_bytes(),
        ..Upload::default()
    }
}

fn row(content: &str, time: &str) -> String {
    format!("{OWNER},{CONTACT},{content},{time}")
}

async fn refused(world: &World, file: Upload) -> Vec<String> {
    let refused = world.gateway.send_file(&world.user, file).await;
    let Err(Error::Invalid(fields)) = refused else {
        panic!("{refused:?}")
    };
    let mut fields = serde_json::to_value(&fields).unwrap();
    serde_json::from_value(fields["document"].take()).unwrap()
}

fn page(skip: i64, limit: i64) -> Page {
    Page {
        skip,
        limit,
        ..Page::default()
    }
}

async fn messages(world: &World) -> Vec<Message> {
    let all = Page {
        limit: -1,
        ..Page::default()
    };
    let found = world.gateway.messages(&world.user, between(), all);
    let mut found = found.await.unwrap();
    found.sort_by_key(|message| message.content.clone());
    found
}

#[tokio::test]
async fn rows_without_a_time_are_released_at_the_rate() {
    on_each_engine(async |world: World| {
        world
            .phone_with(Changes {
                messages_per_minute: Some(6),
                ..Changes::default()
            })
            .await;
        world
            .gateway
            .update_me(&world.user, "Europe/Tallinn", None)
            .await
            .unwrap();
        let rows = [
            row("a", ""),
            row("b", "2026-03-02T13:00:00"),
            row("c", "2020-01-01T00:00:00Z"),
            row("d", ""),
            row("e", ""),
        ];
        let file = csv("märz 2026.csv", &rows);
        let accepted = world.gateway.send_file(&world.user, file).await.unwrap();
        assert_eq!(accepted.count, 5);
        let begin = world.now();
        for _ in 0..6 {
            world.pass(MINUTE / 6).await;
        }
        let found = messages(&world).await;
        let slot = |at: usize| found[at].scheduled_at.map(|slot| slot.since(begin));
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(slot(0), seconds(0));
        assert_eq!(found[1].status, Status::Pending);
        let sent_at = found[1].scheduled_send_time.unwrap();
        assert_eq!(sent_at.to_string(), "2026-03-02T11:00:00Z");
        // What is past goes at once; the exact time keeps the others at their distance.
        assert_eq!(slot(2), seconds(0));
        assert_eq!((slot(3), slot(4)), (seconds(10), seconds(20)));
        let id = found[0].request_id.clone().unwrap();
        assert!(
            id.starts_with("bulk-") && id.ends_with("-mrz 2026.csv"),
            "{id}"
        );
        assert!(
            found
                .iter()
                .all(|message| message.request_id.as_ref() == Some(&id))
        );
    })
    .await;
}

#[tokio::test]
async fn one_wrong_row_keeps_the_others_from_being_sent() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let foreign = format!("+18005550177,{CONTACT},hi,");
        let wrong = csv(
            "a.csv",
            &[row("a", ""), row("b", "soon"), "x,y,z,".to_owned()],
        );
        let told = refused(&world, wrong).await;
        assert_eq!(told.len(), 3);
        assert!(
            told[0].starts_with("Row [3]: The SendTime [soon]"),
            "{told:?}"
        );
        assert!(
            told[2].starts_with("Row [4]: The ToPhoneNumber [y]"),
            "{told:?}"
        );
        let unknown = csv("a.csv", &[foreign.clone(), row("a", ""), foreign]);
        assert_eq!(
            refused(&world, unknown).await,
            ["Rows [2, 4]: The FromPhoneNumber [+18005550177] is not registered on your account"]
        );
        assert!(messages(&world).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn files_that_cannot_be_read_are_refused_in_the_words_of_the_wire() {
    on_each_engine(async |world: World| {
        let file = |name: &str, content: &[u8]| Upload {
            name: name.to_owned(),
            content_type: "application/octet-stream".to_owned(),
            content: content.to_vec(),
            ..Upload::default()
        };
        let many = vec![row("x", ""); 1001];
        for (upload, text) in [
            (file("a.txt", b"x"), "The file [a.txt] is not a valid CSV or Excel file."),
            (file("a.csv", b"a,\xff"), "Cannot read the contents of the uploaded file [a.csv]."),
            (file("a.xlsx", b"x"), "Cannot parse the uploaded excel file with name [a.xlsx]."),
            (file("a.csv", b""), "The uploaded file doesn't contain any valid records. Make sure you are using the official httpSMS template."),
            (csv("a.csv", &many), "The uploaded file must contain less than 1000 records."),
            (file("a.csv", &vec![b'x'; 5_260_000]), "The CSV file must be less than 500 KB the file you uploaded is [5.2 MB]."),
        ] {
            assert_eq!(refused(&world, upload).await, [text]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_thousand_rows_are_accepted() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let file = csv("many.csv", &vec![row("x", ""); 1000]);
        let accepted = world.gateway.send_file(&world.user, file).await.unwrap();
        assert_eq!(accepted.count, 1000);
    })
    .await;
}

#[tokio::test]
async fn the_history_counts_what_became_of_the_messages() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let (gateway, user) = (&world.gateway, &world.user);
        for at in 0..12 {
            world.clock.advance(MINUTE);
            let file = csv(
                &format!("{at}.csv"),
                &[row("a", ""), row("b", ""), row("c", "")],
            );
            gateway.send_file(user, file).await.unwrap();
        }
        world.send("not of a file").await;
        let newest = messages(&world).await;
        let newest: Vec<_> = newest
            .iter()
            .filter(|message| {
                message
                    .request_id
                    .as_ref()
                    .is_some_and(|id| id.ends_with("-11.csv"))
            })
            .collect();
        gateway.claim(user, newest[0].id).await.unwrap();
        gateway.cancel_message(user, newest[1].id).await.unwrap();
        let history = gateway
            .bulk_messages(user, None, page(0, 10))
            .await
            .unwrap();
        assert_eq!(history.len(), 10);
        assert!(history[0].request_id.ends_with("-11.csv"));
        assert!(history[9].request_id.ends_with("-2.csv"));
        for send in &history {
            let counted = send.scheduled_count
                + send.pending_count
                + send.failed_count
                + send.expired_count
                + send.sent_count
                + send.delivered_count;
            assert_eq!((send.total, counted), (3, 3), "{send:?}");
        }
        assert_eq!(history[0].failed_count, 1);
        assert_eq!(
            (history[0].cancelled_count, history[0].sending_count),
            (1, 1)
        );
        assert_eq!(history[0].status, State::Running);
        let rest = gateway
            .bulk_messages(user, None, page(10, -1))
            .await
            .unwrap();
        assert_eq!(rest.len(), 2);
        let running = gateway.bulk_messages(user, Some(State::Running), page(1, 3));
        assert_eq!(running.await.unwrap(), history[1..4]);
        let finished = gateway.bulk_messages(user, Some(State::Finished), page(0, 10));
        assert!(finished.await.unwrap().is_empty());
        assert_eq!(history[0].created_at, world.now());
    })
    .await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the templates are nobody's but the reference's, and lie elsewhere or nowhere"
)]
fn templates() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("HTTPSMS_REFERENCE")?);
    folder.join("httpsms-bulk.csv").exists().then_some(folder)
}

/// The reference's own templates, where they are at hand.
#[tokio::test]
async fn the_official_templates_are_accepted() {
    let Some(folder) = templates() else {
        println!("skipped: HTTPSMS_REFERENCE names no folder with the official templates");
        return;
    };
    on_each_engine(async |world: World| {
        world.phone().await;
        for name in ["httpsms-bulk.csv", "httpsms-bulk.xlsx"] {
            let file = Upload {
                name: name.to_owned(),
                content_type: String::new(),
                content: std::fs::read(folder.join(name)).unwrap(),
                ..Upload::default()
            };
            let accepted = world.gateway.send_file(&world.user, file).await.unwrap();
            assert_eq!(accepted.count, 2, "{name}");
        }
        let found = messages(&world).await;
        let texts: Vec<_> = found
            .iter()
            .map(|message| message.content.as_str())
            .collect();
        let [one, two] = [
            "This is a sample text message1",
            "This is a sample text message2",
        ];
        assert_eq!(texts, [one, one, two, two]);
        for message in &found[2..] {
            let time = message.scheduled_send_time.unwrap();
            assert_eq!(time.to_string(), "2023-11-11T02:10:01Z");
        }
    })
    .await;
}
