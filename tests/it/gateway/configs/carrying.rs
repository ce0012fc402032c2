//! Exporting, importing, references and what nobody reads: through the typed client, and for one user key alone.

use std::sync::Arc;

use coffer_api::ErrorCode;
use coffer_api::configs::{
    ConfigBatch, ConfigExportQuery, ConfigFormat, ConfigGetQuery, ConfigImportMode, ConfigImportOutcome,
    ConfigImportQuery, ConfigName, ConfigPutQuery, ConfigQuery, ConfigUnreadQuery,
};
use coffer_client::ConfigsClient;
use coffer_core::SecretString;
use coffer_tests::Stack;
use serde_json::json;

use super::{Holder, stacks, wide};

const FORMATS: [ConfigFormat; 4] =
    [ConfigFormat::Json, ConfigFormat::Yaml, ConfigFormat::Toml, ConfigFormat::Env];

fn client(stack: &Stack, user_key: &str) -> ConfigsClient {
    ConfigsClient::new(&stack.gateway_url(""), Arc::new(SecretString::from(user_key)), None)
        .expect("a client")
}

async fn put(client: &ConfigsClient, key: &str, category: Option<&str>, value: &'static str) {
    let category = category.map(str::to_owned);
    let query = ConfigPutQuery { key: key.to_owned(), category, ..Default::default() };
    client.put(&query, value.into()).await.expect("it is stored");
}

async fn get(client: &ConfigsClient, key: &str, resolve: bool) -> Result<String, ErrorCode> {
    let query = ConfigGetQuery { key: key.to_owned(), resolve, ..Default::default() };
    let value = client.get(&query).await.map_err(|error| error.code().expect("a code"))?;
    Ok(String::from_utf8(value).expect("JSON is text"))
}

#[tokio::test]
async fn what_one_user_key_exports_another_imports_in_every_format_on_every_storage() {
    for builder in stacks() {
        let stack = builder.start().await;
        let ann = client(&stack, "the key of ann");
        put(&ann, "host", Some("db"), "\"localhost\"").await;
        put(&ann, "limits", None, "{\"cpu\": 2.50, \"none\": null, \"list\": [1, \"x\\ny\"]}").await;
        let schema = "{\"type\": [\"string\", \"null\"], \"not\": {\"const\": null}}";
        let named = ConfigQuery { key: "host".to_owned(), environment: None };
        ann.put_schema(&named, schema.into()).await.expect("the value matches");
        for format in FORMATS {
            let text = ann.export(&ConfigExportQuery { environment: None, format }).await.expect("a text");
            let bob = client(&stack, &format!("the key of bob, {format:?}"));
            let query =
                ConfigImportQuery { environment: Some("staging".to_owned()), format, ..Default::default() };
            let dry = ConfigImportQuery { dry_run: true, ..query.clone() };
            let said = bob.import(&dry, text.clone().into()).await.expect("it could be");
            assert_eq!((said.created, said.dry_run, said.same_deployment), (2, true, Some(true)));
            assert!(
                bob.export(&ConfigExportQuery::default()).await.is_ok_and(|text| !has(&text, b"localhost"))
            );
            let done = bob.import(&query, text.clone().into()).await.expect("it is imported");
            assert_eq!((done.created, done.changed, done.left), (2, 0, 0), "{done:?}");
            assert_eq!(done.environment, "staging");
            let over = ConfigImportQuery { mode: ConfigImportMode::Overwrite, ..query.clone() };
            put(&bob, "other", None, "1").await;
            let again = bob.import(&over, text.into()).await.expect("it is imported again");
            assert!(again.items.iter().all(|one| one.outcome == ConfigImportOutcome::Left), "{again:?}");
            assert_eq!(get(&bob, "host", false).await.as_deref(), Ok("\"localhost\""));
            let parsed = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).expect("JSON");
            let there = bob.schema(&named).await.expect("it came along");
            assert_eq!(parsed(&there), parsed(schema.as_bytes()), "{format:?}");
        }
    }
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn what_cannot_be_exported_or_imported_is_named() {
    let stack = wide(Stack::all()).start().await;
    let ann = Holder::new(&stack, "the key of ann");
    for (key, category) in [("a-b", None), ("b", Some("a"))] {
        let body = json!({ "key": key, "value": 1, "category": category });
        ann.json("POST", "/configs", &body).await.expect_status(201);
    }
    let collide = ann.call("GET", "/api/v1/configs/export?format=env").await.expect_status(409);
    assert_eq!(collide.field("code"), "env_names_collide");
    assert!(collide.text().contains("'a-b' and 'b'"), "{collide}");
    let export = ann.call("GET", "/api/v1/configs/export?format=yaml").await.expect_status(200);
    assert_eq!(export.header("content-type"), Some("application/yaml"));
    assert_eq!(export.header("cache-control"), Some("no-store"));
    let long = "x".repeat(256);
    for (query, text, said) in [
        ("format=yaml", "coffer_configs: 1\nconfigs: [planted]\n".to_owned(), "line 2"),
        ("format=json", "{planted".to_owned(), "line 1, column 2"),
        (
            "format=json",
            format!("{{\"coffer_configs\":1,\"configs\":{{\"{long}\":{{\"value\":1}}}}}}"),
            "over 255 characters",
        ),
        (
            "format=json",
            "{\"coffer_configs\":1,\"configs\":{\"a\":{\"value\":\"planted\",\"schema\":{\"type\":1}}}}".to_owned(),
            "configuration 'a': this is no JSON Schema at /type",
        ),
        (
            "format=json",
            "{\"coffer_configs\":1,\"configs\":{\"a\":{\"value\":\"planted\",\"schema\":{\"type\":\"null\"}}}}".to_owned(),
            "configuration 'a': the value does not match its schema",
        ),
        ("format=json&environment=", "{\"coffer_configs\":1,\"configs\":{}}".to_owned(), "environment"),
        ("format=xml", String::new(), "format"),
    ] {
        let path = format!("/api/v1/configs/import?{query}");
        let refused = ann.send("POST", &path, Some(text.into_bytes())).await.expect_status(422);
        assert!(refused.text().contains(said) && !refused.text().contains("planted"), "{refused}");
    }
}

