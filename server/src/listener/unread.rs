//! A connection whose client must read what is written to it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// A stream whose writes fail when the client accepts no byte for a while. The time runs only while
/// a write is pending.
#[derive(Debug)]
pub(super) struct Impatient<S> {
    stream: S,
    patience: Duration,
    /// The timer. It is created by the first write that has to wait.
    ends: Option<Pin<Box<Sleep>>>,
    /// Whether a write is pending since the last accepted write.
    waits: bool,
}

impl<S> Impatient<S> {
    pub(super) const fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            ends: None,
            waits: false,
        }
    }

    /// The result of an attempted write, or a timeout when the client took too long.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        tried: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if tried.is_ready() {
            self.waits = false;
            return tried;
        }
        let patience = self.patience;
        let ends = self.ends.get_or_insert_with(|| Box::pin(sleep(patience)));
        if !self.waits {
            self.waits = true;
            ends.as_mut().reset(Instant::now() + patience);
        }
        ready!(ends.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, tried)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(context, tried)
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
    #![allow(clippy::unwrap_used)]
    use std::pin::pin;

    use futures::poll;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const LONG: Duration = Duration::from_secs(600);
    /// What the other side can hold without reading.
    const ROOM: usize = 16;

    #[tokio::test]
    async fn security_f11_each_read_begins_the_time_anew() {
        let (near, mut far) = duplex(ROOM);
        let mut near = Impatient::new(near, LONG);
        near.write_all(&[0; ROOM]).await.unwrap();
        let mut before = None;
        for _ in 0..3 {
            assert!(poll!(pin!(near.write(&[0; ROOM]))).is_pending());
            let ends = near.ends.as_ref().unwrap().deadline();
            assert!(before.is_none_or(|before| before < ends), "not begun anew");
            // While nothing is read it is the same time.
            assert!(poll!(pin!(near.write(&[0; ROOM]))).is_pending());
            assert_eq!(near.ends.as_ref().unwrap().deadline(), ends);
            before = Some(ends);
            far.read_exact(&mut [0; ROOM]).await.unwrap();
            near.write_all(&[0; ROOM]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn security_f11_who_takes_nothing_is_cut_off() {
        let (near, _far) = duplex(ROOM);
        let mut near = Impatient::new(near, Duration::from_millis(1));
        let error = near.write_all(&[0; 10 * ROOM]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn security_f11_where_nothing_is_written_no_time_runs() {
        let (near, _far) = duplex(ROOM);
        let mut near = Impatient::new(near, Duration::ZERO);
        near.write_all(&[0; ROOM]).await.unwrap();
        assert!(near.ends.is_none() && !near.waits);
    }
}
