//! The scaffolding as a service uses it: real listeners on port 0, spoken to over plain sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene up must fail")]

mod answers;
mod bodies;
mod callers;
mod leaving;
mod listeners;
mod support;
