//! Storing and retrieving, each beside the raw back end; and with operations counted or not.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;

use super::Scale;
use super::raw::RawSqlite;
use crate::BenchResult;
use crate::http::{Request, ask};
use crate::load::{SID, Wrk, lua_script, redis_benchmark};
use crate::stage::Stage;
use crate::table::{Row, Table};

const SMALL_BYTES: usize = 1024;
const LARGE_BYTES: usize = 1024 * 1024;
/// Connections of small and of large loads.
const MANY: u32 = 64;
const FEW: u32 = 16;
/// Seconds of one turn of two gateways that are compared: a machine whose speed changes changes it for both.
const TURN_SECONDS: u32 = 1;

/// Loads on one gateway, as one user.
#[derive(Clone, Copy)]
pub(super) struct Loads<'a> {
    pub(super) port: u16,
    pub(super) sid: &'a str,
    pub(super) seconds: u32,
}

impl Loads<'_> {
    /// GETs of one path per second.
    pub(super) fn get(&self, path: &str, connections: u32) -> BenchResult<f64> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let load = Wrk {
            url: &url,
            connections,
            seconds: self.seconds,
            script: None,
            header: Some((SID, self.sid)),
        };
        Ok(load.run()?.per_second)
    }

    fn with_script(&self, (lua, arguments): (&str, &[&str]), connections: u32) -> BenchResult<f64> {
        let (url, lua) = (format!("http://127.0.0.1:{}/", self.port), lua_script(lua));
        let script = Some((lua.as_path(), arguments));
        let load =
            Wrk { url: &url, connections, seconds: self.seconds, script, header: Some((SID, self.sid)) };
        Ok(load.run()?.per_second)
    }

    /// Values stored per second under keys that there are, of random text, so that compression does not make them
    /// small. The value that is replaced goes to the history.
    fn store(&self, bytes: usize) -> BenchResult<f64> {
        let (size, keys, connections) = shape(bytes);
        self.with_script(("store.lua", &[&size, keys]), connections)
    }

    /// As [`store`](Self::store), under keys that there are not yet. No two loads may have the same `prefix`.
    fn store_new(&self, bytes: usize, prefix: &str) -> BenchResult<f64> {
        let (size, _, connections) = shape(bytes);
        self.with_script(("store_new.lua", &["/store", &size, prefix]), connections)
    }

    /// Values retrieved per second, that were stored before.
    fn retrieve(&self, bytes: usize) -> BenchResult<f64> {
        let (size, keys, connections) = shape(bytes);
        self.with_script(("retrieve.lua", &["/retrieve/", &size, keys]), connections)
    }
}

fn shape(bytes: usize) -> (String, &'static str, u32) {
    let (keys, connections) = if bytes == SMALL_BYTES { ("10000", MANY) } else { ("16", FEW) };
    (bytes.to_string(), keys, connections)
}

/// Stores every key that will be retrieved.
fn prepare(runtime: &Runtime, port: u16, sid: &str) -> BenchResult<()> {
    let value = |bytes: usize| "coffer".repeat(bytes / 6);
    let requests = |bytes: usize, keys: usize| {
        (0..keys).map(move |i| {
            Request::post("/store", Some(sid), &json!({"key": format!("{bytes}-{i}"), "value": value(bytes)}))
        })
    };
    runtime.block_on(async {
        for request in requests(LARGE_BYTES, 16) {
            ask(port, &request).await?;
        }
        crate::http::burst(port, requests(SMALL_BYTES, 10_000).collect(), 32, "timestamp").await.map(drop)
    })
}