#[tokio::test]
async fn references_are_resolved_by_the_native_surface_for_who_asks_and_never_by_the_contract() {
    let stack = wide(Stack::all()).start().await;
    let ann = client(&stack, "the key of ann");
    put(&ann, "url", None, "\"http://${ref:host}:${ref:port}/$${x}\"").await;
    put(&ann, "host", None, "\"localhost\"").await;
    assert_eq!(get(&ann, "url", true).await, Err(ErrorCode::ReferenceUnresolved));
    put(&ann, "port", None, "8080").await;
    assert_eq!(get(&ann, "url", true).await.as_deref(), Ok("\"http://localhost:8080/${x}\""));
    assert_eq!(get(&ann, "url", false).await.as_deref(), Ok("\"http://${ref:host}:${ref:port}/$${x}\""));
    let items = ["url", "none"].map(|key| ConfigName { key: key.to_owned(), environment: None }).to_vec();
    let results = ann.batch(&ConfigBatch { items, resolve: true }).await.expect("a batch").results;
    let value = results[0].value.as_ref().expect("a value").get();
    assert_eq!((value, results[1].status), ("\"http://localhost:8080/${x}\"", 404));
    let holder = Holder::new(&stack, "the key of ann");
    let stored = holder.call("GET", "/configs/url").await.expect_status(200).json();
    assert_eq!(stored["value"], "http://${ref:host}:${ref:port}/$${x}");
    put(&ann, "round", None, "\"${ref:round}\"").await;
    let refused = holder.call("GET", "/api/v1/configs/value?key=round&resolve=true").await.expect_status(409);
    assert!(refused.text().contains("round@default, round@default"), "{refused}");
}

#[tokio::test]
async fn a_schema_is_asked_of_every_value_natively_and_by_the_contract() {
    let stack = wide(Stack::all()).start().await;
    let ann = client(&stack, "the key of ann");
    put(&ann, "port", None, "80").await;
    let named = ConfigQuery { key: "port".to_owned(), environment: None };
    let schema = "{\"type\": \"integer\", \"maximum\": 65535}";
    ann.put_schema(&named, schema.into()).await.expect("the value matches");
    assert_eq!(ann.schema(&named).await.expect("it is there"), schema.as_bytes());
    let holder = Holder::new(&stack, "the key of ann");
    let natively = holder.send("PUT", "/api/v1/configs/value?key=port", Some(b"\"planted\"".to_vec())).await;
    let natively = natively.expect_status(422);
    assert_eq!(natively.field("code"), "schema_mismatch");
    assert!(natively.text().contains("/type") && !natively.text().contains("planted"), "{natively}");
    let body = json!({ "value": 65536 });
    let contract = holder.json("PUT", "/configs/port", &body).await.expect_status(400);
    assert!(contract.json()["detail"].as_str().is_some_and(|said| said.contains("/maximum")), "{contract}");
    for wrong in ["{\"type\": 1}", "{\"$ref\": \"http://127.0.0.1/x\"}", "{"] {
        let refused = holder.send("PUT", "/api/v1/configs/schema?key=port", Some(wrong.into())).await;
        assert_eq!(refused.expect_status(422).json()["errors"][0]["field"], "body");
    }
    ann.delete_schema(&named).await.expect("it is taken away");
    let none = ann.schema(&named).await.expect_err("there is none");
    assert_eq!(none.code(), Some(ErrorCode::SchemaNotFound));
    put(&ann, "port", None, "\"any\"").await;
}

