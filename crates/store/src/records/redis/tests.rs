//! What no test from outside can bring about at will: a sweep between registering and committing, and a
//! connection that is lost while another is not.

use coffer_core::SystemClock;
use redis::Value;
use url::Url;

use super::commit::{Answer, Context};
use super::directory::Entry;
use super::*;
use crate::redis_link::Script;
use crate::testing::RedisServer;

const TABLE: Table = Table::new("test");

impl RedisRecords {
    async fn try_commit(&self, partition: &Partition, registered: &[u8]) -> Answer {
        let commit = Commit::new().put(&Sort::of("a").build(), "x", None);
        let (context, script) =
            (Context { now: self.clock.now(), registered }, Script::new(include_str!("commit.lua")));
        let commits = [commit];
        let call = commit::call(&script, &self.keys(partition), &commits, &context);
        commit::answer(self.shared.links.run(&script, &call).await.unwrap(), &commits).unwrap()
    }

    async fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for shard in 0..directory::SHARDS {
            entries.extend(self.shared.directory.page((TABLE, shard), None, 10).await.unwrap());
        }
        entries
    }
}

#[tokio::test]
async fn a_partition_taken_out_between_registering_and_committing_is_registered_anew() {
    let server = RedisServer::start();
    let settings = RedisSettings::parse(Url::parse(&server.url()).unwrap()).unwrap();
    let store = RedisRecords::open(settings, Arc::new(SystemClock)).await.unwrap();
    let partition = Partition::new(TABLE, "p");
    let Answer::Register(first) = store.try_commit(&partition, b"").await else { panic!("not registered") };
    store.shared.directory.register(&partition, &first).await.unwrap();
    let [entry] = &store.entries().await[..] else { panic!("one entry") };
    store.shared.directory.unregister(TABLE, entry).await.unwrap();
    assert!(store.entries().await.is_empty());

    let Answer::Register(second) = store.try_commit(&partition, &first).await else {
        panic!("filled a partition that no sweep finds")
    };
    store.shared.directory.register(&partition, &second).await.unwrap();
    // A sweep that comes again leaves alone what is about to be filled, and what is filled.
    for _ in 0..2 {
        let [entry] = &store.entries().await[..] else { panic!("one entry") };
        store.shared.directory.unregister(TABLE, entry).await.unwrap();
        assert!(matches!(store.try_commit(&partition, &second).await, Answer::Done(_)));
    }
    assert_eq!(store.sweep(TABLE, None, 10).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_sign_of_life_is_asked_of_every_connection() {
    let server = RedisServer::start();
    let settings = RedisSettings::parse(Url::parse(&server.url()).unwrap()).unwrap();
    let store = RedisRecords::open(settings, Arc::new(SystemClock)).await.unwrap();
    let _: Value = store.shared.links.query(cmd("CONFIG").arg("RESETSTAT")).await.unwrap();
    store.ping().await.unwrap();
    let commands: String = store.shared.links.query(cmd("INFO").arg("commandstats")).await.unwrap();
    assert!(commands.contains(&format!("cmdstat_ping:calls={CONNECTIONS},")), "{commands}");
}
