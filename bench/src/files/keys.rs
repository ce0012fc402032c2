//! File keys, unwrapping and log-in, each against the raw primitive.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::filekey::PublicKey;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::SECONDS;
use super::data::upload_of;
use super::stage::{Stage, expect};
use crate::BenchResult;
use crate::http::{Request, ask, burst};
use crate::load::{Load, SID, Wrk, lua_script};
use crate::primitives::{bcrypt_checks, key_pairs, oaep_openings};
use crate::table::{Row, Table};

/// How many pairs the KMS keeps ahead unless it is told otherwise.
const POOL_PAIRS: usize = 256;
/// Unwrapping and its limit are measured in turns, so many times and for so long each.
const ROUNDS: u32 = 4;
const ROUND_SECONDS: u32 = 3;
const BCRYPT_COST: u32 = 12;
/// The file whose key is exported and used.
const UNWRAPPED: &str = "sustained-0";
/// Ciphertexts in a request: a classic envelope has two, and eight is the most.
const UNWRAPS: [(&str, u8); 3] =
    [("unwrap, 1 in a request", 1), ("unwrap, 2 (a classic envelope)", 2), ("unwrap, 8", 8)];

fn make_key(name: &str, sid: &str) -> Request {
    Request::post("/get_public_key", Some(sid), &json!({"file_name": name}))
}

fn make_keys(what: &str, count: usize, sid: &str) -> Vec<Request> {
    (0..count).map(|i| make_key(&format!("{what}-{i}"), sid)).collect()
}

