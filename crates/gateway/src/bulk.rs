//! Bulk files: many SMS in one CSV or XLSX file, accepted all or none.
//!
//! What is wrong is told in the words of the wire (contract: API, §2.3), all of it at once.

mod accept;
mod control;
mod grid;
mod history;
mod layout;
mod name;
mod preview;
mod record;
mod sheet;
mod table;
mod template;

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use tokio::sync::Semaphore;

use crate::account::User;
use crate::caller::Caller;
use crate::clock::Time;
use crate::{Error, Fields, Gateway, PhoneNumber, Result};

pub use accept::Accepted;
pub use history::{BulkMessage, Messages, State};
pub use layout::{Column, Mapping};
pub use preview::{Preview, Row};
pub use template::template;

use grid::{Grid, Line};
use layout::Layout;
use record::{Record, Sms};

/// From this size on a file is too large.
pub const TOO_LARGE: usize = 5_000_000;

/// Records of a file at most.
const MAX_RECORDS: usize = 1000;

/// Files read at a time: each may take some dozens of megabytes.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// A file as it was uploaded.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its media type, as the client says.
    pub content_type: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// What its columns are, if not those of the template.
    pub mapping: Option<Mapping>,
    /// Whom rows are from that name no sender.
    pub from: Option<PhoneNumber>,
}

/// What a file is.
#[derive(Clone, Copy)]
enum Format {
    Csv,
    Xlsx,
}

/// A file's columns and records, still unchecked.
#[derive(Default)]
struct Contents {
    columns: Vec<String>,
    records: Vec<Record>,
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

    /// What is in it, or why that cannot be read.
    fn contents(&self) -> Result<Contents, Vec<String>> {
        let name = &self.name;
        let format = self.format().ok_or_else(|| {
            vec![format!(
                "The file [{name}] is not a valid CSV or Excel file."
            )]
        })?;
        let size = self.content.len();
        if size >= TOO_LARGE {
            let size = size / 100_000;
            return Err(vec![format!(
                "The CSV file must be less than 500 KB the file you uploaded is [{}.{} MB].",
                size / 10,
                size % 10
            )]);
        }
        let grid = self.grid(format).map_err(|text| vec![text])?;
        let layout = match (&self.mapping, format) {
            (Some(mapping), _) => Layout::mapped(mapping, &grid.header)?,
            (None, Format::Csv) => Layout::of_table(&grid.header),
            (None, Format::Xlsx) => Layout::of_sheet(),
        };
        let records = self.records(&layout, &grid.lines);
        let columns = grid.header;
        Ok(Contents { columns, records })
    }

    fn grid(&self, format: Format) -> Result<Grid, String> {
        let name = &self.name;
        match format {
            Format::Csv => table::read(&self.content)
                .ok_or_else(|| format!("Cannot read the contents of the uploaded file [{name}].")),
            Format::Xlsx => sheet::read(&self.content, |line| self.may_be_record(line))
                .ok_or_else(|| format!("Cannot parse the uploaded excel file with name [{name}].")),
        }
    }

    /// Whether a line of a sheet is worth keeping.
    fn may_be_record(&self, line: &Line) -> bool {
        match self.mapping {
            Some(_) => line.cells.iter().any(|cell| !cell.trim().is_empty()),
            None => Layout::of_sheet().record(line, 0, self.sender()).is_some(),
        }
    }

    fn records(&self, layout: &Layout, lines: &[Line]) -> Vec<Record> {
        let mut records = Vec::with_capacity(lines.len());
        for line in lines {
            records.extend(layout.record(line, records.len(), self.sender()));
        }
        records
    }

    fn sender(&self) -> Option<&str> {
        self.from.as_ref().map(PhoneNumber::as_str)
    }

    /// Its messages, or everything that is wrong with them.
    fn messages(&self, zone: &TimeZone, now: Time) -> Result<Vec<Sms>, Vec<String>> {
        let records = self.contents()?.records;
        if let Some(text) = wrong_as_a_whole(&records, zone) {
            return Err(vec![text]);
        }
        let (mut messages, mut wrong) = (Vec::with_capacity(records.len()), Vec::new());
        for record in &records {
            messages.extend(record.check(zone, now, &mut wrong));
        }
        if wrong.is_empty() {
            Ok(messages)
        } else {
            Err(wrong)
        }
    }
}

/// What keeps a file from being looked at row by row.
fn wrong_as_a_whole(records: &[Record], zone: &TimeZone) -> Option<String> {
    if records.is_empty() {
        return Some("The uploaded file doesn't contain any valid records. Make sure you are using the official httpSMS template.".to_owned());
    }
    let bad_cell = records.iter().find_map(|record| record.bad_cell(zone));
    bad_cell.or_else(|| {
        (records.len() > MAX_RECORDS)
            .then(|| format!("The uploaded file must contain less than {MAX_RECORDS} records."))
    })
}

impl Gateway {
    /// Accepts the messages of a file, all or none. Those without a send time are released one after
    /// the other, at the rate of their phone.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, under `document`; [`Error::Limit`] if it would
    /// pass the account's quota.
    pub async fn send_file(&self, caller: &Caller, file: Upload) -> Result<Accepted> {
        let account = self.sender_of_files(caller).await?;
        let (zone, now) = (zone(&account), self.now());
        let request_id = name::request_id(&file.name, now);
        let messages = elsewhere(move || file.messages(&zone, now)).await?;
        let messages = messages.map_err(invalid)?;
        let user_id = account.id;
        self.write_within_quota(&caller.user_id, move |work| {
            work.accept_file(&user_id, &messages, &request_id)
        })
        .await
    }

    async fn sender_of_files(&self, caller: &Caller) -> Result<User> {
        const UNKNOWN: &str =
            "Cannot load your account. Please try again later or contact support.";
        match self.me(caller).await {
            Ok(account) => Ok(account),
            Err(error) if error.is_unavailable() => Err(error),
            Err(_) => Err(invalid(vec![UNKNOWN.to_owned()])),
        }
    }
}

/// Whose clock send times without an offset are on.
fn zone(account: &User) -> TimeZone {
    TimeZone::get(&account.timezone).unwrap_or(TimeZone::UTC)
}

/// Reads a file when it is its turn, where it holds up nobody.
async fn elsewhere<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    // Nobody closes it.
    let _turn = TURNS.acquire().await;
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| db::Error::Panicked.into())
}

fn invalid(wrong: Vec<String>) -> Error {
    let mut fields = Fields::default();
    for text in wrong {
        fields.add("document", text);
    }
    Error::Invalid(fields)
}
