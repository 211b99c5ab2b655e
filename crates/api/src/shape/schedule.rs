//! Send schedules.

use gateway::Uuid;
use utoipa::ToSchema;

use super::Time;

/// The hours of the week in which phones may send.
#[derive(ToSchema)]
#[schema(as = MessageSendSchedule)]
pub(crate) struct Schedule {
    id: Uuid,
    user_id: String,
    name: String,
    /// An IANA name.
    timezone: String,
    /// Sorted by day and start.
    windows: Vec<Window>,
    created_at: Time,
    updated_at: Time,
}

/// A schedule to make, or to put in place of another.
#[derive(ToSchema)]
#[schema(as = PutMessageSendSchedule)]
pub(crate) struct PutSchedule {
    /// Blanks around it are left out.
    #[schema(min_length = 2, max_length = 100)]
    name: String,
    /// An IANA name, such as `Europe/Lisbon`.
    #[schema(min_length = 2, max_length = 100)]
    timezone: String,
    /// At most six a day, none over another.
    #[schema(min_items = 1, max_items = 42)]
    windows: Vec<Window>,
}

/// A part of a day on the clock of the schedule's zone, its end not in it.
#[derive(ToSchema)]
#[schema(as = SendWindow)]
struct Window {
    /// 0 is Sunday.
    #[schema(minimum = 0, maximum = 6)]
    day_of_week: i64,
    /// Minutes after midnight.
    #[schema(minimum = 0, maximum = 1439)]
    start_minute: i64,
    /// Minutes after midnight.
    #[schema(minimum = 1, maximum = 1440)]
    end_minute: i64,
}
