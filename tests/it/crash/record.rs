//! What was promised to whom.

use std::sync::{Mutex, PoisonError};

/// One person's promises. What is not set was not acknowledged, and may or may not have happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    pub(super) email: String,
    /// A code is on its way.
    pub(super) pending: bool,
    /// The account exists.
    pub(super) registered: bool,
    /// The session is open, unless it is ended.
    pub(super) sid: Option<String>,
    /// The session is over.
    pub(super) ended: bool,
    /// Names that a key was asked for.
    pub(super) named: Vec<String>,
    /// Names whose upload was acknowledged.
    pub(super) stored: Vec<String>,
    /// Names that were shared with the friend.
    pub(super) shared: Vec<String>,
    /// Names that were taken back from the friend.
    pub(super) revoked: Vec<String>,
}

/// Everybody's promises.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Vec<Promises>>);

impl Record {
    pub(super) fn keep(&self, promises: Promises) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(promises);
    }

    pub(super) fn all(&self) -> Vec<Promises> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The content of a file: follows from its name, and every third is too large for its record.
pub(super) fn content(name: &str) -> Vec<u8> {
    let size = if name.ends_with('0') { 150_000 } else { 2_000 };
    name.bytes().cycle().take(size).collect()
}

pub(super) const PASSWORD: &str = "the same for all";
pub(super) const FRIEND: &str = "friend@example.com";
