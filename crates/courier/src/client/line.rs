//! A connection, and what came over it that nobody has used yet.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

use crate::connect::Stream;
use crate::failure::Failure;

/// Read at a time.
const ROOM: usize = 8 << 10;

/// A connection to a receiver.
pub(super) struct Line {
    stream: Stream,
    /// What came and is not used.
    pub read: BytesMut,
}

impl Line {
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
        }
    }

    /// Sends a request, in one piece as long as the connection takes it.
    pub async fn say(&mut self, head: Bytes, body: Bytes) -> Result<(), Failure> {
        let said = async {
            self.stream.write_all_buf(&mut head.chain(body)).await?;
            self.stream.flush().await
        };
        said.await.map_err(|error| Failure::of_io(&error))
    }

    /// Waits for more; false when there will be none.
    pub async fn fill(&mut self) -> Result<bool, Failure> {
        let Self { stream, read } = self;
        // The room is on the stack, and only while there is something to read.
        poll_fn(|cx| {
            let mut room = [const { MaybeUninit::uninit() }; ROOM];
            let mut room = ReadBuf::uninit(&mut room);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut room))
                .map_err(|error| Failure::of_io(&error))?;
            read.extend_from_slice(room.filled());
            Poll::Ready(Ok(!room.filled().is_empty()))
        })
        .await
    }

    /// Whether it is open and nothing came that nobody asked for.
    pub fn is_quiet(&mut self) -> bool {
        let mut room = [MaybeUninit::uninit(); 1];
        let mut room = ReadBuf::uninit(&mut room);
        let mut nobody = Context::from_waker(Waker::noop());
        self.read.is_empty()
            && Pin::new(&mut self.stream)
                .poll_read(&mut nobody, &mut room)
                .is_pending()
    }
}
