//! What events about messages carry, in the order of the wire (contract: events, §1.3).
//!
//! Some call the message's id `id` and some `message_id`: that is how receivers know them.

use serde::Serialize;
use uuid::Uuid;

use super::{Message, Status, Urls};
use crate::clock::Time;
use crate::phone::Sim;

/// `message.api.sent` and `message.api.scheduled`.
#[derive(Serialize)]
pub(super) struct ApiSent<'a> {
    message_id: Uuid,
    user_id: &'a str,
    owner: &'a str,
    request_id: Option<&'a str>,
    max_send_attempts: i64,
    contact: &'a str,
    scheduled_send_time: Option<Time>,
    exact_send_time: bool,
    request_received_at: Time,
    content: &'a str,
    attachments: Option<&'a Urls>,
    encrypted: bool,
    sim: Sim,
}

impl<'a> ApiSent<'a> {
    pub(super) fn new(message: &'a Message) -> Self {
        Self {
            message_id: message.id,
            user_id: &message.user_id,
            owner: &message.owner,
            request_id: message.request_id.as_deref(),
            max_send_attempts: message.max_send_attempts,
            contact: &message.contact,
            scheduled_send_time: message.scheduled_send_time,
            exact_send_time: message.scheduled_send_time.is_some(),
            request_received_at: message.request_received_at,
            content: &message.content,
            attachments: message.attachments.as_ref(),
            encrypted: message.encrypted,
            sim: message.sim,
        }
    }
}

/// `message.api.deleted`.
#[derive(Serialize)]
pub(super) struct ApiDeleted<'a> {
    pub message_id: Uuid,
    pub user_id: &'a str,
    pub owner: &'a str,
    pub request_id: Option<&'a str>,
    pub contact: &'a str,
    pub timestamp: Time,
    pub content: &'a str,
    pub encrypted: bool,
    pub previous_message_id: Option<Uuid>,
    pub previous_message_status: Option<Status>,
    pub previous_message_content: Option<&'a str>,
    pub sim: Sim,
}

/// `message.phone.sending`.
#[derive(Serialize)]
pub(super) struct PhoneSending<'a> {
    id: Uuid,
    user_id: &'a str,
    request_id: Option<&'a str>,
    timestamp: Time,
    owner: &'a str,
    encrypted: bool,
    contact: &'a str,
    content: &'a str,
    sim: Sim,
}

impl<'a> PhoneSending<'a> {
    pub(super) fn new(message: &'a Message, timestamp: Time) -> Self {
        Self {
            id: message.id,
            user_id: &message.user_id,
            request_id: message.request_id.as_deref(),
            timestamp,
            owner: &message.owner,
            encrypted: message.encrypted,
            contact: &message.contact,
            content: &message.content,
            sim: message.sim,
        }
    }
}

/// `message.phone.sent`.
#[derive(Serialize)]
pub(super) struct PhoneSent<'a> {
    id: Uuid,
    user_id: &'a str,
    request_id: Option<&'a str>,
    owner: &'a str,
    contact: &'a str,
    encrypted: bool,
    timestamp: Time,
    content: &'a str,
    sim: Sim,
}

impl<'a> PhoneSent<'a> {
    pub(super) fn new(message: &'a Message, timestamp: Time) -> Self {
        Self {
            id: message.id,
            user_id: &message.user_id,
            request_id: message.request_id.as_deref(),
            owner: &message.owner,
            contact: &message.contact,
            encrypted: message.encrypted,
            timestamp,
            content: &message.content,
            sim: message.sim,
        }
    }
}

/// `message.phone.delivered`.
#[derive(Serialize)]
pub(super) struct PhoneDelivered<'a> {
    id: Uuid,
    owner: &'a str,
    contact: &'a str,
    request_id: Option<&'a str>,
    user_id: &'a str,
    encrypted: bool,
    timestamp: Time,
    content: &'a str,
    sim: Sim,
}

impl<'a> PhoneDelivered<'a> {
    pub(super) fn new(message: &'a Message, timestamp: Time) -> Self {
        Self {
            id: message.id,
            owner: &message.owner,
            contact: &message.contact,
            request_id: message.request_id.as_deref(),
            user_id: &message.user_id,
            encrypted: message.encrypted,
            timestamp,
            content: &message.content,
            sim: message.sim,
        }
    }
}

/// `message.phone.received`.
#[derive(Serialize)]
pub(super) struct PhoneReceived<'a> {
    message_id: Uuid,
    user_id: &'a str,
    owner: &'a str,
    encrypted: bool,
    contact: &'a str,
    timestamp: Time,
    content: &'a str,
    sim: Sim,
    attachments: Option<&'a Urls>,
}

