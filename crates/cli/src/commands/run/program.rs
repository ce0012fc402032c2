//! The program that runs, with everything that it starts: one process group.
//!
//! A group of its own lets a restart end all of it, also what a shell in between has started. What is in it is told apart
//! from us by that alone, so nothing here ever signals a group that it has not made.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, kill_process_group, test_kill_process_group, wait,
};

use super::RunError;
use super::variables::Variables;

/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

/// A program that was started. Dropping it does nothing to it.
#[derive(Debug)]
pub(super) struct Program {
    /// Its process, which is the first of its group.
    id: Pid,
}

/// What has become of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It runs.
    Runs,
    /// It was stopped by this signal, and may go on.
    Stopped(i32),
    /// It has ended with this code.
    Ended(u8),
}

impl Program {
    /// Starts a program, in a group of its own.
    pub(super) fn start(command: &[OsString], variables: &Variables) -> Result<Self, RunError> {
        let (program, arguments) = command.split_first().expect("the command line asks for a program");
        let failed = |source| RunError::Start { program: program.to_string_lossy().into_owned(), source };
        let mut command = Command::new(program);
        command.args(arguments).process_group(0);
        variables.give_to(&mut command);
        let child = command.spawn().map_err(failed)?;
        Ok(Self { id: Pid::from_child(&child) })
    }

    /// The id of its group.
    pub(super) fn group(&self) -> Pid {
        self.id
    }

    /// Signals all of it. What has ended needs no signal.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.id, signal);
    }

    /// Whether anything of it is left once the program itself has ended. As long as there is, no other group has its id.
    pub(super) fn is_left(&self) -> bool {
        test_kill_process_group(self.id).is_ok()
    }

    /// Looks at what has become of it. After [`State::Ended`] it must not be asked again.
    pub(super) fn look(&self) -> Result<State, RunError> {
        loop {
            match next_child(WaitOptions::UNTRACED)? {
                None => return Ok(State::Runs),
                // As the first process of a container we get the orphans of everybody.
                Some((id, _)) if id != self.id => {}
                Some((_, status)) => {
                    let ended = status.exit_status().or(status.terminating_signal().map(|n| BY_SIGNAL + n));
                    let code = ended.map(|code| u8::try_from(code & 0xff).expect("eight bits"));
                    let stopped = || State::Stopped(status.stopping_signal().unwrap_or(0));
                    return Ok(code.map_or_else(stopped, State::Ended));
                }
            }
        }
    }
}

/// Lets go of processes that have ended and are nobody's but ours. There must be no program that is looked at.
pub(super) fn reap_others() {
    while let Ok(Some(_)) = next_child(WaitOptions::empty()) {}
}

/// The next child of which there is something to tell.
fn next_child(options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>, RunError> {
    loop {
        match wait(WaitOptions::NOHANG | options) {
            Err(Errno::INTR) => {}
            told => return told.map_err(|errno| RunError::Supervise(io::Error::from(errno))),
        }
    }
}
