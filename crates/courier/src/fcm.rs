//! Firebase Cloud Messaging, HTTP v1: how a wake-up reaches a phone that is asleep
//! (contract: events, §2.6).

use std::time::Duration;

use bytes::Bytes;
use gateway::{PushData, Time};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use serde::{Deserialize, Serialize};

use crate::client::{Answer, Client};
use crate::failure::Failure;
use crate::google::{Access, BadCredentials};
use crate::guard::PrivateNetworks;
use crate::retry;

/// A push gets so long for everything.
const LIMIT: Duration = Duration::from_secs(10);

/// The service of Google.
const GOOGLE: &str = "https://fcm.googleapis.com";

/// The project's name in test mode, whatever the credentials say.
const TEST_PROJECT: &str = "httpsms-test";

/// A way to the push service.
pub struct Fcm {
    client: Client,
    uri: Uri,
    /// None in test mode.
    access: Option<Access>,
}

/// A wake-up as it is sent.
#[derive(Debug, Clone)]
pub struct Push {
    /// The phone's token.
    pub token: String,
    /// The one thing it says.
    pub data: PushData,
    /// How long the service keeps it for a phone that is off.
    pub ttl: Option<Duration>,
    /// Whether it may wake a sleeping phone.
    pub high_priority: bool,
}

/// Why the push service did not take a push.
#[derive(Debug)]
pub enum Refusal {
    /// It never will: the token is dead, or not one of this project.
    Dead {
        /// The HTTP status.
        status: u16,
    },
    /// It may take it later.
    Passing {
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// What the service asks to wait.
        retry_after: Option<HeaderValue>,
        /// What went wrong.
        words: String,
        /// Whether the operator has to do something about it.
        setup: bool,
    },
}

impl Fcm {
    /// With a service account: its JSON, or the path of a file with it.
    pub fn google(credentials: &str) -> Result<Self, BadCredentials> {
        let access = Access::new(credentials)?;
        Ok(Self {
            client: Client::new(PrivateNetworks::Allow),
            uri: address(GOOGLE, access.project()).ok_or(BadCredentials::Incomplete)?,
            access: Some(access),
        })
    }

    /// In test mode: pushes go to this base URL, without authorization. None if it is no URL.
    pub fn test(endpoint: &str) -> Option<Self> {
        Some(Self {
            client: Client::new(PrivateNetworks::Allow),
            uri: address(endpoint.trim_end_matches('/'), TEST_PROJECT)?,
            access: None,
        })
    }

    /// Sends a push; the answer is the service's name for it.
    pub async fn send(&self, push: &Push, now: Time) -> Result<String, Refusal> {
        let mut request = Request::new(self.body(push));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(access) = &self.access {
            headers.insert(AUTHORIZATION, access.bearer(&self.client, now).await?);
        }
        let answer = self.client.send(request, LIMIT).await?;
        self.read(&answer).await
    }

    async fn read(&self, answer: &Answer) -> Result<String, Refusal> {
        #[derive(Deserialize)]
        struct Sent {
            name: String,
        }
        if answer.status == StatusCode::OK {
            let sent: Result<Sent, _> = serde_json::from_slice(&answer.body);
            return sent
                .map(|sent| sent.name)
                .map_err(|_| Refusal::passing(answer, false));
        }
        if let (StatusCode::UNAUTHORIZED, Some(access)) = (answer.status, &self.access) {
            access.forget().await;
        }
        Err(refusal(answer))
    }

    fn body(&self, push: &Push) -> Bytes {
        #[derive(Serialize)]
        struct Body<'a> {
            message: Message<'a>,
        }
        #[derive(Serialize)]
        struct Message<'a> {
            token: &'a str,
            data: PushData,
            android: Android,
        }
        #[derive(Serialize)]
        struct Android {
            priority: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            ttl: Option<String>,
        }
        let ttl = push.ttl.filter(|_| self.access.is_some());
        let body = Body {
            message: Message {
                token: &push.token,
                data: push.data,
                android: Android {
                    priority: if push.high_priority { "high" } else { "normal" },
                    ttl: ttl.map(|ttl| format!("{}s", ttl.as_secs())),
                },
            },
        };
        // Strings and a fixed shape: there is nothing in it that JSON cannot say.
        serde_json::to_vec(&body).unwrap_or_default().into()
    }
}