/// The rows on Redis.
pub(super) fn on_redis(
    table: &mut Table,
    runtime: &Runtime,
    (stage, scale): (&Stage, Scale),
) -> BenchResult<()> {
    let redis = stage.redis.ok_or("this stage has no Redis")?;
    let sid = runtime.block_on(stage.log_in("keys@example.com"))?;
    let loads = Loads { port: stage.counting, sid: &sid, seconds: scale.seconds };
    prepare(runtime, stage.counting, &sid)?;
    let mut row = |what: &str, figure: f64, limit: (f64, &'static str), aim: &'static str| {
        table.row(&Row { what: what.to_owned(), figure, limit: Some(limit), unit: "1/s", aim });
    };
    let raw = |command, bytes, connections| redis_benchmark(redis, command, bytes, connections);
    let small = (raw("set", SMALL_BYTES, MANY)?, "redis-benchmark SET");
    row("store 1 KiB, new keys", loads.store_new(SMALL_BYTES, "new-")?, small, "20,000/s");
    row("store 1 KiB, existing keys", loads.store(SMALL_BYTES)?, small, "20,000/s");
    let small = (raw("get", SMALL_BYTES, MANY)?, "redis-benchmark GET");
    row("retrieve 1 KiB, 64 connections", loads.retrieve(SMALL_BYTES)?, small, "30,000/s");
    let large = (raw("set", LARGE_BYTES, FEW)?, "redis-benchmark SET");
    row("store 1 MiB, 16 connections", loads.store(LARGE_BYTES)?, large, "");
    let large = (raw("get", LARGE_BYTES, FEW)?, "redis-benchmark GET");
    row("retrieve 1 MiB, 16 connections", loads.retrieve(LARGE_BYTES)?, large, "");
    counted_or_not(table, &loads, (stage, scale.turns))
}

/// The same work with operations counted, beside that without, in short turns. Who is first changes from turn to turn,
/// since each load finds what the one before it has left to do.
fn counted_or_not(table: &mut Table, counting: &Loads<'_>, (stage, turns): (&Stage, u32)) -> BenchResult<()> {
    let counting = Loads { seconds: TURN_SECONDS, ..*counting };
    let silent = Loads { port: stage.silent.ok_or("this stage has one gateway")?, ..counting };
    for (what, is_store) in [("retrieve 1 KiB, counted", false), ("store 1 KiB, counted", true)] {
        let work =
            |loads: &Loads<'_>| if is_store { loads.store(SMALL_BYTES) } else { loads.retrieve(SMALL_BYTES) };
        let (mut on, mut off) = (0.0, 0.0);
        for turn in 0..turns {
            if turn % 2 == 0 {
                off += work(&silent)?;
                on += work(&counting)?;
            } else {
                on += work(&counting)?;
                off += work(&silent)?;
            }
        }
        let [on, off] = [on, off].map(|sum| sum / f64::from(turns));
        let limit = Some((off, "analytics off"));
        table.row(&Row { what: what.to_owned(), figure: on, limit, unit: "1/s", aim: "0.95" });
    }
    Ok(())
}

/// The rows on SQLite.
pub(super) fn on_sqlite(
    table: &mut Table,
    runtime: &Runtime,
    (stage, scale, dir): (&Stage, Scale, &Path),
) -> BenchResult<()> {
    let sid = runtime.block_on(stage.log_in("keys@example.com"))?;
    let loads = Loads { port: stage.counting, sid: &sid, seconds: scale.seconds };
    prepare(runtime, stage.counting, &sid)?;
    let (mut raw, time) = (RawSqlite::open(dir)?, Duration::from_secs(u64::from(scale.seconds)));
    let mut row = |what: &str, figure: f64, limit: (f64, &'static str), aim: &'static str| {
        table.row(&Row { what: what.to_owned(), figure, limit: Some(limit), unit: "1/s", aim });
    };
    let small = (raw.writes(SMALL_BYTES, time)?, "raw SQLite, 64 rows a commit");
    row("store 1 KiB, new keys", loads.store_new(SMALL_BYTES, "new-")?, small, "5,000/s");
    let sizes = [(SMALL_BYTES, "1 KiB, 64 connections"), (LARGE_BYTES, "1 MiB, 16 connections")];
    for (bytes, what) in sizes {
        let is_small = bytes == SMALL_BYTES;
        let grouped = if is_small { "raw SQLite, 64 rows a commit" } else { "raw SQLite, 4 rows a commit" };
        let limit = (raw.writes(bytes, time)?, grouped);
        let aim = if is_small { "5,000/s" } else { "" };
        let keys = if is_small { ", existing keys" } else { "" };
        row(&format!("store {what}{keys}"), loads.store(bytes)?, limit, aim);
        let limit = (raw.reads(bytes, time)?, "raw SQLite, one thread");
        row(&format!("retrieve {what}"), loads.retrieve(bytes)?, limit, "");
    }
    Ok(())
}
