//! The SQL: one statement per question, prepared once per connection.

use bytes::Bytes;
use coffer_core::Timestamp;
use rusqlite::types::{ToSql, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, Rows, params};

use super::super::cursor::{self, Place};
use super::super::rules::{Live, is_live};
use super::super::{Page, PageBudget, Partition, Record, Sort, SortRange, SweepPage, Table, Value, Version};

type Result<T> = rusqlite::Result<T>;

pub(super) fn get(
    db: &Connection,
    partition: &Partition,
    sort: &Sort,
    now: Timestamp,
) -> Result<Option<Record>> {
    let mut select = db.prepare_cached(
        "SELECT version, expires_at, value FROM records WHERE tbl = ?1 AND part = ?2 AND sort = ?3",
    )?;
    let address = params![partition.table().name(), partition.key(), sort.as_bytes()];
    let found = select.query_row(address, |row| record(row, sort.clone())).optional()?;
    Ok(found.filter(|record| is_live(record.expires_at, now)))
}

/// What guards and counters need of a record, without reading its bytes.
pub(super) fn live(
    db: &Connection,
    partition: &Partition,
    sort: &Sort,
    now: Timestamp,
) -> Result<Option<Live>> {
    let mut select = db.prepare_cached(
        "SELECT version, expires_at, CASE typeof(value) WHEN 'integer' THEN value END
         FROM records WHERE tbl = ?1 AND part = ?2 AND sort = ?3",
    )?;
    let address = params![partition.table().name(), partition.key(), sort.as_bytes()];
    let found = select
        .query_row(address, |row| Ok((expiry(row)?, Live { version: version(row)?, counter: row.get(2)? })))
        .optional()?;
    Ok(found.filter(|(expires_at, _)| is_live(*expires_at, now)).map(|(_, live)| live))
}

pub(super) fn scan(
    db: &Connection,
    partition: &Partition,
    range: &SortRange,
    (limit, now): (usize, Timestamp),
) -> Result<Page<Record>> {
    in_range(db, "version, expires_at, value, sort", partition, range, |rows| {
        let (mut items, mut budget) = (Vec::new(), PageBudget::new(limit));
        while let Some(row) = rows.next()? {
            if !is_live(expiry(row)?, now) {
                continue;
            }
            if !budget.is_left() {
                return Ok(Page { items, more: true });
            }
            let record = record(row, sort_key(row, 3)?)?;
            budget.spend(&record);
            items.push(record);
        }
        Ok(Page { items, more: false })
    })
}

pub(super) fn scan_keys(
    db: &Connection,
    partition: &Partition,
    range: &SortRange,
    limit: usize,
) -> Result<Page<Sort>> {
    in_range(db, "sort", partition, range, |rows| {
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            if items.len() == limit {
                return Ok(Page { items, more: true });
            }
            items.push(sort_key(row, 0)?);
        }
        Ok(Page { items, more: false })
    })
}

