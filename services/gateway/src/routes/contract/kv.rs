//! `/store`, `/retrieve`, `/delete` and `/keys`: the caller's own keys.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::contract::kv::{Deleted, Keys, Store, Stored};
use coffer_api::contract::validation::ValidationErrors;
use coffer_core::Clock;
use coffer_server::{DetailContract, Failure, HeldBody, HttpError, JsonBody};
use serde_json::value::{RawValue, to_raw_value};

use crate::domain::kv::{self, Condition, Held, Item, Key, Kind, Meta, PlainValue, PutRequest, Workbench};
use crate::domain::usage;
use crate::domain::vault::Vault;
use crate::routes::caller::Caller;
use crate::routes::contract::names;
use crate::routes::operations::Timed;
use crate::routes::path_key::PathKey;

type Answered<T> = Result<T, HttpError<DetailContract>>;
type Sources = (Data<Vault>, Data<dyn Clock>);

/// What stands around the key and the value in an answer, at most.
const AROUND_BYTES: usize = 256;

/// Stores a value; one that is there is replaced.
#[utoipa::path(post, path = "/store", tag = "keys", request_body = Store, security(("bearer" = [])),
    responses(
        (status = 200, body = Stored<'_>),
        (status = 401, description = "`Not authenticated` or `Invalid or expired session`"),
        (status = 413, description = "The value is too large"),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors),
        (status = 503, description = "Out of reach, with `Retry-After`")))]
pub(in crate::routes) async fn store(
    caller: Caller,
    body: JsonBody<Store, DetailContract>,
    (vault, clock): Sources,
) -> Answered<HttpResponse> {
    let (Store { key, value, encrypt, compress }, _reservation) = body.into_parts();
    let (usage, caller) = (vault.usage()?, kv::Caller::from(*caller));
    let timed = Timed::start(usage, &**clock, caller.own_space());
    let request = PutRequest {
        key: key.parse().map_err(kv::KvError::from)?,
        value: PlainValue::json(value),
        expires_at: None,
        condition: Condition::None,
        encrypt,
        compress,
    };
    let kv = vault.kv()?;
    // Room for the answer, before anything is done: it repeats the value, and is taken at the pace of its reader.
    let held = kv.hold(caller.principal.user_id, request.value.as_bytes().len() as u64).await?;
    let meta = timed.checked(kv.put(&caller, caller.own_space(), &request).await)?;
    let took_s = timed.done(usage::Kind::Write, request.key.as_str(), meta.plain_bytes).as_secs_f64();
    let timestamp = usage.calendar().iso(meta.updated_at);
    let PutRequest { key, value, .. } = request;
    answer(kv.bench(), Parts { key, value, meta, timestamp, took_s }, held).await
}

/// The value of a key.
#[utoipa::path(get, path = "/retrieve/{key}", tag = "keys", security(("bearer" = [])),
    params(("key" = String, Path, description = "The key; `/` and `..` in it are part of the name")),
    responses(
        (status = 200, body = Stored<'_>),
        (status = 401, description = "`Not authenticated` or `Invalid or expired session`"),
        (status = 404, description = "`Key not found`"),
        (status = 422, description = "Not a key", body = ValidationErrors),
        (status = 503, description = "Out of reach, with `Retry-After`")))]
pub(in crate::routes) async fn retrieve(
    caller: Caller,
    PathKey(key): PathKey,
    (vault, clock): Sources,
) -> Answered<HttpResponse> {
    let (usage, caller) = (vault.usage()?, kv::Caller::from(*caller));
    let timed = Timed::start(usage, &**clock, caller.own_space());
    let kv = vault.kv()?;
    let Item { meta, value, held } = kv.get(&caller, caller.own_space(), &key, None).await?;
    let took_s = timed.done(usage::Kind::Read, key.as_str(), meta.plain_bytes).as_secs_f64();
    let timestamp = usage.calendar().iso(meta.updated_at);
    answer(kv.bench(), Parts { key, value, meta, timestamp, took_s }, held).await
}

/// Deletes a key. It goes to the trash.
#[utoipa::path(delete, path = "/delete/{key}", tag = "keys", security(("bearer" = [])),
    params(("key" = String, Path, description = "The key; `/` and `..` in it are part of the name")),
    responses(
        (status = 200, body = Deleted),
        (status = 401, description = "`Not authenticated` or `Invalid or expired session`"),
        (status = 404, description = "`Key not found`"),
        (status = 422, description = "Not a key", body = ValidationErrors),
        (status = 503, description = "Out of reach, with `Retry-After`")))]
