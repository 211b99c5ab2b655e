//! Events as they happen, as server-sent events. Each has its place in the log as its `id`, so a
//! client that lost its connection goes on where it was.
//!
//! The client sets the pace: the next events are read from the log when the last ones are on their
//! way to it, so one that reads slowly, or not at all, costs a connection and one part of the log.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use gateway::Fields;
use gateway::event::{Feed, Recorded};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use tokio::time::{Interval, MissedTickBehavior};

use super::{INVALID, kinds, place};
use crate::Api;
use crate::auth::UserCaller;
use crate::envelope::Answer;
use crate::error::Error;
use crate::query::Query;

const LAST: &str = "last-event-id";

/// What a client waits before it comes again, in milliseconds.
const RETRY: u64 = 1000;

/// Before the log is looked into again when the database was away.
const AWAY: Duration = Duration::from_secs(1);

pub(super) async fn follow(
    State(api): State<Api>,
    UserCaller(caller): UserCaller,
    query: Query,
    parts: Parts,
) -> Answer {
    let mut wrong = Fields::default();
    let after = begin(&mut wrong, &parts.headers, &query);
    let kinds = kinds(&mut wrong, &query);
    wrong
        .check()
        .map_err(|wrong| Error::Invalid(INVALID, wrong))?;
    let after = match after {
        Some(after) => after,
        None => api.gateway.feed_end(&caller.user_id).await?,
    };
    let feed = api.gateway.follow(&caller.user_id, after, kinds);
    Ok(answer(Live::new(api, parts, feed)))
}

/// Where to begin. A browser that comes again names in the header what it had last, and leaves the
/// query as it was.
fn begin(wrong: &mut Fields, headers: &HeaderMap, query: &Query) -> Option<i64> {
    match headers.get(LAST) {
        Some(last) => place(
            wrong,
            "Last-Event-ID",
            &String::from_utf8_lossy(last.as_bytes()),
        ),
        None => place(wrong, "after", query.text("after")),
    }
}

fn answer(live: Live) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // For proxies that would collect the answer first.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let body = Body::from_stream(stream::unfold(live, Live::next));
    (headers, body).into_response()
}

/// A stream that is open.
struct Live {
    api: Api,
    /// The request, to look again who sent it.
    parts: Parts,
    feed: Feed,
    beat: Interval,
}

impl Live {
    fn new(api: Api, parts: Parts, feed: Feed) -> Self {
        // The first beat comes at once, and tells the client where it begins.
        let mut beat = tokio::time::interval(api.options.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            api,
            parts,
            feed,
            beat,
        }
    }

    /// What to send next; nothing ends the stream.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let events = tokio::select! {
                biased;
                () = self.api.options.stop.cancelled() => return None,
                _ = self.beat.tick() => {
                    let beat = self.is_allowed().await.then(|| self.beat())?;
                    return Some((Ok(beat), self));
                }
                events = self.feed.next() => events,
            };
            match events {
                Ok(events) => return Some((Ok(written(&events)), self)),
                Err(error) if error.is_unavailable() => tokio::time::sleep(AWAY).await,
                Err(error) => {
                    tracing::error!(%error, "a stream of events ends");
                    return None;
                }
            }
        }
    }

    /// Whether the caller's key or session still counts. Without the database nobody knows: nothing
    /// is read without it either.
    async fn is_allowed(&self) -> bool {
        let mut parts = self.parts.clone();
        match UserCaller::from_request_parts(&mut parts, &self.api).await {
            Ok(_) | Err(Error::Unavailable(_)) => true,
            Err(_) => false,
        }
    }

    /// A sign of life, with the place up to which there is nothing to tell.
    fn beat(&self) -> Bytes {
        format!(": beat\nretry: {RETRY}\nid: {}\n\n", self.feed.position()).into()
    }
}

/// Events in the form of `text/event-stream`; their JSON has no line breaks.
fn written(events: &[Recorded]) -> Bytes {
    let length = events.iter().map(|event| event.body.len() + 100).sum();
    let mut text = String::with_capacity(length);
    for Recorded {
        seq, kind, body, ..
    } in events
    {
        let kind = kind.as_str();
        let _ = write!(text, "id: {seq}\nevent: {kind}\ndata: {body}\n\n");
    }
    text.into()
}
