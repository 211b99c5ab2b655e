//! What a receiver may do with a request: the answers HTTP knows, and the ways of not answering.
//! [`Respond`] says it, [`Reply`] is the body that does it, [`Ending`] the ends of a connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use hyper::body::{Body, Frame, SizeHint};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Interval;

use crate::receiver::Received;

/// What a receiver does with a request once it has read it.
#[derive(Clone, Debug)]
pub enum Respond {
    /// Answers with a status, headers and a body.
    Status(u16, Vec<(String, String)>, Bytes),
    /// Waits, then does the other thing.
    After(Duration, Box<Respond>),
    /// Says nothing, and keeps the connection open.
    HangBeforeHeaders,
    /// Sends `200` and its headers, never a body, and keeps the connection open.
    HangAfterHeaders,
    /// Sends `200` and a body without end, as fast as the other side reads.
    StreamForever,
    /// Sends `200` and a body without end, one byte each time the duration has passed.
    Drip(Duration),
    /// Breaks the connection off with a TCP reset.
    Reset,
    /// Closes the connection in good order, without an answer.
    Close,
    /// Answers `302` with this `Location`.
    Redirect(String),
    /// Writes these bytes as they are and closes.
    Malformed(Bytes),
}

impl Respond {
    /// `200` without a body.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// A status without a body.
    pub fn status(code: u16) -> Self {
        Self::Status(code, Vec::new(), Bytes::new())
    }

    /// A status with a plain body.
    pub fn text(code: u16, body: impl Into<Bytes>) -> Self {
        Self::Status(code, Vec::new(), body.into())
    }

    /// A status with a JSON body.
    pub fn json(code: u16, body: &Value) -> Self {
        Self::text(code, body.to_string()).with_header("content-type", "application/json")
    }

    /// The same with one more header; changes nothing unless it is a `Status`.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status(_, headers, _) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The same, later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }

    /// The response to send, after the wait that was asked for, or how the connection shall end.
    pub(crate) async fn carry_out(mut self) -> Result<Response<Reply>, Ending> {
        loop {
            let (code, headers, reply) = match self {
                Self::After(delay, then) => {
                    tokio::time::sleep(delay).await;
                    self = *then;
                    continue;
                }
                Self::Status(code, headers, body) => (code, headers, Reply::Whole(Some(body))),
                Self::Redirect(url) => (302, vec![("location".to_owned(), url)], Reply::empty()),
                Self::HangBeforeHeaders => std::future::pending().await,
                Self::HangAfterHeaders => (200, Vec::new(), Reply::Silent),
                Self::StreamForever => (200, Vec::new(), Reply::Endless),
                Self::Drip(every) => (200, Vec::new(), Reply::Drip(tokio::time::interval(every))),
                Self::Reset => return Err(Ending::Reset),
                Self::Close => return Err(Ending::Close),
                Self::Malformed(bytes) => return Err(Ending::Bytes(bytes)),
            };
            return Ok(response(code, &headers, reply));
        }
    }
}

/// Each answer once, then the last for ever; `200` when there are none.
pub(crate) fn in_turn(answers: Vec<Respond>) -> impl Fn(&Received) -> Respond {
    move |received| {
        let last = answers.len().saturating_sub(1);
        answers
            .get(received.index.min(last))
            .cloned()
            .unwrap_or_else(Respond::ok)
    }
}

fn response(code: u16, headers: &[(String, String)], reply: Reply) -> Response<Reply> {
    let response = headers.iter().fold(
        Response::builder().status(code),
        |response, (name, value)| response.header(name, value),
    );
    response
        .body(reply)
        .unwrap_or_else(|error| panic!("the script's answer is not HTTP: {error}"))
}

/// The bodies of the answers.
pub(crate) enum Reply {
    /// All of it at once; `None` when it has been sent.
    Whole(Option<Bytes>),
    /// Nothing, without an end.
    Silent,
    /// Zeros without an end.
    Endless,
    /// A byte at each tick, without an end.
    Drip(Interval),
}

impl Reply {
    fn empty() -> Self {
        Self::Whole(None)
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];
        let more = |bytes: &'static [u8]| Some(Ok(Frame::data(Bytes::from_static(bytes))));
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Silent => Poll::Pending,
            Self::Endless => Poll::Ready(more(&ZEROS)),
            Self::Drip(ticks) => ticks.poll_tick(cx).map(|_| more(b".")),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            _ => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            _ => SizeHint::default(),
        }
    }
}

/// How a connection ends without an HTTP answer.
pub(crate) enum Ending {
    Close,
    Reset,
    Bytes(Bytes),
}

impl Ending {
    /// Ends the connection; the other side may be gone already, which is an end as well.
    pub(crate) async fn carry_out(self, mut stream: TcpStream) {
        let _ = match self {
            Self::Close => stream.shutdown().await,
            Self::Reset => stream.set_zero_linger(),
            Self::Bytes(bytes) => match stream.write_all(&bytes).await {
                Ok(()) => stream.shutdown().await,
                gone => gone,
            },
        };
    }
}
