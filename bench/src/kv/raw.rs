//! What the same storage does without Coffer.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::BenchResult;

/// Rows that one transaction of the raw figures writes: as many connections wait for one sync at the same time.
const GROUP: u32 = 64;
/// Rows that are written over and over.
const ROWS: u32 = 10_000;

/// A database file that syncs every transaction, written to and read from by one thread.
pub(crate) struct RawSqlite {
    connection: Connection,
}

impl RawSqlite {
    /// Opens a database of its own in `dir`.
    pub(crate) fn open(dir: &Path) -> BenchResult<Self> {
        let connection = Connection::open(dir.join("raw.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS kv (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID;")?;
        Ok(Self { connection })
    }

    /// Values of `bytes` written per second, in transactions of 64 (of 4 if they are large).
    #[expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]
    pub(crate) fn writes(&mut self, bytes: usize, time: Duration) -> BenchResult<f64> {
        let (value, is_large) = (vec![7_u8; bytes], bytes > 100_000);
        let (group, rows) = if is_large { (4, 16) } else { (GROUP, ROWS) };
        let (start, mut written) = (Instant::now(), 0_u32);
        while start.elapsed() < time {
            let transaction = self.connection.transaction()?;
            {
                let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO kv VALUES (?1, ?2)")?;
                for _ in 0..group {
                    put.execute(params![format!("{bytes}-{}", written % rows), value])?;
                    written += 1;
                }
            }
            transaction.commit()?;
        }
        Ok(f64::from(written) / start.elapsed().as_secs_f64())
    }

    /// Values of `bytes` read per second, that were written before.
    #[expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]
    pub(crate) fn reads(&self, bytes: usize, time: Duration) -> BenchResult<f64> {
        let mut get = self.connection.prepare("SELECT v FROM kv WHERE k = ?1")?;
        let (start, mut read) = (Instant::now(), 0_u32);
        while start.elapsed() < time {
            let value: Vec<u8> = get.query_row([format!("{bytes}-{}", read % 4)], |row| row.get(0))?;
            assert_eq!(value.len(), bytes);
            read += 1;
        }
        Ok(f64::from(read) / start.elapsed().as_secs_f64())
    }
}
