//! A connection whose client does not let us wait for ever.
//!
//! The HTTP layer bounds how long a connection may be idle between requests; [`crate::body`] bounds bodies. Three things are
//! left by which a stranger could hold a connection, what an answer keeps in memory, or a thread: a head that does not
//! come or end, an answer that nobody takes, and requests that are sent ahead while it is not taken. All are seen best where
//! they happen, at the stream: so all answers of all services are covered, and nobody is found slow before everything that
//! has arrived from him is read.
//!
//! A slow reader's average counts from the start of an answer, and only while we wait for him: what
//! the network's buffers swallow at once is his credit, and an answer that has nothing to say costs him nothing. How much
//! of what they swallowed he has taken, we are not told; so whoever takes nothing is given the time in which the slowest
//! reader would empty them.
//!
//! While an answer is on its way nothing is read: the HTTP layer would gather what was sent ahead, answer some of it into
//! memory, and look at the rest again and again without a pause. That a client is gone is noticed when we write. What it has
//! gathered before, it looks at without a pause all the same; a connection that is looked at so often in vain is ended.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What is asked of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long a request's head may take, from its first byte to its last; the first one's from the connection's start.
    pub(crate) head: Duration,
    /// For how long a reader's average is not looked at.
    pub(crate) grace: Duration,
    /// Slowest average rate after the grace.
    pub(crate) bytes_per_s_min: u32,
}

/// How often something may be asked for in vain, one time after the other. Who waits is woken a few times, by the clock or by
/// what he waits for; who is asked without a pause gets there in milliseconds.
pub(crate) const ASKED_IN_VAIN_MAX: u32 = 4096;
/// What the kernel takes for a connection at most, whether or not anybody reads it (the usual `tcp_wmem`).
const SEND_BUFFER_BYTES_MAX: u64 = 4 << 20;

/// What a connection and the requests that come over it know of each other. All of them are in one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence(Rc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    /// How many have begun.
    begun: Cell<u64>,
    /// How many have no answer yet.
    served: Cell<usize>,
    /// How many are being answered.
    answered: Cell<usize>,
    /// Who wants to read once that is over.
    reader: RefCell<Option<Waker>>,
}

impl Requests {
    fn wake_reader(&self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Presence {
    /// A request has arrived; it is served until what is given is dropped, at the end of its answer.
    pub(crate) fn serve(&self) -> Serving {
        self.0.begun.set(self.0.begun.get().wrapping_add(1));
        self.0.served.set(self.0.served.get() + 1);
        Serving { requests: Rc::clone(&self.0), has_answer: false }
    }
}

/// A request that is being served or answered.
#[derive(Debug)]
pub(crate) struct Serving {
    requests: Rc<Requests>,
    has_answer: bool,
}

impl Serving {
    fn count(&self) -> &Cell<usize> {
        if self.has_answer { &self.requests.answered } else { &self.requests.served }
    }

    /// Its answer begins.
    pub(crate) fn answer(&mut self) {
        self.count().set(self.count().get() - 1);
        self.has_answer = true;
        self.count().set(self.count().get() + 1);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.count().set(self.count().get() - 1);
        self.requests.wake_reader();
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
    /// How often we have tried meanwhile.
    tried: u32,
}

impl Taking {
    fn took(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.tried = 0;
        if let Some(since) = self.since.take() {
            self.before += since.elapsed();
        }
    }

    /// Until when to wait for the reader.
    fn deadline(&mut self, limits: &Patience) -> Instant {
        let since = *self.since.get_or_insert_with(Instant::now);
        let rate = u64::from(limits.bytes_per_s_min);
        let time_of = |bytes: u64| (bytes * 1000).checked_div(rate).map(Duration::from_millis);
        let Some((earned, stall)) = time_of(self.bytes).zip(time_of(SEND_BUFFER_BYTES_MAX)) else {
            return since + limits.grace;
        };
        since + (limits.grace + stall).min((limits.grace + earned).saturating_sub(self.before))
    }
}

/// A stream that fails when its client is awaited for too long.
pub(super) struct Patient<IO> {
    io: IO,
    limits: Patience,
    presence: Presence,
    /// Since when the head of a request is arriving, or the first one is waited for.
    head_since: Option<Instant>,
    /// Whether the HTTP layer may still look at what of that head is read late.
    unseen: bool,
    /// Whether the last try to read brought something.
    has_just_read: bool,
    taking: Taking,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<IO> Patient<IO> {
    pub(super) fn new(io: IO, limits: Patience) -> Self {
        let (presence, taking) = (Presence::default(), Taking::default());
        Self {
            io,
            limits,
            presence,
            head_since: Some(Instant::now()),
            unseen: true,
            has_just_read: false,
            taking,
            alarm: None,
        }
    }

    pub(super) fn presence(&self) -> Presence {
        self.presence.clone()
    }

    fn has_read(&mut self) {
        // While a request is served this is its body, which has limits of its own.
        if self.presence.0.served.get() == 0 {
            if self.head_since.is_none() {
                (self.head_since, self.unseen) = (Some(Instant::now()), true);
            }
            self.has_just_read = true;
        }
    }

    /// Whether it is the client's turn to speak.
    fn may_read(&self) -> bool {
        self.taking.since.is_none() && self.presence.0.answered.get() == 0
    }

    /// Counts anew when another answer has begun, but not before the one before it is taken.
    fn follow(&mut self) {
        let request = self.presence.0.begun.get();
        if self.taking.since.is_none() && self.taking.request != request {
            self.taking = Taking { request, ..Taking::default() };
        }
    }

    fn has_written(&mut self, bytes: usize) {
        self.head_since = None;
        self.follow();
        if self.taking.since.is_some() {
            self.presence.0.wake_reader();
        }
        self.taking.took(bytes);
    }

    fn wait_for_head(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let head = self.limits.head;
        let since = self.head_since.filter(|_| self.presence.0.served.get() == 0);
        let Some(since) = since else { return Ok(()) };
        if self.unseen && self.has_just_read && Instant::now() >= since + head {
            // The rest may have arrived in time, and this thread have been busy. Once: whoever sends a byte now and then is late.
            self.unseen = false;
            cx.waker().wake_by_ref();
            return Ok(());
        }
        self.wait_until(since + head, cx)
    }

    fn wait_for_reader(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.follow();
        self.taking.tried += 1;
        if self.taking.tried > ASKED_IN_VAIN_MAX {
            return Err(io::ErrorKind::TimedOut.into());
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
        if !this.may_read() {
            *this.presence.0.reader.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let held = buffer.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buffer) {
            Poll::Ready(outcome) => {
                if buffer.filled().len() > held {
                    this.has_read();
                }
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                let waited = this.wait_for_head(cx);
                this.has_just_read = false;
                waited.map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending)
            }
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
        if this.taking.since.is_some() {
            this.has_written(0);
        }
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
