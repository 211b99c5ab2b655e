//! Looking at bulk files before they are sent, and files whose columns are not the template's.

use gateway::bulk::{Column, Mapping, Preview, Upload};
use gateway::{Error, Page, PhoneNumber};

use crate::support::{CONTACT, OWNER, World, on_each_engine};

fn csv(text: &str) -> Upload {
    Upload {
        name: "people.csv".to_owned(),
        content: text.as_bytes().to_vec(),
        ..Upload::default()
    }
}

fn named(name: &str) -> Column {
    Column::Named(name.to_owned())
}

async fn preview(world: &World, file: Upload) -> Preview {
    let (gateway, user) = (&world.gateway, &world.user);
    gateway.preview_file(user, file).await.unwrap()
}

#[tokio::test]
async fn a_file_with_other_columns_is_shown_and_sent() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let mut file = csv(&format!(
            "Name;Mobile;When;Greeting\nAnn;{CONTACT};2020-01-01 00:00:00;hi {}\n;;;\nBob;18005550102;;ж\n",
            "x".repeat(160)
        ));
        file.mapping = Some(Mapping {
            to: Some(named("mobile")),
            content: Some(Column::At(3)),
            send_time: Some(named("When")),
            ..Mapping::default()
        });
        file.from = PhoneNumber::parse(OWNER);
        let shown = preview(&world, file.clone()).await;
        assert_eq!(shown.columns, ["Name", "Mobile", "When", "Greeting"]);
        assert_eq!((shown.total, shown.errors.len()), (2, 0));
        let [ann, bob] = &shown.rows[..] else {
            panic!("{:?}", shown.rows)
        };
        assert_eq!((ann.row, bob.row), (2, 4));
        assert_eq!((ann.from.as_str(), ann.to.as_str()), (OWNER, CONTACT));
        assert_eq!((ann.segments, bob.segments), (2, 1));
        assert!(ann.send_time.is_some() && bob.send_time.is_none());
        let user = &world.user;
        let sent = world.gateway.send_file(user, file).await.unwrap();
        assert_eq!(sent.count, 2);
        let sent = world
            .gateway
            .bulk_message(user, sent.request_id, None, Page { limit: 10, ..Page::default() })
            .await
            .unwrap();
        assert_eq!(sent.bulk.total, 2);
        let contacts: Vec<_> = sent.messages.iter().map(|sms| sms.contact.as_str()).collect();
        assert_eq!(contacts, [CONTACT, "+18005550102"]);
    })
    .await;
}

#[tokio::test]
async fn everything_wrong_is_shown_where_it_is_and_nothing_is_stored() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let file = csv(&format!(
            "FromPhoneNumber,ToPhoneNumber,Content\n{OWNER},x,a\n+18005550177,{CONTACT},b\n{OWNER},{CONTACT},c\n"
        ));
        let shown = preview(&world, file.clone()).await;
        let bad = "Row [2]: The ToPhoneNumber [x] is not a valid E.164 phone number";
        let foreign = "Rows [3]: The FromPhoneNumber [+18005550177] is not registered on your account";
        assert_eq!(shown.errors, [bad, foreign]);
        let of_rows: Vec<_> = shown.rows.iter().map(|row| row.errors.join(" ")).collect();
        assert_eq!(of_rows, [bad, foreign, ""]);
        let mut mapped = file.clone();
        mapped.mapping = Some(Mapping {
            to: Some(named("Mobile")),
            ..Mapping::default()
        });
        let shown = preview(&world, mapped).await;
        assert_eq!(shown.errors, ["The file has no column [Mobile]."]);
        let mut broken = csv("a,b\n1");
        broken.name = "people.xlsx".to_owned();
        let shown = preview(&world, broken).await;
        assert_eq!(
            shown.errors,
            ["Cannot parse the uploaded excel file with name [people.xlsx]."]
        );
        let many = csv(&format!(
            "FromPhoneNumber,ToPhoneNumber,Content\n{}",
            format!("{OWNER},{CONTACT},x\n").repeat(1200)
        ));
        let shown = preview(&world, many).await;
        assert_eq!((shown.total, shown.rows.len()), (1001, 100));
        assert_eq!(
            shown.errors,
            ["The uploaded file must contain less than 1000 records."]
        );
        let refused = world.gateway.send_file(&world.user, file).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
        let all = Page { limit: -1, ..Page::default() };
        let stored = world.gateway.bulk_messages(&world.user, None, all).await;
        assert!(stored.unwrap().is_empty());
    })
    .await;
}
