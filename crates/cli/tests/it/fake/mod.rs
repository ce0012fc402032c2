//! The services on one port, in memory. What the gateway answers, tests say themselves.

mod http;
mod native;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_crypto::filekey::{FileKeyPair, RsaBits};
use serde_json::{Value, json};

pub(crate) use http::{Request, Response};
pub(crate) use native::Native;

/// The one code that the fake takes.
pub(crate) const CODE: &str = "123456";
/// The token of every session that it gives.
pub(crate) const TOKEN: &str = "ToKeN-of-the-session-that-nobody-may-see-000";
/// The password that it takes.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What a test asks to answer instead; `None` goes on as usual.
type Instead = Box<dyn Fn(&Request, &mut State) -> Option<Response> + Send + Sync>;

/// What the fake knows.
#[derive(Default)]
pub(crate) struct State {
    /// Stored envelopes by name, as they were uploaded.
    pub(crate) files: BTreeMap<String, Value>,
    /// Every request, oldest first.
    pub(crate) requests: Vec<Request>,
    /// Files that are envelopes.
    pub(crate) native: BTreeMap<String, Native>,
    pub(crate) keys: BTreeMap<String, Arc<FileKeyPair>>,
}

/// A running fake. It stops listening to nobody: the process's end takes it away.
pub(crate) struct Fake {
    /// Where it listens.
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// A fake that answers as the services do.
    pub(crate) fn start() -> Self {
        Self::start_with(|_, _| None)
    }

    /// A fake that answers what `instead` says, where it says something.
    pub(crate) fn start_with(
        instead: impl Fn(&Request, &mut State) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let instead: Instead = Box::new(instead);
        let shared = Arc::clone(&state);
        let url = http::serve(move |request| {
            let mut state = shared.lock().unwrap();
            let answer = instead(&request, &mut state).unwrap_or_else(|| answer(&request, &mut state));
            state.requests.push(request);
            answer
        });
        Self { url, state }
    }

    /// What it knows by now.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many requests to `path` it has seen.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.state().requests.iter().filter(|request| request.path == path).count()
    }
}

/// A problem document with this code.
pub(crate) fn problem(code: coffer_api::ErrorCode) -> Response {
    let problem = coffer_api::Problem::of(code);
    Response::json(code.status(), &serde_json::to_value(problem).unwrap())
}

fn answer(request: &Request, state: &mut State) -> Response {
    let body = &request.body;
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let moment = "2099-01-01T00:00:00.000Z";
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/v1/sessions") if text("password") == PASSWORD => {
            Response::json(200, &json!({ "status": "otp_required", "code_expires_at": moment }))
        }
        ("POST", "/api/v1/sessions") => problem(coffer_api::ErrorCode::LoginFailed),
        ("POST", "/api/v1/sessions/verify") if text("code") == CODE => {
            let session =
                json!({ "token": TOKEN, "expires_at": moment, "device": "device-1", "user": user() });
            Response::json(201, &session)
        }
        ("POST", "/api/v1/sessions/verify") => problem(coffer_api::ErrorCode::OtpFailed),
        ("POST", "/api/v1/registrations") => Response::json(202, &json!({ "code_expires_at": moment })),
        ("POST", "/api/v1/registrations/verify") => Response::json(201, &json!({ "user": user() })),
        _ if request.token.as_deref() != Some(TOKEN) => problem(coffer_api::ErrorCode::InvalidSession),
        ("DELETE", "/api/v1/sessions/current") => Response::json(204, &Value::Null),
        ("GET", "/api/v1/me") => {
            let me = json!({ "user": user(), "session": "ab", "amr": ["pwd", "otp"], "expires_at": moment });
            Response::json(200, &me)
        }
        _ => with_session(request, state),
    }
}

