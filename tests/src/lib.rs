//! What the black-box tests stand on: the real binaries as processes, a real Redis, a real SMTP server
//! and clients that share no code with the services.
//!
//! Nothing here knows how a service works inside. A [`Stack`] starts processes in a temporary directory
//! on free loopback ports and stops them when it is dropped; every wait is bounded and says what it
//! waited for. The tests are in `it/`, one module for each surface or journey.

#![expect(
    clippy::return_self_not_must_use,
    reason = "a check gives back what it checked, for those who want to look further"
)]

mod binaries;
mod certificate;
mod cli;
mod curl;
mod events;
mod gateway;
mod http;
mod mail;
mod ports;
mod process;
mod python;
mod redis;
mod smtp;
mod stack;
mod surface;
mod user;
mod wait;

pub use binaries::binary;
pub use certificate::Authority;
pub use cli::{Cli, Run, Running};
pub use curl::{Curl, run};
pub use events::{Event, Events};
pub use gateway::Keeper;
pub use http::{Answer, Http};
pub use mail::{Mailbox, Message};
pub use ports::{any_ports, free_port};
pub use process::Process;
pub use python::{python, python_script};
pub use redis::{RedisOptions, RedisServer};
pub use smtp::{SmtpServer, SmtpTls};
pub use stack::{Builder, Node, Stack};
pub use surface::{Surface, envelope};
pub use user::User;
pub use wait::{until, until_some};
