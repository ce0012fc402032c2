//! The terminal, from which only the process group in its foreground can read, and which sends Ctrl-C to that group.
//!
//! A program in a group of its own would be stopped when it reads, and Ctrl-C would not reach it. So it is lent the
//! terminal, as a shell does with its jobs, and we take it back when it has ended or was stopped. It is lent from the
//! start where standard input and output are both the terminal; else, as in `coffer run … | less`, what stands beside us in
//! the pipe needs it, and the program gets it once it asks. In the background it is not ours to lend.

use std::io::{self, IsTerminal as _};

use nix::sys::signal::{SigSet, SigmaskHow, Signal as Masked};
use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

use super::program::Program;

/// Lends the terminal to a program that has just been started.
pub(super) fn lend_at_start(program: &Program) {
    if io::stdout().is_terminal() {
        lend(program);
    }
}

/// Takes the terminal back from a program, if it has it.
pub(super) fn take_back(program: &Program) -> bool {
    let has_it = foreground() == Some(program.group());
    if has_it {
        give(getpgrp());
    }
    has_it
}

/// What to do once a program was stopped by `signal`: it is given the terminal if it was stopped because it had none;
/// else we stop as well, so that whoever started us has the terminal, and once we go on, so does the program.
pub(super) fn stopped(program: &Program, signal: i32) {
    let asked = [Signal::TTIN, Signal::TTOU].iter().any(|one| one.as_raw() == signal);
    if foreground().is_none() || (asked && lend(program)) {
        return;
    }
    let had_it = take_back(program);
    let _ = kill_process(getpid(), Signal::STOP);
    // Here we were continued, in the foreground or in the background.
    if !(had_it && lend(program)) {
        program.signal(Signal::CONT);
    }
}

/// Lends it, if it is ours.
fn lend(program: &Program) -> bool {
    let is_ours = foreground() == Some(getpgrp());
    if is_ours {
        give(program.group());
        // It may have been stopped because it asked for the terminal.
        program.signal(Signal::CONT);
    }
    is_ours
}

/// The group in the foreground of the terminal that is our standard input, if it is one and is ours at all.
fn foreground() -> Option<Pid> {
    tcgetpgrp(io::stdin()).ok()
}

/// Makes a group the one in the foreground. Whoever does so from the background is stopped by `SIGTTOU`, unless that is
/// blocked. A terminal that has gone is no failure.
fn give(group: Pid) {
    let mut signals = SigSet::empty();
    signals.add(Masked::SIGTTOU);
    let Ok(before) = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK) else { return };
    let _ = tcsetpgrp(io::stdin(), group);
    let _ = before.thread_set_mask();
}
