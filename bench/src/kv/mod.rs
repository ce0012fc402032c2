//! `bench kv`: the key-value store and its usage analytics, on Redis and on SQLite.

mod figures;
mod load;
mod raw;
mod stage;

use crate::BenchResult;
use crate::table::Table;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Seconds that each load lasts.
    seconds: u32,
    /// Keys in the small and in the large space.
    keys: [usize; 2],
    /// Operations in the past of both.
    operations: u64,
}

impl Scale {
    /// What the aims are about.
    const FULL: Self = Self { seconds: 6, keys: [1_000, 100_000], operations: 1_000_000 };
    /// Whether the bench works, in half a minute; its figures mean nothing.
    const SMALL: Self = Self { seconds: 1, keys: [50, 300], operations: 600 };

    fn named(name: Option<&str>) -> BenchResult<Self> {
        match name {
            None => Ok(Self::FULL),
            Some("small") => Ok(Self::SMALL),
            Some(other) => Err(format!("{other}: expected nothing, or small").into()),
        }
    }
}

/// Runs the whole bench; about eight minutes in full.
pub(crate) fn run(scale: Option<&str>) -> BenchResult<()> {
    let scale = Scale::named(scale)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = tempfile::tempdir()?;
    let mut table = Table::default();
    {
        let stage = runtime.block_on(stage::Stage::on_redis(dir.path()))?;
        table.section("Keys on Redis (AOF everysec)");
        load::on_redis(&mut table, &runtime, (&stage, scale))?;
        table.section("Figures of use and listings, on Redis");
        figures::run(&mut table, &runtime, (&stage, scale))?;
    }
    let stage = runtime.block_on(stage::Stage::on_sqlite(dir.path()))?;
    table.section("Keys on SQLite (every acknowledged write on disk)");
    load::on_sqlite(&mut table, &runtime, (&stage, scale, dir.path()))?;
    table.section("Figures of use and listings, on SQLite");
    figures::run(&mut table, &runtime, (&stage, scale))
}
