//! The service over HTTP, with a KMS that the test moves.

mod client;
mod contract;
mod operations;
