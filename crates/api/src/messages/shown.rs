//! Messages as the wire shows them: with what follows from their text.

use gateway::message::Message;
use gateway::segment::Encoding;
use serde::Serialize;

/// A message and how it goes over the air.
#[derive(Serialize)]
pub(crate) struct Shown<'m> {
    #[serde(flatten)]
    message: &'m Message,
    encoding: Option<Encoding>,
    segment_count: Option<usize>,
}

pub(crate) fn shown(message: &Message) -> Shown<'_> {
    let (encoding, segment_count) = message.on_air().unzip();
    Shown {
        message,
        encoding,
        segment_count,
    }
}

pub(crate) fn all_shown(messages: &[Message]) -> Vec<Shown<'_>> {
    messages.iter().map(shown).collect()
}
