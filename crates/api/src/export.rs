//! Everything of the account as one archive, written while it is downloaded.

use std::io::{self, BufWriter, Write};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use gateway::Gateway;
use gateway::api_key::Scope;
use gateway::attachment::Opened;
use gateway::export::Export;
use http::header;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::auth::UserCaller;
use crate::envelope::Answer;
use crate::error::Error;
use crate::reference::Doc;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    let doc = Doc::user("exportUser", "Download everything of the account")
        .note("A ZIP archive, written while it is downloaded: a file with one JSON object per line for each kind of thing, and the files of received messages and uploads. Keys and passwords are left out. An archive without an end was cut short.")
        .scope(Scope::Admin)
        .slows()
        .text("application/zip", "The archive.");
    routes
        .tag("Account", Scope::Admin)
        .get("/v1/users/me/export", export, doc)
}

/// Exports at one time: each has a thread.
static SEATS: Semaphore = Semaphore::const_new(4);
/// When to come again if there is no seat.
const LATER: std::time::Duration = std::time::Duration::from_secs(30);

/// Bytes that are written at once, and how many such pieces wait for a slow client.
const PIECE: usize = 64 << 10;
const PIECES: usize = 4;

async fn export(State(gateway): State<Gateway>, UserCaller(caller): UserCaller) -> Answer {
    let seat = SEATS.try_acquire().map_err(|_| Error::TooMany(LATER))?;
    let (send, receive) = mpsc::channel(PIECES);
    let (export, runtime) = (gateway.export(&caller), Handle::current());
    tokio::task::spawn_blocking(move || {
        let _seat = seat;
        if let Err(error) = write(export, &runtime, send.clone()) {
            tracing::debug!(%error, "an export was cut short");
            // So that the client sees that this is not the end.
            let _ = send.blocking_send(Err(error));
        }
    });
    Ok(answer(receive))
}

fn answer(receive: mpsc::Receiver<io::Result<Bytes>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"httpsms-export.zip\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let body = Body::from_stream(stream::unfold(receive, next));
    (headers, body).into_response()
}

async fn next(
    mut receive: mpsc::Receiver<io::Result<Bytes>>,
) -> Option<(io::Result<Bytes>, mpsc::Receiver<io::Result<Bytes>>)> {
    let piece = receive.recv().await?;
    Some((piece, receive))
}

/// Sends what is written, and waits for the client where it is slow.
struct Sender(mpsc::Sender<io::Result<Bytes>>);

impl Write for Sender {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(piece)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Zip = ZipWriter<StreamWriter<BufWriter<Sender>>>;

fn write(
    mut export: Export,
    runtime: &Handle,
    send: mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(BufWriter::with_capacity(PIECE, Sender(send)));
    let mut table = "";
    while let Some(part) = runtime.block_on(export.part()).map_err(io::Error::other)? {
        if part.table != table {
            table = part.table;
            zip.start_file(format!("{table}.jsonl"), kept(CompressionMethod::Deflated))?;
        }
        for row in part.rows {
            writeln!(zip, "{row}")?;
        }
    }
    write_files(&mut zip, &export, runtime)?;
    zip.finish()?.into_inner().flush()
}

/// Pictures are compressed already.
fn write_files(zip: &mut Zip, export: &Export, runtime: &Handle) -> io::Result<()> {
    let mut after = String::new();
    loop {
        let places = runtime
            .block_on(export.files(&after))
            .map_err(io::Error::other)?;
        let Some(last) = places.last().cloned() else {
            return Ok(());
        };
        for place in places {
            let opened = runtime
                .block_on(export.open(&place))
                .map_err(io::Error::other)?;
            let Some(opened) = opened else { continue };
            zip.start_file(
                format!("attachments/{place}"),
                kept(CompressionMethod::Stored),
            )?;
            write_file(zip, opened, runtime)?;
        }
        after = last;
    }
}

fn write_file(zip: &mut Zip, mut file: Opened, runtime: &Handle) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match runtime.block_on(file.content.read(&mut piece))? {
            0 => return Ok(()),
            length => zip.write_all(&piece[..length])?,
        }
    }
}

/// How long a file gets is not known when it begins.
fn kept(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(method)
        .large_file(true)
}
