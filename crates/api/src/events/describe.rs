//! What the routes of events say of themselves.

use gateway::event::Kind;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::Array;

use super::MOST;
use crate::reference::{Doc, integer, one_of};
use crate::shape;

pub(super) fn list() -> Doc {
    types(Doc::user("listEvents", "Read the log of events in order"))
        .note(
            "Begin with `after=0`, go on with the `next` of each answer: no event is left out or comes twice. Fewer events than `limit` do not mean that there are no more; the same `next` as `after` does.",
        )
        .query(
            "after",
            "Only events after this place; by default from the beginning.",
            integer(0, None),
        )
        .query(
            "limit",
            "At most so many; by default 100.",
            integer(1, Some(MOST)),
        )
        .gives::<shape::Events>(200, "fetched 1 event")
}

pub(super) fn stream() -> Doc {
    types(Doc::user("streamEvents", "Follow events as they happen"))
        .note(
            "Server-sent events. `id` is the place in the log, `event` the type, `data` the CloudEvent. A comment with the place reached comes first, and every fifteen seconds. To go on after an interruption send the last `id` as the header `Last-Event-ID`, as browsers do, or as `after`.",
        )
        .query(
            "after",
            "Begin after this place in the log; by default with what happens from now on.",
            integer(0, None),
        )
        .header(
            "Last-Event-ID",
            "Begin after this place in the log; counts more than `after`.",
            integer(0, None),
        )
        .text("text/event-stream", "A stream that does not end by itself.")
}

fn types(doc: Doc) -> Doc {
    let names = Kind::ALL.map(Kind::as_str);
    doc.query(
        "types",
        "Only events of these types; by default all. May also be one text with commas.",
        Schema::Array(Array::new(one_of(&names))),
    )
}
