//! Starting and stopping services: one function for all of them, alone or several in one process.
//!
//! A service is a value ([`Service`]): what it serves in public and in private, what it depends on and how
//! it is authenticated. [`serve`] runs any number of them until a signal; [`start()`] is the same without the
//! waiting, for tests and for whoever runs services inside something else. Nothing here is global but logs
//! and metrics.

mod front;
mod leaving;
mod listen;
mod opening;
mod patient;
mod service;
mod signals;
mod start;
mod tls;

pub(crate) use patient::{ASKED_IN_VAIN_MAX, Patience, Presence, Serving};
pub use service::{Admit, Service};
pub use start::{Running, RunningService, StartError, serve, serve_announced, start};
pub use tls::TlsError;
