//! The lock file beside a database: one process at a time.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::super::StoreError;

/// Held as long as the database is open. The kernel lets go of it when the process ends, however it ends,
/// so the file itself is never removed: that would open a race between two starting processes.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

pub(super) fn take(database: &Path) -> Result<Lock, StoreError> {
    let mut path = OsString::from(database);
    path.push(".lock");
    let path = PathBuf::from(path);
    let settings = |what: &str| StoreError::Settings(format!("{what} {}", path.display()));
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|err| settings(&format!("cannot open ({err}) the lock file")))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock(file)),
        Err(err) if io::Error::from(err).kind() == io::ErrorKind::WouldBlock => {
            Err(settings("another process has the database open; it holds"))
        }
        Err(err) => Err(settings(&format!("cannot lock ({err})"))),
    }
}
