//! The native surface, through the typed client.

use std::sync::Arc;

use coffer_api::configs::{
    ConfigBatch, ConfigDeleteQuery, ConfigDiffQuery, ConfigGetQuery, ConfigListQuery, ConfigName,
    ConfigPromote, ConfigPutQuery, ConfigQuery, ConfigRekey, ConfigRollback,
};
use coffer_api::kv::{KvDiff, KvEdit};
use coffer_client::{ClientError, ConfigsClient};
use coffer_core::SecretString;
use coffer_tests::Stack;
use serde_json::json;

use super::{Holder, stacks, wide};

fn client(stack: &Stack, user_key: &str) -> ConfigsClient {
    ConfigsClient::new(&stack.gateway_url(""), Arc::new(SecretString::from(user_key)), None)
        .expect("a client")
}

fn code<T>(result: Result<T, ClientError>) -> String {
    match result.err().expect("it is refused") {
        ClientError::Refused(refusal) => refusal.code.expect("a code").to_string(),
        other => panic!("{other}"),
    }
}

fn put_to(key: &str, environment: &str) -> ConfigPutQuery {
    ConfigPutQuery { key: key.to_owned(), environment: Some(environment.to_owned()), ..Default::default() }
}

fn get_of(key: &str, environment: &str, version: Option<u64>) -> ConfigGetQuery {
    ConfigGetQuery { key: key.to_owned(), environment: Some(environment.to_owned()), version, resolve: false }
}

async fn journey(stack: &Stack) {
    let ann = client(stack, "correct horse battery staple");
    let category = Some("db".to_owned());
    let first = ConfigPutQuery { category, if_absent: true, ..put_to("host", "staging") };
    let made = ann.put(&first, "{\"port\": 5432, \"a\": 1.50}".into()).await.expect("it is new");
    let meta = &made.meta;
    assert_eq!((meta.version, meta.environment.as_str(), meta.size_bytes), (1, "staging", 25));
    assert!(made.key_advice.is_none(), "there is none to give");
    assert_eq!(code(ann.put(&first, "1".into()).await), "revision_mismatch");
    let second = ConfigPutQuery { if_version: Some(1), ..put_to("host", "staging") };
    let changed = ann.put(&second, "{\"port\": 5433}".into()).await.expect("it has version 1");
    assert_eq!((changed.meta.version, changed.meta.category.as_deref()), (2, Some("db")));
    assert_eq!(
        ann.get(&get_of("host", "staging", Some(1))).await.expect("it is kept"),
        b"{\"port\": 5432, \"a\": 1.50}"
    );
    assert_eq!(code(ann.get(&get_of("host", "staging", Some(9))).await), "version_not_found");

    let named = ConfigQuery { key: "host".to_owned(), environment: None };
    let versions: Vec<_> =
        ann.history(&named).await.expect("a history").items.iter().map(|one| one.version).collect();
    assert_eq!(versions, [2, 1]);
    let diff = ConfigDiffQuery { key: "host".to_owned(), from: Some(1), to: Some(2), ..Default::default() };
    let KvDiff::Json { edits, .. } = ann.diff(&diff).await.expect("a diff") else { panic!("no JSON") };
    let replaced =
        KvEdit::Replace { path: "/port".to_owned(), from: json!(5432).into(), to: json!(5433).into() };
    assert!(edits.len() == 2 && edits.contains(&replaced), "{edits:?}");
    let back =
        ConfigRollback { key: "host".to_owned(), version: 1, if_version: Some(2), ..Default::default() };
    assert_eq!(ann.roll_back(&back).await.expect("it is kept").version, 3);
    assert_eq!(code(ann.roll_back(&back).await), "revision_mismatch");

    let promote = |keys: &[&str], overwrite| ConfigPromote {
        from: "staging".to_owned(),
        to: "production".to_owned(),
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
        overwrite,
    };
    ann.put(&put_to("name", "staging"), "\"x\"".into()).await.expect("stored");
    let promoted = ann.promote(&promote(&["host", "name"], false)).await.expect("there is none").items;
    assert!(promoted.iter().all(|one| one.environment == "production" && one.version == 1), "{promoted:?}");
    ann.put(&put_to("name", "staging"), "\"y\"".into()).await.expect("stored");
    assert_eq!(code(ann.promote(&promote(&["host", "name"], false)).await), "config_exists");
    assert_eq!(code(ann.promote(&promote(&["never"], true)).await), "config_not_found");
    let promoted = ann.promote(&promote(&["host", "name"], true)).await.expect("written over").items;
    assert_eq!(promoted.iter().map(|one| one.version).collect::<Vec<_>>(), [1, 2]);

    let wanted = ["host", "never"]
        .map(|key| ConfigName { key: key.to_owned(), environment: Some("production".to_owned()) });
    let results =
        ann.batch(&ConfigBatch { items: wanted.to_vec(), resolve: false }).await.expect("a batch").results;
    assert_eq!(results.iter().map(|one| one.status).collect::<Vec<_>>(), [200, 404]);
    assert_eq!(results[0].value.as_ref().map(|value| value.get()), Some("{\"port\": 5432, \"a\": 1.50}"));
    assert_eq!(
        code(ann.get(&ConfigGetQuery { key: "host".to_owned(), ..Default::default() }).await),
        "environment_needed"
    );

    let summary = ann.summary().await.expect("a summary");
    let environments: Vec<_> =
        summary.environments.iter().map(|one| (one.name.as_str(), one.configs)).collect();
    assert_eq!(environments, [("production", 2), ("staging", 2)]);
    assert!(summary.categories.len() == 1 && summary.key_advice.is_none(), "{summary:?}");
    let page = ann.list(&ConfigListQuery { limit: Some(3), ..Default::default() }).await.expect("a page");
    assert!(page.items.len() == 3 && page.next_cursor.is_some());
    let all = ConfigListQuery { environment: Some("production".to_owned()), ..Default::default() };
    assert_eq!(ann.list_all(all).await.expect("all").len(), 2);

    let gone = ConfigDeleteQuery {
        key: "name".to_owned(),
        environment: Some("staging".to_owned()),
        if_version: Some(1),
    };
    assert_eq!(code(ann.delete(&gone).await), "revision_mismatch");
    ann.delete(&ConfigDeleteQuery { if_version: Some(2), ..gone }).await.expect("it has version 2");

    let rekeyed = ann.rekey(&ConfigRekey { new_user_key: "password".into() }).await.expect("moved");
    assert!(rekeyed.key_advice.is_some(), "a weak one is advised on");
    assert_eq!(code(ann.get(&get_of("host", "production", None)).await), "config_not_found");
    assert_eq!(code(ann.rekey(&ConfigRekey { new_user_key: "short".into() }).await), "invalid_input");
    client(stack, "password").get(&get_of("host", "production", None)).await.expect("it has moved");
}

