//! Send schedules: kept per account, and kept to by phones.

use std::time::Duration;

use gateway::account::NewUser;
use gateway::event::Kind;
use gateway::phone::Changes;
use gateway::schedule::{Draft, Schedule, Window};
use gateway::{Caller, Error, Time};

use crate::support::{MINUTE, OWNER, World, number, on_each_engine, sms};

/// Mondays from nine to ten, in the zone. The stories begin on Monday, 2 March 2026, 09:00 UTC.
fn monday(zone: &str) -> Draft {
    let window = Window {
        day_of_week: 1,
        start_minute: 540,
        end_minute: 600,
    };
    Draft::parse("Mondays", zone, vec![window]).unwrap()
}

fn with(schedule: Option<&Schedule>) -> Changes {
    Changes {
        message_send_schedule_id: Some(schedule.map(|schedule| schedule.id)),
        ..Changes::default()
    }
}

async fn somebody_else(world: &World) -> Caller {
    let account = NewUser {
        email: "bob@example.org".to_owned(),
        api_key: Some("bobs-key".to_owned()),
        ..NewUser::default()
    };
    world.gateway.add_user(account).await.unwrap();
    world.gateway.user("bobs-key").await.unwrap().unwrap()
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

#[tokio::test]
async fn schedules_are_made_changed_and_deleted_by_their_owner() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        let made = gateway.add_schedule(user, monday("UTC")).await.unwrap();
        assert_eq!(
            (made.name.as_str(), made.windows.len(), made.created_at),
            ("Mondays", 1, world.now())
        );
        world.clock.advance(MINUTE);
        let draft = monday("Europe/Lisbon");
        let changed = gateway.put_schedule(user, made.id, draft).await.unwrap();
        assert_eq!(changed.timezone, "Europe/Lisbon");
        assert_eq!(changed.updated_at, world.now());
        gateway.add_schedule(user, monday("UTC")).await.unwrap();
        let listed = gateway.schedules(user).await.unwrap();
        assert_eq!((listed.len(), listed[1].id), (2, made.id));

        let bob = somebody_else(&world).await;
        assert!(gateway.schedules(&bob).await.unwrap().is_empty());
        let stolen = gateway.put_schedule(&bob, made.id, monday("UTC")).await;
        assert!(matches!(stolen, Err(Error::NotFound(_))));
        let lost = gateway.delete_schedule(&bob, made.id).await;
        let text = lost.unwrap_err().to_string();
        let expected = format!(
            "send schedule [{}] not found for user with ID [{}]",
            made.id, bob.user_id
        );
        assert_eq!(text, expected);
    })
    .await;
}

#[tokio::test]
async fn only_an_own_schedule_is_accepted_and_its_deletion_clears_it() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        let bob = somebody_else(&world).await;
        let foreign = gateway.add_schedule(&bob, monday("UTC")).await.unwrap();
        let refused = gateway
            .put_phone(user, number(OWNER), with(Some(&foreign)))
            .await;
        let Err(Error::Invalid(fields)) = refused else {
            panic!("{refused:?}")
        };
        let text = serde_json::to_string(&fields).unwrap();
        assert_eq!(
            text,
            r#"{"message_send_schedule_id":["The message_send_schedule_id does not belong to the authenticated user or does not exist"]}"#
        );

        let own = gateway.add_schedule(user, monday("UTC")).await.unwrap();
        let phone = world.phone_with(with(Some(&own))).await;
        assert_eq!(phone.message_send_schedule_id, Some(own.id));
        gateway.delete_schedule(user, own.id).await.unwrap();
        let phones = gateway.phones(user, all()).await.unwrap();
        assert_eq!(phones[0].message_send_schedule_id, None);
        let told = world.payload(Kind::MessageSendScheduleDeleted).await;
        assert_eq!(told["schedule_id"], own.id.to_string());
        assert_eq!(told["user_id"], user.user_id);
    })
    .await;
}

fn all() -> gateway::Page {
    gateway::Page {
        limit: -1,
        ..gateway::Page::default()
    }
}

#[tokio::test]
async fn slots_lie_within_the_hours_of_the_phone() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        let own = gateway.add_schedule(user, monday("UTC")).await.unwrap();
        world
            .phone_with(Changes {
                messages_per_minute: Some(1),
                ..with(Some(&own))
            })
            .await;
        let slot = async |id| world.message(id).await.scheduled_at.unwrap();
        let first = world.send("now").await.id;
        assert_eq!(slot(first).await, at("2026-03-02T09:00:00Z"));
        world.pass(MINUTE * 59 + Duration::from_secs(30)).await;
        let last = world.send("just in time").await.id;
        assert_eq!(slot(last).await, at("2026-03-02T09:59:30Z"));
        let late = world
            .send("the rate says half past, the hours a week on")
            .await
            .id;
        assert_eq!(slot(late).await, at("2026-03-09T09:00:00Z"));
        let next = world.send("a minute after that").await.id;
        assert_eq!(slot(next).await, at("2026-03-09T09:01:00Z"));

        // An exact time bypasses the hours.
        let mut exact = sms("exactly then");
        exact.send_at = Some(at("2026-03-02T12:00:00Z"));
        let exact = gateway.send(user, exact).await.unwrap().id;
        world.pass(MINUTE * 120 + Duration::from_secs(30)).await;
        assert_eq!(slot(exact).await, at("2026-03-02T12:00:00Z"));
    })
    .await;
}
