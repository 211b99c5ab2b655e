//! How long a connection may keep the server waiting: for the head of a request, and between requests.
//! The state is pure and is told the time; [`Paced`] reports what the socket reads.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// From the first byte of a request to the end of its head; also from connecting to the first request.
pub const HEAD: Duration = Duration::from_secs(10);

/// Between an answer and the next request. Longer than clients keep an unused connection, so that
/// rarely one is closed under a request that is on its way.
pub const IDLE: Duration = Duration::from_secs(75);

/// What one connection is doing.
#[derive(Debug)]
pub struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Requests whose answer is being made.
    busy: u32,
    /// Bytes came that are not a whole head yet.
    head: bool,
    /// HTTP/2: what is read need not belong to a request.
    multiplexed: bool,
    /// When the head began, or the last answer ended.
    since: Instant,
}

/// Why a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A head took too long.
    TooSlow,
    /// Nothing was asked for a while.
    Idle,
}

/// A request in work; ends when dropped.
#[derive(Debug)]
pub struct Busy(Arc<Pace>);

impl Pace {
    /// A connection was made: its first request is due.
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            busy: 0,
            head: true,
            multiplexed: false,
            since: now,
        }))
    }

    /// A request has begun, in HTTP/2 or before.
    pub fn begin(self: &Arc<Self>, multiplexed: bool) -> Busy {
        self.with(|state| {
            state.busy += 1;
            state.head = false;
            state.multiplexed |= multiplexed;
        });
        Busy(Arc::clone(self))
    }

    /// Waits until the connection is to end.
    pub async fn run_out(&self) -> End {
        loop {
            match self.verdict(Instant::now()) {
                Ok(end) => return end,
                Err(look_again) => tokio::time::sleep_until(look_again.into()).await,
            }
        }
    }

    fn verdict(&self, now: Instant) -> Result<End, Instant> {
        let (end, at) = self.with(|state| match state {
            State { busy: 1.., .. } => (None, now + HEAD),
            State { head: true, .. } => (Some(End::TooSlow), state.since + HEAD),
            State { .. } => (Some(End::Idle), state.since + IDLE),
        });
        end.filter(|_| now >= at).ok_or(at)
    }

    fn read(&self, now: Instant) {
        self.with(|state| {
            if state.busy == 0 && !state.head && !state.multiplexed {
                state.head = true;
                state.since = now;
            }
        });
    }

    fn answered(&self, now: Instant) {
        self.with(|state| {
            state.busy = state.busy.saturating_sub(1);
            state.since = now;
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.answered(Instant::now());
    }
}

/// A stream that tells its pace when something was read.
#[derive(Debug)]
pub struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S> Paced<S> {
    /// Watches the stream.
    pub fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pace.read(Instant::now());
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    fn connected() -> (Arc<Pace>, Instant) {
        let start = Instant::now();
        (Arc::new(Pace::new(start)), start)
    }

    #[test]
    fn the_first_request_is_due_soon() {
        let (pace, start) = connected();
        assert_eq!(pace.verdict(start), Err(start + HEAD));
        pace.read(start + HEAD.saturating_sub(MOMENT));
        assert_eq!(pace.verdict(start + HEAD), Ok(End::TooSlow));
    }

    #[test]
    fn a_request_in_work_may_take_its_time() {
        let (pace, start) = connected();
        let _busy = pace.begin(false);
        let late = start + 10 * IDLE;
        pace.read(late);
        assert_eq!(pace.verdict(late), Err(late + HEAD));
    }

    #[test]
    fn between_requests_a_connection_may_rest() {
        let (pace, _) = connected();
        drop(pace.begin(false));
        let rested = Instant::now();
        assert!(pace.verdict(rested).is_err_and(|at| at > rested + HEAD));
        assert_eq!(pace.verdict(rested + IDLE), Ok(End::Idle));

        pace.read(rested);
        assert_eq!(pace.verdict(rested), Err(rested + HEAD));
        pace.read(rested + HEAD.saturating_sub(MOMENT));
        assert_eq!(pace.verdict(rested + HEAD), Ok(End::TooSlow), "dribbled");
    }

    #[test]
    fn frames_without_a_request_neither_begin_nor_prolong_anything() {
        let (pace, _) = connected();
        drop((pace.begin(true), pace.begin(true)));
        let rested = Instant::now();
        pace.read(rested + HEAD);
        assert!(pace.verdict(rested + 2 * HEAD).is_err());
        assert_eq!(pace.verdict(rested + IDLE), Ok(End::Idle));
    }
}