fn with_session(request: &Request, state: &mut State) -> Response {
    if let Some(answer) = native::answer(request, state) {
        return answer;
    }
    let text = |field: &str| request.body[field].as_str().unwrap_or_default().to_owned();
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/v1/file-keys/show") => match state.keys.get(&request.query["name"]) {
            Some(pair) => Response::json(200, &file_key(&request.query["name"], pair)),
            None => problem(coffer_api::ErrorCode::FileKeyNotFound),
        },
        ("POST", "/api/v1/file-keys") if state.files.contains_key(&text("name")) => {
            problem(coffer_api::ErrorCode::FileExists)
        }
        ("POST", "/api/v1/file-keys") => {
            let pair = state
                .keys
                .entry(text("name"))
                .or_insert_with(|| Arc::new(FileKeyPair::generate(RsaBits::Rsa2048)));
            Response::json(201, &file_key(&text("name"), pair))
        }
        ("POST", "/api/v1/file-keys/unwrap") => unwrap(request, state),
        ("POST", "/upload") if state.files.contains_key(&text("file_name")) => {
            Response::json(409, &json!({ "code": 409, "message": "file_exists" }))
        }
        ("POST", "/upload") => {
            state.files.insert(text("file_name"), request.body.clone());
            Response::json(200, &json!({ "code": 200, "message": "upload_success" }))
        }
        ("GET", "/download") => match state.files.get(&request.query["file_name"]) {
            Some(stored) => {
                let mut answer = stored.clone();
                answer["code"] = 200.into();
                Response::json(200, &answer)
            }
            None => Response::json(404, &json!({ "code": 404, "message": "file_not_found" })),
        },
        ("GET", "/api/v1/files") => Response::json(200, &page(request, state)),
        ("GET", "/api/v1/shared") => Response::json(200, &json!({ "items": [] })),
        ("POST", "/api/v1/grants") => {
            let mut grant = request.body.clone();
            grant["granted_at"] = "2026-01-01T00:00:00Z".into();
            Response::json(201, &grant)
        }
        _ => problem(coffer_api::ErrorCode::NotFound),
    }
}

/// Files in pages of two, whatever was asked for; the cursor is the last name.
fn page(request: &Request, state: &State) -> Value {
    let after = request.query.get("cursor").cloned().unwrap_or_default();
    let names: Vec<_> = state.files.keys().filter(|name| **name > after).collect();
    let item =
        |name: &&String| json!({ "file_name": name, "size_bytes": 16, "created_at": "2026-01-01T00:00:00Z" });
    let mut page = json!({ "items": names.iter().take(2).map(item).collect::<Vec<_>>() });
    if names.len() > 2 {
        page["next_cursor"] = names[1].as_str().into();
    }
    page
}

fn unwrap(request: &Request, state: &State) -> Response {
    let name = request.body["name"].as_str().unwrap_or_default();
    let Some(pair) = state.keys.get(name) else { return problem(coffer_api::ErrorCode::AccessDenied) };
    let open = |ciphertext: &Value| {
        let bytes = BASE64.decode(ciphertext.as_str()?).ok()?;
        let opened = pair.private().open_oaep_sha256(&bytes).ok()?;
        Some(BASE64.encode(opened.expose()))
    };
    let ciphertexts = request.body["ciphertexts"].as_array().unwrap();
    match ciphertexts.iter().map(open).collect::<Option<Vec<_>>>() {
        Some(plaintexts) => Response::json(200, &json!({ "plaintexts": plaintexts })),
        None => problem(coffer_api::ErrorCode::UnwrapFailed),
    }
}

fn user() -> Value {
    json!({
        "id": "0190163d-8694-739b-aea5-966c26f8ad91", "number": 1, "email": "ann@example.com", "verified": true,
        "role": "employee", "active": true, "created_at": "2026-01-01T00:00:00Z"
    })
}

fn file_key(name: &str, pair: &FileKeyPair) -> Value {
    json!({
        "file_id": "0190163d-8694-739b-aea5-966c26f8ad92", "name": name, "owner": "ann@example.com",
        "version": 1, "public_key_pem": pair.public_key_pem_spki(), "created_at": "2026-01-01T00:00:00Z",
        "uploaded": false, "access": "owner"
    })
}
