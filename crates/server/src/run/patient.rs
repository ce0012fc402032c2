//! A connection whose client does not let us wait for ever.
//!
//! The HTTP layer bounds how long the head of a connection's first request may take, and how long a connection may
//! be idle; [`crate::body`] bounds bodies. Two waits are left, and a stranger could hold a connection, or a reader what
//! an answer keeps in memory, as long as he likes: the rest of a later head, and an answer that nobody takes.
//! Both are seen best where they happen, at the stream: so all answers of all services are covered.
//!
//! A slow reader's average counts from the start of an answer, and only while we wait for him: what
//! the network's buffers swallow at once is his credit, and an answer that has nothing to say costs him nothing.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What is asked of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long a request's head may take, from its first byte to its last.
    pub(crate) head: Duration,
    /// How long a reader may take nothing; also how long his average is not looked at.
    pub(crate) grace: Duration,
    /// Slowest average rate after the grace.
    pub(crate) bytes_per_s_min: u32,
}

/// What a connection and the requests that come over it know of each other. All of them are in one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence(Rc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    served: Cell<usize>,
    begun: Cell<u64>,
}

impl Presence {
    /// A request has arrived; it is served until what is given is dropped.
    pub(crate) fn serve(&self) -> Serving {
        self.0.served.set(self.0.served.get() + 1);
        self.0.begun.set(self.0.begun.get().wrapping_add(1));
        Serving(Rc::clone(&self.0))
    }
}

/// A request that has no answer yet.
#[derive(Debug)]
pub(crate) struct Serving(Rc<Requests>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.served.set(self.0.served.get() - 1);
    }
}

/// How one answer is taken.
#[derive(Debug, Default)]
struct Taking {
    /// Which answer: the number of its request.
    request: u64,
    bytes: u64,
    /// Since when we wait.
    since: Option<Instant>,
    /// How long we have waited before that.
    before: Duration,
}

impl Taking {
    fn took(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if let Some(since) = self.since.take() {
            self.before += since.elapsed();
        }
    }

    /// Until when to wait for the reader.
    fn deadline(&mut self, limits: &Patience) -> Instant {
        let since = *self.since.get_or_insert_with(Instant::now);
        let earned_ms = (self.bytes * 1000).checked_div(limits.bytes_per_s_min.into());
        let earned = earned_ms.map_or(self.before, Duration::from_millis);
        since + limits.grace.min((limits.grace + earned).saturating_sub(self.before))
    }
}

/// A stream that fails when its client is awaited for too long.
pub(super) struct Patient<IO> {
    io: IO,
    limits: Patience,
    presence: Presence,
    /// Since when the head of a request is arriving.
    head_since: Option<Instant>,
    taking: Taking,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<IO> Patient<IO> {
    pub(super) fn new(io: IO, limits: Patience) -> Self {
        let (presence, taking) = (Presence::default(), Taking::default());
        Self { io, limits, presence, head_since: None, taking, alarm: None }
    }

    pub(super) fn presence(&self) -> Presence {
        self.presence.clone()
    }

    fn has_read(&mut self) {
        // While a request is served this is its body, which has limits of its own.
        if self.presence.0.served.get() == 0 {
            self.head_since.get_or_insert_with(Instant::now);
        }
    }

    fn has_written(&mut self, bytes: usize) {
        self.head_since = None;
        self.taking.took(bytes);
    }

    fn wait_for_head(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.presence.0.served.get() > 0 || self.taking.since.is_some() {
            return Ok(());
        }
        let head = self.limits.head;
        self.head_since.map_or(Ok(()), |since| self.wait_until(since + head, cx))
    }

    fn wait_for_reader(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let request = self.presence.0.begun.get();
        if self.taking.request != request {
            self.taking = Taking { request, ..Taking::default() };
        }
        let deadline = self.taking.deadline(&self.limits);
        self.wait_until(deadline, cx)
    }

    /// Wakes the connection at `deadline`; fails if that has passed.
    fn wait_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> io::Result<()> {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // One that rings early costs less than one that is set anew for every request.
        if alarm.is_elapsed() || alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            alarm.as_mut().reset(deadline);
        }
        Ok(())
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Patient<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let held = buffer.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buffer) {
            Poll::Ready(outcome) => {
                if buffer.filled().len() > held {
                    this.has_read();
                }
                Poll::Ready(outcome)
            }
            Poll::Pending => match this.wait_for_head(cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl<IO: AsyncWrite + Unpin> Patient<IO> {
    fn written<T>(&mut self, outcome: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_pending() {
            self.wait_for_reader(cx)?;
        }
        outcome
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Patient<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write(cx, bytes);
        let written = ready!(this.written(outcome, cx))?;
        this.has_written(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_flush(cx);
        ready!(this.written(outcome, cx))?;
        this.taking.took(0);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
        this.written(outcome, cx)
    }
}

#[cfg(test)]
mod tests;
