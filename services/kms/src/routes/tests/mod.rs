//! Keys, grants, events and the internal calls over HTTP, with sessions that the test makes.

mod contract;
mod internal;
mod native;
mod server;
