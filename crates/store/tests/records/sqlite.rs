//! What SQLite promises beyond the contract: durability, and one process at a time.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use coffer_core::SystemClock;
use coffer_store::records::{Commit, Records as _, SortRange, SqliteRecords, StoreError};
use tokio::task::JoinSet;

use crate::bed::{TABLE, bytes_of, key, part};

const CHILD_DATABASE: &str = "COFFER_TEST_CHILD_DATABASE";

fn open(path: &Path) -> Result<SqliteRecords, StoreError> {
    SqliteRecords::open(path, Arc::new(SystemClock))
}

#[tokio::test]
async fn what_was_answered_is_there_when_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    let store = open(&path).unwrap();
    let first = store.commit(&part("p"), Commit::new().put(&key("a"), "kept", None)).await.unwrap();
    drop(store);
    let store = open(&path).unwrap();
    let record = store.get(&part("p"), &key("a")).await.unwrap().unwrap();
    assert_eq!(bytes_of(&record), b"kept");
    let again = store.commit(&part("q"), Commit::new().put(&key("a"), "more", None)).await.unwrap();
    assert_ne!(first, again, "versions go on where they were");
    assert_eq!(store.sweep(TABLE, None, 10).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn a_log_goes_on_where_it_was_when_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    for number in 0..3 {
        let store = open(&path).unwrap();
        store.commit(&part("p"), Commit::new().append(&key("c"), number.to_string(), None)).await.unwrap();
        let page = store.scan(&part("p"), &SortRange::log(&key("c"), None), 10).await.unwrap();
        let found: Vec<_> = page.items.iter().map(|record| bytes_of(record)[0] - b'0').collect();
        assert_eq!(found, (0..=number).collect::<Vec<u8>>());
    }
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    let first = open(&path).unwrap();
    let second = open(&path).unwrap_err();
    assert!(matches!(&second, StoreError::Settings(why) if why.contains("another process")), "{second}");
    drop(first);
    open(&path).unwrap();
}

#[tokio::test]
async fn the_files_are_readable_by_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    let store = open(&path).unwrap();
    store.commit(&part("p"), Commit::new().put(&key("a"), "x", None)).await.unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.file_name());
    }
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    let text = "not a database, but somebody's notes; ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    assert!(open(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(matches!(open(&dir.path().join("missing/records.db")), Err(StoreError::Settings(_))));
}

/// Not a test by itself: the process that the next test kills. It commits without end and prints the number
/// of each commit once it was answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_commits_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD_DATABASE) else { return };
    let store = Arc::new(open(Path::new(&path)).unwrap());
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for number in 0_u64.. {
                let partition = part(format!("writer {writer}"));
                let commit = Commit::new()
                    .absent(&key(format!("{number:09}")))
                    .put(&key(format!("{number:09}")), number.to_string(), None)
                    .add(&key("count"), 1, None);
                assert!(store.commit(&partition, commit).await.unwrap().is_committed());
                println!("answered {writer} {number}");
            }
        });
    }
    writers.join_all().await;
}

#[tokio::test]
async fn a_process_killed_in_the_middle_of_commits_loses_nothing_answered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    for answers in [50, 400, 1000] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sqlite::child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD_DATABASE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok).filter(|line| line.starts_with("answered "));
        let mut answered: Vec<_> = lines.by_ref().take(answers).collect();
        assert_eq!(answered.len(), answers);
        child.kill().unwrap();
        answered.extend(lines);
        child.wait().unwrap();
        let store = open(&path).unwrap();
        for line in &answered {
            let [_, writer, number] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
            let sort = key(format!("{number:0>9}"));
            let record = store.get(&part(format!("writer {writer}")), &sort).await.unwrap();
            assert!(record.is_some_and(|record| bytes_of(&record) == number.as_bytes()), "lost {line}");
        }
        // Nothing half-done: each commit wrote its record and counted it, or neither.
        for writer in 0..8 {
            let partition = part(format!("writer {writer}"));
            let written = store.scan_keys(&partition, &SortRange::all(), 10_000).await.unwrap().items.len();
            let counted = store.commit(&partition, Commit::new().add(&key("count"), 0, None)).await.unwrap();
            let coffer_store::records::Outcome::Committed(counted) = counted else { panic!("no guards") };
            assert_eq!(usize::try_from(counted.counters[0]).unwrap(), written.saturating_sub(1));
        }
        drop(store);
        std::fs::remove_file(&path).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(path.with_extension(format!("db{suffix}")));
        }
    }
}
