//! Searching messages: by every filter, in every order, indexed or not.

use gateway::message::{Kind, Message, Reported, Status};
use gateway::search::{Search, SortBy};
use gateway::{Page, Uuid};

use crate::support::{CONTACT, MINUTE, OWNER, World, incoming, on_each_engine, sms};

fn text(query: &str) -> Search {
    Search {
        page: Page {
            skip: 0,
            limit: 100,
            query: query.to_owned(),
        },
        ..Search::default()
    }
}

async fn found(world: &World, search: Search) -> Vec<Uuid> {
    let found = world.gateway.search(&world.user, search).await.unwrap();
    found.into_iter().map(|message| message.id).collect()
}

async fn index(world: &World) {
    if world.is_sqlite() {
        while world.gateway.index_messages(32).await.unwrap().more {}
    }
}

async fn receive(world: &World, from: &str, content: &str) -> Message {
    let sms = incoming(world, from, content);
    world.gateway.receive(&world.user, sms).await.unwrap()
}

#[tokio::test]
async fn texts_are_found_before_and_after_they_are_indexed() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let hi = receive(&world, "BANK", "Your code is 123-456, \"quoted\"")
            .await
            .id;
        world.pass(MINUTE).await;
        let umlaut = receive(&world, CONTACT, "Grüße aus Ärmelland 日本語テスト")
            .await
            .id;
        world.pass(MINUTE).await;
        let mut sms = sms("an order");
        sms.request_id = Some("order-88213".to_owned());
        let order = world.gateway.send(&world.user, sms).await.unwrap().id;
        for round in 0..2 {
            let ask = async |query: &str| found(&world, text(query)).await;
            assert_eq!(ask("CODE is").await, [hi], "{round}");
            assert_eq!(ask("bank").await, [hi]);
            assert_eq!(ask("\"quot").await, [hi]);
            assert_eq!(ask("Ärmel").await, [umlaut]);
            assert_eq!(ask("本語テ").await, [umlaut]);
            assert_eq!(ask("88213").await, [order]);
            assert_eq!(ask("r-8").await, [order]);
            assert_eq!(ask("o").await, [hi, order], "too short for the index");
            assert_eq!(ask("c_de").await, [hi], "wild as in the reference");
            assert_eq!(ask(&order.to_string()).await, [order]);
            assert_eq!(ask("no such words").await, [] as [Uuid; 0]);
            assert_eq!(ask("").await, [hi, umlaut, order]);
            index(&world).await;
        }
        world.report(order, Reported::Failed).await;
        assert_eq!(found(&world, text("unknown err")).await, [order]);
        for (statuses, expected) in [
            (vec![Status::Failed], vec![order]),
            (vec![Status::Failed, Status::Expired], vec![order]),
            (vec![Status::Expired], vec![]),
        ] {
            let lost = Search {
                statuses,
                ..text("88213")
            };
            assert_eq!(found(&world, lost).await, expected);
        }
        index(&world).await;
        assert_eq!(found(&world, text("unknown err")).await, [order]);
        assert_eq!(
            found(&world, text("88213")).await,
            [order],
            "once, though indexed twice"
        );
        world
            .gateway
            .delete_message(&world.user, order)
            .await
            .unwrap();
        assert!(found(&world, text("88213")).await.is_empty());
        receive(&world, CONTACT, "88213 again").await;
        index(&world).await;
        assert_eq!(found(&world, text("88213")).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn filters_narrow_and_orders_order() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let first = receive(&world, "ZED", "word one").await;
        world.pass(MINUTE).await;
        let second = receive(&world, "ABE", "word two").await;
        world.pass(MINUTE).await;
        let third = world.send("word three").await;
        let (first_at, second_at) = (first.created_at, second.created_at);
        let (first, second, third) = (first.id, second.id, third.id);
        let ask = async |search: Search| found(&world, search).await;

        let by_contact = Search {
            sort_by: SortBy::Contact,
            ..text("word")
        };
        assert_eq!(ask(by_contact.clone()).await, [third, second, first]);
        let back = Search {
            descending: true,
            ..by_contact
        };
        assert_eq!(ask(back).await, [first, second, third]);
        let by_type = Search {
            sort_by: SortBy::Type,
            ..text("")
        };
        assert_eq!(ask(by_type).await, [first, second, third]);

        let received = Search {
            types: vec![Kind::MobileOriginated],
            ..text("word")
        };
        assert_eq!(ask(received).await, [first, second]);
        let scheduled = Search {
            statuses: vec![Status::Scheduled, Status::Failed],
            ..text("")
        };
        assert_eq!(ask(scheduled).await, [third]);
        let own = Search {
            owners: vec![OWNER.to_owned()],
            ..text("three")
        };
        assert_eq!(ask(own).await, [third]);
        let other = Search {
            owners: vec!["+18005550000".to_owned()],
            ..text("")
        };
        assert!(ask(other).await.is_empty());
        let between = Search {
            since: Some(first_at),
            until: Some(second_at),
            ..text("")
        };
        assert_eq!(ask(between).await, [first]);
        let mut window = text("word");
        (window.page.skip, window.page.limit) = (1, 1);
        assert_eq!(ask(window).await, [second]);
    })
    .await;
}

