//! What the routes of bulk messages say of themselves.

use gateway::message::Status;

use super::STATES;
use crate::reference::{Doc, one_of, text};
use crate::shape::{BulkAccepted, BulkDetail, BulkFile, BulkMessage, BulkPreview};

const COLUMNS: &str = "CSV (separated by commas, semicolons or tabs) or XLSX (the first sheet). Without `mapping` the columns are those of the template: `FromPhoneNumber`, `ToPhoneNumber`, `Content`, `SendTime(optional)`, `AttachmentURLs(optional)`; in a sheet they are the first five, in this order. A send time is RFC 3339, or `2026-01-02T03:04:05` or `2026-01-02 03:04:05` in the time zone of the account.";

pub(super) fn list() -> Doc {
    Doc::user("listBulkMessages", "List bulk messages, newest first")
        .note("Messages with the same request id that begins with `bulk-`, counted by where they stand.")
        .window(10)
        .query("status", "Only those that stand so.", one_of(&STATES))
        .lists::<BulkMessage>(200, "fetched 1 bulk message")
}

pub(super) fn send() -> Doc {
    Doc::user("sendBulkFile", "Send the messages of a file, all or none")
        .note(&format!(
            "{COLUMNS} The answer's header `Location` leads to what was accepted."
        ))
        .takes_form::<BulkFile>()
        .limits()
        .queues("Added 2 out of 2 messages to the queue")
}

pub(super) fn preview() -> Doc {
    Doc::user("previewBulkFile", "Show what a file would send")
        .note(&format!("{COLUMNS} Nothing is stored."))
        .takes_form::<BulkFile>()
        .gives::<BulkPreview>(200, "bulk message previewed successfully")
}

pub(super) fn template() -> Doc {
    Doc::user(
        "getBulkTemplate",
        "Download a template for files of messages",
    )
    .note("An XLSX file with the names of the columns, and cells for texts.")
    .text(super::XLSX, "The file.")
}

pub(super) fn show() -> Doc {
    named(Doc::user("getBulkMessage", "Show a bulk message"))
        .window(100)
        .query(
            "status",
            "Only messages with this status.",
            one_of(&Status::ALL.map(Status::as_str)),
        )
        .gives::<BulkDetail>(200, "bulk message fetched successfully")
}

pub(super) fn pause() -> Doc {
    named(Doc::user("pauseBulkMessage", "Hold a bulk message back"))
        .note("What no phone has yet waits until it is resumed.")
        .conflicts()
        .gives::<BulkMessage>(200, "bulk message paused successfully")
}

pub(super) fn resume() -> Doc {
    named(Doc::user("resumeBulkMessage", "Let a bulk message go on"))
        .conflicts()
        .gives::<BulkMessage>(200, "bulk message resumed successfully")
}

pub(super) fn cancel() -> Doc {
    named(Doc::user("cancelBulkMessage", "Cancel a bulk message"))
        .note("What no phone has yet is `failed` then, and is not sent.")
        .conflicts()
        .gives::<BulkMessage>(200, "bulk message cancelled successfully")
}

pub(super) fn retry() -> Doc {
    named(Doc::user(
        "retryBulkMessage",
        "Send again what failed or expired of a bulk message",
    ))
    .note("As a bulk message of its own, which the answer names. Up to 1,000 messages at once; what was cancelled, or sent again before, is not.")
    .conflicts()
    .limits()
    .gives::<BulkAccepted>(202, "Added 2 out of 2 messages to the queue")
}

fn named(doc: Doc) -> Doc {
    doc.path("request_id", "What its messages have in common.", text())
        .finds()
}
