//! What is asked of the gateway, and what the same storage does without Coffer.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::BenchResult;
use crate::http::{Request, ask, burst};
use crate::kv::raw::RawSqlite;
use crate::load::{Wrk, lua_script, redis_benchmark};
use crate::stage::Stage;

const BYTES: usize = 256;
const CONNECTIONS: u32 = 16;
const USER_KEY: &str = "x-user-key";
/// Whose configurations the warm rows are about.
const WARM: (&str, &str) = (USER_KEY, "a user key of the bench, warm");
/// Whose configurations are listed: they have nothing else, for a list reads all that there is.
const LISTING: (&str, &str) = (USER_KEY, "a user key of the bench, listing");
const LISTED: usize = 100;
const LIST: &str = "/configs?category=listed";

/// What the storage does by itself, and how that was found out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) reads: (f64, &'static str),
    pub(super) writes: (f64, &'static str),
}

impl Kept {
    pub(super) fn of(stage: &Stage, (dir, seconds): (&Path, u32)) -> BenchResult<Self> {
        if let Some(redis) = stage.redis {
            let raw = |command| redis_benchmark(redis, command, BYTES, CONNECTIONS);
            let (reads, writes) = (raw("get")?, raw("set")?);
            return Ok(Self {
                reads: (reads, "redis-benchmark GET"),
                writes: (writes, "redis-benchmark SET"),
            });
        }
        let (mut raw, time) = (RawSqlite::open(dir)?, Duration::from_secs(u64::from(seconds)));
        let writes = raw.writes(BYTES, time)?;
        let reads = raw.reads(BYTES, time)?;
        Ok(Self {
            reads: (reads, "raw SQLite, one thread"),
            writes: (writes, "raw SQLite, 64 rows a commit"),
        })
    }
}

/// Loads on one gateway with one user key, each for some seconds at 16 connections.
#[derive(Clone, Copy)]
pub(super) struct Loads {
    pub(super) port: u16,
    pub(super) seconds: u32,
    pub(super) keys: usize,
}

impl Loads {
    /// Makes every configuration that will be read, updated or listed.
    pub(super) async fn prepare(&self) -> BenchResult<()> {
        let create = |who: (&'static str, &str), key: String| {
            let body = json!({"key": key, "value": value(), "category": "listed"});
            Request::by("POST", "/configs", who).with_body(&body)
        };
        for who in [WARM, LISTING] {
            ask(self.port, &create(who, "the first".to_owned())).await?;
        }
        let read = (0..self.keys).map(|i| create(WARM, format!("{BYTES}-{i}")));
        let listed = (1..LISTED).map(|i| create(LISTING, format!("listed-{i}")));
        burst(self.port, read.chain(listed).collect(), CONNECTIONS as usize, "value").await?;
        Ok(())
    }

    fn run(&self, (who, path): ((&str, &str), &str), script: Option<(&str, &[&str])>) -> BenchResult<f64> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let lua = script.map(|(name, _)| lua_script(name));
        let script = lua.as_deref().zip(script.map(|(_, arguments)| arguments));
        let (connections, seconds) = (CONNECTIONS, self.seconds);
        Ok(Wrk { url: &url, connections, seconds, script, header: Some(who) }.run()?.per_second)
    }

    pub(super) fn read(&self) -> BenchResult<f64> {
        let (size, keys) = (BYTES.to_string(), self.keys.to_string());
        self.run((WARM, "/"), Some(("retrieve.lua", &["/configs/", &size, &keys])))
    }

    pub(super) fn create(&self) -> BenchResult<f64> {
        self.run((WARM, "/"), Some(("store_new.lua", &["/configs", &BYTES.to_string(), "new-"])))
    }

    pub(super) fn update(&self) -> BenchResult<f64> {
        self.run((WARM, "/"), Some(("update.lua", &[&BYTES.to_string(), &self.keys.to_string()])))
    }

    pub(super) fn list(&self) -> BenchResult<f64> {
        self.run((LISTING, LIST), None)
    }
}

fn value() -> Value {
    "coffer".chars().cycle().take(BYTES).collect::<String>().into()
}

/// The cold rows: each the one request that so many user keys begin with.
pub(super) fn cold(user_keys: usize) -> [(&'static str, Vec<Request>); 4] {
    let of = |method: &'static str, path: &str, body: Option<Value>| {
        let request = |i: usize| {
            let request = Request::by(method, path, (USER_KEY, &format!("a user key of the bench, {i}")));
            body.as_ref().map_or(request.clone(), |body| request.with_body(body))
        };
        (0..user_keys).map(request).collect()
    };
    let create = json!({"key": "a", "value": value(), "category": "listed"});
    [
        ("create 256 B, cold", of("POST", "/configs", Some(create))),
        ("read 256 B, cold", of("GET", "/configs/a", None)),
        ("update 256 B, cold", of("PUT", "/configs/a", Some(json!({"value": value()})))),
        ("list of 1, cold", of("GET", LIST, None)),
    ]
}

/// Requests per second of a burst at 16 connections; each must find or make a configuration.
pub(super) async fn burst_of(port: u16, requests: Vec<Request>) -> BenchResult<f64> {
    Ok(burst(port, requests, CONNECTIONS as usize, "coffercoffer").await?.per_second)
}
