//! Log files are rotated by whoever does that on a machine: renamed, and the service told by SIGHUP.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use coffer_tests::{Http, Process, Stack, until};

const PATIENCE: Duration = Duration::from_secs(10);
/// The names that collectors of the source systems' logs know.
const FILES: [(&str, &str); 3] = [("KMS", "kms.log"), ("DATA", "dataserver.log"), ("GATEWAY", "gateway.log")];

fn hang_up(process: &Process) {
    let sent = Command::new("kill").args(["-HUP", &process.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Asks for something under a request id, which every logged request names.
async fn ask(url: &str, request_id: &str) {
    let url = format!("{url}/openapi.json");
    Http::default().send_raw("GET", &url, &[("x-request-id", request_id)], None).await.expect_status(200);
}

#[tokio::test]
async fn a_log_file_that_was_moved_away_is_opened_anew_at_a_hang_up() {
    let logs = tempfile::tempdir().expect("a temporary directory can be made");
    let mut stack = Stack::separate().gateways(1);
    for (service, file) in FILES {
        let path = logs.path().join(file).display().to_string();
        stack = stack.set(&format!("COFFER_{service}__LOG__FILE"), &path);
    }
    let stack = stack.start().await;
    let nodes = [&stack.kms[0], &stack.data[0], &stack.gateways[0]];
    for ((_, file), node) in FILES.iter().zip(nodes) {
        let (current, moved) = (logs.path().join(file), logs.path().join(format!("{file}.1")));
        ask(&node.url, "before-it-was-moved").await;
        until("the file has the request", PATIENCE, || async {
            read(&current).contains("before-it-was-moved")
        })
        .await;

        fs::rename(&current, &moved).expect("it is there");
        ask(&node.url, "while-it-was-moved").await;
        until("it goes on in the moved file", PATIENCE, || async {
            read(&moved).contains("while-it-was-moved")
        })
        .await;
        assert!(!current.exists(), "{file}: nothing is opened unasked");

        hang_up(&node.process);
        until("a new file is there", PATIENCE, || async { current.exists() }).await;
        let length = read(&moved).len();
        ask(&node.url, "after-the-hang-up").await;
        until("the new file has the request", PATIENCE, || async {
            read(&current).contains("after-the-hang-up")
        })
        .await;
        assert_eq!(read(&moved).len(), length, "{file}: the moved file does not grow any more");
        assert!(node.process.runs(), "a hang-up ends nothing");
    }
}
