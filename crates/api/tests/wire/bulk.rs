//! Bulk messages: files in, counts out, and what can be done meanwhile.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, CONTACT, Client, OWNER, World, e164, on_each_engine};

const BULK: &str = "/v1/bulk-messages";
const INVALID: &str = "validation errors while sending bulk SMS";
const HEADER: &str = "FromPhoneNumber,ToPhoneNumber,Content,SendTime(optional)";

/// A form with a file and some texts.
fn form(name: &str, file: &[u8], texts: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in texts {
        body.extend(part(&format!("name=\"{name}\""), text.as_bytes()));
    }
    let file = part(&format!("name=\"document\"; filename=\"{name}\""), file);
    body.extend(file);
    body.extend(b"--edge--\r\n");
    body
}

fn part(disposition: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--edge\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

async fn post(client: &Client<'_>, path: &str, body: Vec<u8>) -> Answer {
    let kind = "multipart/form-data; boundary=edge";
    client.send(Method::POST, path, Some(kind), body).await
}

async fn upload(client: &Client<'_>, name: &str, file: impl AsRef<[u8]>) -> Answer {
    post(client, BULK, form(name, file.as_ref(), &[])).await
}

fn rows(count: usize) -> String {
    format!(
        "{HEADER}\n{}",
        format!("{OWNER},{CONTACT},hi,\n").repeat(count)
    )
}

/// The template with one more row, as a spreadsheet program would save it.
fn filled(template: &[u8], cells: &[&str]) -> Vec<u8> {
    use std::io::{Cursor, Read as _, Write as _};
    let mut archive = zip::ZipArchive::new(Cursor::new(template)).unwrap();
    let mut saved = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        let cells: Vec<String> = cells
            .iter()
            .map(|cell| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"))
            .collect();
        let text = text.replace(
            "</sheetData>",
            &format!("<row r=\"2\">{}</row></sheetData>", cells.concat()),
        );
        saved
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        saved.write_all(text.as_bytes()).unwrap();
    }
    saved.finish().unwrap().into_inner()
}

#[tokio::test]
async fn the_template_is_filled_in_and_sent() {
    let world = World::open(None).await;
    world.phone(&[OWNER]).await;
    let user = world.user();
    world
        .anonymous()
        .get("/v1/bulk-messages/template.xlsx")
        .await
        .unauthorized();
    let template = user.get("/v1/bulk-messages/template.xlsx").await;
    assert_eq!(template.status, 200);
    assert_eq!(
        template.header("content-disposition"),
        "attachment; filename=\"bulk-template.xlsx\""
    );
    let empty = upload(&user, "empty.xlsx", &template.body).await;
    assert_eq!(empty.status, 422, "{}", empty.text());
    let row = [OWNER, CONTACT, "by the template"];
    let file = filled(&template.body, &row);
    upload(&user, "filled.xlsx", &file)
        .await
        .says(202, "Added 1 out of 1 messages to the queue");
    let list = user.get("/v1/messages/search?query=template").await.ok();
    assert_eq!(list[0]["content"], "by the template");
    assert_eq!(
        (&list[0]["owner"], &list[0]["contact"]),
        (&json!(OWNER), &json!(CONTACT))
    );
}

#[tokio::test]
async fn a_file_is_accepted_and_counted() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let user = world.user();
        let answer = upload(&user, "my file.csv", rows(2))
            .await
            .says(202, "Added 2 out of 2 messages to the queue");
        assert_eq!(answer.json().as_object().unwrap().len(), 2, "no data");
        let place = answer.header("location").to_owned();
        assert!(place.starts_with("/v1/bulk-messages/bulk%2D"), "{place}");
        let list = user.get(BULK).await.says(200, "fetched 1 bulk message");
        let bulk = list.ok()[0].clone();
        let id = bulk["request_id"].as_str().unwrap();
        assert!(id.ends_with("-my file.csv"), "{id}");
        let counts = ["scheduled_count", "pending_count", "failed_count", "expired_count", "sent_count", "delivered_count"];
        let sum: i64 = counts.iter().map(|name| bulk[name].as_i64().unwrap()).sum();
        assert_eq!((sum, bulk["total"].as_i64()), (2, Some(2)));
        let shown = user.get(&place).await.says(200, "bulk message fetched successfully").ok();
        assert_eq!((&shown["total"], shown["messages"].as_array().unwrap().len()), (&json!(2), 2));
        assert_eq!(shown["messages"][0]["request_id"], id);
        let none = user.get(&format!("{place}?status=sent")).await.ok();
        assert_eq!(none["messages"], json!([]));
        let one = user.get(&format!("{place}?skip=1&limit=5")).await.ok();
        assert_eq!(one["messages"][0], shown["messages"][1]);
        assert_eq!(user.get("/v1/bulk-messages?status=running").await.ok(), json!([bulk]));
        assert_eq!(user.get("/v1/bulk-messages?status=paused").await.ok(), json!([]));
        assert_eq!(user.get("/v1/bulk-messages?skip=1").await.ok(), json!([]));
        user.get("/v1/bulk-messages?status=gone&limit=x").await.invalid(
            "validation errors while fetching bulk messages",
            json!({"limit": ["The limit field must be numeric"], "status": ["The status field must be one of running, paused, finished"]}),
        );
        user.get("/v1/bulk-messages/bulk-x").await.missing("cannot find bulk message with ID [bulk-x]");
        user.get("/v1/bulk-messages/bulk%00x").await.malformed("U+0000");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_in_the_words_of_the_contract() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let user = world.user();
        let before = world.everything().await;
        let no_records = "The uploaded file doesn't contain any valid records. Make sure you are using the official httpSMS template.";
        for (name, file, errors) in [
            ("a.txt", b"x".to_vec(), vec!["The file [a.txt] is not a valid CSV or Excel file."]),
            ("a.csv", Vec::new(), vec![no_records]),
            ("a.csv", HEADER.into(), vec![no_records]),
            ("a.csv", b"a,b\n1".to_vec(), vec!["Cannot read the contents of the uploaded file [a.csv]."]),
            ("a.csv", b"Content\ncaf\xe9".to_vec(), vec!["Cannot read the contents of the uploaded file [a.csv]."]),
            ("a.xlsx", b"PK\x03\x04".to_vec(), vec!["Cannot parse the uploaded excel file with name [a.xlsx]."]),
            ("a.csv", rows(1001).into(), vec!["The uploaded file must contain less than 1000 records."]),
            (
                "a.csv",
                format!("\u{feff}{}\nx;y;;soon\n", HEADER.replace(',', ";")).into(),
                vec![
                    "Row [2]: The FromPhoneNumber [x] is not a valid E.164 phone number",
                    "Row [2]: The ToPhoneNumber [y] is not a valid E.164 phone number",
                    "Row [2]: The SendTime [soon] is not a valid date format. Use RFC3339 (e.g. 2023-11-11T02:10:01Z) or YYYY-MM-DDTHH:MM:SS.",
                ],
            ),
            (
                "a.csv",
                format!("{HEADER}\n+18005550177,{CONTACT},,\n").into(),
                vec!["Rows [2]: The FromPhoneNumber [+18005550177] is not registered on your account"],
            ),
        ] {
            upload(&user, name, file).await.invalid(INVALID, json!({"document": errors}));
        }
        assert_eq!(world.everything().await, before);
        assert_eq!(user.get(BULK).await.ok(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_form_with_a_file_is_malformed() {
    let world = World::open(None).await;
    let user = world.user();
    user.post(BULK, json!({}))
        .await
        .malformed("multipart/form-data");
    let text = part("name=\"document\"", b"x");
    post(&user, BULK, [&text[..], b"--edge--\r\n"].concat())
        .await
        .malformed("no file with the name document");
    post(&user, BULK, text).await.malformed("no form");
    let huge = form("a.csv", &vec![b'x'; 4 << 20], &[]);
    assert_eq!(post(&user, BULK, huge).await.status, 413);
    let anonymous = world.anonymous();
    upload(&anonymous, "a.csv", rows(1)).await.unauthorized();
    let phone = world.phone(&[OWNER]).await;
    upload(&phone, "a.csv", rows(1)).await.unauthorized();
    phone.get(BULK).await.unauthorized();
    // A thousand are accepted.
    upload(&user, "A.CSV", rows(1000))
        .await
        .says(202, "Added 1000 out of 1000 messages to the queue");
}

#[tokio::test]
async fn a_file_with_other_columns_is_previewed_and_sent() {
    on_each_engine(async |world: World| {
        world.phone(&[OWNER]).await;
        let user = world.user();
        let file = format!(
            "Name;Mobile;Text\nAnn;{CONTACT};hi\nBob;;{}\n",
            "ж".repeat(71)
        );
        let texts = |mapping| [("mapping", mapping), ("from", "18005550199")];
        let mapping = r#"{"to": "mobile", "content": 2}"#;
        let preview = format!("{BULK}/preview");
        let body = form("people.csv", file.as_bytes(), &texts(mapping));
        let shown = post(&user, &preview, body.clone())
            .await
            .says(200, "bulk message previewed successfully")
            .ok();
        assert_eq!(shown["columns"], json!(["Name", "Mobile", "Text"]));
        let error = "Row [3]: The ToPhoneNumber [] is not a valid E.164 phone number";
        let row = |row: i64, to: &str, content: &str, segments: i64, errors: Value| {
            json!({
                "row": row, "from": OWNER, "to": to, "content": content, "send_time": null,
                "attachments": [], "segments": segments, "errors": errors,
            })
        };
        let rows = json!([
            row(2, CONTACT, "hi", 1, json!([])),
            row(3, "", &"ж".repeat(71), 2, json!([error])),
        ]);
        assert_eq!((&shown["rows"], &shown["total"]), (&rows, &json!(2)));
        assert_eq!(shown["errors"], json!([error]));
        post(&user, BULK, body)
            .await
            .invalid(INVALID, json!({"document": [error]}));
        assert_eq!(user.get(BULK).await.ok(), json!([]));
        let good = file.replace("Bob;;", "Bob;24273555501;");
        let sent = post(
            &user,
            BULK,
            form("people.csv", good.as_bytes(), &texts(mapping)),
        )
        .await;
        sent.says(202, "Added 2 out of 2 messages to the queue");
        let wrong = [("mapping", "[1]"), ("from", "abc")];
        post(&user, &preview, form("a.csv", b"", &wrong)).await.invalid(
            INVALID,
            json!({"from": [e164("from")], "mapping": ["The mapping field must be a JSON object"]}),
        );
    })
    .await;
}

#[tokio::test]
async fn a_bulk_message_is_paused_resumed_cancelled_and_tried_again() {
    on_each_engine(async |world: World| {
        let phone = world.phone(&[OWNER]).await;
        let rate = json!({"phone_number": OWNER, "messages_per_minute": 1});
        let user = world.user();
        user.put("/v1/phones", rate).await.ok();
        let sent = upload(&user, "a.csv", rows(3)).await;
        let path = sent.header("location").to_owned();
        let id = user.get(&path).await.ok()["messages"][0]["id"].clone();
        let id = id.as_str().unwrap();
        let act = async |what: &str| user.post(&format!("{path}/{what}"), json!({})).await;
        phone
            .get(&format!("/v1/messages/outstanding?message_id={id}"))
            .await
            .ok();
        let paused = act("pause")
            .await
            .says(200, "bulk message paused successfully")
            .ok();
        assert_eq!(
            (&paused["status"], &paused["paused_count"]),
            (&json!("paused"), &json!(2))
        );
        let resumed = act("resume")
            .await
            .says(200, "bulk message resumed successfully")
            .ok();
        assert_eq!(resumed["status"], "running");
        let cancelled = act("cancel")
            .await
            .says(200, "bulk message cancelled successfully")
            .ok();
        assert_eq!(cancelled["cancelled_count"], 2);
        assert_eq!(act("retry-failed").await.status, 409);
        let report = json!({"event_name": "FAILED", "timestamp": crate::support::AT});
        let events = format!("/v1/messages/{id}/events");
        phone.post(&events, report).await.ok();
        let request_id = paused["request_id"].as_str().unwrap();
        act("pause").await.says(
            409,
            &format!("the bulk message [{request_id}] is finished and cannot be paused"),
        );
        let again = act("retry-failed")
            .await
            .says(202, "Added 1 out of 1 messages to the queue");
        let data = again.ok();
        assert_eq!(data["count"], 1);
        let shown = user.get(again.header("location")).await.ok();
        assert_eq!(
            (&shown["request_id"], &shown["total"]),
            (&data["request_id"], &json!(1))
        );
        for what in ["pause", "resume", "cancel", "retry-failed"] {
            user.post(&format!("{BULK}/bulk-none/{what}"), json!({}))
                .await
                .missing("cannot find bulk message with ID [bulk-none]");
        }
    })
    .await;
}
