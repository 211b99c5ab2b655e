//! A stand-in for the push service of Firebase, built on a [`Receiver`]: takes pushes, refuses them as told.
//! Give [`Fcm::endpoint`] to the server as `--fcm-endpoint`.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::receiver::{Received, Receiver};
use crate::respond::Respond;

/// One push as the server sent it, whatever was answered.
#[derive(Clone, Debug)]
pub struct Push {
    /// The project of the path.
    pub project: String,
    /// The device it is meant for.
    pub token: String,
    /// What the phone gets: one key, such as `KEY_MESSAGE_ID`.
    pub data: Value,
    /// `android` of the message: priority and lifetime.
    pub android: Value,
    /// The `Authorization` header; a test endpoint gets none.
    pub authorization: Option<String>,
    /// When it arrived.
    pub at: Instant,
}

impl Push {
    /// The id of the message this push asks the phone to claim.
    pub fn message_id(&self) -> Option<&str> {
        self.data["KEY_MESSAGE_ID"].as_str()
    }

    /// `None` unless it is a push: `POST /v1/projects/{project}/messages:send` with a token.
    fn read(received: &Received) -> Option<Self> {
        let project = received
            .path()
            .strip_prefix("/v1/projects/")?
            .strip_suffix("/messages:send")?;
        let body = serde_json::from_slice::<Value>(&received.body).ok()?;
        let message = &body["message"];
        (received.method == Method::POST).then_some(())?;
        Some(Self {
            project: project.to_owned(),
            token: message["token"].as_str()?.to_owned(),
            data: message["data"].clone(),
            android: message["android"].clone(),
            authorization: received.header("authorization").map(str::to_owned),
            at: received.at,
        })
    }
}

/// How the endpoint answers a push.
#[derive(Clone, Debug)]
pub enum FcmAnswer {
    /// 200 with the name of the push.
    Sent,
    /// 503: try again.
    Unavailable,
    /// 429 with `Retry-After` in seconds: try again then.
    QuotaExceeded(u32),
    /// 404: the token is dead.
    Unregistered,
    /// 400: the push will never be taken.
    InvalidArgument,
    /// Anything else a receiver can do.
    Other(Respond),
}

impl FcmAnswer {
    fn to(self, project: &str, index: usize) -> Respond {
        match self {
            Self::Sent => Respond::json(
                200,
                &json!({"name": format!("projects/{project}/messages/{index}")}),
            ),
            Self::Unavailable => refusal(503, "UNAVAILABLE", "UNAVAILABLE"),
            Self::QuotaExceeded(seconds) => refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
                .with_header("retry-after", &seconds.to_string()),
            Self::Unregistered => refusal(404, "NOT_FOUND", "UNREGISTERED"),
            Self::InvalidArgument => refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
            Self::Other(respond) => respond,
        }
    }
}

/// A running endpoint; dropping it closes its port.
pub struct Fcm {
    receiver: Receiver,
}

impl Fcm {
    /// Takes every push.
    pub async fn start() -> Self {
        Self::with(|_, _| FcmAnswer::Sent).await
    }

    /// Answers the first push with the first of `answers` and so on; the last one repeats.
    pub async fn answering(answers: Vec<FcmAnswer>) -> Self {
        let last = answers.len().saturating_sub(1);
        let turn = move |index: usize| answers.get(index.min(last)).cloned();
        Self::with(move |_, index| turn(index).unwrap_or(FcmAnswer::Sent)).await
    }

    /// Answers each push as `script` says, which is told the push and how many came before it.
    pub async fn with(script: impl Fn(&Push, usize) -> FcmAnswer + Send + Sync + 'static) -> Self {
        let receiver = Receiver::with(move |received| match Push::read(received) {
            Some(push) => script(&push, received.index).to(&push.project, received.index),
            None => FcmAnswer::InvalidArgument.to("", received.index),
        });
        Self {
            receiver: receiver.await,
        }
    }

    /// The base URL, as `--fcm-endpoint` wants it.
    pub fn endpoint(&self) -> String {
        self.receiver.url("")
    }

