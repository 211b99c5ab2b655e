//! Send schedules: the hours of the week in which a phone may send.
//!
//! Hours are those on the clock of the schedule's zone, also on the days when it is changed.

mod window;

use std::collections::BTreeMap;

use db::Tx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::Time;
use crate::event::{About, Kind};
use crate::phone::Phone;
use crate::{Error, Fields, Gateway, Result, id};

pub use window::Week;

/// Windows on one day at most.
const PER_DAY: usize = 6;

/// Windows that are looked at: when there are so many, there are too many on some day.
const LOOKED_AT: usize = 100;

/// A part of one day of the week: from its first minute up to, but without, its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// 0 is Sunday.
    pub day_of_week: i64,
    /// Minutes after midnight, 0 to 1439.
    pub start_minute: i64,
    /// Minutes after midnight, 1 to 1440.
    pub end_minute: i64,
}

/// A schedule, with the members of the wire's `MessageSendSchedule`.
#[derive(Debug, Clone, Serialize)]
pub struct Schedule {
    /// Its id.
    pub id: Uuid,
    /// The account.
    pub user_id: String,
    /// 2 to 100 bytes.
    pub name: String,
    /// IANA name.
    pub timezone: String,
    /// Sorted by day and start.
    pub windows: Vec<Window>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What is to be stored as a schedule, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    name: String,
    timezone: String,
    windows: Vec<Window>,
}

impl Draft {
    /// Checks what a client sent (contract: API, §2.9 and §4.6) and sorts the windows.
    ///
    /// # Errors
    /// What is wrong, under `name`, `timezone` and `windows`.
    pub fn parse(name: &str, timezone: &str, mut windows: Vec<Window>) -> Result<Self, Fields> {
        let (name, timezone) = (name.trim(), timezone.trim());
        windows.sort();
        let mut wrong = Fields::default();
        check_length("name", name, &mut wrong);
        check_length("timezone", timezone, &mut wrong);
        if !timezone.is_empty() && jiff::tz::TimeZone::get(timezone).is_err() {
            wrong.add(
                "timezone",
                "The timezone must be a valid IANA timezone e.g Europe/London.",
            );
        }
        check_windows(&windows, &mut wrong);
        wrong.check()?;
        Ok(Self {
            name: name.to_owned(),
            timezone: timezone.to_owned(),
            windows,
        })
    }
}

fn check_length(field: &str, text: &str, wrong: &mut Fields) {
    if text.is_empty() {
        wrong.add(field, format!("The {field} field is required"));
    }
    if text.len() < 2 {
        wrong.add(field, format!("The {field} field must be minimum 2 char"));
    }
    if text.len() > 100 {
        wrong.add(field, format!("The {field} field must be maximum 100 char"));
    }
}

fn check_windows(windows: &[Window], wrong: &mut Fields) {
    const FIELD: &str = "windows";
    if windows.is_empty() {
        wrong.add(FIELD, "at least one active window is required");
    }
    let mut seen: BTreeMap<i64, Vec<Window>> = BTreeMap::new();
    for (i, window) in windows.iter().take(LOOKED_AT).enumerate() {
        let Window {
            day_of_week: day,
            start_minute: start,
            end_minute: end,
        } = *window;
        if !(0..=6).contains(&day) {
            let text = format!("windows[{i}].day_of_week must be between 0 and 6");
            wrong.add(FIELD, text);
        }
        let earlier = seen.entry(day).or_default();
        if earlier.len() >= PER_DAY {
            let text = format!("day_of_week {day} cannot have more than {PER_DAY} windows");
            wrong.add(FIELD, text);
        }
        if !(0..1440).contains(&start) {
            let text = format!("windows[{i}].start_minute must be between 0 and 1439");
            wrong.add(FIELD, text);
        }
        if !(1..=1440).contains(&end) {
            let text = format!("windows[{i}].end_minute must be between 1 and 1440");
            wrong.add(FIELD, text);
        }
        if end <= start {
            let text = format!("windows[{i}].end_minute must be greater than start_minute");
            wrong.add(FIELD, text);
        }
        if earlier.iter().any(|other| other.end_minute > start) {
            let text = format!("day_of_week {day} contains overlapping windows");
            wrong.add(FIELD, text);
        }
        earlier.push(*window);
    }
}

db::row! {
    struct Row {
        id: Uuid,
        user_id: String,
        name: String,
        timezone: String,
        windows: String,
        created_at: Time,
        updated_at: Time,
    }

    struct Rule { timezone: String, windows: String }
}

const COLUMNS: &str = "id, user_id, name, timezone, windows, created_at, updated_at";

impl From<Row> for Schedule {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            name: row.name,
            timezone: row.timezone,
            windows: serde_json::from_str(&row.windows).unwrap_or_default(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[derive(Serialize)]
struct Deleted<'a> {
    schedule_id: Uuid,
    user_id: &'a str,
    timestamp: Time,
}

impl Gateway {
    /// The caller's schedules, newest first.
    pub async fn schedules(&self, caller: &Caller) -> Result<Vec<Schedule>> {
        let user_id = caller.user_id.clone();
        self.read(move |tx| {
            let rows: Vec<Row> = tx.all(
                &format!(
                    "SELECT {COLUMNS} FROM schedule WHERE user_id = $1
                      ORDER BY created_at DESC, id DESC"
                ),
                &[&user_id],
            )?;
            Ok(rows.into_iter().map(Schedule::from).collect())
        })
        .await
    }

