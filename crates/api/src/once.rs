//! The header `Idempotency-Key` of every `POST` with a caller: the same request with the same key is
//! done once, however often it comes, and gets the same answer.
//!
//! Without the header nothing of this happens. With it the work goes on even if the client hangs up:
//! then it will ask again, and wants the answer.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use gateway::Caller;
use gateway::idempotency::{self, Answer, Outcome};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::auth::{self, Known};
use crate::error::Error;
use crate::{Api, body, envelope};

pub(crate) const NAME: &str = "idempotency-key";

/// Says that an answer is that of an earlier request.
const REPEATED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Bytes of an answer that are kept at most.
const MOST: usize = 8 << 20;

/// A handler whose requests may have a key.
#[derive(Clone)]
pub(crate) struct Once<H>(pub(crate) H);

impl<H, T> Handler<T, Api> for Once<H>
where
    H: Handler<T, Api>,
    T: 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, api: Api) -> Self::Future {
        if !request.headers().contains_key(NAME) {
            return Box::pin(self.0.call(request, api));
        }
        Box::pin(async move {
            let work = tokio::spawn(once(self.0, request, api));
            match work.await {
                Ok(answer) => answer.unwrap_or_else(IntoResponse::into_response),
                Err(error) => {
                    tracing::error!(%error, "a request failed");
                    Error::Internal.into_response()
                }
            }
        })
    }
}

async fn once<H, T>(handler: H, request: Request, api: Api) -> Result<Response, Error>
where
    H: Handler<T, Api>,
    T: 'static,
{
    let (mut parts, body) = request.into_parts();
    let Some(caller) = auth::anybody(&parts, &api).await? else {
        // The handler has the words for that.
        return Ok(handler.call(Request::from_parts(parts, body), api).await);
    };
    let (content, body) = content(&parts, body, api.options.receive_limit).await?;
    let same = same(&parts, &caller, &content)?;
    parts.extensions.insert(Known(caller));
    let request = Request::from_parts(parts, body);
    let gateway = api.gateway.clone();
    let work = async { kept(handler.call(request, api).await).await };
    match gateway.once(same, work).await? {
        Outcome::Done(response) => Ok(response),
        Outcome::Repeated(answer) => Ok(repeated(answer)),
    }
}

/// What makes the request the same as another: its body, or for a large file what is said of it.
async fn content(
    parts: &http::request::Parts,
    body: Body,
    limit: usize,
) -> Result<(Vec<u8>, Body), Error> {
    let mut content = Vec::new();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        let value = parts.headers.get(name).map(HeaderValue::as_bytes);
        content.extend_from_slice(value.unwrap_or_default());
        content.push(b'\n');
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Ok((content, body));
    }
    let bytes = body::read(body, limit).await?;
    content.extend_from_slice(&bytes);
    Ok((content, Body::from(bytes)))
}

fn same(
    parts: &http::request::Parts,
    caller: &Caller,
    content: &[u8],
) -> Result<idempotency::Request, Error> {
    let key = parts.headers.get(NAME).and_then(|key| key.to_str().ok());
    let route = format!("{} {}", parts.method, parts.uri.path());
    idempotency::Request::new(caller, &route, key.unwrap_or_default(), content)
        .map_err(|wrong| Error::Invalid("validation errors", wrong))
}

/// An answer, and what is kept of it: of a success everything, of anything else nothing.
async fn kept(response: Response) -> (Response, Option<Answer>) {
    if !response.status().is_success() {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MOST).await else {
        tracing::error!("an answer is too long to be kept");
        return (Error::Internal.into_response(), None);
    };
    let answer = String::from_utf8(bytes.to_vec()).ok().map(|body| Answer {
        status: parts.status.as_u16(),
        body,
        location: location(&parts.headers),
    });
    (Response::from_parts(parts, Body::from(bytes)), answer)
}

/// What is answered when it was done before.
pub(crate) fn repeated(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = match answer.body.as_str() {
        "" => status.into_response(),
        _ => envelope::written(status, answer.body.into_bytes()),
    };
    let place = answer.location.and_then(|place| place.try_into().ok());
    if let Some(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    let yes = HeaderValue::from_static("true");
    response.headers_mut().insert(REPEATED, yes);
    response
}

fn location(headers: &HeaderMap) -> Option<String> {
    let place = headers.get(header::LOCATION)?;
    place.to_str().ok().map(str::to_owned)
}

/// Does an operation that is one transaction. With a key its answer is kept by that transaction.
pub(crate) async fn answered<T: 'static, E>(
    operation: impl Future<Output = gateway::Result<T>>,
    wrong: impl Fn(gateway::Error) -> E,
    answer: impl Fn(&T) -> Response + Clone + Send + Sync + 'static,
) -> Result<Response, E> {
    let render = answer.clone();
    idempotency::answering(move |value: &T| at_once(render(value)));
    let value = operation.await.map_err(wrong)?;
    Ok(answer(&value))
}

/// An answer whose body is there already, as it is with all envelopes.
fn at_once(response: Response) -> Option<Answer> {
    let (status, location) = (response.status().as_u16(), location(response.headers()));
    let mut bytes = pin!(axum::body::to_bytes(response.into_body(), MOST));
    match bytes.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(bytes)) => {
            let body = String::from_utf8(bytes.to_vec()).ok()?;
            Some(Answer {
                status,
                body,
                location,
            })
        }
        _ => None,
    }
}
