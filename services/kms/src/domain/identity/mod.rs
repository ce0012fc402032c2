//! Users: how one becomes one, logs in, stays logged in and is shut out.
//!
//! Nothing here is kept in the memory of one process: codes, tries, limits and sessions are in the store,
//! so that several processes behave as one. Whoever unwraps may be told of a session what was read a moment
//! ago (`lately`); nothing on the way to a session may.
//!
//! What must not be told. Whether an address has an account is told in one place only (registering);
//! everywhere else the same store operations and the same bcrypt run for a known and an unknown address,
//! and the answers are the same. Guessing is bounded by codes that end (`codes`) and by limits
//! (`limiter`), each counted apart for strangers and for those who are recognised, so that a
//! stranger who guesses locks nobody out.

mod account;
mod client;
mod codes;
mod creation;
mod error;
mod known;
mod lately;
mod limiter;
mod log_in;
mod names;
mod operator;
mod parts;
mod passwords;
mod registration;
mod reset;
mod sessions;
#[cfg(test)]
mod tests;
mod tries;
mod users;

pub use client::{Client, Surface};
pub use error::IdentityError;
pub use log_in::{LogInOutcome, OpenedSession};
pub use names::{NamedWish, Registered};
pub use operator::{AdminMade, AdminWish};
pub use parts::{Identity, IdentityParts, blind_address};
pub use registration::Wish;
pub use sessions::{LiveUser, SessionView};
pub use users::{UserChange, UserPage};
