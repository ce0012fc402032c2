//! The program as it is run, against a small fake of the services.
//!
//! The fake keeps files and keys in memory and can be told to misbehave; how the real services answer is
//! tested where they are. The program runs as a child process with its own settings folder and with no
//! terminal, so nothing is ever asked for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod config;
mod envelopes;
mod failures;
mod fake;
mod files;
mod kv;
mod log_in;
mod run;
