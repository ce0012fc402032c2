//! The tables of the database, and how an older database becomes a current one.
//!
//! The records table keeps rows in the order they came, with a separate index over their addresses: a listing
//! of keys then reads the index alone, however large the values are. A value is a blob, or an integer if the
//! record is a counter.

use rusqlite::{Connection, TransactionBehavior};

use super::super::StoreError;
use super::connection::failed;

/// Marks the file as ours ("Cffr").
const APPLICATION_ID: i32 = 0x4366_6672;

/// What brings the database from version i to i + 1. Never change one that was released: append.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE records (
        tbl TEXT NOT NULL, part BLOB NOT NULL, sort BLOB NOT NULL,
        version INTEGER NOT NULL, expires_at INTEGER, value ANY NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX address ON records (tbl, part, sort);
    CREATE INDEX expiring ON records (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE sequence (version INTEGER NOT NULL) STRICT;
    INSERT INTO sequence VALUES (0);
"];

pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_with(connection, &MIGRATIONS)
}

fn migrate_with(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let failed = || failed("bringing the database up to date");
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
    let pragma = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let version = pragma("user_version").map_err(failed())?;
    let application = pragma("application_id").map_err(failed())?;
    if application != APPLICATION_ID && (application, version) != (0, 0) {
        return Err(StoreError::Settings("the database belongs to another program".to_owned()));
    }
    let done = usize::try_from(version).ok().filter(|done| *done <= migrations.len()).ok_or_else(|| {
        StoreError::Settings("the database was written by a newer version of Coffer".to_owned())
    })?;
    for migration in &migrations[done..] {
        transaction.execute_batch(migration).map_err(failed())?;
    }
    let version = i32::try_from(migrations.len()).expect("there are few migrations");
    transaction.pragma_update(None, "user_version", version).map_err(failed())?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed())?;
    transaction.commit().map_err(failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_run_once_each_and_keep_what_is_there() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        db.execute("UPDATE sequence SET version = 7", []).unwrap();
        let next = "ALTER TABLE sequence ADD COLUMN more INTEGER";
        let extended: Vec<_> = MIGRATIONS.into_iter().chain([next]).collect();
        migrate_with(&mut db, &extended).unwrap();
        migrate_with(&mut db, &extended).unwrap();
        let row = db.query_row("SELECT version, more FROM sequence", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
        });
        assert_eq!(row.unwrap(), (7, None));
    }

    #[test]
    fn a_newer_database_and_a_foreign_one_are_refused() {
        let mut newer = Connection::open_in_memory().unwrap();
        migrate(&mut newer).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&mut newer), Err(StoreError::Settings(_))));
        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.pragma_update(None, "user_version", 1).unwrap();
        assert!(matches!(migrate(&mut foreign), Err(StoreError::Settings(_))));
    }
}
