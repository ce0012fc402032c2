//! Figures of use through stops and kills, in other time zones, and what they lead to.

use std::time::Duration;

use coffer_core::{Clock as _, SystemClock, Timestamp};
use coffer_tests::{Keeper, Stack};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::both;
use super::usage::{analysis_of, figures};

const STOP_WITHIN: Duration = Duration::from_secs(20);
/// What a kill may cost, counted from an operation's answer.
const LOST_AT_A_KILL_MAX: Duration = Duration::from_secs(1);

async fn operations(keeper: &Keeper) -> u64 {
    let analysis = figures(keeper, "/analysis").await;
    analysis["access_patterns"]["total_accesses"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_clean_stop_loses_no_figure() {
    for stack in both().await {
        let ann = stack.keeper("ann").await;
        let gateway = &stack.gateways[0].process;
        let mut done = 0;
        // Stopped at different moments between two writes of figures.
        for round in 0..3 {
            for n in 0..20 {
                ann.store(&format!("k{round}/{n}"), json!(n)).await.expect_status(200);
                ann.call("GET", &format!("/retrieve/k{round}/{n}")).await.expect_status(200);
                done += 2;
            }
            sleep(Duration::from_millis(170 * round)).await;
            ann.call("DELETE", &format!("/delete/k{round}/0")).await.expect_status(200);
            done += 1;
            let status = gateway.stop(STOP_WITHIN).await;
            assert!(status.success(), "{status}");
            gateway.start();
            stack.ready().await;
            assert_eq!(operations(&ann).await, done);
        }
        assert_eq!(figures(&ann, "/stats").await["total_keys"], 3 * 19);
    }
}

#[tokio::test]
async fn a_kill_costs_at_most_the_last_second_and_no_total() {
    for stack in both().await {
        let ann = stack.keeper("ann").await;
        let (started, mut answered) = (Instant::now(), Vec::new());
        while started.elapsed() < Duration::from_millis(3300) {
            ann.store(&format!("k{}", answered.len()), json!(1)).await.expect_status(200);
            answered.push(Instant::now());
            sleep(Duration::from_millis(5)).await;
        }
        let killed = Instant::now();
        stack.gateways[0].process.kill();
        stack.gateways[0].process.start();
        stack.ready().await;
        let safe = answered.iter().filter(|at| killed - **at > LOST_AT_A_KILL_MAX).count();
        let counted = operations(&ann).await;
        let most = answered.len() as u64;
        assert!((safe as u64..=most).contains(&counted), "{counted} of {safe} to {most}");
        // What there is of keys is told by the keys.
        assert_eq!(figures(&ann, "/stats").await["total_keys"], most);
    }
}

#[tokio::test]
async fn dates_and_times_are_those_of_the_configured_zone() {
    let ahead = Duration::from_hours(14);
    for builder in [Stack::all(), Stack::separate().gateways(1)] {
        let stack = builder.set("COFFER_GATEWAY__TIME_ZONE", "Pacific/Kiritimati").start().await;
        let ann = stack.keeper("ann").await;
        let there = |at: Timestamp| at.plus(ahead).to_string()[..19].replace('T', " ");
        let before = there(SystemClock.now());
        let stored = ann.store("a", json!(1)).await.expect_status(200).json();
        let after = there(SystemClock.now());
        let timestamp = stored["timestamp"].as_str().expect("a text");
        assert!(timestamp.ends_with("+14:00"), "{timestamp}");
        let analysis = analysis_of(&ann, "/analysis", 1).await;
        let datetime = analysis["top_accessed_keys"][0]["last_access_datetime"].as_str().expect("a text");
        assert!((before.as_str()..=after.as_str()).contains(&datetime), "{before} {datetime} {after}");
        let recent = &analysis["recent_access_history"][0];
        assert_eq!(recent["datetime"], datetime);
        assert_eq!((&recent["date"], &recent["time"]), (&json!(datetime[..10]), &json!(datetime[11..])));
        assert_eq!(analysis["daily_access_patterns"], json!({ &datetime[..10]: 1 }));
    }
}

async fn advice(keeper: &Keeper, operations: u64) -> Vec<String> {
    let analysis = analysis_of(keeper, "/analysis", operations).await;
    let advice = analysis["recommendations"].as_array().expect("a list").iter();
    advice.map(|one| one.as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn each_recommendation_is_given_when_its_figure_is_beyond_the_limit() {
    for (builder, is_redis) in [(Stack::all(), false), (Stack::separate().gateways(1), true)] {
        let stack = builder.start().await;
        let ann = stack.keeper("ann").await;
        let has = |advice: &[String], word: &str| advice.iter().filter(|one| one.contains(word)).count();
        // One read for each write and everything compressed: nothing is advised.
        for key in ["one", "two"] {
            ann.store(key, json!("v".repeat(400))).await.expect_status(200);
        }
        assert_eq!(advice(&ann, 2).await, [""; 0]);
        for _ in 0..6 {
            ann.call("GET", "/retrieve/one").await.expect_status(200);
        }
        assert_eq!(advice(&ann, 8).await, [""; 0], "three to one is not more than that");
        ann.call("GET", "/retrieve/one").await.expect_status(200);
        let of = advice(&ann, 9).await;
        assert!(of.len() == 1 && has(&of, "cache") == 1, "{of:?}");
        let plain = json!({ "key": "three", "value": 1, "encrypt": false });
        ann.json("POST", "/store", &plain).await.expect_status(200);
        let of = advice(&ann, 10).await;
        assert!(of.len() == 2 && has(&of, "80 %") == 1 && has(&of, "90 %") == 1, "{of:?}");

        // Seven values of 16 MiB: over 100 MiB. A storage that hesitates: over 100 ms.
        let limit = 16 * 1024 * 1024;
        for n in 0..7 {
            let value = "x".repeat(limit - 2);
            let body = json!({ "key": format!("large{n}"), "value": value, "compress": false });
            if is_redis {
                stack.redis().command("CLIENT PAUSE 300 ALL");
            }
            ann.json("POST", "/store", &body).await.expect_status(200);
        }
        let of = advice(&ann, 17).await;
        assert_eq!(has(&of, "100 MiB"), 1, "{of:?}");
        if is_redis {
            assert_eq!(has(&of, "100 ms"), 1, "{of:?}");
        }
    }
}
