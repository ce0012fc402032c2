//! Every row of the contract, as each of the three generations of clients sends it.

use coffer_tests::{Http, Stack};
use serde_json::{Value, json};

use super::{Holder, stacks, wide};

fn detail(text: &str) -> Value {
    json!({ "detail": text })
}

async fn create(holder: &Holder, body: &Value) -> Value {
    holder.json("POST", "/configs", body).await.expect_status(201).json()
}

async fn rows(stack: &Stack) {
    let ann = Holder::new(stack, "the key of ann");
    let value = json!({ "host": "localhost", "list": [1, 2.5, null, true] });
    let made = create(&ann, &json!({ "key": "db", "value": value, "category": "config" })).await;
    assert_eq!((&made["key"], &made["value"], &made["category"]), (&json!("db"), &value, &json!("config")));
    assert!(made["id"].is_u64() && made["environment"] == "default", "{made}");
    let again = ann.json("POST", "/configs", &json!({ "key": "db", "value": 1 })).await.expect_status(400);
    assert_eq!(again.json(), detail("Configuration with key 'db' already exists"));
    assert_eq!(ann.call("GET", "/configs/db").await.expect_status(200).json(), made);

    let changed = ann.json("PUT", "/configs/db", &json!({ "value": [1], "category": null })).await;
    let changed = changed.expect_status(200).json();
    assert_eq!(
        (&changed["value"], &changed["category"]),
        (&json!([1]), &json!("config")),
        "null keeps the old one"
    );
    assert_eq!((&changed["id"], &changed["created_at"]), (&made["id"], &made["created_at"]));
    let moved = ann.json("PUT", "/configs/db", &json!({ "value": 1, "category": "other" })).await;
    assert_eq!(moved.expect_status(200).json()["category"], "other");

    create(&ann, &json!({ "key": "a", "value": null })).await;
    let list = ann.call("GET", "/configs").await.expect_status(200).json();
    let keys: Vec<_> = list.as_array().expect("a bare array").iter().map(|one| &one["key"]).collect();
    assert_eq!(keys, ["db", "a"]);
    let list = ann.call("GET", "/configs?category=other").await.expect_status(200).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(ann.call("GET", "/configs?category=none").await.expect_status(200).json(), json!([]));

    let gone = ann.call("DELETE", "/configs/db").await.expect_status(200).json();
    assert_eq!(gone, json!({ "message": "Configuration 'db' deleted successfully" }));
    let missing = detail("Configuration with key 'db' not found");
    for method in ["GET", "DELETE"] {
        assert_eq!(ann.call(method, "/configs/db").await.expect_status(404).json(), missing);
    }
    assert_eq!(
        ann.json("PUT", "/configs/db", &json!({ "value": 1 })).await.expect_status(404).json(),
        missing
    );
    let anew = create(&ann, &json!({ "key": "db", "value": 1 })).await;
    assert!(anew["id"].as_u64() > made["id"].as_u64(), "a number is never used again: {anew}");
    for (method, path) in [("PATCH", "/configs"), ("POST", "/configs/db")] {
        let wrong = ann.json(method, path, &json!({})).await.expect_status(405);
        assert_eq!(wrong.json(), detail("Method Not Allowed"));
    }
}

async fn environments(stack: &Stack) {
    // The third generation: key and environment.
    let ann = Holder::new(stack, "environments of ann");
    for environment in ["production", "staging"] {
        let made =
            create(&ann, &json!({ "key": "db", "value": environment, "environment": environment })).await;
        assert_eq!(made["environment"], environment);
        assert!(made["created_at"].is_string() && made["updated_at"].is_string(), "{made}");
    }
    let read = ann.call("GET", "/configs/db?environment=staging").await.expect_status(200).json();
    assert_eq!(read["value"], "staging");
    let said = ann.call("GET", "/configs/db").await.expect_status(400).field("detail");
    assert!(said.contains("production, staging") && !said.contains("already exists"), "{said}");
    let list = ann.call("GET", "/configs?environment=staging").await.expect_status(200).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(ann.call("GET", "/configs").await.json().as_array().map(Vec::len), Some(2));
    ann.json("PUT", "/configs/db?environment=staging", &json!({ "value": 7 })).await.expect_status(200);
    assert_eq!(ann.call("GET", "/configs/db?environment=production").await.json()["value"], "production");
    ann.call("DELETE", "/configs/db?environment=production").await.expect_status(200);

    // The second generation: an attribute, which PUT may change. The only one is meant without naming it.
    assert_eq!(ann.call("GET", "/configs/db").await.expect_status(200).json()["value"], 7);
    let moved = ann.json("PUT", "/configs/db", &json!({ "value": 8, "environment": "test" })).await;
    assert_eq!(moved.expect_status(200).json()["environment"], "test");
    ann.call("GET", "/configs/db?environment=staging").await.expect_status(404);
    create(&ann, &json!({ "key": "db", "value": 9, "environment": "staging" })).await;
    let taken = ann
        .json("PUT", "/configs/db?environment=test", &json!({ "value": 1, "environment": "staging" }))
        .await;
    assert_eq!(taken.expect_status(400).json(), detail("Configuration with key 'db' already exists"));
    // The first generation: the one in the default environment is meant.
    create(&ann, &json!({ "key": "db", "value": 10, "environment": null })).await;
    assert_eq!(ann.call("GET", "/configs/db").await.expect_status(200).json()["value"], 10);
    ann.call("DELETE", "/configs/db").await.expect_status(200);
    ann.call("DELETE", "/configs/db").await.expect_status(400);
}

