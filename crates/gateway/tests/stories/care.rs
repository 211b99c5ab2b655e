//! Looking after messages and phones: timelines, queues, health, status, usage by days, deleting and
//! sending again.

use std::time::Duration;

use gateway::heartbeat::Beat;
use gateway::message::{Awaited, BulkSms, Reported, Status};
use gateway::phone::Changes;
use gateway::{Error, Page, Uuid, status};

use crate::support::{
    CONTACT, MINUTE, OWNER, World, between, incoming, number, on_each_engine, sms,
};

const HOUR: Duration = Duration::from_hours(1);

fn all() -> Page {
    Page {
        limit: -1,
        ..Page::default()
    }
}

async fn steps(world: &World, id: Uuid) -> (Vec<&'static str>, Option<String>) {
    let timeline = world.gateway.timeline(&world.user, id).await.unwrap();
    let steps = timeline.steps.iter().map(|step| step.step).collect();
    (steps, timeline.waiting)
}

async fn beat(world: &World) {
    let beat = Beat {
        numbers: vec![number(OWNER)],
        charging: true,
        version: "app-7".to_owned(),
    };
    world.gateway.beat(&world.user, beat).await.unwrap();
}

#[tokio::test]
async fn a_timeline_tells_what_happened_and_what_is_awaited() {
    on_each_engine(async |mut world: World| {
        world.phone().await;
        beat(&world).await;
        // Others of the account do not get into it.
        let other = world.send("other").await.id;
        let id = world.send("hi").await.id;
        let (told, waiting) = steps(&world, id).await;
        assert_eq!(told, ["accepted", "scheduled"]);
        let waiting = waiting.unwrap();
        assert!(waiting.starts_with("It waits for its slot"), "{waiting}");
        world.clock.advance(MINUTE);
        world.wake().await;
        let (_, waiting) = steps(&world, id).await;
        assert!(waiting.unwrap().contains("has not fetched it yet"));
        world.pass(MINUTE * 11).await;
        beat(&world).await;
        world.wake().await;
        world.gateway.claim(&world.user, id).await.unwrap();
        world.report(id, Reported::Sent).await;
        world.report(id, Reported::Failed).await;
        let (told, waiting) = steps(&world, id).await;
        assert_eq!(
            told,
            [
                "accepted",
                "scheduled",
                "woken",
                "expired",
                "retried",
                "scheduled",
                "woken",
                "claimed",
                "sent",
                "failed"
            ]
        );
        assert_eq!(waiting, None);
        let timeline = world.gateway.timeline(&world.user, id).await.unwrap();
        let failed = timeline.steps.last().unwrap();
        assert_eq!(failed.reason.as_deref(), Some("UNKNOWN ERROR"));
        let expired = &timeline.steps[3];
        let words = expired.detail.as_deref();
        assert_eq!(words, Some("no report after wake-up 1"));
        assert_eq!((expired.attempt, expired.is_final), (Some(1), Some(false)));
        let slot = &timeline.steps[1];
        let words = slot.scheduled_at.map(|at| format!("its slot is {at}"));
        assert!(words.is_some() && words == slot.detail);
        assert_ne!(steps(&world, other).await.0, told);
        let unknown = world.gateway.timeline(&world.user, Uuid::nil()).await;
        assert!(matches!(unknown, Err(Error::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn a_timeline_finds_its_steps_among_many() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let id = world.send("hi").await.id;
        for _ in 0..1200 {
            let sms = incoming(&world, "BANK", "code");
            world.gateway.receive(&world.user, sms).await.unwrap();
            world.clock.advance(Duration::from_secs(1));
        }
        world.gateway.cancel_message(&world.user, id).await.unwrap();
        for _ in 0..1200 {
            let sms = incoming(&world, "BANK", "code");
            world.gateway.receive(&world.user, sms).await.unwrap();
            world.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(
            steps(&world, id).await.0,
            ["accepted", "scheduled", "failed"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_timeline_knows_every_retry_however_much_happens() {
    on_each_engine(async |mut world: World| {
        let tries = Changes {
            max_send_attempts: Some(3),
            message_expiration_seconds: Some(60),
            ..Changes::default()
        };
        world.phone_with(tries).await;
        let id = world.send("hi").await.id;
        for _ in 0..3 {
            world.wake().await;
            world.flood("BANK", 2100).await;
            world.pass(MINUTE).await;
        }
        let told = steps(&world, id).await.0;
        let count = |step: &str| told.iter().filter(|told| **told == step).count();
        assert_eq!(
            (count("expired"), count("retried"), count("scheduled")),
            (3, 2, 3),
            "{told:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_queue_has_what_waits_and_why() {
    on_each_engine(async |mut world: World| {
        let slow = Changes {
            messages_per_minute: Some(1),
            ..Changes::default()
        };
        let phone = world.phone_with(slow).await;
        beat(&world).await;
        let mut later = sms("later");
        later.send_at = Some(world.now() + HOUR * 3);
        world.gateway.send(&world.user, later).await.unwrap();
        let bulk = BulkSms {
            from: number(OWNER),
            to: vec![CONTACT.to_owned(); 3],
            content: "many".to_owned(),
            attachments: Vec::new(),
            encrypted: false,
            request_id: None,
        };
        world.gateway.send_bulk(&world.user, bulk).await.unwrap();
        world.send("after").await;
        let queue = world
            .gateway
            .phone_queue(&world.user, phone.id, all())
            .await
            .unwrap();
        let mut seen: Vec<(u64, &str)> = queue
            .iter()
            .map(|queued| {
                let due = queued.due_at.unwrap().since(world.now());
                (due.as_secs() / 60, queued.content.as_str())
            })
            .collect();
        assert!(seen.is_sorted_by_key(|(due, _)| *due));
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                (0, "many"),
                (1, "after"),
                (1, "many"),
                (2, "many"),
                (180, "later")
            ]
        );
        assert_eq!(queue[0].reason, "The phone is being woken.");
        assert_eq!(queue[3].reason, "It waits for its turn in a bulk send.");
        assert_eq!(queue[4].reason, "It waits for the time that was asked for.");
        let code = |at: usize| queue[at].waiting_for.code;
        assert_eq!(
            [code(0), code(3), code(4)],
            [Awaited::WakeUp, Awaited::BulkTurn, Awaited::AskedTime]
        );
        let after = queue.iter().find(|queued| queued.content == "after");
        let after = &after.unwrap().waiting_for;
        assert_eq!((after.code, after.per_minute), (Awaited::Slot, Some(1)));
        let window = Page {
            skip: 1,
            limit: 2,
            ..Page::default()
        };
        let part = world
            .gateway
            .phone_queue(&world.user, phone.id, window)
            .await
            .unwrap();
        let part: Vec<Uuid> = part.iter().map(|queued| queued.message_id).collect();
        assert_eq!(part, [queue[1].message_id, queue[2].message_id]);
        // The first is in the phone's hands now, and stays in the list until it is reported.
        world.wake().await;
        let first = queue[0].message_id;
        world.gateway.claim(&world.user, first).await.unwrap();
        let queue = world
            .gateway
            .phone_queue(&world.user, phone.id, all())
            .await
            .unwrap();
        let queued = queue
            .iter()
            .find(|queued| queued.message_id == first)
            .unwrap();
        assert_eq!(queued.status, Status::Sending);
        world.report(first, Reported::Sent).await;
        let queue = world
            .gateway
            .phone_queue(&world.user, phone.id, all())
            .await
            .unwrap();
        assert!(queue.iter().all(|queued| queued.message_id != first));
    })
    .await;
}

#[tokio::test]
async fn health_tells_when_a_phone_was_silent() {
    on_each_engine(async |world: World| {
        let phone = world.phone().await;
        let health = async || {
            world
                .gateway
                .phone_health(&world.user, phone.id, 1)
                .await
                .unwrap()
        };
        let new = health().await;
        assert_eq!(
            (new.uptime_percent, new.version, new.last_heartbeat_at),
            (None, None, None)
        );
        for _ in 0..4 {
            beat(&world).await;
            world.pass(MINUTE * 15).await;
        }
        let seen = health().await;
        assert_eq!(seen.uptime_percent, Some(100.0));
        assert_eq!(
            (seen.charging, seen.version.as_deref()),
            (Some(true), Some("app-7"))
        );
        assert!(seen.online && seen.gaps.is_empty());
        assert_eq!(seen.buckets.len(), 1);
        assert_eq!(seen.buckets[0].beats, 4);
        let last = seen.last_heartbeat_at.unwrap();
        world.pass(MINUTE * 165).await;
        let silent = health().await;
        assert!(!silent.online);
        assert_eq!(silent.gaps.len(), 1);
        assert_eq!((silent.gaps[0].from, silent.gaps[0].to), (last, None));
        // Of 3 hours and 45 minutes it was silent for three, of which the first is allowed.
        assert_eq!(silent.uptime_percent, Some(46.67));
        let status = world.gateway.status(&world.user).await.unwrap();
        assert_eq!(status.state, status::State::Attention);
        assert_eq!(status.reasons[0].kind, status::Kind::PhoneOffline);
        assert_eq!(status.reasons[0].link, format!("/phones/{}", phone.id));
        assert_eq!(status.reasons[0].at, Some(last));
        beat(&world).await;
        let back = health().await;
        assert_eq!(
            (back.gaps[0].from, back.gaps[0].to),
            (last, Some(world.now()))
        );
        assert!(back.online);
        let status = world.gateway.status(&world.user).await.unwrap();
        assert_eq!(status.state, status::State::Ok);
        assert!(status.reasons.is_empty());
    })
    .await;
}

#[tokio::test]
async fn days_are_those_of_the_accounts_zone() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        world.phone().await;
        gateway.update_me(user, "Asia/Kolkata", None).await.unwrap();
        let id = world.send("hi").await.id;
        world.report(id, Reported::Failed).await;
        // 18:30 in UTC is midnight there.
        world.clock.advance(Duration::from_mins(9 * 60 + 29));
        gateway
            .receive(user, incoming(&world, CONTACT, "late"))
            .await
            .unwrap();
        let days = gateway.usage_by_day(user, 1).await.unwrap();
        assert_eq!((days[0].day.as_str(), days[0].received), ("2026-03-02", 1));
        world.clock.advance(MINUTE);
        gateway
            .receive(user, incoming(&world, CONTACT, "early"))
            .await
            .unwrap();
        for _ in 0..2 {
            let days = gateway.usage_by_day(user, 3).await.unwrap();
            let seen: Vec<_> = days
                .iter()
                .map(|day| (day.day.as_str(), day.sent, day.received, day.failed))
                .collect();
            assert_eq!(
                seen,
                [
                    ("2026-03-01", 0, 0, 0),
                    ("2026-03-02", 1, 1, 1),
                    ("2026-03-03", 0, 1, 0)
                ]
            );
        }
        gateway.update_me(user, "UTC", None).await.unwrap();
        let days = gateway.usage_by_day(user, 1).await.unwrap();
        assert_eq!((days[0].sent, days[0].received, days[0].failed), (1, 2, 1));
    })
    .await;
}

#[tokio::test]
async fn several_are_deleted_or_sent_again() {
    on_each_engine(async |world: World| {
        let (gateway, user) = (&world.gateway, &world.user);
        world.phone().await;
        let mut named = sms("named");
        named.request_id = Some("order-7".to_owned());
        named.attachments = vec!["https://files.example.org/a.jpg".to_owned()];
        let named = gateway.send(user, named).await.unwrap();
        let plain = world.send("plain").await;
        let again = gateway.resend_messages(user, vec![plain.id, named.id]).await.unwrap();
        assert_eq!(again[0].content, "plain");
        assert_eq!(again[0].request_id, Some(format!("resend-of-{}", plain.id)));
        assert_eq!(again[1].request_id, named.request_id);
        assert_eq!(again[1].attachments, named.attachments);
        assert_ne!(again[1].id, named.id);
        let received = gateway.receive(user, incoming(&world, CONTACT, "x")).await.unwrap();
        let refused = gateway.resend_messages(user, vec![plain.id, received.id]).await;
        let Err(Error::Invalid(fields)) = refused else {
            panic!("{refused:?}")
        };
        let why = r#"{"ids":["The ids field in index [1] is of a message that was not sent by the account"]}"#;
        assert_eq!(serde_json::to_string(&fields).unwrap(), why);
        let stored = gateway.messages(user, between(), all()).await.unwrap();
        assert_eq!(stored.len(), 5, "all or none");
        let mut ids: Vec<Uuid> = stored.iter().map(|message| message.id).collect();
        ids.extend([Uuid::nil(), plain.id]);
        let deleted = gateway.delete_messages(user, ids).await.unwrap();
        assert_eq!((deleted.count, deleted.with_files.len()), (5, 0));
        assert!(gateway.messages(user, between(), all()).await.unwrap().is_empty());
        assert!(world.load().await.is_empty(), "nobody is woken any more");
    })
    .await;
}
