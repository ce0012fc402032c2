//! Whole folders by the command line: stored, interrupted, fetched, kept alike.

#![expect(clippy::unwrap_used, reason = "everything here is a test")]

mod grown;

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coffer_tests::{Stack, until};
use serde_json::Value;
use tokio::time::sleep;

use super::by_cli::ByCli;
use super::join;
use grown::{FILES, assert_same, grow, look, release};

const PARTLY: i32 = 11;
/// After that, what has just changed counts as settled.
const SETTLED: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_mins(1);

async fn ann(stack: &Stack) -> ByCli {
    let mut ann = ByCli::new(stack, "ann");
    join(stack, &mut ann).await;
    ann
}

impl ByCli {
    fn path(&self, name: &str) -> PathBuf {
        self.cli.home.join(name)
    }

    /// Runs a command that must end with this code, and gives what it tells.
    async fn told(&self, arguments: &[&str], code: i32) -> Value {
        let run = self.cli.run(&[&["--json"], arguments].concat(), b"").await;
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        serde_json::from_slice(&run.stdout).expect("one JSON document")
    }

    /// Starts a command and kills it once it has remembered some of its work.
    async fn kill_midway(&self, arguments: &[&str], lines_min: usize) {
        let before = lines(&self.path(".local/state/coffer/trees"));
        let running = self.cli.start(arguments);
        let has_begun = || async { lines(&self.path(".local/state/coffer/trees")) >= before + lines_min };
        until("some of it is done", SOON, has_begun).await;
        running.signal("KILL");
        assert_eq!(running.end().await.code, -1, "it was killed before its end");
    }
}

/// Lines of all files in a folder.
fn lines(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default().lines().count()).sum()
}

fn number(told: &Value, field: &str) -> usize {
    usize::try_from(told[field].as_u64().unwrap()).unwrap()
}

#[tokio::test]
async fn a_tree_whose_ways_up_and_down_were_interrupted_comes_back_identical() {
    let stack = Stack::all().start().await;
    let ann = ann(&stack).await;
    let (linux, copy) = (ann.path("linux"), ann.path("copy"));
    grow(&linux);
    let entries = look(&linux).len();
    assert!(entries > FILES);
    sleep(SETTLED).await;

    ann.kill_midway(&["put", "-r", "linux"], 150).await;
    let told = ann.told(&["put", "-r", "linux"], 0).await;
    let (done, unchanged) = (number(&told, "done"), number(&told, "unchanged"));
    assert!(unchanged >= 150 && done + unchanged == entries, "it went on: {told}");
    let told = ann.told(&["put", "-r", "linux"], 0).await;
    assert_eq!((number(&told, "done"), number(&told, "unchanged")), (0, entries), "{told}");

    ann.kill_midway(&["get", "-r", "linux", "copy"], 400).await;
    let told = ann.told(&["get", "-r", "linux", "copy"], 0).await;
    let (done, unchanged) = (number(&told, "done"), number(&told, "unchanged"));
    assert!(unchanged >= 400 && done + unchanged == entries, "it went on: {told}");
    assert_same(&linux, &copy);
    let told = ann.told(&["get", "-r", "linux", "copy"], 0).await;
    assert_eq!((number(&told, "done"), number(&told, "unchanged")), (0, entries), "{told}");
    assert_same(&linux, &copy);

    // Without what is remembered, everything is compared, and is the same.
    fs::remove_dir_all(ann.path(".local/state")).unwrap();
    let told = ann.told(&["get", "-r", "linux", "copy"], 0).await;
    assert_eq!(number(&told, "done"), entries, "{told}");
    assert_same(&linux, &copy);
    release(&linux);
    release(&copy);
}

