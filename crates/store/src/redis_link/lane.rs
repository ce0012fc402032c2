//! The lane for writes that replicas must confirm.
//!
//! `WAIT` speaks for the writes of its own connection and blocks it. So these writes have a connection
//! apart: those that wait go out together with one `WAIT` behind them, and while it waits the next ones
//! gather.

use redis::{Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::{mpsc, oneshot};

use super::link::{Link, LinkError};

/// How long replicas may take, in milliseconds; less than an answer may take in all.
const WAIT_MS: usize = 1000;
/// Writes in one batch, at most.
const BATCH_MAX: usize = 256;

type Answer = Result<Value, LinkError>;

struct Write {
    command: Cmd,
    answer: oneshot::Sender<Answer>,
}

pub(crate) struct Lane(mpsc::Sender<Write>);

impl Lane {
    /// Starts the lane; it ends with the last handle.
    pub(crate) fn start(link: Link, replicas: usize) -> Self {
        let (writes, waiting) = mpsc::channel(BATCH_MAX);
        tokio::spawn(run(link, replicas, waiting));
        Self(writes)
    }

    pub(crate) async fn write(&self, command: Cmd) -> Answer {
        let (answer, answered) = oneshot::channel();
        let ended = || RedisError::from(std::io::Error::other("the write lane has ended"));
        self.0.send(Write { command, answer }).await.map_err(|_| LinkError::NotSent(ended()))?;
        answered.await.map_err(|_| LinkError::Lost(ended()))?
    }
}

async fn run(link: Link, replicas: usize, mut waiting: mpsc::Receiver<Write>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let mut commands = Pipeline::with_capacity(batch.len() + 1);
        commands.ignore_errors();
        let mut answers = Vec::with_capacity(batch.len());
        for write in batch.drain(..) {
            commands.add_command(write.command);
            answers.push(write.answer);
        }
        commands.cmd("WAIT").arg(replicas).arg(WAIT_MS);
        let sent: Result<Vec<RedisResult<Value>>, _> = link.send_all(&commands).await;
        for (i, answer) in answers.into_iter().enumerate() {
            let _ = answer.send(judge(&sent, i, replicas));
        }
    }
}

/// The answer to write `i` of a batch, whose last answer is that of `WAIT`.
fn judge(sent: &Result<Vec<RedisResult<Value>>, LinkError>, i: usize, wanted: usize) -> Answer {
    let answers = sent.as_ref().map_err(LinkError::clone)?;
    let answer = answers[i].clone().map_err(LinkError::Refused)?;
    let confirmed = match answers.last() {
        Some(Ok(Value::Int(replicas))) => usize::try_from(*replicas).unwrap_or(0),
        _ => 0,
    };
    if confirmed < wanted {
        return Err(LinkError::Unconfirmed { confirmed, wanted });
    }
    Ok(answer)
}
