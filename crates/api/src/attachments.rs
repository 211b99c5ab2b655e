//! Files of MMS: those that came with one, and those that are to be sent along. Who knows the URL of
//! one may read it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use gateway::api_key::Scope;
use gateway::attachment::{MAX_BYTES, Media, NewAttachment};
use gateway::{Fields, Gateway};
use http::{HeaderMap, HeaderValue, header};
use tokio_util::io::ReaderStream;

use crate::auth::UserCaller;
use crate::check::{self, Params};
use crate::envelope::{self, Answer};
use crate::error::Error;
use crate::query::Query;
use crate::reference::{Doc, text};
use crate::routes::Routes;
use crate::{Api, body, shape};

const INVALID: &str = "validation errors while uploading attachment";

pub(crate) fn routes(routes: Routes) -> Routes {
    let doc = Doc::public(
        "downloadAttachment",
        "Download a file that came with an MMS",
    )
    .note("Public: the URL is a part of the message, and hard to guess.")
    .path("user", "The account.", text())
    .path("message", "The message.", text())
    .path("index", "Its place among the files of the message.", text())
    .path("file", "Its name.", text())
    .reads()
    .finds()
    .text("application/octet-stream", "The file, with its own type.");
    let uploaded = Doc::user("uploadAttachment", "Upload a file that is to be sent along")
        .note("The answer's `url` can be one of the `attachments` of a message. A file that no message takes along is removed after a day, and with the last message that does.")
        .query("name", "Its name; its ending is that of its type.", text())
        .takes_file(Media::types())
        .gives::<shape::Attachment>(201, "attachment uploaded successfully");
    routes
        .tag("Messages", Scope::Send)
        .get(
            "/v1/attachments/{user}/{message}/{index}/{file}",
            download,
            doc,
        )
        .post("/v1/attachments", upload, uploaded)
}

async fn upload(
    State(api): State<Api>,
    UserCaller(caller): UserCaller,
    query: Query,
    request: Request,
) -> Answer {
    let content_type = media_type(request.headers());
    let content = body::read(request.into_body(), api.options.body_limit).await?;
    let mut wrong = Fields::default();
    let media = Media::named(&content_type);
    if media.is_none() {
        let text = format!("attachment has unsupported content type [{content_type}]");
        wrong.add("content_type", text);
    }
    check::required(&mut wrong, "content", content.is_empty());
    let size = content.len();
    if size > MAX_BYTES {
        let text = format!("attachment size [{size}] exceeds maximum of [{MAX_BYTES}] bytes");
        wrong.add("content", text);
    }
    let Some(media) = media.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(INVALID, wrong));
    };
    let file = NewAttachment {
        name: query.text("name").to_owned(),
        media,
        content: content.into(),
    };
    let url = &api.options.public_url;
    let uploaded = api.gateway.upload(&caller, file, url).await?;
    Ok(envelope::created(
        "attachment uploaded successfully",
        &uploaded,
    ))
}

/// The media type that a request says its body is, without parameters.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok());
    let media_type = text.unwrap_or_default().split(';').next();
    media_type.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Bytes in memory for each download.
const CHUNK: usize = 64 << 10;

async fn download(
    State(gateway): State<Gateway>,
    Params((user, message, index, name)): Params<(String, String, String, String)>,
) -> Answer {
    let found = gateway.attachment(&user, &message, &index, &name).await?;
    let content = ReaderStream::with_capacity(found.opened.content, CHUNK);
    let mut response = Response::new(Body::from_stream(content));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, found.content_type),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(found.opened.length),
    );
    Ok(response)
}
