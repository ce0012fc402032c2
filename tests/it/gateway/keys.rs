//! Every row about keys of the key-value contract, and what Coffer does otherwise than the original.

use coffer_tests::{Keeper, Stack};
use serde_json::{Value, json};

use super::{both, stacks};

const KEYS: [&str; 9] = [
    "a",
    "a/b",
    "../../etc/passwd",
    "..",
    "/",
    "100% sure?#+&",
    "報 告",
    "line\nbreak",
    "key with \"quotes\"",
];

/// A key as everything behind `/retrieve/`, with every byte escaped that could mean something.
fn escaped(key: &str) -> String {
    key.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn detail(text: &str) -> Value {
    json!({ "detail": text })
}

async fn rows(stack: &Stack) {
    let ann = stack.keeper("ann").await;
    let value = json!({ "name": "Ann", "list": [1, 2.5, null, true], "text": "x".repeat(500) });
    let stored = ann.store("user:1", value.clone()).await.expect_status(200).json();
    let mut names: Vec<_> = stored.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    let seven = ["compressed", "duration_ms", "encrypted", "key", "size_bytes", "timestamp", "value"];
    assert_eq!(names, seven);
    assert_eq!((&stored["key"], &stored["value"]), (&json!("user:1"), &value));
    assert_eq!((&stored["encrypted"], &stored["compressed"]), (&json!(true), &json!(true)));
    assert!(stored["size_bytes"].as_u64().is_some_and(|bytes| bytes < 500), "{stored}");
    assert!(stored["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{stored}");
    let timestamp = stored["timestamp"].as_str().expect("a text");
    assert_eq!((timestamp.len(), &timestamp[10..11], &timestamp[26..]), (32, "T", "+00:00"), "{timestamp}");

    let read = ann.call("GET", "/retrieve/user:1").await.expect_status(200).json();
    for name in seven.iter().filter(|name| **name != "duration_ms") {
        assert_eq!(read[name], stored[name], "{name}");
    }
    let plain = json!({ "key": "plain", "value": "y".repeat(300), "encrypt": false, "compress": false });
    let plain = ann.json("POST", "/store", &plain).await.expect_status(200).json();
    assert_eq!((&plain["encrypted"], &plain["compressed"]), (&json!(false), &json!(false)));
    assert_eq!(plain["size_bytes"], 302);
    // What does not shrink is stored as it is, and says so.
    let short = ann.store("short", json!(7)).await.expect_status(200).json();
    assert_eq!((&short["compressed"], &short["size_bytes"]), (&json!(false), &json!(1)));

    let keys = ann.call("GET", "/keys").await.expect_status(200).json();
    assert_eq!(keys, json!({ "keys": ["plain", "short", "user:1"], "count": 3 }));
    let deleted = ann.call("DELETE", "/delete/user:1").await.expect_status(200).json();
    assert_eq!(deleted, json!({ "message": "Key 'user:1' deleted successfully" }));
    for (method, path) in
        [("GET", "/retrieve/user:1"), ("DELETE", "/delete/user:1"), ("GET", "/retrieve/never")]
    {
        assert_eq!(ann.call(method, path).await.expect_status(404).json(), detail("Key not found"), "{path}");
    }
    sessions(&ann).await;
    keys_are_names(&ann).await;
    values_are_kept(&ann).await;
    refusals(&stack.keeper("cid").await).await;
    apart(&ann, &stack.keeper("bob").await).await;
}

async fn sessions(ann: &Keeper) {
    let nobody = Keeper { token: "A".repeat(43), ..ann.clone() };
    for (method, path) in
        [("POST", "/store"), ("GET", "/retrieve/a"), ("DELETE", "/delete/a"), ("GET", "/keys")]
    {
        let body = (method == "POST").then(|| json!({ "key": "a", "value": 1 }));
        let url = format!("{}{path}", ann.url);
        let without = ann.http.send(method, &url, None, body.as_ref()).await.expect_status(401);
        assert_eq!(without.json(), detail("Not authenticated"), "{path}");
        let body = body.map(|body| body.to_string().into_bytes());
        let bad = nobody.send(method, path, &[], body).await.expect_status(401);
        assert_eq!(bad.json(), detail("Invalid or expired session"), "{path}");
    }
    let wrong = ann.call("GET", "/store").await.expect_status(405);
    assert_eq!(wrong.json(), detail("Method Not Allowed"));
}

async fn keys_are_names(ann: &Keeper) {
    let longest = "k".repeat(1024);
    for key in KEYS.iter().copied().chain([longest.as_str()]) {
        ann.store(key, json!(key)).await.expect_status(200);
    }
    let listed = ann.call("GET", "/keys").await.expect_status(200).json();
    let mut sorted: Vec<_> = KEYS.iter().copied().chain([longest.as_str(), "plain", "short"]).collect();
    sorted.sort_unstable();
    assert_eq!(listed, json!({ "keys": sorted, "count": sorted.len() }));
    for key in KEYS.iter().copied().chain([longest.as_str()]) {
        // The client takes `..` for a step up even where it is escaped; what follows sends it as it is.
        if key == ".." {
            continue;
        }
        let path = format!("/retrieve/{}", escaped(key));
        assert_eq!(ann.call("GET", &path).await.expect_status(200).json()["value"], key, "{path}");
        ann.call("DELETE", &format!("/delete/{}", escaped(key))).await.expect_status(200);
    }
    ann.store("a/b/c", json!("slashes")).await.expect_status(200);
    for path in ["/retrieve/a/b/c", "/retrieve/a%2Fb/c"] {
        assert_eq!(ann.call("GET", path).await.expect_status(200).json()["value"], "slashes", "{path}");
    }
    ann.call("GET", "/retrieve/a%252Fb/c").await.expect_status(404);
    ann.store("../../etc/passwd", json!("climbs")).await.expect_status(200);
    for (path, value) in [("..", "\"..\""), ("%2E%2E", "\"..\""), ("../../etc/passwd", "\"climbs\"")] {
        let answer = ann.raw("GET", &format!("/retrieve/{path}")).await;
        let is_it = answer.starts_with("HTTP/1.1 200") && answer.contains(&format!("\"value\":{value}"));
        assert!(is_it, "{path}: {answer}");
    }
    let answer = ann.raw("DELETE", "/delete/..").await;
    assert!(answer.contains("Key '..' deleted successfully"), "{answer}");
    assert!(ann.raw("GET", "/retrieve/..").await.starts_with("HTTP/1.1 404"));
}

async fn values_are_kept(ann: &Keeper) {
    // Written in a way that a parser would not write it again.
    let odd = br#"{"key":"odd","value":{"b": 1.50, "a":[ ],"n":12345678901234567890123, "a":"\u0041"}}"#;
    ann.send("POST", "/store", &[], Some(odd.to_vec())).await.expect_status(200);
    let read = ann.call("GET", "/retrieve/odd").await.expect_status(200).text();
    assert!(
        read.contains(r#""value":{"b": 1.50, "a":[ ],"n":12345678901234567890123, "a":"\u0041"}"#),
        "{read}"
    );
    for value in [json!(null), json!(""), json!([]), json!({}), json!(false), json!(-0.5), json!("null")] {
        ann.store("any", value.clone()).await.expect_status(200);
        assert_eq!(ann.call("GET", "/retrieve/any").await.expect_status(200).json()["value"], value);
    }
}

async fn apart(ann: &Keeper, bob: &Keeper) {
    ann.store("mine", json!("ann's")).await.expect_status(200);
    assert_eq!(bob.call("GET", "/keys").await.expect_status(200).json(), json!({ "keys": [], "count": 0 }));
    bob.call("GET", "/retrieve/mine").await.expect_status(404);
    bob.call("DELETE", "/delete/mine").await.expect_status(404);
    bob.store("mine", json!("bob's")).await.expect_status(200);
    assert_eq!(ann.call("GET", "/retrieve/mine").await.expect_status(200).json()["value"], "ann's");
}

#[tokio::test]
async fn keys_are_stored_retrieved_deleted_and_listed_on_every_storage_with_codes_and_without() {
    for (builder, _) in stacks() {
        rows(&builder.start().await).await;
    }
}

/// What is no store is refused field by field, and no value is repeated.
async fn refusals(ann: &Keeper) {
    let long = "k".repeat(1025);
    let rows: [(Value, &[(&str, &str)]); 7] = [
        (json!({}), &[("missing", "key"), ("missing", "value")]),
        (json!({ "key": "", "value": "planted" }), &[("string_too_short", "key")]),
        (json!({ "key": long, "value": 1 }), &[("string_too_long", "key")]),
        (json!({ "key": 7, "value": ["planted"] }), &[("string_type", "key")]),
        (json!({ "key": null, "value": null }), &[("string_type", "key")]),
        (
            json!({ "key": "k", "value": 1, "encrypt": "planted", "compress": [] }),
            &[("bool_type", "encrypt"), ("bool_type", "compress")],
        ),
        (json!({ "key": "k" }), &[("missing", "value")]),
    ];
    for (body, expected) in rows {
        let answer = ann.json("POST", "/store", &body).await.expect_status(422);
        let detail = answer.json()["detail"].clone();
        let found: Vec<_> = detail
            .as_array()
            .expect("a list")
            .iter()
            .map(|error| (error["type"].as_str().expect("a text"), error["loc"][1].as_str().expect("a text")))
            .collect();
        assert_eq!(found, expected, "{body}");
        assert!(detail[0]["loc"][0] == "body" && detail[0]["msg"].is_string(), "{answer}");
        assert!(body["encrypt"] == "planted" || !answer.text().contains("planted"), "{answer}");
    }
    for (body, kind) in [
        ("[1,2]", "model_attributes_type"),
        ("\"text\"", "model_attributes_type"),
        ("{\"key\":", "json_invalid"),
        ("", "missing"),
        ("{\"key\":\"a\",\"value\":tru}", "json_invalid"),
    ] {
        let answer = ann.send("POST", "/store", &[], Some(body.into())).await.expect_status(422);
        assert_eq!(answer.json()["detail"][0]["type"], kind, "{body}");
    }
    for path in ["/retrieve/", "/delete/", "/retrieve/%FF", &format!("/retrieve/{long}")] {
        let method = if path.starts_with("/delete") { "DELETE" } else { "GET" };
        let answer = ann.call(method, path).await.expect_status(422);
        assert_eq!(answer.json()["detail"][0]["loc"], json!(["path", "key"]), "{path}");
    }
    assert_eq!(ann.call("GET", "/keys").await.expect_status(200).json()["count"], 0);
}

#[tokio::test]
async fn a_value_may_be_deep_and_large_and_beyond_the_limit_it_is_too_large() {
    for stack in both().await {
        deep_and_large(&stack.keeper("ann").await).await;
    }
}

async fn deep_and_large(ann: &Keeper) {
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let body = [b"{\"key\":\"deep\",\"value\":".as_slice(), &deep, b"}"].concat();
    ann.send("POST", "/store", &[], Some(body)).await.expect_status(200);
    let read = ann.call("GET", "/retrieve/deep").await.expect_status(200);
    assert!(read.text().contains(&String::from_utf8(deep).expect("brackets are text")));
    // Deep where something is to be said about it.
    let body = [b"{\"key\":1,\"value\":".as_slice(), &vec![b'['; 100_000]].concat();
    ann.send("POST", "/store", &[], Some(body)).await.expect_status(422);

    let limit = 16 * 1024 * 1024;
    let of =
        |bytes: usize| format!("{{\"key\":\"large\",\"value\":\"{}\"}}", "x".repeat(bytes - 2)).into_bytes();
    let stored = ann.send("POST", "/store", &[], Some(of(limit))).await.expect_status(200);
    assert_eq!(stored.json()["compressed"], true);
    let read = ann.call("GET", "/retrieve/large").await.expect_status(200);
    assert_eq!(read.json()["value"].as_str().expect("a text").len(), limit - 2);
    for bytes in [limit + 1, limit + 1024 * 1024] {
        let refused = ann.send("POST", "/store", &[], Some(of(bytes))).await.expect_status(413);
        assert!(refused.json()["detail"].is_string(), "{refused}");
    }
    let after = ann.call("GET", "/retrieve/large").await.expect_status(200).json();
    assert!(after["value"] == read.json()["value"]);
}

#[tokio::test]
async fn the_largest_value_is_what_is_configured() {
    for builder in [Stack::all(), Stack::separate().gateways(1)] {
        let stack = builder.set("COFFER_GATEWAY__KV__VALUE_BYTES_MAX", "1000").start().await;
        let ann = stack.keeper("ann").await;
        for (bytes, status) in [(1000, 200), (1001, 413)] {
            let value = json!("x".repeat(bytes - 2));
            ann.store("a", value.clone()).await.expect_status(status);
            ann.json("PUT", "/api/v1/kv/value?key=b", &value).await.expect_status(status);
        }
    }
}

#[tokio::test]
async fn a_value_is_sealed_in_the_storage_whatever_it_asks_for() {
    for stack in both().await {
        let ann = stack.keeper("ann").await;
        for (key, encrypt) in [("findable-name-of-a-key", false), ("another-name", true)] {
            for (n, large) in ["", &"z".repeat(100_000)].into_iter().enumerate() {
                let value = format!("planted-value-{n}{large}");
                let body = json!({ "key": format!("{key}{n}"), "value": value, "encrypt": encrypt, "compress": false });
                let stored = ann.json("POST", "/store", &body).await.expect_status(200).json();
                assert_eq!(stored["encrypted"], encrypt);
            }
        }
        ann.call("DELETE", "/delete/another-name0").await.expect_status(200);
        let storage = stack.storage();
        let holds = |text: &str| {
            let found = storage
                .iter()
                .find(|(_, content)| content.windows(text.len()).any(|window| window == text.as_bytes()));
            found.map(|(path, _)| path)
        };
        assert!(holds("findable-name-of-a-key").is_some(), "the search itself works: names are declared");
        for secret in ["planted-value", "zzzzzzzzzzzz", &ann.token] {
            assert_eq!(holds(secret), None, "{secret}");
        }
    }
}