    /// The pushes so far, in order of arrival; requests that are no pushes are left out.
    pub fn pushes(&self) -> Vec<Push> {
        pushes(&self.receiver.requests())
    }

    /// Waits until `n` pushes have arrived and returns all there are; panics after `deadline`.
    pub async fn wait_for(&self, n: usize, deadline: Duration) -> Vec<Push> {
        pushes(
            &self
                .receiver
                .wait_until(|seen| pushes(seen).len() >= n, deadline)
                .await,
        )
    }

    /// Waits for the first push that names this message; panics after `deadline`.
    pub async fn wait_for_message(&self, id: &str, deadline: Duration) -> Push {
        let find = |seen: &[Received]| {
            pushes(seen)
                .into_iter()
                .find(|push| push.message_id() == Some(id))
        };
        let seen = self
            .receiver
            .wait_until(|seen| find(seen).is_some(), deadline)
            .await;
        find(&seen).unwrap_or_else(|| panic!("the push for {id} has just been seen"))
    }
}

fn pushes(seen: &[Received]) -> Vec<Push> {
    seen.iter().filter_map(Push::read).collect()
}

/// An error in the words of the FCM HTTP v1 API: a canonical status, and the error code of the push service.
fn refusal(code: u16, status: &str, error_code: &str) -> Respond {
    let detail = json!({
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "errorCode": error_code,
    });
    let error = json!({
        "code": code,
        "message": format!("refused as told: {error_code}"),
        "status": status,
        "details": [detail],
    });
    Respond::json(code, &json!({"error": error}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Anonymous;

    const SOON: Duration = Duration::from_secs(10);
    const PATH: &str = "/v1/projects/httpsms-test/messages:send";

    fn push(id: &str) -> Value {
        json!({"message": {
            "token": "token-1",
            "data": {"KEY_MESSAGE_ID": id},
            "android": {"priority": "normal"},
        }})
    }

    #[tokio::test]
    async fn takes_a_push_and_remembers_it() {
        let fcm = Fcm::start().await;
        let server = Anonymous::new(&fcm.endpoint());
        let answer = server.post(PATH, &push("m-1")).await.expect(200);
        assert_eq!(answer.body["name"], "projects/httpsms-test/messages/0");

        let push = fcm.wait_for_message("m-1", SOON).await;
        assert_eq!(
            (push.project.as_str(), push.token.as_str()),
            ("httpsms-test", "token-1")
        );
        assert_eq!(push.android, json!({"priority": "normal"}));
        assert_eq!(push.authorization, None);
    }

    #[tokio::test]
    async fn refuses_in_the_order_it_was_told() {
        let fcm = Fcm::answering(vec![
            FcmAnswer::Unavailable,
            FcmAnswer::QuotaExceeded(7),
            FcmAnswer::Unregistered,
            FcmAnswer::InvalidArgument,
            FcmAnswer::Sent,
        ])
        .await;
        let server = Anonymous::new(&fcm.endpoint());
        let mut codes = Vec::new();
        for status in [503, 429, 404, 400, 200, 200] {
            let answer = server.post(PATH, &push("m-1")).await.expect(status);
            let code = answer.body["error"]["details"][0]["errorCode"].as_str();
            codes.extend(code.map(str::to_owned));
            assert_eq!(answer.header("retry-after").is_some(), status == 429);
        }
        assert_eq!(
            codes,
            [
                "UNAVAILABLE",
                "QUOTA_EXCEEDED",
                "UNREGISTERED",
                "INVALID_ARGUMENT"
            ]
        );
        assert_eq!(fcm.wait_for(6, SOON).await.len(), 6);
    }

    #[tokio::test]
    async fn what_is_no_push_is_refused_and_left_out() {
        let fcm = Fcm::start().await;
        let server = Anonymous::new(&fcm.endpoint());
        let _ = server.post(PATH, &json!({"message": {}})).await.expect(400);
        let _ = server.post("/elsewhere", &push("m-1")).await.expect(400);
        assert!(fcm.pushes().is_empty());
    }
}
