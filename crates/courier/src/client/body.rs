//! The body of an answer, as far as it is read.

use bytes::{Buf, Bytes, BytesMut};
use httparse::{Status, parse_chunk_size};

use super::head::Framing;
use super::line::Line;
use super::{BODY_LIMIT, HEADER_LIMIT};
use crate::failure::Failure;

/// A chunk's first line has no more bytes.
const CHUNK_LINE: usize = 4 << 10;

/// The body, and whether it was read to its end so that another answer may follow.
pub(super) async fn read(line: &mut Line, framing: Framing) -> Result<(Bytes, bool), Failure> {
    match framing {
        Framing::Length(length) => measured(line, length).await,
        Framing::Chunked => chunked(line).await,
        Framing::UntilClosed => {
            while line.read.len() < BODY_LIMIT && line.fill().await? {}
            Ok((take(line, line.read.len().min(BODY_LIMIT)), false))
        }
    }
}

async fn measured(line: &mut Line, length: u64) -> Result<(Bytes, bool), Failure> {
    let whole = length <= BODY_LIMIT as u64;
    let wanted = if whole { length as usize } else { BODY_LIMIT };
    while line.read.len() < wanted {
        more(line).await?;
    }
    Ok((take(line, wanted), whole))
}

async fn chunked(line: &mut Line) -> Result<(Bytes, bool), Failure> {
    let mut body = BytesMut::new();
    loop {
        let mut left = chunk_size(line).await?;
        if left == 0 {
            trailers(line).await?;
            return Ok((body.freeze(), true));
        }
        while left > 0 {
            if line.read.is_empty() {
                more(line).await?;
            }
            let room = (BODY_LIMIT - body.len()).min(line.read.len());
            let part = room.min(usize::try_from(left).unwrap_or(room));
            body.extend_from_slice(&line.read[..part]);
            line.read.advance(part);
            left -= part as u64;
            if body.len() == BODY_LIMIT {
                return Ok((body.freeze(), false));
            }
        }
        if pass_line(line, 2).await? > 0 {
            return Err(Failure::Invalid);
        }
    }
}

async fn chunk_size(line: &mut Line) -> Result<u64, Failure> {
    loop {
        match parse_chunk_size(&line.read) {
            Ok(Status::Complete((length, size))) => {
                line.read.advance(length);
                return Ok(size);
            }
            Ok(Status::Partial) if line.read.len() < CHUNK_LINE => more(line).await?,
            Ok(Status::Partial) | Err(_) => return Err(Failure::Invalid),
        }
    }
}

/// Passes what comes after the last chunk. Nobody wants it.
async fn trailers(line: &mut Line) -> Result<(), Failure> {
    let mut room = HEADER_LIMIT;
    loop {
        let length = pass_line(line, room).await?;
        if length == 0 {
            return Ok(());
        }
        room -= length;
    }
}

/// Passes a line that ends within so many bytes; its length without its end.
async fn pass_line(line: &mut Line, room: usize) -> Result<usize, Failure> {
    loop {
        let seen = &line.read[..line.read.len().min(room)];
        if let Some(at) = seen.iter().position(|byte| *byte == b'\n') {
            let length = seen[..at].strip_suffix(b"\r").unwrap_or(&seen[..at]).len();
            line.read.advance(at + 1);
            return Ok(length);
        }
        if line.read.len() >= room {
            return Err(Failure::Invalid);
        }
        more(line).await?;
    }
}

/// Waits for more, which must come.
async fn more(line: &mut Line) -> Result<(), Failure> {
    if line.fill().await? {
        Ok(())
    } else {
        Err(Failure::Reset)
    }
}

fn take(line: &mut Line, length: usize) -> Bytes {
    if length == line.read.len() {
        std::mem::take(&mut line.read).freeze()
    } else {
        line.read.split_to(length).freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Stream;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    /// What is read of a body that comes in pieces of this size, after which the connection ends.
    async fn heard(framing: Framing, bytes: &[u8], piece: usize) -> Result<(Bytes, bool), Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut line, (mut theirs, _)) =
            (Line::new(Stream::Plain(ours.unwrap())), theirs.unwrap());
        let speak = async move {
            theirs.set_nodelay(true).unwrap();
            for piece in bytes.chunks(piece) {
                if theirs.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let (heard, ()) = tokio::join!(read(&mut line, framing), speak);
        heard
    }

    #[tokio::test]
    async fn a_body_ends_where_its_framing_says() {
        let chunks = b"4;note=\"x\"\r\nWiki\r\n5\r\npedia\r\n0\r\nx-sum: 1\r\n\r\n";
        for piece in [1, 7, 1_000] {
            for (framing, bytes, expected) in [
                (Framing::Length(3), &b"abc"[..], (&b"abc"[..], true)),
                (Framing::Length(3), b"abcdef", (b"abc", true)),
                (Framing::Length(0), b"", (b"", true)),
                (Framing::UntilClosed, b"abc", (b"abc", false)),
                (Framing::Chunked, chunks, (b"Wikipedia", true)),
                (Framing::Chunked, b"0\r\n\r\n", (b"", true)),
            ] {
                let (body, whole) = heard(framing, bytes, piece).await.unwrap();
                assert_eq!((&body[..], whole), expected, "{framing:?} by {piece}");
            }
        }
    }

    #[tokio::test]
    async fn no_more_than_the_limit_is_read() {
        let long = vec![b'x'; BODY_LIMIT * 3];
        let chunk = [&b"c000\r\n"[..], &long, b"\r\n0\r\n\r\n"].concat();
        let endless = vec![b'x'; BODY_LIMIT + 1];
        for (framing, bytes) in [
            (Framing::Length(long.len() as u64), &long),
            (Framing::Length(u64::MAX), &long),
            (Framing::UntilClosed, &endless),
            (Framing::Chunked, &chunk),
        ] {
            let (body, whole) = heard(framing, bytes, 5_000).await.unwrap();
            assert_eq!((body.len(), whole), (BODY_LIMIT, false), "{framing:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_cut_or_wrong_is_no_body() {
        for (framing, bytes, expected) in [
            (Framing::Length(4), &b"abc"[..], Failure::Reset),
            (Framing::Chunked, b"", Failure::Reset),
            (Framing::Chunked, b"4\r\nWi", Failure::Reset),
            (Framing::Chunked, b"4\r\nWiki\r\n", Failure::Reset),
            (Framing::Chunked, b"0\r\nx-sum: 1\r\n", Failure::Reset),
            (Framing::Chunked, b"4\r\nWikipedia\r\n", Failure::Invalid),
            (Framing::Chunked, b"x\r\nWiki\r\n", Failure::Invalid),
            (Framing::Chunked, b"11111111111111111\r\n", Failure::Invalid),
        ] {
            let failure = heard(framing, bytes, 1_000).await.err();
            assert_eq!(failure, Some(expected), "{}", bytes.escape_ascii());
        }
        let note = [&b"4;"[..], &vec![b'x'; CHUNK_LINE]].concat();
        let failure = heard(Framing::Chunked, &note, 1_000).await.err();
        assert_eq!(failure, Some(Failure::Invalid));
        let trailer = [&b"0\r\nx: "[..], &vec![b'x'; HEADER_LIMIT]].concat();
        let failure = heard(Framing::Chunked, &trailer, 1_000).await.err();
        assert_eq!(failure, Some(Failure::Invalid));
    }
}
