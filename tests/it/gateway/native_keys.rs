//! The native key-value surface: values, versions, conditions, batches, the trash, sharing.

use coffer_tests::{Keeper, Stack};
use serde_json::{Value, json};

const VALUE: &str = "/api/v1/kv/value";

async fn put(keeper: &Keeper, query: &str, value: &Value) -> Value {
    keeper.json("PUT", &format!("{VALUE}?{query}"), value).await.expect_status(200).json()
}

async fn post(keeper: &Keeper, path: &str, body: Value) -> Value {
    keeper.json("POST", &format!("/api/v1/kv/{path}"), &body).await.expect_status(200).json()
}

async fn get(keeper: &Keeper, path: &str) -> Value {
    keeper.call("GET", &format!("/api/v1/kv/{path}")).await.expect_status(200).json()
}

/// The stacks on which the store must behave the same.
async fn stacks() -> [Stack; 2] {
    [Stack::all().start().await, Stack::separate().gateways(1).start().await]
}

#[tokio::test]
async fn a_value_is_what_was_sent_and_conditions_decide_over_changes() {
    for stack in stacks().await {
        let ann = stack.keeper("ann").await;
        let first = put(&ann, "key=..%2Fa%20b", &json!({ "n": 1 })).await;
        assert_eq!((&first["key"], &first["version"]), (&json!("../a b"), &json!(1)));
        let tag = format!("\"{}\"", first["revision"]);
        let read = ann.call("GET", &format!("{VALUE}?key=../a%20b")).await.expect_status(200);
        assert_eq!((read.text().as_str(), read.header("etag")), (r#"{"n":1}"#, Some(tag.as_str())));
        let known = [("if-none-match", tag.as_str())];
        ann.send("GET", &format!("{VALUE}?key=../a%20b"), &known, None).await.expect_status(304);

        let bytes = vec![0, 255, 13, 10];
        let kind = [("content-type", "image/png"), ("if-match", tag.as_str())];
        let path = format!("{VALUE}?key=../a%20b");
        let second = ann.send("PUT", &path, &kind, Some(bytes.clone())).await.expect_status(200).json();
        assert_eq!((&second["version"], &second["content_type"]), (&json!(2), &json!("image/png")));
        let read = ann.call("GET", &path).await.expect_status(200);
        assert_eq!((read.body, read.headers.iter().any(|h| h.1 == "attachment")), (bytes, true));
        assert_eq!(ann.call("GET", "/retrieve/..%2Fa%20b").await.json()["value"], "AP8NCg==");

        for query in
            [format!("key=../a%20b&if_revision={}", first["revision"]), "key=../a%20b&if_absent=true".into()]
        {
            let refused = ann.json("PUT", &format!("{VALUE}?{query}"), &json!(3)).await.expect_status(412);
            assert_eq!(refused.field("code"), "revision_mismatch");
        }
        let stale = ann.send("DELETE", &path, &[("if-match", &tag)], None).await.expect_status(412);
        assert_eq!(stale.header("content-type"), Some("application/problem+json"));
        let absent =
            ann.send("PUT", &format!("{VALUE}?key=new"), &[("if-none-match", "*")], Some(b"1".into())).await;
        absent.expect_status(200);
    }
}

#[tokio::test]
async fn earlier_versions_are_kept_compared_and_brought_back_and_so_is_what_was_deleted() {
    for stack in stacks().await {
        let ann = stack.keeper("ann").await;
        for n in 1..=3 {
            put(&ann, "key=k", &json!({ "n": n, "same": true })).await;
        }
        let history = get(&ann, "history?key=k").await;
        let versions: Vec<_> =
            history["items"].as_array().expect("items").iter().map(|m| m["version"].clone()).collect();
        assert_eq!(versions, [3, 2, 1]);
        let diff = get(&ann, "diff?key=k&from=1&to=3").await;
        let edit = json!({ "op": "replace", "path": "/n", "from": 1, "to": 3 });
        assert_eq!(diff, json!({ "kind": "json", "edits": [edit], "truncated": false }));
        let restored = post(&ann, "restore", json!({ "key": "k", "version": 1 })).await;
        assert_eq!(restored["version"], 4);
        let read = ann.call("GET", &format!("{VALUE}?key=k")).await.json();
        assert_eq!(read["n"], 1);
        assert_eq!(ann.call("GET", &format!("{VALUE}?key=k&version=2")).await.json()["n"], 2);
        ann.call("GET", &format!("{VALUE}?key=k&version=9")).await.expect_status(404);

        ann.call("DELETE", &format!("{VALUE}?key=k")).await.expect_status(200);
        assert_eq!(get(&ann, "trash").await["items"][0]["key"], "k");
        post(&ann, "trash/restore", json!({ "key": "k" })).await;
        assert_eq!(ann.call("GET", &format!("{VALUE}?key=k")).await.json()["n"], 1);
        ann.call("DELETE", &format!("{VALUE}?key=k")).await.expect_status(200);
        put(&ann, "key=k", &json!("anew")).await;
        let exists =
            ann.json("POST", "/api/v1/kv/trash/restore", &json!({ "key": "k" })).await.expect_status(409);
        assert_eq!(exists.field("code"), "key_exists");
        ann.call("DELETE", &format!("{VALUE}?key=k")).await.expect_status(200);
        ann.call("DELETE", "/api/v1/kv/trash?key=k").await.expect_status(200);
        ann.json("POST", "/api/v1/kv/trash/restore", &json!({ "key": "k" })).await.expect_status(404);
    }
}

#[tokio::test]
async fn keys_are_listed_folded_searched_copied_moved_and_done_in_batches() {
    for stack in stacks().await {
        let ann = stack.keeper("ann").await;
        let put = |key: &str| json!({ "op": "put", "key": key, "value": null });
        let bytes = json!({ "op": "put", "key": "a/x", "base64": "AAE=", "content_type": "image/png" });
        let all = json!({ "atomic": true, "operations": [put("a/1"), put("a/2"), put("b/Three"), bytes] });
        let done = post(&ann, "batch", all).await["results"].clone();
        let revisions: Vec<_> =
            done.as_array().expect("results").iter().map(|one| one["meta"]["revision"].clone()).collect();
        assert!(revisions.len() == 4 && revisions.iter().all(|revision| *revision == revisions[0]), "{done}");
        // One refusal and nothing is done.
        let some = json!({ "atomic": true, "operations": [put("c"), { "op": "delete", "key": "no" }] });
        ann.json("POST", "/api/v1/kv/batch", &some).await.expect_status(404);
        ann.call("GET", "/api/v1/kv/meta?key=c").await.expect_status(404);
        let each = json!({ "operations": [{ "op": "get", "key": "a/x" }, { "op": "delete", "key": "no" }, put("c"), { "op": "get", "key": "c" }] });
        let results = post(&ann, "batch", each).await["results"].clone();
        assert_eq!((&results[0]["base64"], &results[1]["status"]), (&json!("AAE="), &json!(404)));
        assert_eq!(
            (&results[1]["problem"]["code"], &results[3]["status"]),
            (&json!("key_not_found"), &json!(200))
        );
        assert!(results[3].as_object().expect("an object").contains_key("value"));

        let folded = get(&ann, "items?delimiter=/").await;
        assert_eq!(
            (&folded["common_prefixes"], &folded["items"][0]["key"]),
            (&json!(["a/", "b/"]), &json!("c"))
        );
        assert_eq!(get(&ann, "items?search=thr").await["items"][0]["key"], "b/Three");
        let page = get(&ann, "items?prefix=a/&limit=2").await;
        let next = page["next_cursor"].as_str().expect("a cursor").replace('/', "%2F");
        assert_eq!(
            get(&ann, &format!("items?prefix=a/&limit=2&cursor={next}")).await["items"][0]["key"],
            "a/x"
        );
        post(&ann, "copy", json!({ "from": "a/x", "to": "d" })).await;
        post(&ann, "move", json!({ "from": "a/x", "to": "e" })).await;
        ann.call("GET", "/api/v1/kv/meta?key=a/x").await.expect_status(404);
        for key in ["d", "e"] {
            assert_eq!(get(&ann, &format!("meta?key={key}")).await["content_type"], "image/png");
        }
    }
}

#[tokio::test]
async fn a_shared_prefix_is_open_to_whom_it_is_shared_with_and_to_nobody_else() {
    for stack in stacks().await {
        let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
        for key in ["team/a", "private"] {
            put(&ann, &format!("key={key}"), &json!(key)).await;
        }
        let of_ann = format!("owner={}", ann.email);
        let denied = bob.call("GET", &format!("{VALUE}?key=team/a&{of_ann}")).await.expect_status(403);
        // Somebody who does not exist shares as little as somebody who does.
        let nobody =
            bob.call("GET", &format!("{VALUE}?key=team/a&owner=nobody@example.com")).await.expect_status(403);
        assert_eq!(denied.field("code"), nobody.field("code"));
        post(&ann, "grants", json!({ "prefix": "team/", "email": bob.email })).await;
        let read = async || bob.call("GET", &format!("{VALUE}?key=team/a&{of_ann}")).await.status;
        coffer_tests::until("it is shared", std::time::Duration::from_secs(2), || async {
            read().await == 200
        })
        .await;
        let shared = get(&bob, "shared").await["items"][0].clone();
        assert_eq!((&shared["owner_email"], &shared["prefix"]), (&json!(ann.email), &json!("team/")));
        let by_id = format!("{VALUE}?key=team/a&owner={}", shared["owner"].as_str().expect("an id"));
        assert_eq!(bob.call("GET", &by_id).await.expect_status(200).json(), "team/a");
        bob.call("GET", &format!("{VALUE}?key=private&{of_ann}")).await.expect_status(403);
        bob.json("PUT", &format!("{VALUE}?key=team/b&{of_ann}"), &json!(1)).await.expect_status(403);
        bob.call("GET", &format!("/api/v1/kv/items?{of_ann}")).await.expect_status(403);
        bob.call("GET", &format!("/api/v1/kv/items?prefix=team/&{of_ann}")).await.expect_status(200);
        assert_eq!(get(&ann, "grants").await["items"][0]["email"], bob.email.as_str());
        let revoke = json!({ "prefix": "team/", "email": bob.email });
        ann.json("POST", "/api/v1/kv/grants/revoke", &revoke).await.expect_status(204);
        coffer_tests::until("it is revoked", std::time::Duration::from_secs(2), || async {
            read().await == 403
        })
        .await;
        ann.json("POST", "/api/v1/kv/grants/revoke", &revoke).await.expect_status(404);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_is_stored() {
    let stack = Stack::all().start().await;
    let ann = stack.keeper("ann").await;
    let long = "k".repeat(1025);
    for (method, path) in [
        ("PUT", format!("{VALUE}?key=")),
        ("PUT", format!("{VALUE}?key={long}")),
        ("PUT", VALUE.to_owned()),
        ("PUT", format!("{VALUE}?key=%FF")),
        ("PUT", format!("{VALUE}?key=a&expires_at=yesterday")),
        ("PUT", format!("{VALUE}?key=a&expires_at=2001-01-01T00:00:00Z")),
        ("PUT", format!("{VALUE}?key=a&if_revision=1&if_absent=true")),
        ("PUT", format!("{VALUE}?key=a&nonsense=1")),
        ("GET", format!("{VALUE}?key=a&owner=nobody")),
        ("GET", "/api/v1/kv/items?cursor=%20".to_owned()),
        ("GET", "/api/v1/kv/watch?after=never".to_owned()),
    ] {
        let body = (method == "PUT").then(|| b"1".to_vec());
        let answer = ann.send(method, &path, &[], body).await.expect_status(422);
        assert_eq!(answer.field("code"), "invalid_input", "{path}");
    }
    for body in ["", "{", "[1,]", "\u{feff}1"] {
        ann.send("PUT", &format!("{VALUE}?key=a"), &[], Some(body.into())).await.expect_status(400);
    }
    for body in
        [json!([]), json!({ "operations": [] }), json!({ "operations": [{ "op": "put", "key": "a" }] })]
    {
        ann.json("POST", "/api/v1/kv/batch", &body).await.expect_status(422);
    }
    let large = vec![0; 16 * 1024 * 1024 + 1];
    let kind = [("content-type", "application/octet-stream")];
    let refused = ann.send("PUT", &format!("{VALUE}?key=a"), &kind, Some(large)).await.expect_status(413);
    assert_eq!(refused.field("code"), "body_too_large");
    assert_eq!(get(&ann, "items").await["items"], json!([]));
}
