//! Encrypted configuration: every row of its contract, the published client, and what a user key keeps apart.

mod access;
mod carrying;
mod client;
mod digests;
mod flood;
mod moving;
mod native;
mod rows;
mod secrecy;
mod watching;
mod wrong_key;

use coffer_tests::{Answer, Builder, Http, Node, Stack};
use serde_json::Value;

/// The storages on which the contract must hold.
fn stacks() -> [Builder; 2] {
    [wide(Stack::all()), wide(Stack::separate().gateways(1))]
}

/// Lets one address bring as many user keys as a test has.
fn wide(builder: Builder) -> Builder {
    builder.set("COFFER_GATEWAY__CONFIGS__DERIVATIONS_PER_ADDRESS_PER_MINUTE_MAX", "10000")
}

/// A figure of a process, as it tells whoever watches it; 0 while there is nothing to tell.
async fn metric(node: &Node, name: &str) -> f64 {
    let text = Http::default().get(&format!("{}/metrics", node.internal_url)).await.expect_status(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |figure| figure.parse().expect("a figure"))
}

/// Somebody with a user key.
#[derive(Clone)]
struct Holder {
    http: Http,
    url: String,
    user_key: String,
}

impl Holder {
    fn new(stack: &Stack, user_key: &str) -> Self {
        Self { http: Http::default(), url: stack.gateway_url(""), user_key: user_key.to_owned() }
    }

    async fn call(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, None).await
    }

    async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some(body.to_string().into_bytes())).await
    }

    async fn send(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> Answer {
        let headers = [("x-user-key", self.user_key.as_str())];
        self.http.send_raw(method, &format!("{}{path}", self.url), &headers, body).await
    }
}
