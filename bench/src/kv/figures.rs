//! Figures of use and listings, with few keys and many, and with a short past and a long one.

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Scale;
use super::load::Loads;
use crate::BenchResult;
use crate::http::{Request, ask, burst};
use crate::load::Wrk;
use crate::servers::start_bare;
use crate::stage::Stage;
use crate::table::{Row, Table};

const CONNECTIONS: u32 = 16;
/// Operations in one request of those that only make a past, and such requests in one burst.
const BATCH: usize = 100;
const BURST: usize = 1_000;
/// How often it is asked whether the figures show what was done, and the pause before each time: four times what they
/// may take.
const LOOKS: u32 = 16;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);
/// The bound on what memory grows by while many list all keys at once, in MiB.
const LISTING_MIB_MAX: f64 = 64.0;

/// What is asked for, where, and the aim.
const ASKED: [(&str, &str, &str); 3] = [
    ("/analysis", "/analysis", "2,000/s"),
    ("/stats", "/stats", ""),
    ("first page of 100 keys", "/api/v1/kv/items?limit=100", "2,000/s"),
];
const BARE: &str = "a bare handler, 2 KiB";
const FEW: &str = "the same with few keys";

/// The rows of this part.
pub(super) fn run(table: &mut Table, runtime: &Runtime, (stage, scale): (&Stage, Scale)) -> BenchResult<()> {
    let bare = bare(scale.seconds)?;
    let mut few: Option<[f64; 4]> = None;
    for keys in scale.keys {
        let sid = runtime.block_on(stage.log_in(&format!("keys-{keys}@example.com")))?;
        let loads = Loads { port: stage.counting, sid: &sid, seconds: scale.seconds };
        runtime.block_on(store(stage, &sid, keys))?;
        let mut figures = [0.0; 4];
        for (i, (what, path, aim)) in ASKED.into_iter().enumerate() {
            figures[i] = loads.get(path, CONNECTIONS)?;
            let limit = few.map_or((bare, BARE), |few| (few[i], FEW));
            table.row(&rate(format!("{what}, of {keys} keys"), figures[i], limit, aim));
        }
        runtime.block_on(live(stage, (&sid, keys), scale.operations))?;
        let what = format!("/analysis, of {keys} keys used {} times", scale.operations);
        let limit = (figures[0], "the same, used once each");
        table.row(&rate(what, loads.get("/analysis", CONNECTIONS)?, limit, "2,000/s, 1.00"));
        // In names, so that both spaces can be compared.
        figures[3] = whole(table, (stage, &loads), (keys, few.map(|few| few[3])))?;
        few = Some(figures);
    }
    Ok(())
}

fn rate(what: String, figure: f64, limit: (f64, &'static str), aim: &'static str) -> Row {
    Row { what, figure, limit: Some(limit), unit: "1/s", aim }
}

/// What the HTTP layer alone does.
fn bare(seconds: u32) -> BenchResult<f64> {
    let (_process, port) = start_bare(None)?;
    let url = format!("http://127.0.0.1:{port}/answer/small");
    Ok(Wrk { url: &url, connections: CONNECTIONS, seconds, script: None, header: None }.run()?.per_second)
}

/// All keys at once, in names per second, and what memory that takes.
fn whole(
    table: &mut Table,
    (stage, loads): (&Stage, &Loads<'_>),
    (keys, few): (usize, Option<f64>),
) -> BenchResult<f64> {
    let gateway = stage.gateway_process()?;
    let before = gateway.resident_mib()?;
    gateway.forget_peak()?;
    let answers = loads.get("/keys", CONNECTIONS)?;
    let grown = gateway.peak_mib()? - before;
    let names = answers * f64::from(u32::try_from(keys)?);
    let limit = few.map(|few| (few, "the names of few keys"));
    table.row(&Row {
        what: format!("/keys, all {keys}: answers"),
        figure: answers,
        limit: None,
        unit: "1/s",
        aim: "",
    });
    table.row(&Row { what: format!("/keys, all {keys}: names"), figure: names, limit, unit: "1/s", aim: "" });
    table.row(&Row {
        what: format!("/keys, all {keys}, 16 at once: memory grown by"),
        figure: grown,
        limit: Some((LISTING_MIB_MAX, "the bound")),
        unit: "MiB",
        aim: "under 64 MiB",
    });
    Ok(names)
}

/// Stores so many keys, many in a commit.
async fn store(stage: &Stage, sid: &str, keys: usize) -> BenchResult<()> {
    let put = |i: usize| json!({"op": "put", "key": format!("order:{i:06}"), "value": {"number": i, "state": "paid"}});
    let batch = |start: usize| (start..keys.min(start + BATCH)).map(put).collect();
    send(stage, sid, (0..keys).step_by(BATCH).map(|start| (batch(start), true)).collect()).await?;
    await_figures(stage, sid, u64::try_from(keys)?).await
}

/// Reads keys until there were so many operations, and until the figures say so.
async fn live(stage: &Stage, (sid, keys): (&str, usize), operations: u64) -> BenchResult<()> {
    let left = usize::try_from(operations)?.saturating_sub(keys);
    let get = |i: usize| json!({"op": "get", "key": format!("order:{:06}", i * 7_919 % keys)});
    let batch = |start: usize| (start..left.min(start + BATCH)).map(get).collect();
    for start in (0..left).step_by(BATCH * BURST) {
        let starts = (start..left.min(start + BATCH * BURST)).step_by(BATCH);
        send(stage, sid, starts.map(|start| (batch(start), false)).collect()).await?;
    }
    await_figures(stage, sid, operations).await
}

async fn send(stage: &Stage, sid: &str, batches: Vec<(Vec<Value>, bool)>) -> BenchResult<()> {
    let request = |(operations, atomic): (Vec<Value>, bool)| {
        Request::post("/api/v1/kv/batch", Some(sid), &json!({"operations": operations, "atomic": atomic}))
    };
    burst(stage.counting, batches.into_iter().map(request).collect(), 16, "results").await.map(drop)
}

async fn await_figures(stage: &Stage, sid: &str, operations: u64) -> BenchResult<()> {
    let mut counted = Value::Null;
    for _ in 0..LOOKS {
        tokio::time::sleep(PAUSE).await;
        let analysis = ask(stage.counting, &Request::get("/analysis", Some(sid))).await?;
        counted = analysis["access_patterns"]["total_accesses"].clone();
        if counted == operations {
            return Ok(());
        }
    }
    Err(format!("{counted} operations were counted of {operations}").into())
}
