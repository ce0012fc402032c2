//! What the operator says to the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::telemetry;

/// The signals that are acted on, caught from the start.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next SIGTERM or SIGINT. SIGHUP meanwhile opens the log file anew.
    pub(super) async fn stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => telemetry::reopen_logs(),
            }
        }
    }
}
