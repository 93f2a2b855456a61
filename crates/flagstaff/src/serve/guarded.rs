//! A connection that cannot be held open for nothing.
//!
//! Hyper bounds the time a header may take, but only once it knows which HTTP is spoken; and it waits for ever for
//! a peer that takes nothing off the wire. Both are bounded here.

use super::deadline::Deadline;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::timeout;

/// What whoever speaks HTTP/2 says first. Source: RFC 9113, 3.4.
const OPENING_OF_HTTP2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a peer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
}

/// A stream whose writes have to get on.
pub(super) struct Guarded<S> {
    stream: S,
    /// What was read to find out what is spoken, and is to be read once more.
    opening: Vec<u8>,
    /// Since when the peer takes nothing.
    stalled: Option<Instant>,
    patience: Deadline,
    stall: Duration,
}

impl<S: AsyncRead + Unpin> Guarded<S> {
    /// Gives the peer `stall` to take something of what it is sent.
    pub(super) fn new(stream: S, stall: Duration) -> Self {
        Self {
            stream,
            opening: Vec::new(),
            stalled: None,
            patience: Deadline::default(),
            stall,
        }
    }

    /// Finds out what the peer speaks, which it has to say within `limit`. Reading begins with the first byte after that.
    pub(super) async fn spoken(&mut self, limit: Duration) -> io::Result<Spoken> {
        let spoken = timeout(limit, self.read_opening()).await;
        spoken.map_err(|_| timed_out("the peer says nothing"))?
    }

    async fn read_opening(&mut self) -> io::Result<Spoken> {
        let mut opening = [0; OPENING_OF_HTTP2.len()];
        let mut length = 0;
        let spoken = loop {
            let read = self.stream.read(&mut opening[length..]).await?;
            length += read;
            if length == opening.len() && opening == *OPENING_OF_HTTP2 {
                break Spoken::Http2;
            }
            // Who says no more is left to HTTP/1.1, which knows what to make of it.
            if read == 0 || !OPENING_OF_HTTP2.starts_with(&opening[..length]) {
                break Spoken::Http1;
            }
        };
        self.opening = opening[..length].to_vec();
        Ok(spoken)
    }

    /// Fails a write that has been pending for too long.
    fn watch_write<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        // Large answers are taken in pieces, so that this is nothing unusual.
        let since = *self.stalled.get_or_insert_with(Instant::now);
        ready!(self.patience.poll_passed(since + self.stall, context));
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
        if !self.opening.is_empty() {
            let taken = self.opening.len().min(buffer.remaining());
            buffer.put_slice(&self.opening[..taken]);
            self.opening = self.opening.split_off(taken);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
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
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    const LIMIT: Duration = Duration::from_millis(50);

    fn pair() -> (DuplexStream, Guarded<DuplexStream>) {
        let (peer, stream) = duplex(64);
        (peer, Guarded::new(stream, LIMIT))
    }

    /// What is found to be spoken, and all that is read after that, where the peer says these pieces and ends.
    async fn heard(pieces: &[&[u8]]) -> (Spoken, Vec<u8>) {
        let (mut peer, mut guarded) = pair();
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let peer = tokio::spawn(async move {
            for piece in pieces {
                peer.write_all(&piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let spoken = guarded.spoken(Duration::from_secs(30)).await.unwrap();
        let mut read = Vec::new();
        guarded.read_to_end(&mut read).await.unwrap();
        peer.await.unwrap();
        (spoken, read)
    }

    #[tokio::test]
    async fn what_is_spoken_shows_in_the_first_bytes_and_they_are_read_again() {
        let http1: &[&[u8]] = &[b"GET / HTTP/1.1\r\n\r\n"];
        assert_eq!(heard(http1).await, (Spoken::Http1, http1.concat()));
        let http2: &[&[u8]] = &[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"more"];
        assert_eq!(heard(http2).await, (Spoken::Http2, http2.concat()));
        let slow: &[&[u8]] = &[b"P", b"RI * HTTP/2.0\r\n", b"\r\nSM\r\n\r", b"\nmore"];
        assert_eq!(heard(slow).await, (Spoken::Http2, slow.concat()));
        let other: &[&[u8]] = &[b"PR", b"OPFIND / HTTP/1.1\r\n\r\n"];
        assert_eq!(heard(other).await, (Spoken::Http1, other.concat()));
        assert_eq!(heard(&[b"PRI"]).await, (Spoken::Http1, b"PRI".to_vec()));
        assert_eq!(heard(&[]).await, (Spoken::Http1, Vec::new()));
    }

    #[tokio::test]
    async fn what_was_read_is_read_again_in_whatever_pieces() {
        let (mut peer, mut guarded) = pair();
        peer.write_all(b"GET /").await.unwrap();
        guarded.spoken(LIMIT).await.unwrap();

        let mut read = [0; 5];
        for byte in &mut read {
            *byte = guarded.read_u8().await.unwrap();
        }

        assert_eq!(&read, b"GET /");
    }

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_given_up() {
        let (mut peer, mut guarded) = pair();
        peer.write_all(b"PRI * ").await.unwrap();

        let spoken = guarded.spoken(LIMIT).await;

        assert_eq!(spoken.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (_peer, mut guarded) = pair();

        let written = guarded.write_all(&[0; 1000]).await;

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_something_now_and_then_is_not_given_up() {
        let (mut peer, mut guarded) = pair();
        let taking = tokio::spawn(async move {
            let mut taken = vec![0; 64];
            for _ in 0..6 {
                tokio::time::sleep(LIMIT / 2).await;
                peer.read_exact(&mut taken).await.unwrap();
            }
            peer
        });

        let written = guarded.write_all(&[0; 6 * 64]).await;

        assert!(written.is_ok(), "{written:?}");
        taking.await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_has_spoken_may_be_silent() {
        let (mut peer, mut guarded) = pair();
        peer.write_all(b"x").await.unwrap();
        guarded.spoken(LIMIT).await.unwrap();
        guarded.read_u8().await.unwrap();

        let read = timeout(LIMIT * 4, guarded.read_u8()).await;

        assert!(read.is_err());
    }
}