#[tokio::test]
async fn only_what_changed_is_sent_and_what_cannot_be_is_named() {
    let stack = Stack::all().start().await;
    let ann = ann(&stack).await;
    let tree = ann.path("tree");
    fs::create_dir_all(tree.join("sub")).unwrap();
    for name in ["a", "b", "sub/c"] {
        fs::write(tree.join(name), name).unwrap();
    }
    sleep(SETTLED).await;
    let told = ann.told(&["put", "-r", "tree", "other/name"], 0).await;
    assert_eq!(number(&told, "done"), 5, "{told}");
    fs::write(tree.join("sub/c"), "changed").unwrap();
    let _socket = UnixListener::bind(tree.join("socket")).unwrap();
    fs::write(tree.join(std::ffi::OsStr::from_bytes(b"\xff")), "x").unwrap();
    sleep(SETTLED).await;
    let told = ann.told(&["put", "-r", "tree", "other/name"], PARTLY).await;
    assert_eq!(number(&told, "done"), 2, "the file, and the folder with new times: {told}");
    assert_eq!(told["left_out"].as_array().unwrap().len(), 2, "{told}");
    let run = ann.cli.run(&["get", "other/name/sub/c", "-"], b"").await.ok();
    assert_eq!(run.stdout, b"changed");
    let keys = ann.cli.run(&["put", "tree/a", "other/name"], b"").await;
    assert_eq!(keys.code, 6, "a folder is no file: {keys:?}");

    // What is there and differs stays, and everything else comes.
    fs::create_dir_all(ann.path("here")).unwrap();
    fs::write(ann.path("here/a"), "mine").unwrap();
    let told = ann.told(&["get", "-r", "other/name", "here"], PARTLY).await;
    assert_eq!(told["left_out"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(fs::read(ann.path("here/a")).unwrap(), b"mine");
    assert_eq!(fs::read(ann.path("here/sub/c")).unwrap(), b"changed");
    ann.told(&["get", "-r", "other/name", "here", "--force"], 0).await;
    assert_eq!(fs::read(ann.path("here/a")).unwrap(), b"a");
    let none = ann.cli.run(&["get", "-r", "other/names"], b"").await;
    assert_eq!(none.code, 5, "{none:?}");
}

#[tokio::test]
async fn two_folders_are_kept_alike_by_what_changes() {
    let stack = Stack::all().start().await;
    let ann = ann(&stack).await;
    let (one, two) = (ann.path("one"), ann.path("two"));
    fs::create_dir_all(one.join("sub/empty")).unwrap();
    for name in ["a", "b", "sub/c", "sub/d"] {
        fs::write(one.join(name), name).unwrap();
    }
    sleep(SETTLED).await;
    ann.told(&["sync", "one", "shared"], 0).await;
    ann.told(&["sync", "two", "shared", "--down"], 0).await;
    assert_same(&one, &two);

    fs::write(one.join("a"), "newer").unwrap();
    fs::remove_dir_all(one.join("sub")).unwrap();
    sleep(SETTLED).await;
    let told = ann.told(&["sync", "one", "shared", "--delete", "--dry-run"], 0).await;
    assert_eq!(told["would_copy"], serde_json::json!(["shared", "shared/a"]));
    assert_eq!(
        told["would_remove"],
        serde_json::json!(["shared/sub/empty", "shared/sub/d", "shared/sub/c", "shared/sub"])
    );
    let told = ann.told(&["sync", "one", "shared", "--delete"], 0).await;
    assert_eq!((number(&told, "done"), number(&told, "removed")), (2, 4), "{told}");

    let told = ann.told(&["sync", "two", "shared", "--down", "--delete"], 0).await;
    assert_eq!((number(&told, "done"), number(&told, "removed")), (2, 4), "{told}");
    assert_same(&one, &two);

    // What has changed here stays, unless it is told otherwise.
    fs::write(one.join("a"), "newest").unwrap();
    fs::remove_file(one.join("b")).unwrap();
    for name in ["a", "b"] {
        fs::write(two.join(name), "mine").unwrap();
    }
    sleep(SETTLED).await;
    ann.told(&["sync", "one", "shared", "--delete"], 0).await;
    let told = ann.told(&["sync", "two", "shared", "--down", "--delete"], PARTLY).await;
    let left = told["left_out"].to_string();
    assert!(left.contains("shared/a") && left.contains("shared/b"), "{told}");
    for name in ["a", "b"] {
        assert_eq!(fs::read(two.join(name)).unwrap(), b"mine");
    }
    let told = ann.told(&["sync", "two", "shared"], PARTLY).await;
    assert!(told["left_out"].to_string().contains("both sides"), "{told}");
    ann.told(&["sync", "two", "shared", "--down", "--force"], 0).await;
    assert_eq!(fs::read(two.join("a")).unwrap(), b"newest");
    assert_eq!(fs::read(two.join("b")).unwrap(), b"mine", "it went up");
}
