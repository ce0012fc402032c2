//! Signals on their way from whoever sends them to us to the program.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{Signal as Incoming, SignalKind, signal};

use super::RunError;

/// What is passed on.
const PASSED: [Signal; 7] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::TSTP];

/// Signals that arrive.
#[derive(Debug)]
pub(super) struct Signals {
    passed: Vec<(Signal, Incoming)>,
    child: Incoming,
}

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// Something to be passed on.
    Passed(Signal),
    /// Something became of a child.
    Child,
}

impl Signals {
    /// Listens from now on. What we were told to ignore, as by `nohup`, stays ignored, by the program as well.
    pub(super) fn listen() -> Result<Self, RunError> {
        let ignored = std::fs::read_to_string("/proc/self/status").map_or(0, |status| ignored(&status));
        let mut passed = Vec::with_capacity(PASSED.len());
        for one in PASSED {
            if ignored & (1 << (one.as_raw() - 1)) == 0 {
                passed.push((one, listen_to(SignalKind::from_raw(one.as_raw()))?));
            }
        }
        Ok(Self { passed, child: listen_to(SignalKind::child())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Arrived {
        std::future::poll_fn(|context| {
            for (signal, incoming) in &mut self.passed {
                if incoming.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(Arrived::Passed(*signal));
                }
            }
            self.child.poll_recv(context).map(|_| Arrived::Child)
        })
        .await
    }
}

fn listen_to(kind: SignalKind) -> Result<Incoming, RunError> {
    signal(kind).map_err(|source: io::Error| RunError::Supervise(source))
}

/// The set of ignored signals in a process's status (`proc_pid_status(5)`): bit n is signal n + 1.
fn ignored(status: &str) -> u64 {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_the_status() {
        assert_eq!(ignored("Name:\tx\nSigBlk:\t0\nSigIgn:\t0000000000000001\nSigCgt:\t2\n"), 1);
        assert_eq!(ignored("Name:\tx\n"), 0);
    }
}
