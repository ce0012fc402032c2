//! No core dumps: a service that crashes must not leave its memory, with keys in it, on a disk.
//!
//! The kernel writes none for a process whose limit is zero, and handlers that it pipes them to, which the limit does not
//! bind, keep none either if they go by it (`systemd-coredump` does). The road not taken is a process that is not dumpable
//! at all: it would own nothing of its own `/proc`, and who runs it could not look into it either.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids them for this process, for good.
pub fn forbid() -> io::Result<()> {
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}
