//! Request ids of bulk files.

use crate::clock::Time;

/// Longest part of a file's name in its request id.
const MAX_NAME: usize = 32;

/// What the messages of a file have in common: `bulk-`, the time and the file's name.
pub(super) fn request_id(file: &str, now: Time) -> String {
    let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
    format!("bulk-{}-{}", base62(millis), short_name(file))
}

/// What the messages of another request have in common that are sent again.
pub(super) fn request_id_again(earlier: &str, now: Time) -> String {
    let rest = earlier.strip_prefix("bulk-").unwrap_or(earlier);
    request_id(rest.split_once('-').map_or(rest, |(_, name)| name), now)
}

fn base62(mut number: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[(number % 62) as usize]));
        number /= 62;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// Plain characters only; of a long name its ending and both ends of the rest.
fn short_name(file: &str) -> String {
    let name: String = file
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || ".-_: ".contains(*char))
        .collect();
    if name.len() <= MAX_NAME {
        return name;
    }
    let dot = name.rfind('.').unwrap_or(name.len());
    // An ending that leaves no room is none.
    let (stem, ending) = match name.split_at(dot) {
        (_, ending) if ending.len() >= MAX_NAME => (name.as_str(), ""),
        parts => parts,
    };
    let room = MAX_NAME - ending.len();
    let (first, last) = (room.div_ceil(2), room / 2);
    format!("{}{}{ending}", &stem[..first], &stem[stem.len() - last..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_name_time_and_file() {
        let now = Time::from_micros(1_767_225_600_000_000);
        let id = request_id("march promo (1).csv", now);
        assert_eq!(
            id,
            format!("bulk-{}-march promo 1.csv", base62(1_767_225_600_000))
        );
        assert_eq!(base62(0), "0");
        assert_eq!(base62(61), "z");
        assert_eq!(base62(62), "10");
    }

    #[test]
    fn what_is_sent_again_keeps_its_name() {
        let now = Time::from_micros(1_767_225_600_000_000);
        let first = request_id("march-promo.csv", Time::from_micros(0));
        assert_eq!(
            request_id_again(&first, now),
            request_id("march-promo.csv", now)
        );
        assert_eq!(request_id_again("bulk-mine", now), request_id("mine", now));
    }

    #[test]
    fn long_names_keep_both_ends() {
        let name = short_name(&format!("begin{}end.xlsx", "x".repeat(50)));
        assert_eq!(name.len(), 32);
        assert!(
            name.starts_with("begin") && name.ends_with("end.xlsx"),
            "{name}"
        );
        assert_eq!(short_name(&format!("a.{}", "b".repeat(50))).len(), 32);
        assert_eq!(short_name("прайс.csv"), ".csv");
    }
}
