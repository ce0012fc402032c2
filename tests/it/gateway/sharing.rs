//! Keys that are shared with a role, one by one, for writing, or for some time.

use std::time::Duration;

use coffer_core::{Clock as _, SystemClock};
use coffer_tests::{Keeper, Stack, until};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::both;
use crate::native::{administrator, set_role};

const VALUE: &str = "/api/v1/kv/value";
/// What is taken back is out of force after this time at the latest.
const REVOKED_WITHIN: Duration = Duration::from_secs(2);

async fn grant(keeper: &Keeper, grant: &Value) -> Value {
    keeper.json("POST", "/api/v1/kv/grants", grant).await.expect_status(200).json()
}

async fn read(keeper: &Keeper, owner: &Keeper, key: &str) -> u16 {
    keeper.call("GET", &format!("{VALUE}?key={key}&owner={}", owner.email)).await.status
}

async fn write(keeper: &Keeper, owner: &Keeper, key: &str) -> u16 {
    keeper.json("PUT", &format!("{VALUE}?key={key}&owner={}", owner.email), &json!(1)).await.status
}

async fn shared(keeper: &Keeper) -> Value {
    keeper.call("GET", "/api/v1/kv/shared").await.expect_status(200).json()["items"].clone()
}

/// Waits until something has this status, at most for [`REVOKED_WITHIN`].
async fn becomes(status: u16, probe: impl AsyncFn() -> u16) {
    until(&format!("the answer is {status}"), REVOKED_WITHIN, || async { probe().await == status }).await;
}

#[tokio::test]
async fn what_a_role_is_given_everybody_with_it_has_and_nobody_else() {
    for stack in both().await {
        let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
        let admin = administrator(&stack).await;
        let root = Keeper::of(&admin, &stack);
        for key in ["team/a", "private"] {
            ann.store(key, json!(1)).await.expect_status(200);
        }
        let to_supervisors = json!({ "prefix": "team/", "role": "supervisor", "permission": "read" });
        let given = grant(&ann, &to_supervisors).await;
        assert_eq!((&given["role"], &given["email"]), (&json!("supervisor"), &Value::Null));
        // Neither an employee nor an administrator is a supervisor.
        assert_eq!((read(&bob, &ann, "team/a").await, read(&root, &ann, "team/a").await), (403, 403));
        assert_eq!(shared(&bob).await, json!([]));
        set_role(&stack, &admin, (&bob.email, "supervisor")).await;
        becomes(200, async || read(&bob, &ann, "team/a").await).await;
        assert_eq!((read(&bob, &ann, "private").await, write(&bob, &ann, "team/a").await), (403, 403));
        let seen = shared(&bob).await;
        assert_eq!((&seen[0]["prefix"], &seen[0]["owner_email"]), (&json!("team/"), &json!(ann.email)));

        // The greatest of several permissions counts.
        grant(&ann, &json!({ "prefix": "team/b", "role": "supervisor", "permission": "write" })).await;
        becomes(200, async || write(&bob, &ann, "team/b").await).await;
        assert_eq!(write(&bob, &ann, "team/a").await, 403);
        // Who loses the role loses what came with it.
        set_role(&stack, &admin, (&bob.email, "employee")).await;
        becomes(403, async || read(&bob, &ann, "team/a").await).await;
        set_role(&stack, &admin, (&bob.email, "supervisor")).await;
        becomes(200, async || read(&bob, &ann, "team/a").await).await;
        let revoke = json!({ "prefix": "team/", "role": "supervisor" });
        ann.json("POST", "/api/v1/kv/grants/revoke", &revoke).await.expect_status(204);
        becomes(403, async || read(&bob, &ann, "team/a").await).await;
        assert_eq!(read(&bob, &ann, "team/b").await, 200, "the other grant is still there");
    }
}