async fn keys_are_names(stack: &Stack) {
    let ann = Holder::new(stack, "names of ann");
    for key in ["a/b", "../../etc", "/", "100% sure?#+&", "報 告", "rekey", "line\nbreak"] {
        create(&ann, &json!({ "key": key, "value": key })).await;
        let escaped: String = key
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect();
        let path = format!("/configs/{escaped}");
        assert_eq!(ann.call("GET", &path).await.expect_status(200).json()["value"], key, "{path}");
        ann.json("PUT", &path, &json!({ "value": 1 })).await.expect_status(200);
        if key != "a/b" {
            ann.call("DELETE", &path).await.expect_status(200);
        }
    }
    assert_eq!(ann.call("GET", "/configs/a/b").await.expect_status(200).json()["value"], 1);
}

#[tokio::test]
async fn every_row_holds_on_every_storage_for_every_generation_of_clients() {
    for builder in stacks() {
        let stack = builder.start().await;
        rows(&stack).await;
        environments(&stack).await;
        keys_are_names(&stack).await;
    }
}

#[tokio::test]
async fn what_is_no_configuration_is_refused_field_by_field_and_no_value_is_repeated() {
    let stack = wide(Stack::all()).start().await;
    let ann = Holder::new(&stack, "the key of ann");
    let long = "k".repeat(256);
    let rows: [(Value, &[(&str, &str)]); 6] = [
        (json!({}), &[("missing", "key"), ("missing", "value")]),
        (json!({ "key": "", "value": "planted" }), &[("string_too_short", "key")]),
        (json!({ "key": long, "value": "planted" }), &[("string_too_long", "key")]),
        (json!({ "key": 7, "value": ["planted"] }), &[("string_type", "key")]),
        (
            json!({ "key": "k", "value": 1, "category": "c".repeat(101), "environment": 7 }),
            &[("string_too_long", "category"), ("string_type", "environment")],
        ),
        (json!({ "key": "k", "value": 1, "environment": "" }), &[("string_too_short", "environment")]),
    ];
    for (body, expected) in rows {
        let answer = ann.json("POST", "/configs", &body).await.expect_status(422);
        let found = answer.json()["detail"].clone();
        let found: Vec<_> = found.as_array().unwrap().iter().collect();
        let found: Vec<_> =
            found.iter().map(|e| (e["type"].as_str().unwrap(), e["loc"][1].as_str().unwrap())).collect();
        assert_eq!(found, expected, "{body}");
        assert!(!answer.text().contains("planted"), "{answer}");
    }
    for (body, kind) in [("[1]", "model_attributes_type"), ("{\"key\":", "json_invalid"), ("", "missing")] {
        let answer = ann.send("POST", "/configs", Some(body.into())).await.expect_status(422);
        assert_eq!(answer.json()["detail"][0]["type"], kind, "{body}");
    }
    let put = ann.json("PUT", "/configs/k", &json!({ "category": "c" })).await.expect_status(422);
    assert_eq!(put.json()["detail"][0]["loc"], json!(["body", "value"]));
    for path in ["/configs/", "/configs/%FF", &format!("/configs/{long}")] {
        let answer = ann.call("GET", path).await.expect_status(422);
        assert_eq!(answer.json()["detail"][0]["loc"], json!(["path", "key"]), "{path}");
    }
    let large = format!("{{\"key\":\"large\",\"value\":\"{}\"}}", "x".repeat(256 * 1024));
    ann.send("POST", "/configs", Some(large.into_bytes())).await.expect_status(413);
    assert_eq!(ann.call("GET", "/configs").await.expect_status(200).json(), json!([]));
}

#[tokio::test]
async fn the_root_tells_programs_of_the_service_and_shows_people_a_page() {
    let stack = wide(Stack::all()).start().await;
    let (http, url) = (Http::default(), stack.gateway_url("/"));
    for accept in ["*/*", "application/json"] {
        let about = http.send_raw("GET", &url, &[("accept", accept)], None).await.expect_status(200);
        assert_eq!(about.header("vary"), Some("Accept"));
        let about = about.json();
        assert_eq!(about["service"], "OpenSecureConf API");
        assert!(
            about["version"].is_string() && about["features"].is_array() && about["endpoints"].is_object()
        );
    }
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = http.send_raw("GET", &url, &[("accept", browser)], None).await.expect_status(200);
    assert!(page.header("content-type").unwrap_or_default().starts_with("text/html"), "{page}");
    let status = http.get(&stack.gateway_url("/cluster/status")).await.expect_status(200).json();
    assert_eq!(status["enabled"], false);
    let health = http.get(&stack.gateway_url("/cluster/health")).await.expect_status(200).json();
    assert_eq!(health, json!({ "status": "healthy" }));
}
