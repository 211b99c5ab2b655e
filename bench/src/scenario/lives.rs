//! The phones' side of `life`: one poll for each key, and as many connections as there are messages in hand.
//! Also keeps how many messages live, and ends a life when both webhooks have heard of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::ledger::Ledger;
use crate::machine;
use crate::wire::{Line, get, request};

/// The messages of a run.
pub struct Lives {
    /// What the webhook for SENT has heard.
    pub sent: Ledger,
    /// What the webhook for DELIVERED has heard, and when each was handed in.
    pub delivered: Ledger,
    heard: Vec<AtomicU8>,
    over: AtomicUsize,
    room: Semaphore,
}

impl Lives {
    /// For messages with numbers below `capacity`, `at_once` of them at the same time.
    pub fn new(capacity: usize, at_once: usize) -> Self {
        Self {
            sent: Ledger::new(capacity),
            delivered: Ledger::new(capacity),
            heard: (0..capacity).map(|_| AtomicU8::new(0)).collect(),
            over: AtomicUsize::new(0),
            room: Semaphore::new(at_once),
        }
    }

    /// Waits until one more may live.
    pub async fn begin(&self) {
        if let Ok(permit) = self.room.acquire().await {
            permit.forget();
        }
    }

    /// A webhook has heard of a message.
    pub fn heard(&self, event: &str, number: usize) {
        let ledger = match event {
            "message.phone.sent" => &self.sent,
            _ => &self.delivered,
        };
        if ledger.arrive(number) && self.heard[number].fetch_add(1, Ordering::Relaxed) == 1 {
            self.over.fetch_add(1, Ordering::Relaxed);
            self.room.add_permits(1);
        }
    }

    /// How many lives are over.
    pub fn over(&self) -> usize {
        self.over.load(Ordering::Relaxed)
    }
}

/// A phone with many numbers and one key.
pub struct Handset {
    server: SocketAddr,
    key: Arc<str>,
    free: Mutex<Vec<Line>>,
}

#[derive(Deserialize)]
struct Envelope {
    data: Vec<Notification>,
}

#[derive(Deserialize)]
struct Notification {
    id: String,
    data: Wake,
}

#[derive(Deserialize)]
struct Wake {
    #[serde(rename = "KEY_MESSAGE_ID")]
    message: Option<String>,
}

impl Handset {
    /// Its key decides which numbers it has.
    pub fn new(server: SocketAddr, key: Arc<str>) -> Arc<Self> {
        Arc::new(Self {
            server,
            key,
            free: Mutex::default(),
        })
    }

    /// Polls for ever and carries out what comes; acknowledges it with the next poll.
    pub async fn listen(self: Arc<Self>) -> Result<()> {
        let mut poll = Line::open(self.server).await?;
        let mut acks = String::new();
        loop {
            let path = format!("/v1/phones/notifications?wait=30&ack={acks}");
            let answer = poll.ask(&get(&path, &self.key)).await?.ok()?;
            acks.clear();
            if answer.status == 204 {
                continue;
            }
            let envelope: Envelope =
                serde_json::from_slice(answer.body).context("notifications")?;
            for notification in envelope.data {
                if !acks.is_empty() {
                    acks.push(',');
                }
                acks.push_str(&notification.id);
                if let Some(message) = notification.data.message {
                    let handset = Arc::clone(&self);
                    tokio::spawn(async move {
                        if let Err(error) = handset.carry_out(&message).await {
                            eprintln!("a phone: {error:#}");
                        }
                    });
                }
            }
        }
    }

    async fn carry_out(&self, message: &str) -> Result<()> {
        let free = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut line = match free {
            Some(line) => line,
            None => Line::open(self.server).await?,
        };
        let path = format!("/v1/messages/outstanding?message_id={message}");
        let claimed = line.ask(&get(&path, &self.key)).await?;
        // Another notification for the same message came first.
        if claimed.status != 404 {
            claimed.ok().context("claim")?;
            let path = format!("/v1/messages/{message}/events");
            for event in ["SENT", "DELIVERED"] {
                let now = machine::stamp();
                let body =
                    format!(r#"{{"event_name":"{event}","reason":null,"timestamp":"{now}"}}"#);
                let report = request("POST", &path, &self.key, &body);
                line.ask(&report).await?.ok().context(event)?;
            }
        }
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
        Ok(())
    }
}
