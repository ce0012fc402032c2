//! What happens to keys while something the gateway needs is away, and while the gateway itself is.

mod calls;
mod writers;

use std::sync::Arc;
use std::time::Duration;

use coffer_tests::{Http, Keeper, RedisServer, Stack, until};
use tokio::time::{Instant, sleep};

use super::usage::figures;
use calls::every_call_is_a_clear_503;
use writers::Writers;

/// Until what was away serves again, without help.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

/// A gateway pair over a Redis of their own, so that it can be away alone.
async fn pair() -> (Stack, Arc<RedisServer>) {
    let redis = Arc::new(RedisServer::start().await);
    (Stack::separate().gateways(2).gateway_redis(Arc::clone(&redis)).start().await, redis)
}

/// Waits until both gateways store again.
async fn both_serve(stack: &Stack, keeper: &Keeper) {
    for gateway in &stack.gateways {
        let there = keeper.at(&gateway.url);
        until("keys are served again", RECOVERED_WITHIN, || async {
            there.call("GET", "/keys").await.status == 200
        })
        .await;
    }
}

/// Everything that writers were promised is there, nothing that they were refused, and the figures agree.
async fn everything_is_kept(stack: &Stack, keeper: &Keeper, writers: Writers) {
    let promises = writers.stop().await;
    let listed = figures(keeper, "/keys").await;
    let listed: Vec<&str> =
        listed["keys"].as_array().expect("a list").iter().map(|key| key.as_str().expect("a key")).collect();
    for key in &promises.stored {
        assert!(listed.binary_search(&key.as_str()).is_ok(), "{key} is lost");
    }
    for key in &promises.refused {
        assert!(listed.binary_search(&key.as_str()).is_err(), "{key} was refused and is there");
    }
    assert!(promises.stored.len() > 20, "too little was done to tell: {}", promises.stored.len());
    let some = promises.stored.iter().step_by(1 + promises.stored.len() / 50);
    for key in some {
        let read = keeper.call("GET", &format!("/retrieve/{key}")).await.expect_status(200).json();
        assert_eq!(read["value"], key.as_str());
    }
    for gateway in &stack.gateways {
        assert_eq!(figures(&keeper.at(&gateway.url), "/stats").await["total_keys"], listed.len());
    }
    promises.watched_all(&listed);
}

/// A real minute: longer than any answer of the KMS is believed (60 s, the longest), than the keyring goes unrefreshed
/// (30 s) and than every retry waits.
#[tokio::test]
async fn a_minute_without_the_kms_loses_no_key_and_is_told_clearly() {
    let (stack, _redis) = pair().await;
    let ann = stack.keeper("ann").await;
    let writers = Writers::start(&stack, &ann).await;
    sleep(Duration::from_secs(1)).await;
    stack.kms[0].process.kill();
    let away = Instant::now();
    sleep(Duration::from_millis(2100)).await;
    for gateway in &stack.gateways {
        every_call_is_a_clear_503(&ann.at(&gateway.url)).await;
    }
    // A gateway that starts meanwhile has no keyring, listens, and says so.
    let late = &stack.gateways[1];
    late.process.kill();
    late.process.start();
    let there = Keeper { http: Http::tolerant(), ..ann.at(&late.url) };
    until("it listens", RECOVERED_WITHIN, || async { there.call("GET", "/api").await.status == 200 }).await;
    every_call_is_a_clear_503(&there).await;
    sleep(Duration::from_secs(62).saturating_sub(away.elapsed())).await;
    every_call_is_a_clear_503(&ann).await;
    stack.kms[0].process.start();
    stack.kms[0].ready().await;
    both_serve(&stack, &ann).await;
    sleep(Duration::from_secs(1)).await;
    everything_is_kept(&stack, &ann, writers).await;
}

#[tokio::test]
async fn ten_seconds_without_redis_lose_no_key_and_are_told_clearly() {
    let (stack, redis) = pair().await;
    let ann = stack.keeper("ann").await;
    let writers = Writers::start(&stack, &ann).await;
    sleep(Duration::from_secs(1)).await;
    redis.kill();
    let away = Instant::now();
    for gateway in &stack.gateways {
        every_call_is_a_clear_503(&ann.at(&gateway.url)).await;
    }
    sleep(Duration::from_secs(10).saturating_sub(away.elapsed())).await;
    redis.restart().await;
    both_serve(&stack, &ann).await;
    sleep(Duration::from_secs(1)).await;
    everything_is_kept(&stack, &ann, writers).await;
}

#[tokio::test]
async fn a_killed_gateway_loses_no_key_and_serves_again_without_help() {
    let (stack, _redis) = pair().await;
    let ann = stack.keeper("ann").await;
    let writers = Writers::start(&stack, &ann).await;
    for round in 0..4 {
        sleep(Duration::from_millis(500 + 131 * round)).await;
        let gateway = &stack.gateways[usize::from(round % 2 == 1)];
        stack.restart(gateway).await;
    }
    both_serve(&stack, &ann).await;
    everything_is_kept(&stack, &ann, writers).await;
}

#[tokio::test]
async fn the_one_process_on_embedded_storage_loses_no_key_when_it_is_killed() {
    let stack = Stack::all().start().await;
    let ann = stack.keeper("ann").await;
    let writers = Writers::start(&stack, &ann).await;
    for round in 0..3 {
        sleep(Duration::from_millis(700 + 131 * round)).await;
        stack.restart(&stack.gateways[0]).await;
    }
    both_serve(&stack, &ann).await;
    everything_is_kept(&stack, &ann, writers).await;
}
