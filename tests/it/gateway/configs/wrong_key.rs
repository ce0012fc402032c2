//! A wrong user key under every call: it is answered as one under which nothing was ever stored.

use std::time::Duration;

use coffer_tests::{Answer, Stack};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Holder, stacks, wide};

const V1: &str = "/api/v1/configs";

/// Every call that names configurations, lists them or takes or gives them as a document, about `key` in the environment `e`. Those that store come last:
/// from then on the caller has something of its own.
fn calls(key: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let of = |name: &str, query: &str| format!("{V1}/{name}?{query}");
    let here = format!("key={key}&environment=e");
    let document = json!({ "coffer_configs": 1, "configs": { key: { "value": "${ref:other}", "schema": { "type": "string" } } } });
    vec![
        ("GET", format!("/configs/{key}"), None),
        ("GET", format!("/configs/{key}?environment=e"), None),
        ("PUT", format!("/configs/{key}"), Some(json!({ "value": 1 }))),
        ("DELETE", format!("/configs/{key}"), None),
        ("GET", "/configs".to_owned(), None),
        ("GET", of("items", &format!("prefix={key}")), None),
        ("GET", of("items", "environment=e&category=c"), None),
        ("GET", of("summary", ""), None),
        ("GET", of("value", &here), None),
        ("GET", of("value", &format!("key={key}&version=1")), None),
        ("DELETE", of("value", &here), None),
        ("GET", of("value", &format!("{here}&resolve=true")), None),
        ("GET", of("schema", &here), None),
        ("PUT", of("schema", &here), Some(json!({ "type": "integer" }))),
        ("DELETE", of("schema", &here), None),
        ("GET", of("export", "environment=e&format=json"), None),
        ("GET", of("export", "environment=e&format=yaml"), None),
        ("GET", of("export", "environment=e&format=toml"), None),
        ("GET", of("export", "environment=e&format=env"), None),
        ("GET", of("unread", "days=1"), None),
        ("GET", of("history", &here), None),
        ("GET", of("diff", &format!("{here}&from=1&to=2")), None),
        ("GET", of("diff", &format!("{here}&to_environment=f")), None),
        ("POST", of("rollback", ""), Some(json!({ "key": key, "environment": "e", "version": 1 }))),
        ("POST", of("promote", ""), Some(json!({ "from": "e", "to": "g", "keys": [key] }))),
        ("POST", of("batch", ""), Some(json!({ "items": [{ "key": key, "environment": "e" }] }))),
        (
            "POST",
            of("batch", ""),
            Some(json!({ "items": [{ "key": key, "environment": "e" }], "resolve": true })),
        ),
        ("POST", of("import", "environment=e&dry_run=true"), Some(document.clone())),
        ("POST", of("import", "environment=e&mode=overwrite&dry_run=true"), Some(document.clone())),
        ("POST", of("rekey", ""), Some(json!({ "new_user_key": "yet another user key" }))),
        ("POST", "/configs/rekey".to_owned(), Some(json!({ "new_user_key": "yet another user key" }))),
        ("PUT", of("value", &format!("{here}&if_version=1")), Some(json!(1))),
        ("PUT", of("value", &format!("{here}&if_absent=true")), Some(json!(1))),
        ("POST", of("import", "environment=f"), Some(document)),
        ("GET", of("value", &format!("key={key}&environment=f&resolve=true")), None),
        ("GET", of("export", "environment=f&format=env"), None),
    ]
}

async fn ask(holder: &Holder, (method, path, body): &(&str, String, Option<Value>)) -> Answer {
    let body = body.as_ref().map(|body| body.to_string().into_bytes());
    holder.send(method, path, body).await
}

/// What an answer says, without the names that were asked for and without the time.
fn said(answer: &Answer, key: &str) -> (u16, Vec<String>, String) {
    let told =
        |(name, _): &&(String, String)| !matches!(name.as_str(), "date" | "x-request-id" | "traceparent");
    let header = |(name, value): &(String, String)| format!("{name}: {value}");
    let mut headers: Vec<_> = answer.headers.iter().filter(told).map(header).collect();
    headers.sort();
    let text = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(mut body) => {
            for field in ["request_id", "instance", "created_at", "updated_at"] {
                body.as_object_mut().and_then(|body| body.remove(field));
            }
            body.to_string()
        }
        Err(_) => answer.text(),
    };
    // A variable has the name in capital letters.
    (answer.status, headers, text.replace(key, "KEY").replace(&key.to_uppercase(), "KEY"))
}

async fn stored(stack: &Stack) -> Holder {
    let ann = Holder::new(stack, "the user key of ann");
    for (environment, value) in [("e", 1), ("e", 2), ("f", 3)] {
        let path = format!("{V1}/value?key=exists&environment={environment}&category=c");
        ann.json("PUT", &path, &json!(value)).await.expect_status(200);
    }
    ann
}

#[tokio::test]
async fn under_every_call_a_wrong_user_key_is_answered_as_if_nothing_had_ever_been_stored() {
    for builder in stacks() {
        let stack = builder.start().await;
        let ann = stored(&stack).await;
        let (wrong, nobody) =
            (Holder::new(&stack, "the user key of bob"), Holder::new(&stack, "the user key of cid"));
        for (of_what_is, of_what_never_was) in calls("exists").iter().zip(&calls("absent")) {
            let (method, path, _) = of_what_is;
            let there = said(&ask(&wrong, of_what_is).await, "exists");
            let absent = said(&ask(&nobody, of_what_never_was).await, "absent");
            assert_eq!(there, absent, "{method} {path}");
        }
        let kept = ann.call("GET", &format!("{V1}/value?key=exists&environment=e")).await.expect_status(200);
        assert_eq!(kept.json(), 2, "and nothing of it was changed");
    }
}

/// The time that a call takes at the least, with each of both holders.
async fn quickest(holders: [&Holder; 2], call: &(&str, String, Option<Value>)) -> [Duration; 2] {
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..100 {
        for (holder, best) in holders.into_iter().zip(&mut quickest) {
            let began = Instant::now();
            ask(holder, call).await;
            *best = (*best).min(began.elapsed());
        }
    }
    quickest
}

/// Of so many tries the quickest of each differ by little.
fn are_alike(one: Duration, other: Duration) -> bool {
    one.max(other) < one.min(other).mul_f64(1.5)
}

#[tokio::test]
async fn after_the_first_derivation_a_wrong_user_key_takes_as_long_as_one_that_nobody_stored_under() {
    let stack = wide(Stack::all()).start().await;
    stored(&stack).await;
    let (wrong, nobody) =
        (Holder::new(&stack, "the user key of bob"), Holder::new(&stack, "the user key of cid"));
    for holder in [&wrong, &nobody] {
        holder.call("GET", "/configs").await.expect_status(200);
    }
    // Reads alone: they are the same every time. Each is asked with both user keys in turns, for a name that exists
    // under a third one.
    for call in calls("exists").iter().filter(|(method, ..)| *method == "GET") {
        let [one, other] = quickest([&wrong, &nobody], call).await;
        assert!(are_alike(one, other), "{}: {one:?} and {other:?}", call.1);
    }
    // And a name that exists takes as long as one that does not.
    for (exists, absent) in calls("exists").iter().zip(&calls("absent")).take(2) {
        let ([one, _], [other, _]) =
            (quickest([&wrong, &nobody], exists).await, quickest([&wrong, &nobody], absent).await);
        assert!(are_alike(one, other), "{}: {one:?} and {other:?}", exists.1);
    }
}
