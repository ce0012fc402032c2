//! Files as envelopes: what the data service keeps, and what the KMS knows of it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_api::ErrorCode;
use serde_json::{Value, json};

use super::{Request, Response, State, problem};

/// What is known of one file.
#[derive(Default)]
pub(crate) struct Native {
    /// At the data service: the envelopes by their versions.
    pub(crate) kept: BTreeMap<u64, Vec<u8>>,
    /// At the KMS: prefix hashes, the first of version 1.
    registered: Vec<String>,
    /// At the KMS: the latest published version; 0 if none is.
    pub(crate) published: u64,
}

/// Answers what is about envelopes; nothing if it is about something else.
pub(super) fn answer(request: &Request, state: &mut State) -> Option<Response> {
    if let Some(name) = request.path.strip_prefix("/api/v1/files/") {
        let name = percent_encoding::percent_decode_str(name).decode_utf8().unwrap().into_owned();
        return Some(match request.method.as_str() {
            "PUT" => put(request, state.native.entry(name.clone()).or_default(), &name),
            _ => get(request, state.native.get(&name)),
        });
    }
    Some(match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/v1/file-versions") => register(request, state),
        ("POST", "/api/v1/file-versions/publish") => publish(request, state),
        ("POST", "/api/v1/file-versions/open") => open(request, state),
        _ => return None,
    })
}

fn put(request: &Request, file: &mut Native, name: &str) -> Response {
    if request.headers.get("if-none-match").is_some_and(|tag| tag == "*") && !file.kept.is_empty() {
        return problem(ErrorCode::FileChanged);
    }
    let version: u64 = request.headers["coffer-file-version"].parse().unwrap();
    file.kept.insert(version, request.raw.clone());
    let (etag, size_bytes) = (format!("\"{version}\""), request.raw.len());
    let moment = "2026-01-01T00:00:00Z";
    Response::json(
        201,
        &json!({
            "file_name": name, "version": version, "size_bytes": size_bytes, "etag": etag, "created_at": moment
        }),
    )
}

fn get(request: &Request, file: Option<&Native>) -> Response {
    let kept = file.and_then(|file| match request.query.get("version") {
        Some(version) => file.kept.get_key_value(&version.parse().unwrap()),
        None => file.kept.last_key_value(),
    });
    let Some((version, envelope)) = kept else { return problem(ErrorCode::FileNotFound) };
    let headers = vec![("etag", format!("\"{version}\"")), ("coffer-file-version", version.to_string())];
    Response::Answer(200, headers, envelope.clone())
}

/// The only item of a request.
fn item(request: &Request) -> (&Value, String) {
    let item = &request.body["items"][0];
    (item, item["name"].as_str().unwrap().to_owned())
}

fn register(request: &Request, state: &mut State) -> Response {
    let (item, name) = item(request);
    let file = state.native.entry(name).or_default();
    file.registered.push(item["prefix_hash"].as_str().unwrap().to_owned());
    let file_id = "0190163d-8694-739b-aea5-966c26f8ad92";
    Response::json(200, &json!({ "items": [{ "file_id": file_id, "version": file.registered.len() }] }))
}

fn publish(request: &Request, state: &mut State) -> Response {
    let (item, name) = item(request);
    let file = state.native.entry(name).or_default();
    file.published = file.published.max(item["version"].as_u64().unwrap());
    Response::json(200, &json!({}))
}

fn open(request: &Request, state: &State) -> Response {
    let (item, name) = item(request);
    let (Some(file), Some(pair)) = (state.native.get(&name), state.keys.get(&name)) else {
        return problem(ErrorCode::FileKeyNotFound);
    };
    let version = usize::try_from(item["version"].as_u64().unwrap()).unwrap();
    let registered = version.checked_sub(1).and_then(|place| file.registered.get(place));
    if registered.is_none_or(|hash| *hash != item["prefix_hash"]) {
        return problem(ErrorCode::VersionUnregistered);
    }
    if item["present"] == true && (version as u64) < file.published {
        return problem(ErrorCode::VersionOutdated);
    }
    let wrapped = BASE64.decode(item["wrapped"].as_str().unwrap()).unwrap();
    match pair.private().open_oaep_sha256(&wrapped) {
        Ok(key) => {
            let content_key = BASE64.encode(key.expose());
            Response::json(
                200,
                &json!({ "items": [{ "content_key": content_key, "published": file.published }] }),
            )
        }
        Err(_) => problem(ErrorCode::UnwrapFailed),
    }
}
