//! `kill -9` of any process while people work: what was acknowledged is there after a restart, and what
//! was not blocks nobody.

mod check;
mod record;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_tests::{RedisOptions, RedisServer, SmtpServer, SmtpTls, Stack};
use tokio::time::sleep;

use record::Record;

const WORKERS: usize = 3;
const KILLS: u64 = 4;

/// Lets people work while `kill` is called again and again, then checks what they were promised.
async fn try_with(stack: Stack, kill: impl AsyncFn(&Stack)) {
    let stack = Arc::new(stack);
    let friend = stack.user("friend").await;
    let record = Arc::new(Record::default());
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let (stack, record, stop) = (Arc::clone(&stack), Arc::clone(&record), Arc::clone(&stop));
            tokio::spawn(async move { work::work(&stack, number, &record, &stop).await })
        })
        .collect();
    for number in 1..=KILLS {
        // Uneven, so that the kills hit different moments of the work.
        sleep(Duration::from_millis(400 + 137 * number)).await;
        kill(&stack).await;
        stack.ready().await;
    }
    sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("a worker does not fail");
    }
    check::all(&stack, &record, &friend).await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_one_process_is_killed() {
    let smtp = Arc::new(SmtpServer::start(SmtpTls::Starttls).await);
    let stack = Stack::all().smtp(smtp).start().await;
    try_with(stack, async |stack| {
        stack.kms[0].process.kill();
        stack.kms[0].process.start();
    })
    .await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_kms_is_killed() {
    try_with(Stack::separate().start().await, async |stack| {
        stack.kms[0].process.kill();
        stack.kms[0].process.start();
    })
    .await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_data_service_is_killed() {
    try_with(Stack::separate().start().await, async |stack| {
        stack.data[0].process.kill();
        stack.data[0].process.start();
    })
    .await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_redis_is_killed() {
    try_with(Stack::separate().start().await, async |stack| {
        stack.redis().kill();
        stack.redis().restart().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_a_data_redis_that_syncs_every_second_is_killed() {
    // What was answered is in the kernel's hands, so it outlives the process, though not the machine.
    let options = RedisOptions { append_fsync: "everysec", ..RedisOptions::default() };
    let redis = Arc::new(RedisServer::start_with(options).await);
    let stack = Stack::separate().data_redis(Arc::clone(&redis)).start().await;
    try_with(stack, async |_| {
        redis.kill();
        redis.restart().await;
    })
    .await;
}
