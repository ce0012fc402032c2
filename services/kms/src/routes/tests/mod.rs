//! Keys, grants, events and the internal calls over HTTP, with sessions that the test makes.

mod contract;
mod identity;
mod internal;
mod native;
mod server;
