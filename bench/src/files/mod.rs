//! `bench files`: the file contract and the file keys, on Redis and embedded.

mod data;
mod keys;
mod stage;

use crate::BenchResult;
use crate::table::Table;

/// Seconds that each load lasts.
const SECONDS: u32 = 6;

/// Runs the part about unwrapping alone; about a minute.
pub(crate) fn run_unwrap() -> BenchResult<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = tempfile::tempdir()?;
    let mut table = Table::default();
    let stage = runtime.block_on(stage::Stage::on_redis(dir.path()))?;
    table.section("Unwrapping (KMS on Redis, AOF always)");
    keys::run_unwrap(&mut table, &runtime, &stage)
}

/// Runs the whole bench; about four minutes.
pub(crate) fn run() -> BenchResult<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let dir = tempfile::tempdir()?;
    let mut table = Table::default();
    {
        let stage = runtime.block_on(stage::Stage::on_redis(dir.path()))?;
        table.section("Idle memory of each service, on Redis");
        runtime.block_on(keys::full_pool(&stage))?;
        stage.memory(&mut table)?;
        table.section("Files on Redis (AOF everysec)");
        data::on_redis(&mut table, &runtime, &stage)?;
        table.section("File keys, unwrapping and log-in (KMS on Redis, AOF always)");
        keys::run(&mut table, &runtime, &stage)?;
    }
    let stage = runtime.block_on(stage::Stage::embedded(dir.path()))?;
    table.section("Idle memory, embedded");
    runtime.block_on(keys::full_pool(&stage))?;
    stage.memory(&mut table)?;
    table.section("Files on embedded storage (SQLite, every acknowledged write on disk)");
    data::embedded(&mut table, &runtime, &stage)
}
