//! What a user key keeps apart, what a dump of the storage tells, and moving to another user key.

use std::time::Duration;

use coffer_tests::Stack;
use serde_json::json;
use tokio::time::Instant;

use super::digests::Digests;
use super::{Holder, stacks, wide};

const V1: &str = "/api/v1/configs";
/// Every name and user key that the dump is searched for.
const TEXTS: [&str; 8] = [
    "planted-key-1",
    "planted-key-2",
    "planted-environment",
    "planted-other",
    "planted-category",
    "planted-user-key-of-ann",
    "planted-user-key-after-move",
    "default",
];

#[tokio::test]
async fn two_user_keys_see_nothing_of_each_other_under_any_call() {
    for builder in stacks() {
        let stack = builder.start().await;
        let (ann, bob) = (Holder::new(&stack, "the key of ann"), Holder::new(&stack, "the key of bob"));
        ann.json("POST", "/configs", &json!({ "key": "a", "value": "ann's", "environment": "e" }))
            .await
            .expect_status(201);
        for environment in ["", "?environment=e", "?environment=default"] {
            let path = format!("/configs/a{environment}");
            let answers = [
                bob.call("GET", &path).await,
                bob.json("PUT", &path, &json!({ "value": 1 })).await,
                bob.call("DELETE", &path).await,
            ];
            for answer in answers {
                let nothing = bob.call("GET", "/configs/never").await.expect_status(404);
                let expected = nothing.text().replace("never", "a");
                assert_eq!((answer.status, answer.text()), (404, expected), "as of what never was");
            }
        }
        for path in ["/configs", "/configs?environment=e", "/configs?category=c"] {
            assert_eq!(bob.call("GET", path).await.expect_status(200).json(), json!([]));
        }
        let move_to_ann = json!({ "new_user_key": "the key of ann" });
        bob.json("POST", "/configs/rekey", &move_to_ann).await.expect_status(404);
        let made =
            bob.json("POST", "/configs", &json!({ "key": "a", "value": "bob's", "environment": "e" })).await;
        assert_eq!(made.expect_status(201).json()["id"], 1, "numbers tell nothing of others");
        assert_eq!(ann.call("GET", "/configs/a").await.expect_status(200).json()["value"], "ann's");
    }
}

#[tokio::test]
async fn a_dump_of_the_storage_and_the_logs_have_no_name_no_value_no_key_and_no_user_key() {
    for builder in stacks() {
        // Whatever a process would say of itself if it were asked to say everything.
        let levels = ["KMS", "DATA", "GATEWAY"].map(|name| format!("COFFER_{name}__LOG__LEVEL"));
        let stack = levels.iter().fold(builder, |builder, name| builder.set(name, "trace")).start().await;
        let ann = Holder::new(&stack, "planted-user-key-of-ann");
        for (key, environment) in [("planted-key-1", "planted-environment"), ("planted-key-2", "default")] {
            let body = json!({ "key": key, "value": { "planted-field": "planted-value" },
                "category": "planted-category", "environment": environment });
            ann.json("POST", "/configs", &body).await.expect_status(201);
            ann.json("PUT", &format!("/configs/{key}"), &body).await.expect_status(200);
        }
        ann.call("DELETE", "/configs/planted-key-2").await.expect_status(200);
        let key = "key=planted-key-1&environment=planted-environment";
        let planted = json!(["planted-value-2"]);
        ann.json("PUT", &format!("{V1}/value?{key}"), &planted).await.expect_status(200);
        let order = json!({ "key": "planted-key-1", "version": 1 });
        ann.json("POST", &format!("{V1}/rollback"), &order).await.expect_status(200);
        let order =
            json!({ "from": "planted-environment", "to": "planted-other", "keys": ["planted-key-1"] });
        ann.json("POST", &format!("{V1}/promote"), &order).await.expect_status(200);
        for path in ["value", "history", "diff"] {
            ann.call("GET", &format!("{V1}/{path}?{key}")).await;
        }
        for path in ["items?category=planted-category", "summary"] {
            ann.call("GET", &format!("{V1}/{path}")).await.expect_status(200);
        }
        let named = json!({ "items": [{ "key": "planted-key-1", "environment": "planted-other" }] });
        ann.json("POST", &format!("{V1}/batch"), &named).await.expect_status(200);
        let moved = json!({ "new_user_key": "planted-user-key-after-move" });
        ann.json("POST", "/configs/rekey", &moved).await.expect_status(200);
        let (mut looked_at, digests) = (0, Digests::of(&TEXTS));
        for (file, content) in stack.storage() {
            looked_at += content.len();
            assert!(!contains(&content, b"planted-"), "{}", file.display());
            assert_eq!(digests.first_in(&content), None, "{}", file.display());
        }
        assert!(looked_at > 1000, "there is a storage to look at");
        let logs = stack.logs();
        assert!(logs.contains("TRACE"), "everything is said");
        let line = logs.lines().find(|line| line.contains("planted-"));
        assert!(line.is_none(), "{line:?}");
    }
}

fn contains(content: &[u8], text: &[u8]) -> bool {
    content.windows(text.len()).any(|window| window == text)
}

#[tokio::test]
async fn everything_moves_to_a_new_user_key_and_the_old_one_opens_nothing_on_any_gateway() {
    let stack = wide(Stack::separate().gateways(2)).start().await;
    let old = Holder::new(&stack, "the old user key");
    old.json("POST", "/configs", &json!({ "key": "a", "value": 1 })).await.expect_status(201);
    let elsewhere = |holder: &Holder| Holder { url: stack.gateways[1].url.clone(), ..holder.clone() };
    elsewhere(&old).call("GET", "/configs/a").await.expect_status(200);
    for (body, status) in [
        (json!({ "new_user_key": "short" }), 422),
        (json!({}), 422),
        (json!({ "new_user_key": "the old user key" }), 422),
        (json!({ "new_user_key": "the new user key" }), 200),
        (json!({ "new_user_key": "another user key" }), 404),
    ] {
        old.json("POST", "/configs/rekey", &body).await.expect_status(status);
    }
    let new = Holder { user_key: "the new user key".to_owned(), ..old.clone() };
    for (old, new) in [(old.clone(), new.clone()), (elsewhere(&old), elsewhere(&new))] {
        old.call("GET", "/configs/a").await.expect_status(404);
        assert_eq!(new.call("GET", "/configs/a").await.expect_status(200).json()["value"], 1);
    }
    old.json("POST", "/configs", &json!({ "key": "b", "value": 2 })).await.expect_status(201);
    let taken = old.json("POST", "/configs/rekey", &json!({ "new_user_key": "the new user key" })).await;
    taken.expect_status(409);
}

#[tokio::test]
async fn after_the_first_derivation_a_wrong_user_key_is_answered_as_quickly_as_a_right_one() {
    let stack = wide(Stack::all()).start().await;
    let (ann, wrong) = (Holder::new(&stack, "the key of ann"), Holder::new(&stack, "a wrong user key"));
    ann.json("POST", "/configs", &json!({ "key": "a", "value": 1 })).await.expect_status(201);
    wrong.call("GET", "/configs/a").await.expect_status(404);
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..200 {
        for (holder, best) in [(&ann, 0), (&wrong, 1)] {
            let started = Instant::now();
            holder.call("GET", "/configs/a").await;
            quickest[best] = quickest[best].min(started.elapsed());
        }
    }
    // A derivation takes a good hundred times as long as either.
    assert!(quickest[1] < quickest[0] * 4 && quickest[0] < quickest[1] * 4, "{quickest:?}");
}
