//! Upload, download and listing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::runtime::Runtime;

use super::SECONDS;
use super::stage::{Stage, expect};
use crate::BenchResult;
use crate::http::{Request, ask, burst};
use crate::load::{SID, Wrk, lua_script, redis_benchmark};
use crate::servers::start_bare;
use crate::table::{Row, Table};

const SMALL_BYTES: usize = 1024;
const LARGE_BYTES: usize = 1024 * 1024;
const LISTED_FILES: usize = 16_000;

/// An upload of `bytes` bytes of ciphertext.
pub(super) fn upload_of(name: &str, bytes: usize, sid: &str) -> Request {
    let wrapped = STANDARD.encode([7; 256]);
    let body = json!({
        "file_name": name,
        "encrypted_data": STANDARD.encode(vec![1; bytes]),
        "encrypted_aes_key": wrapped,
        "encrypted_aes_initial_vector": wrapped,
    });
    Request::post("/upload", Some(sid), &body)
}

/// Loads on one stage, as one user.
struct Loads<'a> {
    stage: &'a Stage,
    sid: &'a str,
    connections: u32,
}

impl Loads<'_> {
    fn get(&self, path: &str) -> BenchResult<f64> {
        let url = format!("http://127.0.0.1:{}{path}", self.stage.data);
        let load = Wrk {
            url: &url,
            connections: self.connections,
            seconds: SECONDS,
            script: None,
            header: Some((SID, self.sid)),
        };
        Ok(load.run()?.per_second)
    }

    fn upload(&self, port: u16, path: &str, bytes: usize) -> BenchResult<f64> {
        let url = format!("http://127.0.0.1:{port}{path}");
        let lua = lua_script("upload.lua");
        let size = bytes.to_string();
        let arguments = [size.as_str(), if bytes > SMALL_BYTES { "large-" } else { "small-" }];
        let script = Some((lua.as_path(), arguments.as_slice()));
        let load = Wrk {
            url: &url,
            connections: self.connections,
            seconds: SECONDS,
            script,
            header: Some((SID, self.sid)),
        };
        Ok(load.run()?.per_second)
    }
}

fn bare_get(port: u16, path: &str, connections: u32) -> BenchResult<f64> {
    let url = format!("http://127.0.0.1:{port}{path}");
    Ok(Wrk { url: &url, connections, seconds: SECONDS, script: None, header: None }.run()?.per_second)
}

fn prepare(runtime: &Runtime, stage: &Stage) -> BenchResult<String> {
    runtime.block_on(async {
        let sid = stage.log_in("files@example.com").await?;
        for (name, bytes) in [("small", SMALL_BYTES), ("large", LARGE_BYTES)] {
            expect(&ask(stage.data, &upload_of(name, bytes, &sid)).await?, "upload_success")?;
        }
        Ok(sid)
    })
}

/// The rows on Redis.
pub(crate) fn on_redis(table: &mut Table, runtime: &Runtime, stage: &Stage) -> BenchResult<()> {
    let redis = stage.redis.ok_or("this stage has no Redis")?;
    let sid = prepare(runtime, stage)?;
    let (_bare, bare) = start_bare(Some(redis))?;
    set_bench_value(runtime, redis)?;
    let loads = Loads { stage, sid: &sid, connections: 64 };
    let mut row = |what: &str, figure: f64, limit: (f64, &'static str), aim: &'static str| {
        table.row(&Row { what: what.to_owned(), figure, limit: Some(limit), unit: "1/s", aim });
    };

    let download = loads.get("/download?file_name=small")?;
    row(
        "download 1 KiB",
        download,
        (redis_benchmark(redis, "get", SMALL_BYTES, 64)?, "redis-benchmark GET"),
        "30,000/s",
    );
    row("download 1 KiB", download, (bare_get(bare, "/answer/small", 64)?, "bare handler, same bytes"), "");
    let upload = loads.upload(stage.data, "/upload", SMALL_BYTES)?;
    row(
        "upload 1 KiB",
        upload,
        (redis_benchmark(redis, "set", SMALL_BYTES, 64)?, "redis-benchmark SET"),
        "20,000/s",
    );
    row("upload 1 KiB", upload, (loads.upload(bare, "/take", SMALL_BYTES)?, "bare handler, same bytes"), "");

    let loads = Loads { connections: 16, ..loads };
    let download = loads.get("/download?file_name=large")?;
    row("download 1 MiB", download, (bare_get(bare, "/redis", 16)?, "bare handler + Redis + base64"), "0.8");
    row(
        "download 1 MiB",
        download,
        (redis_benchmark(redis, "get", LARGE_BYTES, 16)?, "redis-benchmark GET"),
        "",
    );
    let upload = loads.upload(stage.data, "/upload", LARGE_BYTES)?;
    row(
        "upload 1 MiB",
        upload,
        (loads.upload(bare, "/take_redis", LARGE_BYTES)?, "bare handler + Redis + base64"),
        "0.8",
    );
    listing(table, runtime, stage)
}

/// The rows on embedded storage.
pub(crate) fn embedded(table: &mut Table, runtime: &Runtime, stage: &Stage) -> BenchResult<()> {
    let sid = prepare(runtime, stage)?;
    let (_bare, bare) = start_bare(None)?;
    let loads = Loads { stage, sid: &sid, connections: 64 };
    let mut row = |what: &str, figure: f64, limit: f64, aim: &'static str| {
        let limit = Some((limit, "bare handler, same bytes"));
        table.row(&Row { what: what.to_owned(), figure, limit, unit: "1/s", aim });
    };
    row("download 1 KiB", loads.get("/download?file_name=small")?, bare_get(bare, "/answer/small", 64)?, "");
    let upload = loads.upload(stage.data, "/upload", SMALL_BYTES)?;
    row("upload 1 KiB, 64 connections", upload, loads.upload(bare, "/take", SMALL_BYTES)?, "5,000/s");
    let loads = Loads { connections: 16, ..loads };
    row("download 1 MiB", loads.get("/download?file_name=large")?, bare_get(bare, "/answer/large", 16)?, "");
    let upload = loads.upload(stage.data, "/upload", LARGE_BYTES)?;
    row("upload 1 MiB", upload, loads.upload(bare, "/take", LARGE_BYTES)?, "");
    listing(table, runtime, stage)
}

fn listing(table: &mut Table, runtime: &Runtime, stage: &Stage) -> BenchResult<()> {
    let sid = runtime.block_on(async {
        let sid = stage.log_in("lister@example.com").await?;
        let uploads = (0..LISTED_FILES).map(|i| upload_of(&format!("report-{i:05}.pdf"), 16, &sid)).collect();
        burst(stage.data, uploads, 32, "upload_success").await?;
        Ok::<_, Box<dyn std::error::Error>>(sid)
    })?;
    let loads = Loads { stage, sid: &sid, connections: 4 };
    let mut row = |what: &str, figure: f64, aim: &'static str| {
        table.row(&Row { what: what.to_owned(), figure, limit: None, unit: "1/s", aim });
    };
    row("list 16,000 files, whole", loads.get("/list_files")?, "100/s");
    row("list 16,000 files, a page of 100", loads.get("/api/v1/files?limit=100")?, "paged");
    Ok(())
}

fn set_bench_value(runtime: &Runtime, redis: u16) -> BenchResult<()> {
    runtime.block_on(async {
        let client = redis::Client::open(format!("redis://127.0.0.1:{redis}/"))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let () = redis::AsyncCommands::set(&mut connection, "bench:value", vec![1_u8; LARGE_BYTES]).await?;
        Ok(())
    })
}
