//! Files that came with an MMS. Public: who knows the URL may read.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use gateway::Gateway;
use gateway::api_key::Scope;
use http::{HeaderValue, header};
use tokio_util::io::ReaderStream;

use crate::check::Params;
use crate::envelope::Answer;
use crate::reference::{Doc, text};
use crate::routes::Routes;

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
    routes.tag("Messages", Scope::Send).get(
        "/v1/attachments/{user}/{message}/{index}/{file}",
        download,
        doc,
    )
}

/// Bytes in memory for each download.
const CHUNK: usize = 64 << 10;

async fn download(
    State(gateway): State<Gateway>,
    Params((user, message, index, name)): Params<(String, String, String, String)>,
) -> Answer {
    let found = gateway.attachment(&user, &message, &index, &name).await?;
    let file = tokio::fs::File::from_std(found.file);
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(file, CHUNK)));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, found.content_type),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(found.length));
    Ok(response)
}
