//! Segments: how many short messages a text takes on the air, and where it is cut.
//!
//! By 3GPP TS 23.038 (alphabets) and TS 23.040 (parts, each with a header of six bytes).

use std::sync::LazyLock;

/// How a text is encoded on the air: the first that has all its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The 7-bit alphabet; counted in septets.
    Gsm7,
    /// Counted in 16-bit units.
    Ucs2,
}

crate::names::names!(Encoding { Gsm7 => "GSM-7", Ucs2 => "UCS-2" });

/// The basic table without its escape (TS 23.038, §6.2.1): each takes one septet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table (§6.2.1.1): each takes two septets, the escape and its own.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

impl Encoding {
    /// Units that fit in a message of one segment.
    pub const fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units that fit in each segment of several.
    pub const fn part(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    /// Units of a character; they stay together.
    fn units(self, char: char) -> usize {
        match self {
            Self::Gsm7 => septets(char).unwrap_or(0),
            Self::Ucs2 => char.len_utf16(),
        }
    }
}

fn septets(char: char) -> Option<usize> {
    match usize::try_from(u32::from(char))
        .ok()
        .and_then(|at| ASCII.get(at))
    {
        Some(septets) => *septets,
        None => searched(char),
    }
}

/// What [`septets`] says of the characters that nearly all texts are made of.
static ASCII: LazyLock<[Option<usize>; 128]> =
    LazyLock::new(|| std::array::from_fn(|at| searched(char::from(at as u8))));

fn searched(char: char) -> Option<usize> {
    if BASIC.contains(char) {
        Some(1)
    } else if EXTENSION.contains(char) {
        Some(2)
    } else {
        None
    }
}

/// A text as it is cut for the air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments<'t> {
    /// Of all parts.
    pub encoding: Encoding,
    /// Units of the whole text.
    pub units: usize,
    /// At least one, empty for an empty text.
    pub parts: Vec<&'t str>,
}

/// Cuts a text, never within a character: not an escape from what it escapes, nor a surrogate from
/// its other half.
pub fn split(text: &str) -> Segments<'_> {
    let septets = text.chars().map(septets).sum::<Option<usize>>();
    let (encoding, units) = match septets {
        Some(septets) => (Encoding::Gsm7, septets),
        None => (Encoding::Ucs2, text.encode_utf16().count()),
    };
    let parts = if units <= encoding.alone() {
        vec![text]
    } else {
        cut(text, encoding)
    };
    Segments {
        encoding,
        units,
        parts,
    }
}

/// How many segments a text takes.
pub fn count(text: &str) -> usize {
    split(text).parts.len()
}

/// About how many segments a text takes that is encrypted: base64 of 16 bytes and as many as the
/// text has (contract: phone).
pub(crate) fn of_cipher_text(text: &str) -> usize {
    let bytes = (text.len() * 3 / 4).saturating_sub(16);
    if bytes <= Encoding::Gsm7.alone() {
        1
    } else {
        bytes.div_ceil(Encoding::Gsm7.part())
    }
}

fn cut(text: &str, encoding: Encoding) -> Vec<&str> {
    let (mut parts, mut begin, mut filled) = (Vec::new(), 0, 0);
    for (at, char) in text.char_indices() {
        let units = encoding.units(char);
        if filled + units > encoding.part() {
            parts.push(&text[begin..at]);
            (begin, filled) = (at, 0);
        }
        filled += units;
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_tables_are_complete() {
        // 128 places, but for the escape.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn lengths_decide_the_count() {
        for (text, encoding, units, parts) in [
            (String::new(), Encoding::Gsm7, 0, 1),
            ("a".repeat(160), Encoding::Gsm7, 160, 1),
            ("a".repeat(161), Encoding::Gsm7, 161, 2),
            ("a".repeat(306), Encoding::Gsm7, 306, 2),
            ("a".repeat(307), Encoding::Gsm7, 307, 3),
            ("€".repeat(80), Encoding::Gsm7, 160, 1),
            ("€".repeat(81), Encoding::Gsm7, 162, 2),
            // 76 pairs fill 152 septets; the last place of a part stays empty.
            ("€".repeat(153), Encoding::Gsm7, 306, 3),
            ("ж".repeat(70), Encoding::Ucs2, 70, 1),
            ("ж".repeat(71), Encoding::Ucs2, 71, 2),
            ("😀".repeat(35), Encoding::Ucs2, 70, 1),
            // 33 pairs fill 66 of 67 units.
            ("😀".repeat(67), Encoding::Ucs2, 134, 3),
            ("ç".to_owned(), Encoding::Ucs2, 1, 1),
        ] {
            let found = split(&text);
            assert_eq!(
                (found.encoding, found.units, found.parts.len()),
                (encoding, units, parts),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn parts_are_the_text_and_fit(text in "[a-z€^\\[ж😀 ]{0,400}") {
            let found = split(&text);
            prop_assert_eq!(found.parts.concat(), text.clone());
            let units = |part: &str| match found.encoding {
                Encoding::Ucs2 => part.encode_utf16().count(),
                Encoding::Gsm7 => part.chars().map(|char| septets(char).unwrap()).sum(),
            };
            let many = found.parts.len() > 1;
            let room = if many { found.encoding.part() } else { found.encoding.alone() };
            for (at, part) in found.parts.iter().enumerate() {
                prop_assert!(units(part) <= room);
                // No part is cut earlier than it must be.
                if at + 1 < found.parts.len() {
                    prop_assert!(units(part) >= room - 1);
                }
            }
        }
    }
}
