//! A record of a bulk file, and the rules it must keep.

use std::time::Duration;

use jiff::civil;
use jiff::tz::TimeZone;

use crate::clock::Time;
use crate::{PhoneNumber, number};

/// How far ahead a send time may lie.
const HORIZON: Duration = Duration::from_hours(420);

/// Bytes of a text at most.
const MAX_CONTENT: usize = 1024;

/// URLs of a message at most.
const MAX_ATTACHMENTS: usize = 10;

/// The columns of a file: sender, recipient, text, send time, URLs.
pub(super) const COLUMNS: usize = 5;

/// A record as it is written in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// As errors count it.
    pub row: usize,
    /// Its row, if it comes from a sheet by the template.
    pub sheet_row: Option<usize>,
    /// By [`COLUMNS`].
    pub cells: [String; COLUMNS],
}

/// A message of a file, checked.
#[derive(Debug, Clone)]
pub(super) struct Sms {
    /// As errors count it.
    pub row: usize,
    pub from: PhoneNumber,
    pub to: String,
    pub content: String,
    pub send_at: Option<Time>,
    pub attachments: Vec<String>,
}

impl Record {
    /// When it is to be sent, if that is said and can be read.
    pub(super) fn send_time(&self, zone: &TimeZone) -> Option<Time> {
        read_time(self.cells[3].trim(), zone)
    }

    /// The URLs of what is to be sent along.
    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        self.cells[4]
            .split(',')
            .map(str::trim)
            .filter(|url| !url.is_empty())
    }

    /// A sheet is refused as a whole for a send time that cannot be read.
    pub(super) fn bad_cell(&self, zone: &TimeZone) -> Option<String> {
        let (row, text) = (self.sheet_row?, self.cells[3].trim());
        if text.is_empty() || read_time(text, zone).is_some() {
            return None;
        }
        Some(format!(
            "Row [{row}]: The SendTime [{text}] is not in the correct format e.g [2006-01-02T15:04:05] where 2006 is the year, 01 is January, 02 is the second day of the month and the time is 15:04:05"
        ))
    }

    /// The message, unless something is wrong; that is added to `wrong`.
    pub(super) fn check(&self, zone: &TimeZone, now: Time, wrong: &mut Vec<String>) -> Option<Sms> {
        let [from, to, content, _, _] = &self.cells;
        let (row, before) = (self.row, wrong.len());
        let mut note = |text: String| wrong.push(format!("Row [{row}]: {text}"));
        let attachments = self.attachments(&mut note);
        let (from, to) = (number::address(from), number::address(to));
        let sender = PhoneNumber::parse(&from);
        if sender.is_none() {
            note(format!(
                "The FromPhoneNumber [{from}] is not a valid E.164 phone number"
            ));
        }
        if PhoneNumber::parse(&to).is_none() {
            note(format!(
                "The ToPhoneNumber [{to}] is not a valid E.164 phone number"
            ));
        }
        let content = content.trim();
        if content.len() > MAX_CONTENT {
            note(format!(
                "The message content must be less than {MAX_CONTENT} characters."
            ));
        }
        let send_at = self.send_at(zone, now, &mut note);
        let from = sender.filter(|_| wrong.len() == before)?;
        Some(Sms {
            row,
            from,
            to,
            content: content.to_owned(),
            send_at,
            attachments,
        })
    }

    fn attachments(&self, note: &mut impl FnMut(String)) -> Vec<String> {
        let urls: Vec<&str> = self.urls().collect();
        if urls.len() > MAX_ATTACHMENTS {
            note(format!(
                "You cannot attach more than {MAX_ATTACHMENTS} files per message."
            ));
            return Vec::new();
        }
        for text in &urls {
            match url::Url::parse(text) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => {}
                Ok(_) => note(format!(
                    "The attachment URL [{text}] must use http or https."
                )),
                Err(_) => note(format!(
                    "The attachment URL [{text}] has an invalid url format."
                )),
            }
        }
        urls.into_iter().map(str::to_owned).collect()
    }

    fn send_at(&self, zone: &TimeZone, now: Time, note: &mut impl FnMut(String)) -> Option<Time> {
        let text = self.cells[3].trim();
        if text.is_empty() {
            return None;
        }
        let time = read_time(text, zone);
        match time {
            None => note(format!(
                "The SendTime [{text}] is not a valid date format. Use RFC3339 (e.g. 2023-11-11T02:10:01Z) or YYYY-MM-DDTHH:MM:SS."
            )),
            Some(time) if time > now + HORIZON => note(format!(
                "The SendTime [{time}] cannot be more than 20 days (420 hours) in the future."
            )),
            Some(_) => {}
        }
        time
    }
}

