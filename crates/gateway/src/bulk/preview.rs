//! Looking at a file before it is sent: nothing of it is stored.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::accept::unknown_sender;
use super::record::Record;
use super::{Contents, Upload, elsewhere, wrong_as_a_whole, zone};
use crate::caller::Caller;
use crate::clock::Time;
use crate::{Gateway, Result, number, segment};

/// Rows that are shown at most.
const SHOWN: usize = 100;

/// What a file would send, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The texts of its first row.
    pub columns: Vec<String>,
    /// Its first hundred messages.
    pub rows: Vec<Row>,
    /// All of its messages; of too many only one more than is allowed is counted.
    pub total: usize,
    /// Everything that sending it would be refused for.
    pub errors: Vec<String>,
}

/// A message of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// As errors count it.
    pub row: usize,
    /// The sender, with a `+` if it looks like a number.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The text.
    pub content: String,
    /// When it is sent; null: at once, or when that cannot be read.
    pub send_time: Option<Time>,
    /// URLs of what is sent along.
    pub attachments: Vec<String>,
    /// Short messages that the text takes on the air.
    pub segments: usize,
    /// What is wrong with it.
    pub errors: Vec<String>,
}

impl Gateway {
    /// What sending a file would do.
    pub async fn preview_file(&self, caller: &Caller, file: Upload) -> Result<Preview> {
        let account = self.sender_of_files(caller).await?;
        let (zone, now) = (zone(&account), self.now());
        let (mut preview, senders) = elsewhere(move || file.preview(&zone, now)).await?;
        for from in self.unknown_senders(&account.id, senders.keys()).await? {
            let rows = senders.get(&from).map(Vec::as_slice).unwrap_or_default();
            preview.errors.push(unknown_sender(&from, rows));
            for row in preview.rows.iter_mut().filter(|row| row.from == from) {
                let nth = row.row;
                row.errors.push(unknown_sender(&from, &[nth]));
            }
        }
        Ok(preview)
    }

    /// Those of the numbers that are no phone of the account.
    async fn unknown_senders(
        &self,
        user_id: &str,
        numbers: impl Iterator<Item = &String>,
    ) -> Result<Vec<String>> {
        let (user_id, numbers) = (user_id.to_owned(), numbers.cloned().collect::<Vec<_>>());
        self.read(move |tx| {
            let mut unknown = Vec::new();
            for number in &numbers {
                let phone: Option<db::Scalar<String>> = tx.optional(
                    "SELECT phone_number FROM phone WHERE user_id = $1 AND phone_number = $2",
                    &[&user_id, number],
                )?;
                unknown.extend(phone.is_none().then(|| number.clone()));
            }
            Ok(unknown)
        })
        .await
    }
}

/// Rows by the number that they are from.
type Senders = BTreeMap<String, Vec<usize>>;

impl Upload {
    /// All that can be told without the account's phones, and who sends what is right so far.
    fn preview(&self, zone: &TimeZone, now: Time) -> (Preview, Senders) {
        let Contents { columns, records } = match self.contents() {
            Ok(contents) => contents,
            Err(errors) => {
                let nothing = Preview {
                    errors,
                    ..Preview::default()
                };
                return (nothing, Senders::new());
            }
        };
        let mut preview = Preview {
            columns,
            total: records.len(),
            errors: wrong_as_a_whole(&records, zone).into_iter().collect(),
            ..Preview::default()
        };
        let mut senders = Senders::new();
        for record in &records {
            let mut errors = Vec::new();
            if let Some(sms) = record.check(zone, now, &mut errors) {
                let rows = senders.entry(sms.from.as_str().to_owned()).or_default();
                rows.push(record.row);
            }
            preview.errors.extend_from_slice(&errors);
            if preview.rows.len() < SHOWN {
                preview.rows.push(row(record, zone, errors));
            }
        }
        (preview, senders)
    }
}

fn row(record: &Record, zone: &TimeZone, errors: Vec<String>) -> Row {
    let [from, to, content, ..] = &record.cells;
    let content = content.trim();
    Row {
        row: record.row,
        from: number::address(from),
        to: number::address(to),
        content: content.to_owned(),
        send_time: record.send_time(zone),
        attachments: record.urls().map(str::to_owned).collect(),
        segments: segment::split(content).parts.len(),
        errors,
    }
}
