//! A connection that cannot be held open for nothing.
//!
//! Hyper bounds the time a header may take, but only once it knows which HTTP is spoken; and it waits for ever for
//! a peer that takes nothing off the wire. Both are bounded here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Bytes after which it is known whether HTTP/1.1 or HTTP/2 is spoken: the length of HTTP/2's opening line.
const OPENING: usize = 24;

/// A stream whose opening and whose writes have to get on.
pub(super) struct Guarded<S> {
    stream: S,
    /// Set until the opening has arrived.
    opening: Option<Pin<Box<Sleep>>>,
    received: usize,
    /// Set while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    stall: Duration,
}

impl<S> Guarded<S> {
    /// Gives the peer `opening` to say what it speaks, and `stall` to take something of what it is sent.
    pub(super) fn new(stream: S, opening: Duration, stall: Duration) -> Self {
        Self {
            stream,
            opening: Some(Box::pin(sleep(opening))),
            received: 0,
            stalled: None,
            stall,
        }
    }

    /// Fails a write that has been pending for too long.
    fn watch_write<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            self.opening = None;
            return written;
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(stalled.as_mut().poll(context));
        // Polled again after the failure, it has to fail again.
        stalled.as_mut().reset(Instant::now());
        Poll::Ready(Err(timed_out("the peer takes nothing")))
    }
}

fn timed_out(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(opening) = self.opening.as_mut() {
            if read.is_pending() {
                ready!(opening.as_mut().poll(context));
                return Poll::Ready(Err(timed_out("the peer says nothing")));
            }
            self.received += buffer.filled().len() - before;
            if self.received >= OPENING {
                self.opening = None;
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch_write(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LIMIT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_given_up() {
        let (_peer, stream) = duplex(64);
        let mut guarded = Guarded::new(stream, LIMIT, LIMIT);

        let read = guarded.read_u8().await;

        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (_peer, stream) = duplex(64);
        let mut guarded = Guarded::new(stream, LIMIT, LIMIT);

        let written = guarded.write_all(&[0; 1000]).await;

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_has_spoken_may_be_silent() {
        let (mut peer, stream) = duplex(64);
        let mut guarded = Guarded::new(stream, LIMIT, LIMIT);
        peer.write_all(&[b'x'; OPENING]).await.unwrap();
        guarded.read_exact(&mut [0; OPENING]).await.unwrap();

        let read = tokio::time::timeout(LIMIT * 4, guarded.read_u8()).await;

        assert!(read.is_err());
    }
}
