//! Texts in JSON, with the odd escapes of some clients.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A text, borrowed if it has no escapes.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        from.deserialize_str(Either)
    }
}

/// Reads a text as it stands in JSON; `None` if it is something else.
pub(super) fn read(raw: &str) -> Option<Cow<'_, str>> {
    if let Ok(Text(text)) = serde_json::from_str(raw) {
        return Some(text);
    }
    serde_json::from_str(&mend(raw)).ok().map(Cow::Owned)
}

/// Replaces escapes of half a surrogate pair, which some clients write when they cut a text inside
/// an emoji, by the escape of the replacement character.
fn mend(raw: &str) -> String {
    let mut mended = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let whole = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => Some(12),
            (Some(0xd800..=0xdfff), _) => None,
            (Some(_), _) => Some(6),
            (None, _) => Some(if rest.is_char_boundary(2) { 2 } else { 1 }),
        };
        mended.push_str(whole.map_or("\\ufffd", |length| &rest[..length]));
        rest = &rest[whole.unwrap_or(6)..];
    }
    mended + rest
}

/// The code unit of an escape `\uXXXX` at the start of the text.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_pair_becomes_the_replacement_character() {
        let text = |raw: &str| read(raw).unwrap().into_owned();
        assert_eq!(text(r#""a\ud83d""#), "a\u{fffd}");
        assert_eq!(
            text(r#""\ud83dx\ude00\ud83d\ude00""#),
            "\u{fffd}x\u{fffd}😀"
        );
        assert_eq!(text(r#""\\ud83d \n\ud83d""#), "\\ud83d \n\u{fffd}");
        assert!(read(r#""\ud83d\x""#).is_none());
        assert!(read("\"\\é\"").is_none());
    }
}
