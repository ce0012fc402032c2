//! Several operations in one call.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use coffer_api::Problem;
use coffer_api::kv::{KvBatch, KvBatchAnswer, KvDeleted, KvOp, KvOperation, KvOutcome};
use coffer_server::{Failure, HeldBody, HttpError, ValidJson};
use serde_json::value::RawValue;

use super::desk::{Desk, key_in};
use super::value::too_large;
use super::{condition, wire};
use crate::domain::kv::{
    BatchAnswer, BatchOp, Held, Item, KvError, OPS_MAX, PlainValue, PutRequest, Space, VALUE_BYTES_MAX,
    Workbench,
};
use crate::domain::usage::Kind;
use crate::routes::operations::Timed;

/// What stands around a value in the answer, about.
const AROUND_BYTES: usize = 1024;
/// What bytes are when nobody says.
const BYTES: &str = "application/octet-stream";

/// Does up to 100 operations: each by itself, or with `atomic` all of them at once or none. Values that are read are
/// at most 16 MiB together.
#[utoipa::path(post, path = "/api/v1/kv/batch", tag = "keys", request_body = KvBatch,
    security(("sid" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "What came of each; with `atomic`, all of it is done", body = KvBatchAnswer),
        (status = 403, description = "`atomic`: `access_denied`, `permission_denied`", body = Problem),
        (status = 404, description = "`atomic`: `key_not_found`", body = Problem),
        (status = 412, description = "`atomic`: `revision_mismatch`", body = Problem),
        (status = 413, description = "`body_too_large`", body = Problem),
        (status = 422, description = "`invalid_input`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn batch(
    desk: Desk,
    body: ValidJson<KvBatch>,
) -> Result<HttpResponse, HttpError> {
    let KvBatch { owner, atomic, operations } = body.into_inner();
    if !(1..=OPS_MAX).contains(&operations.len()) {
        return Err(KvError::Batch { ops_max: OPS_MAX }.into());
    }
    let ops: Vec<BatchOp> =
        operations.into_iter().enumerate().map(|(at, one)| operation(at, one)).collect::<Result<_, _>>()?;
    let space = desk.space(owner.as_deref()).await?;
    if atomic {
        // Nothing is read in it.
        let results = at_once(&desk, space, &ops).await?;
        return Ok(HttpResponse::Ok().json(KvBatchAnswer { results }));
    }
    let (results, held) = each(&desk, space, &ops).await?;
    answer(desk.kv()?.bench(), results, held).await
}

/// Answers with what came of each. Large values are written elsewhere, and their room is given back once the answer is sent.
async fn answer(
    bench: &Workbench,
    results: Vec<KvOutcome>,
    mut held: Vec<(Held, usize)>,
) -> Result<HttpResponse, HttpError> {
    if held.is_empty() {
        return Ok(HttpResponse::Ok().json(KvBatchAnswer { results }));
    }
    let bytes = held.iter().map(|(_, bytes)| *bytes as u64).sum();
    let write = move || {
        let mut text = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0) + AROUND_BYTES * results.len());
        serde_json::to_writer(&mut text, &KvBatchAnswer { results }).map_err(Failure::internal)?;
        for (held, bytes) in &mut held {
            held.shrink(*bytes);
        }
        Ok::<_, Failure>((text, held))
    };
    let (text, held) = bench.run(bytes, write).await??;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(HeldBody::new(text, held)))
}

async fn at_once(desk: &Desk, space: Space, ops: &[BatchOp]) -> Result<Vec<KvOutcome>, HttpError> {
    let timed = desk.timed(space)?;
    let answers = timed.checked(desk.kv()?.batch_at_once(&desk.caller, space, ops).await)?;
    ops.iter().zip(answers).map(|(op, answer)| Ok(outcome(&timed, op, answer)?)).collect()
}

