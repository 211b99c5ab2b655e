//! Bulk files: many SMS in one CSV or XLSX file, accepted all or none.
//!
//! What is wrong is told in the words of the wire (contract: API, §2.3), all of it at once.

mod history;
mod record;
mod sheet;
mod table;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use tokio::sync::Semaphore;

use crate::caller::Caller;
use crate::clock::Time;
use crate::message::urls;
use crate::phone::{self, Phone};
use crate::{Error, Fields, Gateway, Result, Work};

pub use history::BulkMessage;
use record::{Record, Sms};

/// From this size on a file is too large.
pub const TOO_LARGE: usize = 5_000_000;

/// Records of a file at most.
const MAX_RECORDS: usize = 1000;

/// Longest part of a file's name in its request id.
const MAX_NAME: usize = 32;

/// What the request's path is in events.
const SOURCE: &str = "/v1/bulk-messages";

/// Files read at a time: each may take some dozens of megabytes.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// A file as it was uploaded.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its media type, as the client says.
    pub content_type: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// What a file is.
enum Format {
    Csv,
    Xlsx,
}

impl Upload {
    fn format(&self) -> Option<Format> {
        const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let ending = self.name.rsplit_once('.').map_or("", |(_, ending)| ending);
        if self.content_type == "text/csv" || ending.eq_ignore_ascii_case("csv") {
            Some(Format::Csv)
        } else if self.content_type == XLSX || ending.eq_ignore_ascii_case("xlsx") {
            Some(Format::Xlsx)
        } else {
            None
        }
    }

    /// Its records, still unchecked.
    fn records(&self) -> Result<Vec<Record>, String> {
        let name = &self.name;
        let format = self
            .format()
            .ok_or_else(|| format!("The file [{name}] is not a valid CSV or Excel file."))?;
        let size = self.content.len();
        if size >= TOO_LARGE {
            let size = size / 100_000;
            return Err(format!(
                "The CSV file must be less than 500 KB the file you uploaded is [{}.{} MB].",
                size / 10,
                size % 10
            ));
        }
        let records = match format {
            Format::Csv => table::read(&self.content).ok_or_else(|| {
                format!("Cannot read the contents of the uploaded file [{name}].")
            })?,
            Format::Xlsx => sheet::read(&self.content).ok_or_else(|| {
                format!("Cannot parse the uploaded excel file with name [{name}].")
            })?,
        };
        if records.is_empty() {
            return Err("The uploaded file doesn't contain any valid records. Make sure you are using the official httpSMS template.".to_owned());
        }
        Ok(records)
    }

    /// Its messages, or everything that is wrong with them.
    fn messages(&self, zone: &TimeZone, now: Time) -> Result<Vec<Sms>, Vec<String>> {
        let records = self.records().map_err(|text| vec![text])?;
        if let Some(text) = records.iter().find_map(|record| record.bad_cell(zone)) {
            return Err(vec![text]);
        }
        if records.len() > MAX_RECORDS {
            let text = format!("The uploaded file must contain less than {MAX_RECORDS} records.");
            return Err(vec![text]);
        }
        let (mut messages, mut wrong) = (Vec::with_capacity(records.len()), Vec::new());
        for (index, record) in records.iter().enumerate() {
            messages.extend(record.check(index + 2, zone, now, &mut wrong));
        }
        if wrong.is_empty() {
            Ok(messages)
        } else {
            Err(wrong)
        }
    }
}

impl Gateway {
    /// Accepts the messages of a file, all or none; how many. Those without a send time are released
    /// one after the other, at the rate of their phone.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, under `document`.
    pub async fn send_file(&self, caller: &Caller, file: Upload) -> Result<usize> {
        let Ok(account) = self.me(caller).await else {
            return Err(invalid(vec![
                "Cannot load your account. Please try again later or contact support.".to_owned(),
            ]));
        };
        let zone = TimeZone::get(&account.timezone).unwrap_or(TimeZone::UTC);
        let now = self.now();
        let request_id = request_id(&file.name, now);
        let messages = elsewhere(move || file.messages(&zone, now)).await?;
        let user_id = account.id;
        self.write(move |work| work.accept_file(&user_id, &messages, &request_id))
            .await
    }
}

async fn elsewhere(
    read: impl FnOnce() -> Result<Vec<Sms>, Vec<String>> + Send + 'static,
) -> Result<Vec<Sms>> {
    // Nobody closes it.
    let _turn = TURNS.acquire().await;
    match tokio::task::spawn_blocking(read).await {
        Ok(messages) => messages.map_err(invalid),
        Err(_) => Err(db::Error::Panicked.into()),
    }
}

fn invalid(wrong: Vec<String>) -> Error {
    let mut fields = Fields::default();
    for text in wrong {
        fields.add("document", text);
    }
    Error::Invalid(fields)
}

/// A phone that sends messages of a file, and when its next one is released.
struct Sender {
    phone: Phone,
    release: Time,
}

impl Work<'_, '_> {
    fn accept_file(&mut self, user_id: &str, messages: &[Sms], request_id: &str) -> Result<usize> {
        let mut senders = self.senders(user_id, messages)?;
        for sms in messages {
            let Some(sender) = senders.get_mut(sms.from.as_str()) else {
                return Err(db::Error::NoRow.into());
            };
            let mut message = self.draft(&sender.phone, SOURCE);
            message.contact.clone_from(&sms.to);
            message.content.clone_from(&sms.content);
            message.attachments = urls(&sms.attachments);
            message.request_id = Some(request_id.to_owned());
            message.scheduled_send_time = sms.send_at;
            message.order_timestamp = sms.send_at.unwrap_or(self.now);
            let release = sms.send_at.unwrap_or(sender.release);
            self.accept(message, &mut sender.phone, release)?;
            if sms.send_at.is_none() {
                sender.release = sender.release + sender.phone.spacing();
            }
        }
        Ok(messages.len())
    }

    /// The phones that the messages are from, locked in the order of their numbers.
    fn senders(&mut self, user_id: &str, messages: &[Sms]) -> Result<BTreeMap<String, Sender>> {
        let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for sms in messages {
            let rows = rows.entry(sms.from.as_str()).or_default();
            rows.push(sms.row.to_string());
        }
        let (mut senders, mut wrong) = (BTreeMap::new(), Vec::new());
        for (from, rows) in rows {
            if let Some(phone) = phone::owned(self.tx, user_id, from)? {
                let release = self.now;
                senders.insert(from.to_owned(), Sender { phone, release });
            } else {
                wrong.push(format!(
                    "Rows [{}]: The FromPhoneNumber [{from}] is not registered on your account",
                    rows.join(", ")
                ));
            }
        }
        if wrong.is_empty() {
            Ok(senders)
        } else {
            Err(invalid(wrong))
        }
    }
}

/// What the messages of a file have in common: `bulk-`, the time and the file's name.
fn request_id(file: &str, now: Time) -> String {
    let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
    format!("bulk-{}-{}", base62(millis), short_name(file))
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