fn address(base: &str, project: &str) -> Option<Uri> {
    let uri: Uri = format!("{base}/v1/projects/{project}/messages:send")
        .parse()
        .ok()?;
    uri.host().is_some().then_some(uri)
}

/// What a status other than 200 says, with the service's own error code.
fn refusal(answer: &Answer) -> Refusal {
    let status = answer.status;
    let foreign = error_code(&answer.body).as_deref() == Some("SENDER_ID_MISMATCH");
    let setup = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if retry::is_passing(status) || !status.is_client_error() || (setup && !foreign) {
        Refusal::passing(answer, setup)
    } else {
        Refusal::Dead {
            status: status.as_u16(),
        }
    }
}

/// FCM's own code among the details of an error.
fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        #[serde(default)]
        details: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(rename = "errorCode")]
        error_code: Option<String>,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    body.error
        .details
        .into_iter()
        .find_map(|detail| detail.error_code)
}

impl Refusal {
    pub(crate) fn passing(answer: &Answer, setup: bool) -> Self {
        let code = error_code(&answer.body).map_or_else(String::new, |code| format!(" {code}"));
        Self::Passing {
            status: Some(answer.status.as_u16()),
            retry_after: answer.retry_after().cloned(),
            words: format!("the push service answered {}{code}", answer.status.as_u16()),
            setup,
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Passing {
            status: None,
            retry_after: None,
            words: format!("the push service was not reached: {failure}"),
            setup: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::Uuid;

    fn push(data: PushData, high_priority: bool) -> Push {
        Push {
            token: "fcm-abc".to_owned(),
            data,
            ttl: Some(Duration::from_mins(10)),
            high_priority,
        }
    }

    fn body(push: &Push) -> String {
        let fcm = Fcm::test("http://127.0.0.1:1/").unwrap();
        assert_eq!(
            fcm.uri,
            "http://127.0.0.1:1/v1/projects/httpsms-test/messages:send"
        );
        String::from_utf8(fcm.body(push).to_vec()).unwrap()
    }

    #[test]
    fn a_wake_up_in_test_mode_is_the_contract_s() {
        let id: Uuid = "6f1d1c52-9a3e-4c7e-8f0b-2b7a5d9e1a01".parse().unwrap();
        assert_eq!(
            body(&push(PushData::Message(id), false)),
            r#"{"message":{"token":"fcm-abc","data":{"KEY_MESSAGE_ID":"6f1d1c52-9a3e-4c7e-8f0b-2b7a5d9e1a01"},"android":{"priority":"normal"}}}"#
        );
    }

    #[test]
    fn a_nudge_for_a_heartbeat_has_high_priority() {
        let at: Time = "2026-03-02T09:15:30.5Z".parse().unwrap();
        assert_eq!(
            body(&push(PushData::Heartbeat(at), true)),
            r#"{"message":{"token":"fcm-abc","data":{"KEY_HEARTBEAT_ID":"2026-03-02T09:15:30Z"},"android":{"priority":"high"}}}"#
        );
    }

    #[test]
    fn refusals_are_told_apart() {
        let answer = |status: u16, code: &str| {
            let body =
                format!(r#"{{"error":{{"details":[{{"@type":"x"}},{{"errorCode":"{code}"}}]}}}}"#);
            refusal(&Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: http::HeaderMap::new(),
                body: body.into(),
            })
        };
        for (status, code) in [
            (404, "UNREGISTERED"),
            (400, "INVALID_ARGUMENT"),
            (403, "SENDER_ID_MISMATCH"),
            (413, ""),
        ] {
            assert!(
                matches!(answer(status, code), Refusal::Dead { .. }),
                "{status}"
            );
        }
        for (status, is_setup) in [
            (429, false),
            (500, false),
            (503, false),
            (302, false),
            (401, true),
            (403, true),
        ] {
            let refusal = answer(status, "");
            assert!(
                matches!(refusal, Refusal::Passing { setup, .. } if setup == is_setup),
                "{status}"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_no_endpoint() {
        for endpoint in ["", "nonsense", "/path"] {
            assert!(Fcm::test(endpoint).is_none(), "{endpoint}");
        }
    }
}