/// The rows of this part.
pub(crate) fn run(table: &mut Table, runtime: &Runtime, stage: &Stage) -> BenchResult<()> {
    let sid = runtime.block_on(stage.log_in("keys@example.com"))?;
    let time = Duration::from_secs(u64::from(SECONDS));
    pool(table, runtime, (stage, &sid))?;
    let mut row = |what: &str, load: Load, limit: Option<(f64, &'static str)>, aim: &'static str| {
        table.row(&Row { what: what.to_owned(), figure: load.per_second, limit, unit: "1/s", aim });
    };

    // Refilling the pool would take its share of the cores from what follows.
    runtime.block_on(full_pool(stage))?;
    let export = json!({"file_name": UNWRAPPED});
    row("get_private_key", post(stage, "/get_private_key", (&sid, &export, SECONDS))?, None, "");
    unwrap(table, runtime, (stage, &sid))?;
    let mut row = |what: &str, load: Load, limit: Option<(f64, &'static str)>, aim: &'static str| {
        table.row(&Row { what: what.to_owned(), figure: load.per_second, limit, unit: "1/s", aim });
    };
    let logins = vec![Stage::login_request("keys@example.com"); 40];
    let logins = runtime.block_on(burst(stage.kms, logins, 8, "login_otp_sent"))?;
    row("log-in", logins, Some((bcrypt_checks(time, BCRYPT_COST)?, "raw bcrypt, 2 threads")), "");
    Ok(())
}

/// The rows about unwrapping alone.
pub(crate) fn run_unwrap(table: &mut Table, runtime: &Runtime, stage: &Stage) -> BenchResult<()> {
    let sid = runtime.block_on(stage.log_in("keys@example.com"))?;
    runtime.block_on(full_pool(stage))?;
    unwrap(table, runtime, (stage, &sid))
}

fn unwrap(table: &mut Table, runtime: &Runtime, (stage, sid): (&Stage, &str)) -> BenchResult<()> {
    let key = runtime.block_on(uploaded_file_key(stage, sid))?;
    runtime.block_on(full_pool(stage))?;
    for (what, count) in UNWRAPS {
        let body = unwrap_body(&key, count)?;
        let (mut opened, mut raw) = (0.0, 0.0);
        // In turns: what else the machine does changes from second to second, and must not befall one of them alone.
        for _ in 0..ROUNDS {
            raw += oaep_openings(Duration::from_secs(u64::from(ROUND_SECONDS)))?;
            let load = post(stage, "/api/v1/file-keys/unwrap", (sid, &body, ROUND_SECONDS))?;
            opened += load.per_second * f64::from(count);
        }
        let [figure, raw] = [opened, raw].map(|sum| sum / f64::from(ROUNDS));
        let limit = Some((raw, "raw RSA-OAEP opening, 2 threads"));
        table.row(&Row { what: what.to_owned(), figure, limit, unit: "1/s", aim: "0.8" });
    }
    Ok(())
}

fn pool(table: &mut Table, runtime: &Runtime, who: (&Stage, &str)) -> BenchResult<()> {
    let (stage, sid) = who;
    runtime.block_on(full_pool(stage))?;
    let load =
        runtime.block_on(burst(stage.kms, make_keys("burst", POOL_PAIRS, sid), 16, "public_key_saved"))?;
    let mut row = |what: &str, figure: f64, limit: Option<(f64, &'static str)>, unit: &'static str| {
        let aim = if limit.is_some() { "0.9" } else { "" };
        table.row(&Row { what: what.to_owned(), figure, limit, unit, aim });
    };
    row("get_public_key, burst of 256 from a full pool", load.per_second, None, "1/s");
    row("get_public_key, p99 of that burst", load.p99_ms, None, "ms");
    // The pool is empty now: what comes is made as it is asked for.
    let raw = key_pairs(Duration::from_secs(u64::from(SECONDS * 2)));
    let drained = make_keys("drained", POOL_PAIRS, sid);
    runtime.block_on(burst(stage.kms, drained, 16, "public_key_saved"))?;
    let load = runtime.block_on(burst(stage.kms, make_keys("sustained", 400, sid), 8, "public_key_saved"))?;
    row("get_public_key, sustained", load.per_second, Some((raw, "raw generation, 2 threads")), "1/s");
    row("get_public_key, p99 with the pool empty", load.p99_ms, None, "ms");
    Ok(())
}

/// Waits until the pool is full, as the KMS's metrics tell.
pub(super) async fn full_pool(stage: &Stage) -> BenchResult<()> {
    for _ in 0..600 {
        let metrics = crate::http::text(stage.kms_internal, "/metrics").await?;
        let line = metrics.lines().find_map(|line| line.strip_prefix("coffer_key_pool_pairs"));
        let pairs =
            line.and_then(|line| line.split_whitespace().last()?.parse::<f64>().ok()).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a pool has hundreds of pairs")]
        if pairs >= POOL_PAIRS as f64 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err("the pool of key pairs was not full within two minutes".into())
}

/// The same request again and again, over many connections.
fn post(stage: &Stage, path: &str, (sid, body, seconds): (&str, &Value, u32)) -> BenchResult<Load> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), body.to_string())?;
    let body = file.path().to_str().ok_or("the temporary folder is no UTF-8")?;
    let url = format!("http://127.0.0.1:{}{path}", stage.kms);
    let (lua, arguments) = (lua_script("post.lua"), [body]);
    let script = Some((lua.as_path(), arguments.as_slice()));
    Wrk { url: &url, connections: 64, seconds, script, header: Some((SID, sid)) }.run()
}

/// The key of a file that is uploaded, as files are whose content keys are unwrapped.
async fn uploaded_file_key(stage: &Stage, sid: &str) -> BenchResult<PublicKey> {
    let answer = ask(stage.kms, &make_key(UNWRAPPED, sid)).await?;
    let pem = STANDARD.decode(answer["kms_public_key"].as_str().ok_or("no public key")?)?;
    expect(&ask(stage.data, &upload_of(UNWRAPPED, 16, sid)).await?, "upload_success")?;
    Ok(PublicKey::from_pem(std::str::from_utf8(&pem)?)?)
}

fn unwrap_body(key: &PublicKey, ciphertexts: u8) -> BenchResult<Value> {
    let sealed = STANDARD.encode(key.seal_oaep_sha256(&[7; 32])?);
    let sealed: Vec<_> = (0..ciphertexts).map(|_| &sealed).collect();
    Ok(json!({"name": UNWRAPPED, "ciphertexts": sealed}))
}