fn in_range<T>(
    db: &Connection,
    columns: &str,
    partition: &Partition,
    range: &SortRange,
    collect: impl FnOnce(&mut Rows<'_>) -> Result<T>,
) -> Result<T> {
    let (table, part, from) = (partition.table().name(), partition.key(), &*range.from);
    // Two statements, because `?4 IS NULL OR …` would hide the upper bound from the index.
    let bound = if range.until.is_some() { "AND sort < ?4" } else { "" };
    let mut select = db.prepare_cached(&format!(
        "SELECT {columns} FROM records WHERE tbl = ?1 AND part = ?2 AND sort >= ?3 {bound} ORDER BY sort"
    ))?;
    let until = range.until.as_deref();
    let parameters: [&dyn ToSql; 4] = [&table, &part, &from, &until];
    let bound = if until.is_some() { &parameters[..] } else { &parameters[..3] };
    collect(&mut select.query(bound)?)
}

pub(super) fn sweep(db: &Connection, table: Table, from: Option<&Place>, limit: usize) -> Result<SweepPage> {
    let behind = if from.is_some() { "AND (part, sort) > (?2, ?3)" } else { "" };
    let mut select = db.prepare_cached(&format!(
        "SELECT version, expires_at, value, part, sort FROM records WHERE tbl = ?1 {behind} ORDER BY part, sort"
    ))?;
    let mut rows = match from {
        Some(place) => select.query(params![table.name(), &*place.partition, &*place.sort])?,
        None => select.query([table.name()])?,
    };
    let (mut items, mut budget): (Vec<(Partition, Record)>, _) = (Vec::new(), PageBudget::new(limit));
    while let Some(row) = rows.next()? {
        if !budget.is_left() {
            let next = items.last().map(|(partition, record)| cursor::encode(partition, &record.sort));
            return Ok(SweepPage { items, next });
        }
        let partition = Partition::new(table, row.get_ref(3)?.as_blob()?);
        let record = record(row, sort_key(row, 4)?)?;
        budget.spend(&record);
        items.push((partition, record));
    }
    Ok(SweepPage { items, next: None })
}

pub(super) fn put(db: &Connection, partition: &Partition, record: &Record) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO records (tbl, part, sort, version, expires_at, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tbl, part, sort) DO UPDATE
         SET version = excluded.version, expires_at = excluded.expires_at, value = excluded.value",
    )?;
    let value = match &record.value {
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        Value::Counter(number) => ValueRef::Integer(*number),
    };
    let version = record.version.0.cast_signed();
    let expires_at = record.expires_at.map(Timestamp::as_ms);
    let (table, part, sort) = (partition.table().name(), partition.key(), record.sort.as_bytes());
    insert.execute(params![table, part, sort, version, expires_at, Raw(value)])?;
    Ok(())
}

pub(super) fn delete(db: &Connection, partition: &Partition, sort: &Sort) -> Result<()> {
    let mut delete = db.prepare_cached("DELETE FROM records WHERE tbl = ?1 AND part = ?2 AND sort = ?3")?;
    delete.execute(params![partition.table().name(), partition.key(), sort.as_bytes()])?;
    Ok(())
}

/// Moves the record at `sort`, of this version, to its past.
pub(super) fn retire(
    db: &Connection,
    partition: &Partition,
    (sort, version): (&Sort, Version),
    expires_at: Option<Timestamp>,
) -> Result<()> {
    let mut update = db.prepare_cached(
        "UPDATE records SET sort = ?4, expires_at = ?5 WHERE tbl = ?1 AND part = ?2 AND sort = ?3",
    )?;
    let (table, past) = (partition.table().name(), Sort::past(sort, version));
    let expires_at = expires_at.map(Timestamp::as_ms);
    update.execute(params![table, partition.key(), sort.as_bytes(), past.as_bytes(), expires_at])?;
    Ok(())
}

/// Removes at most `limit` records that expired at `until` or before; answers how many.
pub(super) fn collect(db: &Connection, until: Timestamp, limit: u32) -> Result<usize> {
    let mut delete = db.prepare_cached(
        "DELETE FROM records WHERE rowid IN
         (SELECT rowid FROM records WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    )?;
    delete.execute(params![until.as_ms(), limit])
}

pub(super) fn last_version(db: &Connection) -> Result<u64> {
    db.query_row("SELECT version FROM sequence", [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

pub(super) fn set_last_version(db: &Connection, version: u64) -> Result<()> {
    db.prepare_cached("UPDATE sequence SET version = ?1")?.execute([version.cast_signed()])?;
    Ok(())
}

pub(super) fn ping(db: &Connection) -> Result<()> {
    last_version(db).map(drop)
}

struct Raw<'a>(ValueRef<'a>);

impl ToSql for Raw<'_> {
    fn to_sql(&self) -> Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(self.0))
    }
}

// Every query names `version, expires_at, value` first.

fn record(row: &Row<'_>, sort: Sort) -> Result<Record> {
    let value = match row.get_ref(2)? {
        ValueRef::Integer(number) => Value::Counter(number),
        other => Value::Bytes(Bytes::copy_from_slice(other.as_blob()?)),
    };
    Ok(Record { sort, value, version: version(row)?, expires_at: expiry(row)? })
}

fn version(row: &Row<'_>) -> Result<Version> {
    row.get::<_, i64>(0).map(|version| Version(version.cast_unsigned()))
}

fn expiry(row: &Row<'_>) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(1)?.map(Timestamp::from_ms))
}

fn sort_key(row: &Row<'_>, column: usize) -> Result<Sort> {
    Ok(Sort::from_bytes(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?)))
}