/// RFC 3339, or a time on the clock of the account's zone.
fn read_time(text: &str, zone: &TimeZone) -> Option<Time> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let local = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|format| civil::DateTime::strptime(format, text).ok())?;
    let instant = local.to_zoned(zone.clone()).ok()?.timestamp();
    Some(Time::from_micros(instant.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cells: [&str; COLUMNS]) -> Record {
        Record {
            row: 2,
            sheet_row: None,
            cells: cells.map(str::to_owned),
        }
    }

    fn check(record: &Record) -> Result<Sms, Vec<String>> {
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Tallinn").unwrap();
        let mut wrong = Vec::new();
        record.check(&zone, now, &mut wrong).ok_or(wrong)
    }

    #[test]
    fn a_good_record_becomes_a_message() {
        let sms = check(&record([
            "18005550199",
            "+1 800 555 0100",
            "  hi ",
            "2026-03-02 12:00:00",
            "https://example.org/a.png , http://example.org/b",
        ]))
        .unwrap();
        assert_eq!(sms.from.as_str(), "+18005550199");
        assert_eq!(
            (sms.to.as_str(), sms.content.as_str()),
            ("+18005550100", "hi")
        );
        assert_eq!(sms.send_at.unwrap().to_string(), "2026-03-02T10:00:00Z");
        assert_eq!(sms.attachments.len(), 2);
        let empty = check(&record(["18005550199", "18005550100", "", "", ""])).unwrap();
        assert_eq!((empty.content.as_str(), empty.send_at), ("", None));
    }

    #[test]
    fn times_are_read_with_and_without_their_offset() {
        let zone = TimeZone::get("Europe/Tallinn").unwrap();
        for (text, time) in [
            ("2023-11-11T02:10:01Z", Some("2023-11-11T02:10:01Z")),
            ("2023-11-11T02:10:01+02:00", Some("2023-11-11T00:10:01Z")),
            ("2023-11-11T02:10:01", Some("2023-11-11T00:10:01Z")),
            ("2023-11-11 02:10:01", Some("2023-11-11T00:10:01Z")),
            // The clock jumped over it.
            ("2026-03-29T03:30:00", Some("2026-03-29T01:30:00Z")),
            ("2023-11-11", None),
            ("11/11/23 2:10", None),
        ] {
            let read = read_time(text, &zone).map(|time| time.to_string());
            assert_eq!(read.as_deref(), time, "{text}");
        }
    }

    #[test]
    fn everything_wrong_with_a_record_is_told() {
        let long = "x".repeat(1025);
        let wrong = check(&record([
            "abc",
            "24273",
            &long,
            "tomorrow",
            "example, ftp://example.org/x",
        ]))
        .unwrap_err();
        assert_eq!(
            wrong,
            [
                "Row [2]: The attachment URL [example] has an invalid url format.",
                "Row [2]: The attachment URL [ftp://example.org/x] must use http or https.",
                "Row [2]: The FromPhoneNumber [abc] is not a valid E.164 phone number",
                "Row [2]: The ToPhoneNumber [24273] is not a valid E.164 phone number",
                "Row [2]: The message content must be less than 1024 characters.",
                "Row [2]: The SendTime [tomorrow] is not a valid date format. Use RFC3339 (e.g. 2023-11-11T02:10:01Z) or YYYY-MM-DDTHH:MM:SS.",
            ]
        );
        let many = ["http://example.org/"; 11].join(",");
        let wrong = check(&record([
            "18005550199",
            "18005550100",
            "",
            "2026-03-20T09:00:00Z",
            &many,
        ]));
        assert_eq!(
            wrong.unwrap_err(),
            [
                "Row [2]: You cannot attach more than 10 files per message.",
                "Row [2]: The SendTime [2026-03-20T09:00:00Z] cannot be more than 20 days (420 hours) in the future.",
            ]
        );
    }
}