#[tokio::test]
async fn one_key_may_be_given_for_writing_and_nothing_beside_it() {
    for stack in both().await {
        let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
        ann.store("a", json!(1)).await.expect_status(200);
        grant(&ann, &json!({ "key": "a", "email": bob.email, "permission": "write" })).await;
        becomes(200, async || write(&bob, &ann, "a").await).await;
        for other in ["ab", "a/", "A"] {
            assert_eq!(
                (read(&bob, &ann, other).await, write(&bob, &ann, other).await),
                (403, 403),
                "{other}"
            );
        }
        let meta = ann.call("GET", "/api/v1/kv/meta?key=a").await.expect_status(200).json();
        assert_eq!(meta["version"], 2);
        assert_ne!(meta["updated_by"], meta["created_by"]);
        // Neither listing nor watching comes with one key, nor can he who has it give it on.
        let of_ann = format!("prefix=a&owner={}", ann.email);
        for path in ["items", "changes", "watch"] {
            bob.call("GET", &format!("/api/v1/kv/{path}?{of_ann}")).await.expect_status(403);
        }
        let on = json!({ "key": "a", "email": "cid@example.com" });
        bob.json("POST", "/api/v1/kv/grants/revoke", &on).await.expect_status(404);
        // A narrower grant of the same key takes the place of the wider.
        grant(&ann, &json!({ "key": "a", "email": bob.email, "permission": "read" })).await;
        becomes(403, async || write(&bob, &ann, "a").await).await;
        assert_eq!(read(&bob, &ann, "a").await, 200);
    }
}

#[tokio::test]
async fn what_is_given_for_some_time_is_over_at_its_end_for_readers_and_watchers() {
    for stack in both().await {
        let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
        ann.store("team/a", json!(1)).await.expect_status(200);
        let (lasts, started) = (Duration::from_secs(5), Instant::now());
        let ends_at = SystemClock.now().plus(lasts).to_string();
        let order = json!({ "prefix": "team/", "email": bob.email, "expires_at": ends_at });
        assert_eq!(grant(&ann, &order).await["expires_at"], ends_at);
        becomes(200, async || read(&bob, &ann, "team/a").await).await;
        assert_eq!(shared(&bob).await[0]["expires_at"], ends_at);
        let query = format!("prefix=team/&owner={}", ann.email);
        let mut watch = bob.watch(&query, &[]).await.expect("it is shared");
        assert_eq!(watch.end().await.as_deref(), Some("access_denied"));
        let took = started.elapsed();
        assert!((lasts..lasts + REVOKED_WITHIN).contains(&took), "{took:?}");
        assert_eq!(read(&bob, &ann, "team/a").await, 403);
        assert_eq!(shared(&bob).await, json!([]));
        let left = ann.call("GET", "/api/v1/kv/grants").await.expect_status(200).json();
        assert_eq!(left["items"], json!([]));
        let late = json!({ "prefix": "team/", "email": bob.email, "expires_at": "2001-01-01T00:00:00Z" });
        let refused = ann.json("POST", "/api/v1/kv/grants", &late).await.expect_status(422);
        assert_eq!(refused.field("code"), "invalid_input");
    }
}

#[tokio::test]
async fn a_grant_names_one_scope_and_one_grantee() {
    let stack = Stack::all().start().await;
    let ann = stack.keeper("ann").await;
    for body in [
        json!({ "prefix": "a" }),
        json!({ "email": "bob@example.com" }),
        json!({ "prefix": "a", "key": "a", "email": "bob@example.com" }),
        json!({ "prefix": "a", "email": "bob@example.com", "role": "admin" }),
        json!({ "prefix": "a", "email": "bob" }),
        json!({ "prefix": "a", "role": "king" }),
        json!({ "key": "", "role": "admin" }),
        json!({ "prefix": "a", "role": "admin", "permission": "own" }),
    ] {
        let refused = ann.json("POST", "/api/v1/kv/grants", &body).await;
        assert!(matches!(refused.status, 400 | 422), "{body}: {refused}");
    }
}
