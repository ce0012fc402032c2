//! `bench configs`: encrypted configurations, warm and cold, on Redis and on SQLite.
//!
//! Warm is a user key that the gateway has derived lately, cold the first request with one: the gateway is started
//! anew before each cold row, because derived keys are in its memory alone. Beside both stands what a derivation costs by
//! itself, which is what a service pays for each request that derives each time.

mod load;

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::BenchResult;
use crate::primitives::derivations;
use crate::stage::Stage;
use crate::table::{Row, Table};
use load::{Kept, Loads};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Seconds that each load lasts.
    seconds: u32,
    /// Keys that are read and updated, all of one user key.
    keys: usize,
    /// User keys of each cold row.
    user_keys: usize,
}

impl Scale {
    const FULL: Self = Self { seconds: 4, keys: 1_000, user_keys: 48 };
    /// Whether the bench works; its figures mean nothing.
    const SMALL: Self = Self { seconds: 1, keys: 20, user_keys: 8 };
}

/// Derivations per second without Coffer.
#[derive(Clone, Copy, Debug)]
struct Derivations {
    one_core: f64,
    all_cores: f64,
}

/// Runs the whole bench, about two minutes in full; or half of it, if it names a back end.
pub(crate) fn run(part: Option<&str>) -> BenchResult<()> {
    let scale = match part {
        None | Some("redis" | "sqlite") => Scale::FULL,
        Some("small") => Scale::SMALL,
        Some(other) => return Err(format!("{other}: expected nothing, redis, sqlite or small").into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut table = Table::default();
    table.section("A user key, derived");
    let (one_core, all_cores) = derivations(Duration::from_secs(u64::from(scale.seconds)));
    let of =
        |what: &str, figure: f64, unit| Row { what: what.to_owned(), figure, limit: None, unit, aim: "" };
    table.row(&of("one derivation", 1000.0 / one_core, "ms"));
    table.row(&of("derivations, one core", one_core, "1/s"));
    table.row(&of("derivations, all cores", all_cores, "1/s"));
    let derived = Derivations { one_core, all_cores };
    for (name, title) in [
        ("redis", "Configurations on Redis (AOF everysec)"),
        ("sqlite", "Configurations on SQLite (every acknowledged write on disk)"),
    ] {
        if matches!(part, None | Some("small")) || part == Some(name) {
            table.section(title);
            rows(&mut table, &runtime, (name, scale), derived)?;
        }
    }
    Ok(())
}

fn rows(
    table: &mut Table,
    runtime: &Runtime,
    (name, scale): (&str, Scale),
    derived: Derivations,
) -> BenchResult<()> {
    let dir = tempfile::tempdir()?;
    let mut stage = runtime.block_on(async {
        if name == "redis" { Stage::on_redis(dir.path()).await } else { Stage::on_sqlite(dir.path()).await }
    })?;
    let loads = Loads { port: stage.counting, seconds: scale.seconds, keys: scale.keys };
    runtime.block_on(loads.prepare())?;
    let kept = Kept::of(&stage, (dir.path(), scale.seconds))?;
    let mut row = |what: &str, figure: f64, limit: (f64, &'static str), aim: &'static str| {
        table.row(&Row { what: what.to_owned(), figure, limit: Some(limit), unit: "1/s", aim });
    };
    let read = loads.read()?;
    row("read 256 B, warm", read, kept.reads, "15,000/s");
    row("  the same", read, (derived.all_cores, "a derivation each, all cores"), "");
    let create = loads.create()?;
    row("create 256 B, warm", create, kept.writes, "5,000/s");
    row("  the same", create, (derived.all_cores, "a derivation each, all cores"), "");
    row("update 256 B, warm", loads.update()?, kept.writes, "");
    row("list of 100, 256 B each, warm", loads.list()?, (read, "the reads above"), "");
    // The first of the cold rows makes what the others find.
    for (what, requests) in load::cold(scale.user_keys) {
        stage.restart_gateway()?;
        let figure = runtime.block_on(load::burst_of(stage.counting, requests))?;
        row(what, figure, (derived.one_core, "a derivation each, one core"), "one derivation each");
    }
    Ok(())
}
