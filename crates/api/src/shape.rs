//! The shapes of bodies and answers, for the description alone: nothing is read or written by them.
//! Every answer of the tests is held against them.
#![expect(dead_code, reason = "only their descriptions are used")]

mod account;
mod attachment;
mod bulk;
mod delivery;
mod event;
mod integration;
mod message;
mod phone;
mod schedule;
mod status;
mod thread;
mod usage;
mod user;
mod webhook;

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub(crate) use account::{
    Account, AccountMade, ChoosePassword, NewAccount, PasswordLink, PutAccount,
};
pub(crate) use attachment::Attachment;
pub(crate) use bulk::{BulkAccepted, BulkDetail, BulkFile, BulkMessage, BulkPreview};
pub(crate) use delivery::{
    Delivery, DeliveryDetail, DeliveryMade, Health, Replay, StartReplay, TestWebhook,
};
pub(crate) use event::Events;
pub(crate) use integration::{
    Discord, DiscordInteraction, DiscordReply, DispatchEvent, Invoice, PutDiscord, ThreeCxSend,
    ThreeCxSent,
};
pub(crate) use message::{
    BulkSend, DeletedMessages, Message, MessageIds, MissCall, QueuedMessage, ReceiveMessage,
    ReportMessage, SendMessage, Timeline,
};
pub(crate) use phone::{
    Heartbeat, NewPhoneKey, Notification, Phone, PhoneHealth, PhoneKey, PutPhone, SignIn,
    StoreHeartbeat,
};
pub(crate) use schedule::{PutSchedule, Schedule};
pub(crate) use status::Status;
pub(crate) use thread::{MessageThread, PutThread, ThreadCounts};
pub(crate) use usage::{BillingUsage, DailyUsage};
pub(crate) use user::{
    ApiKey, ApiKeyMade, Credentials, NewApiKey, PutNotifications, PutPassword, PutRetention,
    PutUser, Retention, Session, SetUp, Setup, User,
};
pub(crate) use webhook::{PutWebhook, RotateKey, Webhook};

/// A time.
pub(crate) struct Time;

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 with an offset; answers are in UTC."))
            .examples(["2026-01-02T03:04:05.678Z"])
            .into()
    }
}

impl ToSchema for Time {}

/// A SIM of a phone.
#[derive(ToSchema)]
enum Sim {
    #[schema(rename = "SIM1")]
    Sim1,
    #[schema(rename = "SIM2")]
    Sim2,
}