#[tokio::test]
async fn configurations_are_kept_compared_promoted_and_moved_natively_on_every_storage() {
    for builder in stacks() {
        journey(&builder.start().await).await;
    }
}

#[tokio::test]
async fn native_calls_name_what_is_wrong_and_need_a_user_key() {
    let stack = wide(Stack::all()).start().await;
    let ann = Holder::new(&stack, "the key of ann");
    let url = stack.gateway_url("/api/v1/configs/items");
    let without = ann.http.get(&url).await.expect_status(422).json();
    assert_eq!(without["errors"][0]["field"], "x-user-key", "{without}");
    let short = ann.http.send_raw("GET", &url, &[("x-user-key", "short")], None).await.expect_status(401);
    assert_eq!(short.json()["code"], "invalid_user_key");
    for (method, path, field) in [
        ("GET", "/api/v1/configs/value?key=", "key"),
        ("GET", "/api/v1/configs/value?key=a&environment=", "environment"),
        ("PUT", "/api/v1/configs/value?key=a&if_version=1&if_absent=true", "if_version"),
        ("GET", "/api/v1/configs/value?key=a&more=1", "more"),
    ] {
        let body = (method == "PUT").then(|| b"1".to_vec());
        let refused = ann.send(method, path, body).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let refused = ann.send("PUT", "/api/v1/configs/value?key=a", Some(b"{planted".to_vec())).await;
    assert!(!refused.expect_status(400).text().contains("planted"));
    let none = json!({ "from": "a", "to": "b", "keys": [], "overwrite": false });
    let refused = ann.json("POST", "/api/v1/configs/promote", &none).await.expect_status(422).json();
    assert_eq!(refused["errors"][0]["field"], "keys");
}