#[tokio::test]
async fn what_comes_after_the_newest_were_deleted_is_found_alone() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let kept = receive(&world, CONTACT, "the very first").await.id;
        for text in ["one deleted", "two deleted"] {
            let message = receive(&world, CONTACT, text).await.id;
            index(&world).await;
            let gone = world.gateway.delete_message(&world.user, message).await;
            gone.unwrap();
        }
        let new = receive(&world, CONTACT, "the very last").await.id;
        for _ in 0..2 {
            assert_eq!(found(&world, text("very last")).await, [new]);
            assert_eq!(found(&world, text("deleted")).await, [] as [Uuid; 0]);
            assert_eq!(found(&world, text("very first")).await, [kept]);
            index(&world).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_index_of_many_small_parts_has_everything() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let mut all = Vec::new();
        for nth in 0..150 {
            let message = receive(&world, CONTACT, &format!("part {nth:03}, please")).await;
            all.push((format!("rt {nth:03}"), message.id));
            if world.is_sqlite() {
                world.gateway.index_messages(1).await.unwrap();
            }
        }
        for (query, id) in all {
            assert_eq!(found(&world, text(&query)).await, [id], "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn long_texts_are_indexed_a_few_at_a_time() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let first = receive(&world, CONTACT, &"long and wide ".repeat(200))
            .await
            .id;
        let second = receive(&world, CONTACT, "short and slim").await.id;
        if world.is_sqlite() {
            let step = world.gateway.index_messages(2).await.unwrap();
            assert!(step.more, "the first one is enough");
        }
        for _ in 0..2 {
            assert_eq!(found(&world, text("and wide")).await, [first]);
            assert_eq!(found(&world, text("and slim")).await, [second]);
            index(&world).await;
        }
    })
    .await;
}

/// More than are looked at for one part.
const MANY: usize = 2_100;

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_finds_everything_once_and_in_order() {
    on_each_engine(async |world: World| {
        world.phone().await;
        let first = receive(&world, CONTACT, "the first of many").await.id;
        let mut tasks = tokio::task::JoinSet::new();
        for nth in 0..MANY {
            let sms = incoming(&world, CONTACT, &format!("one of many, {nth}"));
            let (gateway, user) = (world.gateway.clone(), world.user.clone());
            tasks.spawn(async move { gateway.receive(&user, sms).await.unwrap().id });
        }
        let mut all: Vec<Uuid> = tasks.join_all().await;
        world.pass(MINUTE).await;
        let last = receive(&world, "ZED", "the last of many").await.id;
        all.sort_unstable();
        for query in ["", "of many", "no such words", "f"] {
            let mut swept = Vec::new();
            let mut sweep = world.gateway.sweep(&world.user, text(query));
            while let Some(part) = sweep.part().await.unwrap() {
                assert!(part.len() <= 500);
                swept.extend(part.into_iter().map(|message| message.id));
            }
            if query == "no such words" {
                assert!(swept.is_empty());
                continue;
            }
            assert_eq!(swept.pop(), Some(last), "{query}");
            swept.retain(|id| *id != first);
            swept.sort_unstable();
            assert_eq!(swept, all, "{query}");
        }
        let of_few = Search {
            owners: vec![OWNER.to_owned()],
            since: Some(world.now()),
            ..text("")
        };
        let mut sweep = world.gateway.sweep(&world.user, of_few);
        let part = sweep.part().await.unwrap().unwrap();
        assert_eq!(part.len(), 1);
        assert!(sweep.part().await.unwrap().is_none());
    })
    .await;
}