#[tokio::test]
async fn what_is_new_is_not_reported_as_unread_whether_it_was_read_or_not() {
    let stack = wide(Stack::all()).start().await;
    let ann = client(&stack, "the key of ann");
    put(&ann, "a", None, "1").await;
    // What was made days ago is tried with the domain, whose clock a test can turn: here it is the system's.
    for days in [1, 30, 3660] {
        let query = ConfigUnreadQuery { days: Some(days), ..Default::default() };
        assert!(ann.unread(&query).await.expect("a page").items.is_empty());
        assert_eq!(get(&ann, "a", false).await.as_deref(), Ok("1"));
    }
    let holder = Holder::new(&stack, "the key of ann");
    for days in ["0", "3661", "x"] {
        let refused = holder.call("GET", &format!("/api/v1/configs/unread?days={days}")).await;
        assert_eq!(refused.expect_status(422).json()["errors"][0]["field"], "days");
    }
}

#[tokio::test]
async fn nothing_of_one_user_key_comes_to_another_by_any_native_call() {
    let stack = wide(Stack::all()).start().await;
    let (ann, bob) = (client(&stack, "the key of ann"), client(&stack, "the key of bob"));
    put(&ann, "planted-key", Some("planted-category"), "\"planted-value\"").await;
    for round in ["nothing", "something"] {
        for format in FORMATS {
            let text = bob.export(&ConfigExportQuery { environment: None, format }).await.expect("a text");
            assert!(!has(&text, b"planted-value") && !has(&text, b"planted-category"), "{round}");
        }
        assert_eq!(get(&bob, "planted-key", true).await, Err(ErrorCode::ConfigNotFound));
        let named = ConfigQuery { key: "planted-key".to_owned(), environment: None };
        let schemas = [bob.schema(&named).await.err(), bob.put_schema(&named, "true".into()).await.err()];
        assert!(schemas.iter().flatten().all(|error| error.code() == Some(ErrorCode::ConfigNotFound)));
        assert!(schemas.iter().all(Option::is_some), "{round}");
        let holder = Holder::new(&stack, "the key of bob");
        for path in ["unread?days=1", "items", "summary"] {
            let answer = holder.call("GET", &format!("/api/v1/configs/{path}")).await.expect_status(200);
            assert!(!answer.text().contains("planted"), "{round}: {answer}");
        }
        put(&bob, "mine", None, "\"${ref:planted-key}\"").await;
        assert_eq!(get(&bob, "mine", true).await, Err(ErrorCode::ReferenceUnresolved));
        // What bob imports under her key's name stays his.
        let text = "{\"coffer_configs\":1,\"configs\":{\"planted-key\":{\"value\":\"of bob\"}}}";
        let query = ConfigImportQuery { dry_run: true, ..Default::default() };
        assert_eq!(bob.import(&query, text.into()).await.expect("it could be").created, 1, "{round}");
    }
    assert_eq!(get(&ann, "planted-key", true).await.as_deref(), Ok("\"planted-value\""));
}

/// What a gateway may grow by for the documents that it reads at the same time: a share of the bytes in flight for all that
/// a parser makes of them, and what an allocator keeps.
const READING_KIB_MAX: u64 = 300 * 1024;

#[tokio::test]
async fn documents_that_make_a_parser_grow_are_bounded_together() {
    let stack = Stack::separate().gateways(1).start().await;
    let (holder, gateway) = (Holder::new(&stack, "the key of ann"), &stack.gateways[0].process);
    holder.call("GET", "/configs").await.expect_status(200);
    let import = |format: &'static str, text: String| {
        let holder = holder.clone();
        async move {
            let path = format!("/api/v1/configs/import?dry_run=true&format={format}");
            holder.send("POST", &path, Some(text.into_bytes())).await
        }
    };
    let hostile = |bytes: usize| format!("a={}", "[".repeat(bytes - 2));
    import("toml", hostile(1024 * 1024 + 1)).await.expect_status(413);
    let before = gateway.memory_kib("VmHWM");
    let answers = futures_util::future::join_all((0..8).map(|_| import("toml", hostile(1024 * 1024)))).await;
    // Some are read, and are no documents; the others are told to come back.
    let refused = answers.iter().filter(|answer| answer.status == 422).count();
    let busy = answers.iter().filter(|answer| answer.status == 503).count();
    assert!(refused > 0 && refused + busy == answers.len(), "{refused} and {busy}");
    let grown = gateway.memory_kib("VmHWM") - before;
    assert!(grown < READING_KIB_MAX, "{grown} KiB");
    let small = "coffer_configs = 1\n[configs.a]\nvalue = 1\n".to_owned();
    import("toml", small).await.expect_status(200);
}
