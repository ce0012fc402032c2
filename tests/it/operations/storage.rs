//! What services ask of their storage, and what they keep private in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use coffer_tests::{Process, RedisOptions, RedisServer, Stack, any_ports, binary};

#[tokio::test]
async fn a_redis_that_may_forget_is_refused() {
    for options in [
        RedisOptions { append_only: false, ..RedisOptions::default() },
        RedisOptions { eviction: "allkeys-lru", ..RedisOptions::default() },
        RedisOptions { append_fsync: "no", ..RedisOptions::default() },
        // Enough for files, but not for keys, grants and revocations.
        RedisOptions { append_fsync: "everysec", ..RedisOptions::default() },
    ] {
        let redis = RedisServer::start_with(options).await;
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let environment = [
            ("COFFER_KMS__STORAGE__RECORDS", redis.url(0)),
            ("COFFER_KMS__KEYRING__ROOT_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".to_owned()),
            ("COFFER_KMS__INTERNAL__SERVICES__DATA__SECRET", "s".repeat(40)),
            ("COFFER_KMS__INTERNAL__DATA_URL", "http://127.0.0.1:1".to_owned()),
            ("COFFER_KMS__SMTP__HOST", "localhost".to_owned()),
            ("COFFER_KMS__HTTP__BIND", "127.0.0.1:0".to_owned()),
            ("COFFER_KMS__HTTP__INTERNAL_BIND", "127.0.0.1:0".to_owned()),
        ];
        let environment = environment.map(|(key, value)| (key.to_owned(), value)).into();
        let process = Process::new(binary("coffer-kms"), directory.path().join("log")).envs(&environment);
        process.start();
        let status = process.ended(Duration::from_secs(20)).await;
        assert!(!status.success(), "{options:?}");
        let log = process.log();
        let names = ["appendonly", "maxmemory-policy", "appendfsync"];
        assert!(names.iter().any(|name| log.contains(name)), "{options:?}: it says what is wrong\n{log}");
    }
}

#[tokio::test]
async fn a_redis_with_a_password_is_used_with_it() {
    let options = RedisOptions { password: Some("planted-redis-password"), ..RedisOptions::default() };
    let redis = Arc::new(RedisServer::start_with(options).await);
    let stack = Stack::separate().redis(redis).set_both("LOG__LEVEL", "trace").start().await;
    let ann = stack.user("ann").await;
    stack.surface().store(&ann.sid, "a", b"content").await;
    assert!(!stack.logs().contains("planted-redis-password"));
}

#[tokio::test]
async fn what_the_one_process_keeps_is_readable_by_nobody_else() {
    let stack = Stack::all().start().await;
    stack.user("ann").await;
    let root = stack.directory().join("data");
    let mut checked = 0;
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it can be read") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            let mode = path.metadata().expect("it is there").permissions().mode() & 0o777;
            assert!(mode.trailing_zeros() >= 6, "{} has mode {mode:o}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 2, "{checked}");
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_refused() {
    let stack = Stack::all().start().await;
    let data = stack.directory().join("data");
    let second = Process::new(binary("coffer-all"), stack.directory().join("second.log"))
        .args(["--data-dir".as_ref(), data.as_os_str()])
        .envs(&any_ports());
    second.start();
    let status = second.ended(Duration::from_secs(20)).await;
    assert!(!status.success());
    assert!(second.log().contains("another coffer-all uses"), "{}", second.log());
    stack.user("ann").await;
}
