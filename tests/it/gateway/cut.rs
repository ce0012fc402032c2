//! How soon somebody who watches keys is cut when his access is over, as it is seen on the wire.

use std::time::Duration;

use coffer_tests::{Events, Keeper, Stack};
use serde_json::json;
use tokio::time::{Instant, sleep};

/// What is promised, from the answer that took access away to the end of the watch.
const CUT_WITHIN: Duration = Duration::from_secs(2);

/// Waits for the end of a watch since `asked`.
async fn is_cut(watch: &mut Events, (reason, asked): (&str, Instant)) {
    assert_eq!(watch.end().await.as_deref(), Some(reason));
    let took = asked.elapsed();
    assert_eq!(watch.next().await, None, "the connection ends");
    assert!(took < CUT_WITHIN, "{took:?}");
}

/// `other` is where bob watches: the same gateway, or another one.
async fn access_is_over(stack: &Stack, other: &str) {
    let (ann, bob) = (stack.keeper("ann").await, stack.keeper("bob").await);
    let there = bob.at(other);
    let query = format!("prefix=team/&owner={}", ann.email);
    let grant = json!({ "prefix": "team/", "email": bob.email });
    // At different moments between two looks at the access.
    for round in 0..4 {
        ann.json("POST", "/api/v1/kv/grants", &grant).await.expect_status(200);
        let mut watch = coffer_tests::until_some("it is shared", CUT_WITHIN, || async {
            there.watch(&query, &[]).await.ok()
        })
        .await;
        ann.store(&format!("team/{round}"), json!(1)).await.expect_status(200);
        assert_eq!(watch.changes(1).await, [(format!("team/{round}"), "put".to_owned())]);
        // Another reader keeps what is known of the grant young until the last moment.
        let reader = tokio::spawn(keep_reading(there.clone(), format!("team/{round}"), ann.email.clone()));
        sleep(Duration::from_millis(330 * round)).await;
        ann.json("POST", "/api/v1/kv/grants/revoke", &grant).await.expect_status(204);
        is_cut(&mut watch, ("access_denied", Instant::now())).await;
        reader.abort();
    }
    let mut watch = there.watch("", &[]).await.expect("everybody has keys of their own");
    watch.next().await.expect("it begins with a position");
    bob.call("POST", "/logout").await.expect_status(200);
    is_cut(&mut watch, ("invalid_session", Instant::now())).await;
}

async fn keep_reading(bob: Keeper, key: String, owner: String) {
    loop {
        bob.call("GET", &format!("/api/v1/kv/value?key={key}&owner={owner}")).await;
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn who_loses_access_or_session_is_cut_within_two_seconds_at_the_same_gateway() {
    let stack = Stack::all().start().await;
    access_is_over(&stack, &stack.gateways[0].url).await;
}

#[tokio::test]
async fn who_loses_access_or_session_is_cut_within_two_seconds_at_another_gateway() {
    let stack = Stack::separate().gateways(2).start().await;
    access_is_over(&stack, &stack.gateways[1].url).await;
}