pub(in crate::routes) async fn delete(
    caller: Caller,
    PathKey(key): PathKey,
    (vault, clock): Sources,
) -> Answered<Json<Deleted>> {
    let caller = kv::Caller::from(*caller);
    let timed = Timed::start(vault.usage()?, &**clock, caller.own_space());
    timed.checked(vault.kv()?.delete(&caller, caller.own_space(), &key, Condition::None).await)?;
    timed.done(usage::Kind::Delete, key.as_str(), 0);
    Ok(Json(Deleted { message: format!("Key '{key}' deleted successfully") }))
}

/// The names of all of the caller's keys.
#[utoipa::path(get, path = "/keys", tag = "keys", security(("bearer" = [])),
    responses(
        (status = 200, body = Keys),
        (status = 401, description = "`Not authenticated` or `Invalid or expired session`"),
        (status = 503, description = "Out of reach, with `Retry-After`")))]
pub(in crate::routes) async fn keys(caller: Caller, vault: Data<Vault>) -> Answered<HttpResponse> {
    Ok(names::answer(vault.kv()?.all_names(&kv::Caller::from(*caller))).await?)
}

/// What an answer with a value is made of.
struct Parts {
    key: Key,
    value: PlainValue,
    meta: Meta,
    timestamp: String,
    took_s: f64,
}

impl Parts {
    /// The answer as a text.
    fn text(&self) -> Result<Vec<u8>, Failure> {
        let text;
        let value: &RawValue = if let Some(json) = self.value.as_json() {
            serde_json::from_str(json).map_err(Failure::internal)?
        } else {
            text = shown(&self.value).map_err(Failure::internal)?;
            &text
        };
        let stored = Stored {
            key: self.key.as_str(),
            value,
            timestamp: self.timestamp.clone(),
            encrypted: self.meta.encrypt,
            compressed: self.meta.compressed,
            size_bytes: self.meta.stored_bytes,
            duration_ms: self.took_s * 1000.0,
        };
        let mut text = Vec::with_capacity(value.get().len() + self.key.as_str().len() + AROUND_BYTES);
        serde_json::to_writer(&mut text, &stored).map_err(Failure::internal)?;
        Ok(text)
    }
}

/// Answers with a value. A large one is written elsewhere, and its room is given back once the answer is sent.
async fn answer(bench: &Workbench, parts: Parts, mut held: Held) -> Answered<HttpResponse> {
    let bytes = parts.meta.plain_bytes;
    let write = move || {
        held.ensure(parts.value.as_bytes().len() + 2 * shown_bytes(&parts.value))?;
        let text = parts.text()?;
        drop(parts);
        held.shrink(text.len());
        Ok::<_, Failure>((text, held))
    };
    let (text, held) = bench.run(bytes, write).await??;
    let mut answer = HttpResponse::Ok();
    answer.content_type(ContentType::json());
    Ok(if held.is_counted() { answer.body(HeldBody::new(text, held)) } else { answer.body(text) })
}

/// A value that was stored as bytes, as a JSON text.
fn shown(value: &PlainValue) -> serde_json::Result<Box<RawValue>> {
    match text_of(value) {
        Some(text) => to_raw_value(text),
        None => RawValue::from_string(format!("\"{}\"", STANDARD.encode(value.as_bytes()))),
    }
}

/// Bytes that say that they are a text, and are one.
fn text_of(value: &PlainValue) -> Option<&str> {
    let is_text = matches!(value.kind(), Kind::Bytes { content_type } if content_type.starts_with("text/"));
    std::str::from_utf8(value.as_bytes()).ok().filter(|_| is_text)
}

/// How long a value is in an answer.
fn shown_bytes(value: &PlainValue) -> usize {
    let bytes = value.as_bytes();
    if matches!(value.kind(), Kind::Json) {
        return bytes.len();
    }
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    let in_base64 = bytes.len().div_ceil(3) * 4;
    2 + text_of(value).map_or(in_base64, |_| bytes.iter().map(escaped).sum())
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;

    use super::*;

    #[test]
    fn bytes_are_a_text_if_they_say_so_and_base64_otherwise() {
        let text = |kind: &str, bytes: &'static [u8]| {
            let value = PlainValue::bytes(kind.to_owned(), Bytes::from_static(bytes));
            let shown = shown(&value).unwrap();
            assert_eq!(shown_bytes(&value), shown.get().len(), "{shown}");
            shown.get().to_owned()
        };
        assert_eq!(text("text/plain; charset=utf-8", b"hello"), "\"hello\"");
        assert_eq!(text("text/plain", b"\xff"), "\"/w==\"");
        assert_eq!(text("application/octet-stream", b"hello"), "\"aGVsbG8=\"");
        assert_eq!(
            text("text/plain", "\0\t\"\\\n\r\u{8}\u{c}\u{1f}\u{7f}é報".as_bytes()).len(),
            2 + 6 + 14 + 6 + 1 + 5
        );
    }
}
