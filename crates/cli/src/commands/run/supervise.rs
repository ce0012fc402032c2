//! Looks after a program until it ends: passes signals on, and starts it anew with other variables.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::program::{self, Program, State};
use super::signals::{Arrived, Signals};
use super::variables::Variables;
use super::{RunError, terminal};
use crate::error::CliError;
use crate::output::Output;

/// How often it is looked whether anything of an ended program is left.
const LOOK: Duration = Duration::from_millis(20);

/// What is to run, and how.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) command: Vec<OsString>,
    /// How long the program may take to end before it is killed.
    pub(super) grace: Duration,
    pub(super) output: Output,
}

/// How long what was killed may take until it is gone. A process that waits for its disk may take longer, and is left.
const KILLED: Duration = Duration::from_secs(1);

/// What comes after a program.
enum Next {
    /// Its exit code.
    Ended(u8),
    /// The same program with other variables.
    Anew(Variables),
}

/// Runs the program until it ends. With `changes` it starts anew whenever there are other variables.
pub(super) async fn run(
    order: Order,
    mut variables: Variables,
    mut changes: Option<mpsc::Receiver<Variables>>,
) -> Result<ExitCode, CliError> {
    // Before the program is there: not one of its signals is missed.
    let mut signals = Signals::listen()?;
    let mut before = None;
    loop {
        let program = match (Program::start(&order.command, &variables), before.take()) {
            (Err(error), Some(good)) => {
                // What the system does not take must not end a program that ran well.
                order.output.warn(&format!(
                    "the program cannot be started with the changed configuration, and goes on with the one before: {error}"
                ));
                variables = good;
                Program::start(&order.command, &variables)
            }
            (started, _) => started,
        }?;
        before = Some(variables.clone());
        terminal::lend_at_start(&program);
        let next = attend(&program, &mut signals, changes.as_mut()).await;
        let next = match next {
            Ok(Next::Anew(others)) => {
                let count = others.count();
                order
                    .output
                    .note(&format!("The configuration has changed ({count} variables): starting anew."));
                let ended = end(&program, &mut signals, order.grace).await;
                ended.map(|ended| ended.map_or(Next::Anew(others), Next::Ended))
            }
            next => next,
        };
        terminal::take_back(&program);
        match next? {
            Next::Ended(code) => return Ok(ExitCode::from(code)),
            Next::Anew(others) => variables = others,
        }
    }
}

/// Looks after the program until it has ended by itself or there are other variables for it.
async fn attend(
    program: &Program,
    signals: &mut Signals,
    mut changes: Option<&mut mpsc::Receiver<Variables>>,
) -> Result<Next, RunError> {
    loop {
        let others = async {
            match &mut changes {
                // Once nothing is noticed any more, nothing comes.
                Some(changes) => match changes.recv().await {
                    Some(others) => others,
                    None => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            arrived = signals.next() => match arrived {
                Arrived::Passed(signal) => program.signal(signal),
                Arrived::Child => match program.look()? {
                    State::Ended(code) => return Ok(Next::Ended(code)),
                    State::Stopped(signal) => terminal::stopped(program, signal),
                    State::Runs => {}
                },
            },
            others = others => return Ok(Next::Anew(others)),
        }
    }
}

/// Ends the program and everything that it has started. If we were told to end meanwhile, the answer is its exit code.
async fn end(program: &Program, signals: &mut Signals, grace: Duration) -> Result<Option<u8>, RunError> {
    program.signal(Signal::TERM);
    // What is stopped could not end.
    program.signal(Signal::CONT);
    let deadline = sleep(grace);
    tokio::pin!(deadline);
    let (mut told, mut killed, mut ended) = (false, false, None);
    while ended.is_none() || program.is_left() {
        tokio::select! {
            arrived = signals.next() => match arrived {
                Arrived::Passed(signal) => {
                    program.signal(signal);
                    told |= matches!(signal, Signal::TERM | Signal::INT | Signal::HUP | Signal::QUIT);
                }
                Arrived::Child => {}
            },
            () = sleep(LOOK) => {}
            () = &mut deadline => {
                if killed && ended.is_some() {
                    break;
                }
                program.signal(Signal::KILL);
                killed = true;
                deadline.set(sleep(KILLED));
            }
        }
        if ended.is_some() {
            program::reap_others();
        } else if let State::Ended(code) = program.look()? {
            ended = Some(code);
        }
    }
    Ok(ended.filter(|_| told))
}
