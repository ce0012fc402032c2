//! Who sends requests to a replica that just appeared meets one that is ready, or nobody.

use std::time::Duration;

use coffer_tests::{Http, Node, Stack, until};
use tokio::net::TcpStream;

/// Longer than a service waits with opening, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(20);

async fn is_refused(node: &Node) -> bool {
    let address = node.url.strip_prefix("http://").expect("tests speak plain HTTP");
    TcpStream::connect(address).await.is_err()
}

#[tokio::test]
async fn a_replica_that_misses_its_keyring_takes_no_requests_at_first_and_then_says_so() {
    let stack = Stack::separate().gateways(1).start().await;
    stack.kms[0].process.kill();
    for node in [&stack.data[0], &stack.gateways[0]] {
        node.process.kill();
        node.process.start();
        let http = Http::default();
        let url = format!("{}/healthz", node.internal_url);
        until("it is alive", PATIENCE, || async {
            http.try_send("GET", &url, &[], None).await.is_ok_and(|answer| answer.status == 200)
        })
        .await;
        assert!(is_refused(node).await, "a balancer would send requests here");
        assert_eq!(http.get(&format!("{}/readyz", node.internal_url)).await.status, 503);
        until("it tells clients what is wrong", PATIENCE, || async { !is_refused(node).await }).await;
        assert_eq!(http.get(&format!("{}/readyz", node.internal_url)).await.status, 503);
    }
    stack.kms[0].process.start();
    stack.ready().await;
}

#[tokio::test]
async fn a_signal_to_stop_counts_while_the_listeners_are_not_open_yet() {
    let stack = Stack::separate().gateways(1).start().await;
    stack.kms[0].process.kill();
    let node = &stack.gateways[0];
    node.process.kill();
    let opened = || node.process.log().matches("listener=\"public\"").count();
    let before = opened();
    assert!(before > 0, "the log tells of it");
    node.process.start();
    let (http, url) = (Http::default(), format!("{}/healthz", node.internal_url));
    until("it is alive", PATIENCE, || async {
        http.try_send("GET", &url, &[], None).await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
    assert!(is_refused(node).await);
    let status = node.process.stop(Duration::from_secs(2)).await;
    assert!(status.success(), "{status}");
    assert_eq!(opened(), before, "it stopped before it had opened");
    node.process.start();
    stack.kms[0].process.start();
    stack.ready().await;
}
