//! `/store`, `/retrieve`, `/delete` and `/keys`: the caller's own keys.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::contract::kv::{Deleted, Keys, Store, Stored};
use coffer_api::contract::validation::ValidationErrors;
use coffer_core::Clock;
use coffer_server::{DetailContract, Failure, HttpError, JsonBody};
use serde_json::value::{RawValue, to_raw_value};

use crate::domain::kv::{self, Condition, Key, Kind, Meta, PlainValue, PutRequest};
use crate::domain::usage::{self, Usage};
use crate::domain::vault::Vault;
use crate::routes::caller::Caller;
use crate::routes::contract::names;
use crate::routes::operations::Timed;
use crate::routes::path_key::PathKey;

type Answered<T> = Result<T, HttpError<DetailContract>>;
type Parts = (Data<Vault>, Data<dyn Clock>);

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
    (vault, clock): Parts,
) -> Answered<HttpResponse> {
    // The share of the bytes in flight is kept until the answer is made: it repeats the value.
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
    let meta = timed.checked(vault.kv()?.put(&caller, caller.own_space(), &request).await)?;
    let took = timed.done(usage::Kind::Write, request.key.as_str(), meta.plain_bytes);
    answer(usage, (&request.key, &request.value, &meta), took.as_secs_f64())
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
    (vault, clock): Parts,
) -> Answered<HttpResponse> {
    let (usage, caller) = (vault.usage()?, kv::Caller::from(*caller));
    let timed = Timed::start(usage, &**clock, caller.own_space());
    let item = vault.kv()?.get(&caller, caller.own_space(), &key, None).await?;
    let took = timed.done(usage::Kind::Read, key.as_str(), item.meta.plain_bytes);
    answer(usage, (&key, &item.value, &item.meta), took.as_secs_f64())
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
    (vault, clock): Parts,
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

fn answer(
    usage: &Usage,
    (key, value, meta): (&Key, &PlainValue, &Meta),
    took_s: f64,
) -> Answered<HttpResponse> {
    let text;
    let value: &RawValue = if let Some(json) = value.as_json() {
        serde_json::from_str(json).map_err(Failure::internal)?
    } else {
        text = to_raw_value(&text_of(value)).map_err(Failure::internal)?;
        &text
    };
    Ok(HttpResponse::Ok().json(Stored {
        key: key.as_str(),
        value,
        timestamp: usage.calendar().iso(meta.updated_at),
        encrypted: meta.encrypt,
        compressed: meta.compressed,
        size_bytes: meta.stored_bytes,
        duration_ms: took_s * 1000.0,
    }))
}

/// A value that was stored as bytes, as a text.
fn text_of(value: &PlainValue) -> String {
    let is_text = matches!(value.kind(), Kind::Bytes { content_type } if content_type.starts_with("text/"));
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) if is_text => text.to_owned(),
        _ => STANDARD.encode(value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;

    use super::*;

    #[test]
    fn bytes_are_a_text_if_they_say_so_and_base64_otherwise() {
        let text = |kind: &str, bytes: &'static [u8]| {
            text_of(&PlainValue::bytes(kind.to_owned(), Bytes::from_static(bytes)))
        };
        assert_eq!(text("text/plain; charset=utf-8", b"hello"), "hello");
        assert_eq!(text("text/plain", b"\xff"), "/w==");
        assert_eq!(text("application/octet-stream", b"hello"), "aGVsbG8=");
    }
}
