//! Identifiers, and the one place that makes them.

use rand::RngExt as _;
pub use uuid::Uuid;

use crate::clock::Time;

/// A new identifier, for a row made `now`.
///
/// Clients check that ids are lower-case version 4 UUIDs, so these are: version and variant say 4,
/// and 74 bits are random. The first 48 bits are the time in milliseconds, so that indexes grow at
/// their right end instead of all over (see `docs/adr/0003-identifiers.md`).
pub fn new(now: Time) -> Uuid {
    let mut bytes: [u8; 16] = rand::rng().random();
    let millis = now.micros().div_euclid(1000).to_be_bytes();
    bytes[..6].copy_from_slice(&millis[2..]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Reads an identifier as strictly as the wire does: lower-case, version 4, with hyphens.
pub fn parse(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    let strict = text.len() == 36
        && id.get_version_num() == 4
        && matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b' | b'A' | b'B')
        && !text
            .bytes()
            .enumerate()
            .any(|(at, byte)| at != 19 && byte.is_ascii_uppercase());
    strict.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_4_and_grow_with_time() {
        let (early, late) = (
            new(Time::from_micros(1_000_000)),
            new(Time::from_micros(1_002_000)),
        );
        assert_eq!(early.get_version_num(), 4);
        assert_eq!(parse(&early.to_string()), Some(early));
        assert!(early < late);
    }

    #[test]
    fn only_lower_case_version_4_is_read() {
        assert!(parse("5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11").is_some());
        for wrong in [
            "",
            "5F0E6C0A-8D0B-4C47-9A3C-0A6F4B0F6F11",
            "5f0e6c0a8d0b4c479a3c0a6f4b0f6f11",
            "5f0e6c0a-8d0b-7c47-9a3c-0a6f4b0f6f11",
            "5f0e6c0a-8d0b-4c47-ca3c-0a6f4b0f6f11",
            "{5f0e6c0a-8d0b-4c47-9a3c-0a6f4b0f6f11}",
            "not-a-uuid",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
