//! A gateway that is killed while it moves a name space to another user key.

use std::time::Duration;

use coffer_tests::{Builder, Http, Stack};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Holder, wide};

const CONFIGS: usize = 12;

/// Everything that a user key opens, in order.
async fn all_of(holder: &Holder) -> Vec<(String, Value)> {
    let list = holder.call("GET", "/configs").await.expect_status(200).json();
    let one = |config: &Value| (config["key"].as_str().expect("a key").to_owned(), config["value"].clone());
    list.as_array().expect("a list").iter().map(one).collect()
}

/// Moves from one user key to the next, again and again, and kills the gateway a little later each time: while it
/// derives, between the commits of the move, or behind them. Whatever it was doing, one of both user keys opens
/// everything, and the move can be made.
async fn killed_moves(builder: Builder, (rounds, step): (u32, Duration)) {
    let stack = wide(builder).start().await;
    let gateway = stack.gateways[0].clone();
    let tolerant = Holder { http: Http::tolerant(), ..Holder::new(&stack, "the user key of round 0") };
    for number in 0..CONFIGS {
        let body = json!({ "key": format!("key-{number}"), "value": { "n": number }, "environment": "e" });
        tolerant.json("POST", "/configs", &body).await.expect_status(201);
    }
    let everything = all_of(&tolerant).await;
    assert_eq!(everything.len(), CONFIGS);
    let (mut cut, mut done) = (0, 0);
    for round in 0..rounds {
        let with = |user_key: String| Holder { user_key, ..tolerant.clone() };
        let old = with(format!("the user key of round {round}"));
        let new = with(format!("the user key of round {}", round + 1));
        // Both are derived before, so that what is cut is the move itself.
        for holder in [&old, &new] {
            holder.call("GET", "/configs").await.expect_status(200);
        }
        let order = json!({ "new_user_key": new.user_key });
        let (moved, ()) = tokio::join!(old.json("POST", "/configs/rekey", &order), async {
            sleep(step * round).await;
            gateway.process.kill();
        });
        gateway.process.start();
        stack.ready().await;

        let (of_old, of_new) = (all_of(&old).await, all_of(&new).await);
        let is_moved = of_old.is_empty();
        let (holder, other) = if is_moved { (&of_new, &of_old) } else { (&of_old, &of_new) };
        assert_eq!((holder, other.len()), (&everything, 0), "in round {round}");
        assert!(moved.status != 200 || is_moved, "what was answered holds");
        if is_moved {
            done += 1;
        } else {
            cut += 1;
            old.json("POST", "/configs/rekey", &order).await.expect_status(200);
        }
        assert_eq!((all_of(&new).await, all_of(&old).await.len()), (everything.clone(), 0), "it can be made");
    }
    assert!(cut > 0 && done > 0, "the kills came before the move ({cut}) and behind it ({done})");
}

#[tokio::test]
async fn a_gateway_killed_while_it_moves_leaves_everything_to_one_of_both_user_keys_on_redis() {
    killed_moves(Stack::separate().gateways(1), (16, Duration::from_micros(700))).await;
}

#[tokio::test]
async fn a_gateway_killed_while_it_moves_leaves_everything_to_one_of_both_user_keys_on_sqlite() {
    killed_moves(Stack::all(), (8, Duration::from_millis(3))).await;
}