/// What came of each, and the room that is held for what large values are in the answer.
async fn each(
    desk: &Desk,
    space: Space,
    ops: &[BatchOp],
) -> Result<(Vec<KvOutcome>, Vec<(Held, usize)>), HttpError> {
    let (mut results, mut held) = (Vec::with_capacity(ops.len()), Vec::new());
    let mut room = VALUE_BYTES_MAX;
    for op in ops {
        let timed = desk.timed(space)?;
        let done = desk.kv()?.batch(&desk.caller, space, std::slice::from_ref(op)).await?.pop();
        let done = done.ok_or_else(|| Failure::internal("a batch of one has one answer"))?;
        let result = match timed.checked(done) {
            Ok(BatchAnswer::Got(item)) if item.value.as_bytes().len() > room => Err(too_large(room)),
            Ok(BatchAnswer::Got(mut item)) if item.held.is_counted() => {
                held.push((std::mem::take(&mut item.held), in_answer(&item)));
                outcome(&timed, op, BatchAnswer::Got(item))
            }
            Ok(answer) => outcome(&timed, op, answer),
            Err(error) => Err(error.into()),
        };
        let result = result.unwrap_or_else(|failure| refused(&failure));
        room -= result.meta.as_ref().map_or(0, |meta| match op {
            BatchOp::Get(_) => usize::try_from(meta.size_bytes).unwrap_or(room).min(room),
            _ => 0,
        });
        results.push(result);
    }
    Ok((results, held))
}

/// How long a value is in the answer.
fn in_answer(item: &Item) -> usize {
    let bytes = item.value.as_bytes().len();
    if item.value.as_json().is_some() { bytes } else { bytes.div_ceil(3) * 4 }
}

const DONE: KvOutcome =
    KvOutcome { status: 200, meta: None, value: None, base64: None, deleted: None, problem: None };

/// Counts what was done and tells it.
fn outcome(timed: &Timed<'_>, op: &BatchOp, answer: BatchAnswer) -> Result<KvOutcome, Failure> {
    let key = match op {
        BatchOp::Get(key) | BatchOp::Delete(key, _) => key.as_str(),
        BatchOp::Put(request) => request.key.as_str(),
    };
    match answer {
        BatchAnswer::Got(item) => {
            timed.done(Kind::Read, key, item.meta.plain_bytes);
            got(key, item)
        }
        BatchAnswer::Put(meta) => {
            timed.done(Kind::Write, key, meta.plain_bytes);
            Ok(KvOutcome { meta: Some(wire::meta(key, meta)), ..DONE })
        }
        BatchAnswer::Deleted(deleted) => {
            timed.done(Kind::Delete, key, 0);
            let (revision, version) = (deleted.revision, deleted.version);
            Ok(KvOutcome { deleted: Some(KvDeleted { key: key.to_owned(), revision, version }), ..DONE })
        }
    }
}

fn got(key: &str, item: Item) -> Result<KvOutcome, Failure> {
    let meta = Some(wire::meta(key, item.meta));
    match item.value.as_json() {
        Some(text) => {
            let value = RawValue::from_string(text.to_owned()).map_err(Failure::internal)?;
            Ok(KvOutcome { meta, value: Some(value), ..DONE })
        }
        None => Ok(KvOutcome { meta, base64: Some(STANDARD.encode(item.value.as_bytes())), ..DONE }),
    }
}

fn refused(failure: &Failure) -> KvOutcome {
    let mut problem = Problem::of(failure.code);
    if failure.code.status() != 500 {
        problem.detail.clone_from(&failure.detail);
        problem.errors.clone_from(&failure.fields);
    }
    KvOutcome { status: failure.code.status(), problem: Some(problem), ..DONE }
}

fn operation(at: usize, operation: KvOperation) -> Result<BatchOp, Failure> {
    let field =
        |name: &str, message: &'static str| Failure::field(format!("operations.{at}.{name}"), message);
    let key = key_in("key", &operation.key).map_err(|_| field("key", "is empty or over 1024 bytes"))?;
    let condition = condition::of_fields(operation.if_revision, operation.if_absent)
        .map_err(|_| field("if_revision", "only one condition at a time"))?;
    match operation.op {
        KvOp::Get => Ok(BatchOp::Get(key)),
        KvOp::Delete => Ok(BatchOp::Delete(key, condition)),
        KvOp::Put => {
            let value = match (operation.value, operation.base64) {
                (Some(text), None) => PlainValue::json(text),
                (None, Some(text)) => {
                    let bytes = STANDARD.decode(text).map_err(|_| field("base64", "is not base64"))?;
                    let content_type = operation.content_type.unwrap_or_else(|| BYTES.to_owned());
                    PlainValue::bytes(super::value::media_type(&content_type)?, Bytes::from(bytes))
                }
                _ => return Err(field("value", "give either a value or base64")),
            };
            let (encrypt, compress) = (operation.encrypt, operation.compress);
            let expires_at = operation.expires_at;
            Ok(BatchOp::Put(PutRequest { key, value, expires_at, condition, encrypt, compress }))
        }
    }
}
