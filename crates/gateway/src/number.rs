//! Phone numbers as the wire treats them: made E.164 where they can be, kept as typed where not.

use std::sync::{LazyLock, Mutex, PoisonError};

use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use rustc_hash::FxHashMap;

/// A user's own phone number: one that a telephone library can read without knowing the country.
///
/// It need not be a number in use: `+12345` is accepted (contract: parseable, not valid).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number by the address rule and demands that it can be parsed.
    pub fn parse(text: &str) -> Option<Self> {
        let text = with_plus(text);
        e164(&text, None).map(Self)
    }

    /// In E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address rule: trimmed, `+` put before ten and more digits, E.164 if it can be parsed,
/// otherwise left as it is (a short code, say).
pub fn address(text: &str) -> String {
    let text = with_plus(text);
    e164(&text, None).unwrap_or(text)
}

/// The contact rule for who sent an SMS or called: only eight and more digits without `+` are read,
/// as a number of the country of `owner`; names and short codes stay as they are.
pub fn contact(text: &str, owner: &PhoneNumber) -> String {
    let text = text.trim();
    if text.len() < 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let region = PHONE_NUMBER_UTIL
        .parse(owner.as_str(), None)
        .ok()
        .and_then(|number| number.get_region_code());
    e164(text, region).unwrap_or_else(|| text.to_owned())
}

/// A number as people read it, `+372 5000 2222`; anything else as it is.
pub fn international(text: &str) -> String {
    match PHONE_NUMBER_UTIL.parse(text, None) {
        Ok(number) => number
            .format_as(PhoneNumberFormat::International)
            .into_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Whether a recipient has the form `^\+?[0-9]\d{1,14}$`: a number or a short code.
pub fn is_recipient(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn with_plus(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() > 9 && text.chars().all(char::is_numeric) {
        return format!("+{text}");
    }
    text.to_owned()
}

fn e164(text: &str, region: Option<Region>) -> Option<String> {
    if region.is_some() || text.len() > LONGEST {
        return read(text, region);
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(read) = known.get(text) {
        return Some(read.clone());
    }
    let read = read(text, region)?;
    if known.len() >= ROOM {
        known.clear();
    }
    known.insert(text.to_owned(), read.clone());
    Some(read)
}

/// The same few numbers are read again and again, and reading one takes a while: it is kept what they
/// came to. Longer texts are not what phones send.
static KNOWN: LazyLock<Mutex<FxHashMap<String, String>>> = LazyLock::new(Mutex::default);
const LONGEST: usize = 20;
const ROOM: usize = 4_096;

fn read(text: &str, region: Option<Region>) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
    Some(number.format_as(PhoneNumberFormat::E164).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_e164_where_they_can() {
        for (typed, read) in [
            ("+1 (415) 555-0123", "+14155550123"),
            ("14155550123", "+14155550123"),
            (" +14155550123 ", "+14155550123"),
            ("+1800FLOWERS", "+18003569377"),
            ("4155550123", "+4155550123"),
            ("24273", "24273"),
            ("TIKTOK", "TIKTOK"),
            ("", ""),
        ] {
            assert_eq!(address(typed), read, "{typed}");
        }
    }

    #[test]
    fn a_phone_number_must_parse_but_need_not_be_valid() {
        assert!(PhoneNumber::parse("+12345").is_some());
        assert!(PhoneNumber::parse("+18005550199").is_some());
        for wrong in ["", "+", "+999123456", "24273", "TIKTOK", "hello world"] {
            assert_eq!(PhoneNumber::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn contacts_are_read_in_the_country_of_the_phone() {
        let owner = PhoneNumber::parse("+37250001111").unwrap();
        for (typed, read) in [
            ("50002222", "+37250002222"),
            ("+18005550100", "+18005550100"),
            ("TIKTOK", "TIKTOK"),
            ("24273", "24273"),
            ("+1 800 555", "+1 800 555"),
        ] {
            assert_eq!(contact(typed, &owner), read, "{typed}");
        }
    }

    #[test]
    fn recipients_have_two_to_fifteen_digits() {
        for right in ["24", "+18005550100", "123456789012345"] {
            assert!(is_recipient(right), "{right}");
        }
        for wrong in [
            "",
            "1",
            "+1",
            "1234567890123456",
            "+1 800",
            "abc",
            "++12",
            "١٢",
        ] {
            assert!(!is_recipient(wrong), "{wrong}");
        }
    }
}
