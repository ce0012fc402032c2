//! `bench kv`: the key-value store and its usage analytics, on Redis and on SQLite.

mod figures;
mod load;
pub(crate) mod raw;

use crate::BenchResult;
use crate::stage::Stage;
use crate::table::Table;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Seconds that each load lasts.
    seconds: u32,
    /// How often each of two gateways has its turn that are compared.
    turns: u32,
    /// Keys in the small and in the large space.
    keys: [usize; 2],
    /// Operations in the past of both.
    operations: u64,
}

impl Scale {
    /// What the aims are about.
    const FULL: Self = Self { seconds: 4, turns: 16, keys: [1_000, 100_000], operations: 1_000_000 };
    /// Whether the bench works, in half a minute; its figures mean nothing.
    const SMALL: Self = Self { seconds: 1, turns: 2, keys: [50, 300], operations: 600 };

    fn named(name: Option<&str>) -> BenchResult<Self> {
        match name {
            None | Some("redis" | "sqlite") => Ok(Self::FULL),
            Some("small") => Ok(Self::SMALL),
            Some(other) => Err(format!("{other}: expected nothing, redis, sqlite or small").into()),
        }
    }
}

/// Runs the whole bench, about five minutes in full; or half of it, if it names a back end.
pub(crate) fn run(part: Option<&str>) -> BenchResult<()> {
    let scale = Scale::named(part)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = tempfile::tempdir()?;
    let mut table = Table::default();
    if part != Some("sqlite") {
        let stage = runtime.block_on(Stage::on_redis(dir.path()))?;
        table.section("Idle memory, on Redis");
        stage.memory(&mut table)?;
        table.section("Keys on Redis (AOF everysec)");
        load::on_redis(&mut table, &runtime, (&stage, scale))?;
        table.section("Figures of use and listings, on Redis");
        figures::run(&mut table, &runtime, (&stage, scale))?;
    }
    if part == Some("redis") {
        return Ok(());
    }
    let stage = runtime.block_on(Stage::on_sqlite(dir.path()))?;
    table.section("Idle memory, on SQLite");
    stage.memory(&mut table)?;
    table.section("Keys on SQLite (every acknowledged write on disk)");
    load::on_sqlite(&mut table, &runtime, (&stage, scale, dir.path()))?;
    table.section("Figures of use and listings, on SQLite");
    figures::run(&mut table, &runtime, (&stage, scale))
}
