//! How the model engine takes messages: whole requests on kept-alive connections, whatever their method,
//! path and headers. The answer is given when the body is on disk.

use std::sync::mpsc::Sender;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::store::Handed;
use crate::wire::frame;

const CREATED: &[u8] = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n";

/// Holds what usually comes at once.
const BUFFER: usize = 2 << 10;

/// Takes connections until one cannot be taken.
pub async fn accept(listener: &TcpListener, queue: &Sender<Handed>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let queue = queue.clone();
        // The other side may go at any time: an error is the end of the connection.
        tokio::spawn(async move { converse(stream, &queue).await.ok() });
    }
}

async fn converse(mut stream: TcpStream, queue: &Sender<Handed>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let read = stream.read_buf(&mut buffer).await?;
        ensure!(read > 0, "closed");
        let Some(body) = frame(&buffer)?.filter(|body| body.end <= buffer.len()) else {
            continue;
        };
        let whole = body.end;
        let (stored, heard) = oneshot::channel();
        queue.send(Handed {
            id: 0,
            body: buffer[body].to_vec(),
            stored,
        })?;
        buffer.drain(..whole);
        heard.await?;
        stream.write_all(CREATED).await?;
    }
}
