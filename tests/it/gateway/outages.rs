//! What the gateway needs goes away and comes back.

use std::time::Duration;

use coffer_tests::{Answer, Http, Stack, until};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);

async fn me(stack: &Stack, gateway: usize, sid: &str) -> Answer {
    Http::default().get_as(sid, &format!("{}/me", stack.gateways[gateway].url)).await
}

fn is_a_clear_503(answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{answer}");
}

#[tokio::test]
async fn while_the_kms_is_away_nobody_is_believed_and_afterwards_everybody_is_again() {
    let stack = Stack::separate().gateways(2).start().await;
    let ann = stack.user("ann").await;
    for gateway in 0..2 {
        me(&stack, gateway, &ann.sid).await.expect_status(200);
    }
    stack.kms[0].process.kill();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let http = Http::default();
    for gateway in 0..2 {
        is_a_clear_503(&me(&stack, gateway, &ann.sid).await);
        let url = format!("{}/api/v1/me", stack.gateways[gateway].url);
        let passed = http.get_as(&ann.sid, &url).await;
        is_a_clear_503(&passed);
        assert_eq!(passed.header("content-type"), Some("application/problem+json"));
        // What needs no session goes on.
        http.get(&format!("{}/api", stack.gateways[gateway].url)).await.expect_status(200);
        http.get(&format!("{}/healthz", stack.gateways[gateway].internal_url)).await.expect_status(200);
    }
    stack.kms[0].process.start();
    stack.ready().await;
    for gateway in 0..2 {
        me(&stack, gateway, &ann.sid).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_session_that_ends_at_one_gateway_is_over_at_the_other_within_two_seconds() {
    let stack = Stack::separate().gateways(2).start().await;
    let ann = stack.user("ann").await;
    me(&stack, 1, &ann.sid).await.expect_status(200);
    let url = format!("{}/logout", stack.gateways[0].url);
    Http::default().send("POST", &url, Some(&ann.sid), None).await.expect_status(200);
    me(&stack, 0, &ann.sid).await.expect_status(401);
    until("the other gateway knows", Duration::from_secs(2), || async {
        me(&stack, 1, &ann.sid).await.status == 401
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_was_killed_serves_again_without_help() {
    let stack = Stack::separate().gateways(1).start().await;
    let ann = stack.user("ann").await;
    me(&stack, 0, &ann.sid).await.expect_status(200);
    stack.restart(&stack.gateways[0]).await;
    me(&stack, 0, &ann.sid).await.expect_status(200);
}

#[tokio::test]
async fn a_gateway_that_starts_before_the_kms_serves_once_the_kms_is_there() {
    let stack = Stack::separate().gateways(1).start().await;
    let ann = stack.user("ann").await;
    stack.kms[0].process.kill();
    stack.gateways[0].process.kill();
    stack.gateways[0].process.start();
    let ready = format!("{}/readyz", stack.gateways[0].internal_url);
    until("it listens and says that it is not ready", SOON, || async {
        Http::default().try_send("GET", &ready, &[], None).await.is_ok_and(|answer| answer.status == 503)
    })
    .await;
    // Who comes before it is ready finds no listener for a while, and then a clear answer.
    let public = stack.gateways[0].url.clone();
    until("the public listener opens all the same", SOON, || async {
        Http::default().try_send("GET", &public, &[], None).await.is_ok()
    })
    .await;
    is_a_clear_503(&me(&stack, 0, &ann.sid).await);
    stack.kms[0].process.start();
    stack.ready().await;
    me(&stack, 0, &ann.sid).await.expect_status(200);
}

#[tokio::test]
async fn services_that_start_while_redis_is_away_serve_once_it_is_there() {
    let stack = Stack::separate().gateways(1).start().await;
    let ann = stack.keeper("ann").await;
    ann.store("kept", json!({ "a": 1 })).await.expect_status(200);
    let nodes = [&stack.kms[0], &stack.data[0], &stack.gateways[0]];
    stack.redis().kill();
    for node in nodes {
        node.process.kill();
        node.process.start();
    }
    // Longer than a start waits for a server that is about to answer.
    tokio::time::sleep(Duration::from_secs(7)).await;
    let http = Http::default();
    for node in &nodes[1..] {
        until("it lives and says that it is not ready", SOON, || async {
            let get = async |path: &str| {
                let url = format!("{}{path}", node.internal_url);
                http.try_send("GET", &url, &[], None).await.map(|answer| answer.status).unwrap_or_default()
            };
            (get("/healthz").await, get("/readyz").await) == (200, 503)
        })
        .await;
    }
    until("the public listener opens all the same", SOON, || async {
        http.try_send("GET", &ann.url, &[], None).await.is_ok()
    })
    .await;
    is_a_clear_503(&ann.call("GET", "/retrieve/kept").await);
    for node in nodes {
        assert!(node.process.runs(), "it waits, and does not give up\n{}", node.process.last_words());
    }
    stack.redis().restart().await;
    stack.ready().await;
    let kept = ann.call("GET", "/retrieve/kept").await.expect_status(200).json();
    assert_eq!(kept["value"], json!({ "a": 1 }));
}

#[tokio::test]
async fn redis_away_for_a_while_is_said_by_readiness_and_mended_by_itself() {
    let stack = Stack::separate().gateways(1).start().await;
    let ann = stack.user("ann").await;
    stack.redis().kill();
    let ready = format!("{}/readyz", stack.gateways[0].internal_url);
    until("the gateway notices", SOON, || async { Http::default().get(&ready).await.status == 503 }).await;
    is_a_clear_503(&me(&stack, 0, &ann.sid).await);
    tokio::time::sleep(Duration::from_secs(10)).await;
    stack.redis().restart().await;
    stack.ready().await;
    me(&stack, 0, &ann.sid).await.expect_status(200);
}
