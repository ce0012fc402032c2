//! What a server must be set to, how it is reached, and what connections ask of it.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::SystemClock;
use coffer_store::records::{Commit, Outcome, StoreError, open, open_synced};
use coffer_store::testing::RedisServer;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{connect, look, put};
use crate::bed::{TABLE, key, part, redis_url};

#[tokio::test]
async fn a_server_that_may_lose_data_is_refused_unless_told_otherwise() {
    let cases: [(&[&str], &str); 3] = [
        (&["--appendonly", "no"], "appendonly yes"),
        (&["--appendonly", "yes", "--appendfsync", "no"], "appendfsync always"),
        (&["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"], "maxmemory-policy noeviction"),
    ];
    for (settings, advice) in cases {
        let server = RedisServer::start_with(settings);
        let err = open(&server.url(), Arc::new(SystemClock)).await.unwrap_err();
        assert!(matches!(&err, StoreError::Settings(text) if text.contains(advice)), "{err}");
        let unchecked = connect(&format!("{}?durability=unchecked", server.url())).await;
        unchecked.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_syncs_every_second_is_refused_only_where_every_write_must_be_on_disk() {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    open(&server.url(), Arc::new(SystemClock)).await.unwrap();
    let err = open_synced(&server.url(), Arc::new(SystemClock)).await.unwrap_err();
    let advice = "`appendfsync always` (it is `everysec`)";
    assert!(matches!(&err, StoreError::Settings(text) if text.contains(advice)), "{err}");
    let unchecked = format!("{}?durability=unchecked", server.url());
    open_synced(&unchecked, Arc::new(SystemClock)).await.unwrap();
    open_synced(&RedisServer::start().url(), Arc::new(SystemClock)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_reported_and_not_repeated() {
    let server = RedisServer::start();
    let password = redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("sesame").to_owned();
    password.exec_async(&mut look(&server.url()).await).await.unwrap();
    let address = server.url().replace("redis://", "");
    let err = open(&format!("redis://:hunter2@{address}"), Arc::new(SystemClock)).await.unwrap_err();
    let text = format!("{err} {err:?}");
    assert!(matches!(err, StoreError::Settings(_)) && text.contains("password"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    // One that is not there may come.
    let nobody = open("redis://:hunter2@127.0.0.1:1", Arc::new(SystemClock)).await.unwrap();
    let away = nobody.ping().await.unwrap_err();
    assert!(!format!("{nobody:?} {away} {away:?}").contains("hunter2"), "{away:?}");
    let strict = open_synced("redis://:hunter2@127.0.0.1:1", Arc::new(SystemClock)).await.unwrap_err();
    assert!(matches!(strict, StoreError::Unavailable { .. }));
    assert!(!format!("{strict} {strict:?}").contains("hunter2"), "{strict:?}");
    connect(&format!("redis://:sesame@{address}")).await.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_is_spoken_to_over_tls_if_its_certificate_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), own.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), own.signing_key.serialize_pem()).unwrap();
    let plain = RedisServer::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tls = [
        ("tls-auth-clients", "no".to_owned()),
        ("tls-cert-file", path("cert.pem")),
        ("tls-key-file", path("key.pem")),
        ("tls-ca-cert-file", path("cert.pem")),
        ("tls-port", port.to_string()),
    ];
    let mut set = redis::cmd("CONFIG").arg("SET").to_owned();
    for (name, value) in tls {
        set.arg(name).arg(value);
    }
    set.exec_async(&mut look(&plain.url()).await).await.unwrap();

    let store = connect(&format!("rediss://127.0.0.1:{port}?tls_ca={}", path("cert.pem"))).await;
    assert!(store.commit(&part("p"), put("a")).await.unwrap().is_committed());
    let stranger = open(&format!("rediss://127.0.0.1:{port}"), Arc::new(SystemClock)).await;
    assert!(matches!(stranger, Err(StoreError::Unavailable { .. })), "{stranger:?}");
}

#[tokio::test]
async fn two_installations_on_one_server_do_not_see_each_other() {
    let (one, other) = (connect(&redis_url()).await, connect(&redis_url()).await);
    one.commit(&part("p"), put("a")).await.unwrap();
    assert_eq!(other.get(&part("p"), &key("a")).await.unwrap(), None);
    assert!(other.sweep(TABLE, None, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_commit_waits_for_replicas_when_it_is_to() {
    let primary = RedisServer::start();
    let store = connect(&format!("{}?wait_replicas=1", primary.url())).await;
    let alone = store.commit(&part("p"), put("a")).await;
    assert!(matches!(alone, Err(StoreError::OutcomeUnknown { .. })), "{alone:?}");
    let port = primary.port().to_string();
    let replica = RedisServer::start_with(&[
        "--appendonly",
        "yes",
        "--replicaof",
        "127.0.0.1",
        &port,
        "--repl-diskless-sync-delay",
        "0",
    ]);
    let limit = Instant::now() + Duration::from_secs(20);
    while !store.commit(&part("p"), put("b")).await.is_ok_and(|outcome| outcome.is_committed()) {
        assert!(Instant::now() < limit, "the replica never confirmed");
    }
    let mut commits = JoinSet::new();
    for i in 0..100 {
        let store = Arc::clone(&store);
        commits
            .spawn(async move { store.commit(&part(i.to_string()), put("x")).await.unwrap().is_committed() });
    }
    assert!(commits.join_all().await.into_iter().all(|committed| committed));
    let guard = store.commit(&part("p"), Commit::new().absent(&key("b"))).await.unwrap();
    assert_eq!(guard, Outcome::Refused { guard: 0 });
    // What was answered is on the replica.
    let copy = connect(&format!("{}?durability=unchecked", replica.url())).await;
    for i in 0..100 {
        assert!(copy.get(&part(i.to_string()), &key("x")).await.unwrap().is_some());
    }
}
