//! `coffer kv` and `coffer stats`: what goes to the gateway and what is made of its answers.

mod changes;
mod listings;
mod refusals;
mod values;

use serde_json::{Value, json};

use crate::fake::{Fake, Request, Response, TOKEN};

const VALUE: &str = "/api/v1/kv/value";

/// A fake whose gateway answers what `answer` says.
fn gateway(answer: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> Fake {
    Fake::start_with(move |request, _| {
        let is_ours = request.path.starts_with("/api/v1/kv/") || request.path.starts_with("/api/v1/usage");
        assert!(!is_ours || request.token.as_deref() == Some(TOKEN), "{}", request.path);
        answer(request).filter(|_| is_ours)
    })
}

/// What is known of a key, in this version.
fn meta(key: &str, version: u64) -> Value {
    let (user, moment) = ("0190163d-8694-739b-aea5-966c26f8ad91", "2026-01-01T00:00:00Z");
    json!({
        "key": key, "revision": version + 100, "version": version, "content_type": "application/json",
        "size_bytes": 2048, "stored_bytes": 512, "compressed": true, "encrypt": true,
        "created_at": moment, "created_by": user, "updated_at": moment, "updated_by": user
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside answers that there may not be")]
fn ok(body: &Value) -> Option<Response> {
    Some(Response::json(200, body))
}
