//! Figures of use and listings, with few keys and many, and a long past.

use serde_json::json;
use tokio::runtime::Runtime;

use super::Scale;
use super::load::Loads;
use super::stage::Stage;
use crate::BenchResult;
use crate::http::{Request, ask, burst};
use crate::table::{Row, Table};

const CONNECTIONS: u32 = 16;
/// Requests of one burst of the past.
const BURST: usize = 50_000;
/// How long figures may take to show, twice over.
const SHOWN_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// The rows of this part.
pub(super) fn run(table: &mut Table, runtime: &Runtime, (stage, scale): (&Stage, Scale)) -> BenchResult<()> {
    let mut before: Option<[f64; 4]> = None;
    for keys in scale.keys {
        let sid = runtime.block_on(stage.log_in(&format!("keys-{keys}@example.com")))?;
        let loads = Loads { port: stage.counting, sid: &sid, seconds: scale.seconds };
        runtime.block_on(store(stage, &sid, keys))?;
        let fresh = loads.get("/analysis", CONNECTIONS)?;
        runtime.block_on(live(stage, (&sid, keys), scale.operations))?;
        let mut row = |what: String, figure: f64, limit: Option<(f64, &'static str)>, aim: &'static str| {
            table.row(&Row { what, figure, limit, unit: "1/s", aim });
        };
        let analysis = loads.get("/analysis", CONNECTIONS)?;
        let past = format!("{keys} keys, {} operations past", scale.operations);
        row(format!("/analysis, {past}"), analysis, Some((fresh, "the same, nothing past")), "2,000/s, 1.00");
        let figures = [
            analysis,
            loads.get("/stats", CONNECTIONS)?,
            loads.get("/api/v1/kv/items?limit=100", CONNECTIONS)?,
            loads.get("/keys", CONNECTIONS)?,
        ];
        let paths = ["/analysis", "/stats", "/api/v1/kv, first page", "/keys, whole"];
        let aims = ["2,000/s, 1.00", "1.00", "2,000/s", ""];
        for i in 0..figures.len() {
            let limit = before.map(|before| (before[i], "the same, few keys"));
            row(format!("{}, {keys} keys", paths[i]), figures[i], limit, aims[i]);
        }
        before = Some(figures);
    }
    Ok(())
}

async fn store(stage: &Stage, sid: &str, keys: usize) -> BenchResult<()> {
    let request = |i: usize| {
        let body = json!({"key": format!("order:{i:06}"), "value": {"number": i, "state": "paid"}});
        Request::post("/store", Some(sid), &body)
    };
    for start in (0..keys).step_by(BURST) {
        let requests = (start..keys.min(start + BURST)).map(request).collect();
        burst(stage.counting, requests, 32, "timestamp").await?;
    }
    Ok(())
}

/// Reads keys until there were so many operations, and until the figures say so.
async fn live(stage: &Stage, (sid, keys): (&str, usize), operations: u64) -> BenchResult<()> {
    let mut done = u64::try_from(keys)?;
    while done < operations {
        let count = BURST.min(usize::try_from(operations - done)?);
        let get = |i: usize| Request::get(&format!("/retrieve/order:{:06}", i * 7_919 % keys), Some(sid));
        burst(stage.counting, (0..count).map(get).collect(), 32, "timestamp").await?;
        done += u64::try_from(count)?;
    }
    tokio::time::sleep(SHOWN_WITHIN).await;
    let analysis = ask(stage.counting, &Request::get("/analysis", Some(sid))).await?;
    let counted = &analysis["access_patterns"]["total_accesses"];
    if counted.as_u64().is_none_or(|counted| counted < operations) {
        return Err(format!("{counted} operations were counted of {operations}").into());
    }
    Ok(())
}
