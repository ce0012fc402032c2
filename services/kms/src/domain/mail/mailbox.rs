//! The development mailbox: letters stay in memory, to be read on the internal listener.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use coffer_core::{Clock, ExposeSecret, Timestamp};

use super::letter::Letter;
use super::postman::{Transport, TransportError};

/// Letters that are kept; the oldest go first.
const LETTERS_MAX: usize = 1000;

/// A letter that has arrived.
#[derive(Clone)]
pub struct Received {
    /// Whom it is for.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// When it arrived.
    pub received_at: Timestamp,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Received(redacted)")
    }
}

/// A mailbox in memory, for development: whoever reaches it reads every code.
#[derive(Debug)]
pub struct DevMailbox {
    letters: Mutex<VecDeque<Received>>,
    clock: Arc<dyn Clock>,
}

impl DevMailbox {
    /// An empty mailbox.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { letters: Mutex::new(VecDeque::new()), clock }
    }

    /// Every letter, oldest first.
    pub fn letters(&self) -> Vec<Received> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[async_trait]
impl Transport for DevMailbox {
    async fn deliver(&self, letter: Letter) -> Result<(), TransportError> {
        let received = Received {
            to: letter.to.as_str().to_owned(),
            subject: letter.subject.to_owned(),
            text: letter.text.expose_secret().to_owned(),
            received_at: self.clock.now(),
        };
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() == LETTERS_MAX {
            letters.pop_front();
        }
        letters.push_back(received);
        Ok(())
    }
}
