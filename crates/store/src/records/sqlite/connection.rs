//! Connections to the database file.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::StoreError;
use super::schema;

/// Statements that one connection keeps prepared; more than there are.
const STATEMENTS_CACHED: usize = 32;
/// Only our own connections meet on the file; what they wait for each other is short.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    make_private(path)
        .map_err(|err| StoreError::Settings(format!("cannot open the database {}: {err}", path.display())))?;
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The log is synced on every commit (FULL), the database only at a checkpoint: every 16 MiB of log.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -8000;",
        )
        .map_err(failed("setting up the database"))?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

pub(super) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA cache_size = -4000;").map_err(failed("setting up a reader"))?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(failed("opening the database"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed("setting up a connection"))?;
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")
        .map_err(failed("setting up a connection"))?;
    Ok(connection)
}

/// Makes the file before SQLite does, so that it (and the log beside it, which copies its mode) is nobody
/// else's to read; and makes its name durable.
fn make_private(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?.sync_all()?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Says what was being done when SQLite failed; nothing was changed.
pub(super) fn failed(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |err| match err.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { what: format!("the database, found while {doing}: {err}") }
        }
        _ => StoreError::Unavailable { doing, source: Box::new(err) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_synced_before_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let writer = open_for_writing(&folder.path().join("records.db")).unwrap();
        let number = |name| writer.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).unwrap();
        // 2 is FULL: the log is synced with every transaction (https://sqlite.org/pragma.html).
        assert_eq!((number("synchronous"), number("fullfsync")), (2, 1));
        let mode: String = writer.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}