impl<'a> PhoneReceived<'a> {
    pub(super) fn new(message: &'a Message) -> Self {
        Self {
            message_id: message.id,
            user_id: &message.user_id,
            owner: &message.owner,
            encrypted: message.encrypted,
            contact: &message.contact,
            timestamp: message.request_received_at,
            content: &message.content,
            sim: message.sim,
            attachments: message.attachments.as_ref(),
        }
    }
}

/// `message.call.missed`.
#[derive(Serialize)]
pub(super) struct CallMissed<'a> {
    message_id: Uuid,
    user_id: &'a str,
    owner: &'a str,
    contact: &'a str,
    timestamp: Time,
    sim: Sim,
}

impl<'a> CallMissed<'a> {
    pub(super) fn new(message: &'a Message) -> Self {
        Self {
            message_id: message.id,
            user_id: &message.user_id,
            owner: &message.owner,
            contact: &message.contact,
            timestamp: message.request_received_at,
            sim: message.sim,
        }
    }
}

/// `message.send.failed`.
#[derive(Serialize)]
pub(super) struct SendFailed<'a> {
    id: Uuid,
    error_message: &'a str,
    user_id: &'a str,
    owner: &'a str,
    request_id: Option<&'a str>,
    contact: &'a str,
    timestamp: Time,
    encrypted: bool,
    content: &'a str,
    sim: Sim,
}

impl<'a> SendFailed<'a> {
    pub(super) fn new(message: &'a Message, error: &'a str, timestamp: Time) -> Self {
        Self {
            id: message.id,
            error_message: error,
            user_id: &message.user_id,
            owner: &message.owner,
            request_id: message.request_id.as_deref(),
            contact: &message.contact,
            timestamp,
            encrypted: message.encrypted,
            content: &message.content,
            sim: message.sim,
        }
    }
}

/// `message.send.expired`.
#[derive(Serialize)]
pub(super) struct SendExpired<'a> {
    message_id: Uuid,
    owner: &'a str,
    send_attempt_count: i64,
    is_final: bool,
    request_id: Option<&'a str>,
    contact: &'a str,
    encrypted: bool,
    user_id: &'a str,
    timestamp: Time,
    content: &'a str,
    sim: Sim,
}

impl<'a> SendExpired<'a> {
    pub(super) fn new(message: &'a Message, is_final: bool, timestamp: Time) -> Self {
        Self {
            message_id: message.id,
            owner: &message.owner,
            send_attempt_count: message.send_attempt_count,
            is_final,
            request_id: message.request_id.as_deref(),
            contact: &message.contact,
            encrypted: message.encrypted,
            user_id: &message.user_id,
            timestamp,
            content: &message.content,
            sim: message.sim,
        }
    }
}

/// `message.send.retry`.
#[derive(Serialize)]
pub(super) struct SendRetry<'a> {
    message_id: Uuid,
    owner: &'a str,
    contact: &'a str,
    encrypted: bool,
    user_id: &'a str,
    timestamp: Time,
    content: &'a str,
    sim: Sim,
}

impl<'a> SendRetry<'a> {
    pub(super) fn new(message: &'a Message, timestamp: Time) -> Self {
        Self {
            message_id: message.id,
            owner: &message.owner,
            contact: &message.contact,
            encrypted: message.encrypted,
            user_id: &message.user_id,
            timestamp,
            content: &message.content,
            sim: message.sim,
        }
    }
}

/// `message.notification.scheduled`.
#[derive(Serialize)]
pub(super) struct NotificationScheduled<'a> {
    id: Uuid,
    owner: &'a str,
    contact: &'a str,
    content: &'a str,
    encrypted: bool,
    sim: Sim,
    user_id: &'a str,
    phone_id: Uuid,
    scheduled_at: Time,
    notification_id: Uuid,
}

impl<'a> NotificationScheduled<'a> {
    pub(super) fn new(message: &'a Message, phone: Uuid, slot: Time, notification: Uuid) -> Self {
        Self {
            id: message.id,
            owner: &message.owner,
            contact: &message.contact,
            content: &message.content,
            encrypted: message.encrypted,
            sim: message.sim,
            user_id: &message.user_id,
            phone_id: phone,
            scheduled_at: slot,
            notification_id: notification,
        }
    }
}

/// `message.notification.sent`.
#[derive(Serialize)]
pub(super) struct NotificationSent<'a> {
    pub message_id: Uuid,
    pub user_id: &'a str,
    pub phone_id: Uuid,
    pub scheduled_at: Time,
    pub fcm_message_id: &'a str,
    /// Nanoseconds.
    pub message_expiration_duration: i64,
    pub notification_sent_at: Time,
    pub notification_id: Uuid,
}

/// `message.notification.failed`.
#[derive(Serialize)]
pub(super) struct NotificationFailed<'a> {
    pub message_id: Uuid,
    pub user_id: &'a str,
    pub notification_id: Uuid,
    pub phone_id: Uuid,
    pub error_message: &'a str,
    pub notification_failed_at: Time,
}