    /// Makes a schedule.
    pub async fn add_schedule(&self, caller: &Caller, draft: Draft) -> Result<Schedule> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let row: Row = work.tx.one(
                &format!(
                    "INSERT INTO schedule ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $6)
                     RETURNING {COLUMNS}"
                ),
                &[
                    &id::new(work.now),
                    &user_id,
                    &draft.name,
                    &draft.timezone,
                    &json(&draft.windows),
                    &work.now,
                ],
            )?;
            Ok(row.into())
        })
        .await
    }

    /// Puts the draft in place of a schedule. Slots that were given out stay as they are.
    pub async fn put_schedule(&self, caller: &Caller, id: Uuid, draft: Draft) -> Result<Schedule> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let row: Option<Row> = work.tx.optional(
                &format!(
                    "UPDATE schedule SET name = $3, timezone = $4, windows = $5, updated_at = $6
                      WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"
                ),
                &[
                    &id,
                    &user_id,
                    &draft.name,
                    &draft.timezone,
                    &json(&draft.windows),
                    &work.now,
                ],
            )?;
            row.map(Schedule::from).ok_or_else(|| unknown(id, &user_id))
        })
        .await
    }

    /// Deletes a schedule; phones that used it may send at any time.
    pub async fn delete_schedule(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let user_id = caller.user_id.clone();
        self.write(move |work| {
            let deleted = work.tx.execute(
                "DELETE FROM schedule WHERE id = $1 AND user_id = $2",
                &[&id, &user_id],
            )?;
            if deleted == 0 {
                return Err(unknown(id, &user_id));
            }
            work.tx.execute(
                "UPDATE phone SET message_send_schedule_id = NULL, updated_at = $3
                  WHERE message_send_schedule_id = $1 AND user_id = $2",
                &[&id, &user_id, &work.now],
            )?;
            let about = About {
                user_id: &user_id,
                owner: None,
                source: &format!("/v1/send-schedules/{id}"),
                message: None,
            };
            let deleted = Deleted {
                schedule_id: id,
                user_id: &user_id,
                timestamp: work.now,
            };
            work.append(Kind::MessageSendScheduleDeleted, about, &deleted)
        })
        .await
    }
}

/// Whether the account has this schedule. On PostgreSQL it stays until the transaction ends.
pub(crate) fn is_owned(tx: &mut Tx<'_>, user_id: &str, id: Uuid) -> Result<bool> {
    let lock = crate::for_update(tx);
    let found: Option<Rule> = tx.optional(
        &format!("SELECT timezone, windows FROM schedule WHERE id = $1 AND user_id = $2 {lock}"),
        &[&id, &user_id],
    )?;
    Ok(found.is_some())
}

/// When a phone may send; `None`: at any time.
pub(crate) fn week_of(tx: &mut Tx<'_>, phone: &Phone) -> Result<Option<Week>> {
    let Some(id) = phone.message_send_schedule_id else {
        return Ok(None);
    };
    let rule: Option<Rule> = tx.optional(
        "SELECT timezone, windows FROM schedule WHERE id = $1 AND user_id = $2",
        &[&id, &phone.user_id],
    )?;
    Ok(rule.and_then(|rule| {
        let windows = serde_json::from_str(&rule.windows).unwrap_or_default();
        Week::new(&rule.timezone, windows)
    }))
}

fn json(windows: &[Window]) -> String {
    serde_json::to_string(windows).unwrap_or_else(|_| "[]".to_owned())
}

fn unknown(id: Uuid, user_id: &str) -> Error {
    Error::not_found(format!(
        "send schedule [{id}] not found for user with ID [{user_id}]"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(day_of_week: i64, start_minute: i64, end_minute: i64) -> Window {
        Window {
            day_of_week,
            start_minute,
            end_minute,
        }
    }

    fn wrong(windows: Vec<Window>) -> String {
        match Draft::parse("Office", "Europe/London", windows) {
            Ok(_) => String::new(),
            Err(fields) => serde_json::to_string(&fields).unwrap(),
        }
    }

    #[test]
    fn windows_are_sorted_and_may_touch() {
        let windows = vec![window(1, 600, 1440), window(1, 0, 600), window(0, 5, 6)];
        let draft = Draft::parse(" Office ", " Europe/London ", windows).unwrap();
        assert_eq!(draft.name, "Office");
        assert_eq!(
            draft.windows,
            [window(0, 5, 6), window(1, 0, 600), window(1, 600, 1440)]
        );
    }

    #[test]
    fn every_wrong_window_is_told() {
        for (windows, text) in [
            (vec![], "at least one active window is required"),
            (
                vec![window(7, 1, 2)],
                "windows[0].day_of_week must be between 0 and 6",
            ),
            (
                vec![window(1, -1, 2)],
                "windows[0].start_minute must be between 0 and 1439",
            ),
            (
                vec![window(1, 1, 1441)],
                "windows[0].end_minute must be between 1 and 1440",
            ),
            (
                vec![window(1, 5, 5)],
                "windows[0].end_minute must be greater than start_minute",
            ),
            (
                vec![window(1, 0, 10), window(1, 9, 12)],
                "day_of_week 1 contains overlapping windows",
            ),
            (
                (0..7).map(|n| window(2, n * 10, n * 10 + 5)).collect(),
                "day_of_week 2 cannot have more than 6 windows",
            ),
        ] {
            assert_eq!(wrong(windows), format!(r#"{{"windows":["{text}"]}}"#));
        }
    }

    #[test]
    fn names_and_zones_are_checked() {
        let fields = Draft::parse("", "Mars/Base", vec![window(1, 0, 1)]).unwrap_err();
        assert_eq!(
            serde_json::to_value(fields).unwrap(),
            serde_json::json!({
                "name": ["The name field is required", "The name field must be minimum 2 char"],
                "timezone": ["The timezone must be a valid IANA timezone e.g Europe/London."],
            })
        );
    }
}
