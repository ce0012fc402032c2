//! Idle services are small, and what is in their memory stays there.

use std::time::Duration;

use coffer_tests::Stack;

/// Resident memory of an idle service in a release build.
const IDLE_KIB_MAX: u64 = 20 * 1024;
/// A debug build maps several times as much code; its own memory is what can be told from it.
const IDLE_DEBUG_ANONYMOUS_KIB_MAX: u64 = 20 * 1024;

#[tokio::test]
async fn an_idle_service_stays_under_twenty_mebibytes() {
    let stack = Stack::separate().gateways(1).start().await;
    // As it idles, the pages of start-up given back or not; the pool of key pairs is that of tests, and a full one is some
    // hundred KiB more: `scripts/bench` shows it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for process in stack.processes() {
        let (resident, anonymous) = (process.memory_kib("VmRSS"), process.memory_kib("RssAnon"));
        let (is, limit) = if cfg!(debug_assertions) {
            (anonymous, IDLE_DEBUG_ANONYMOUS_KIB_MAX)
        } else {
            (resident, IDLE_KIB_MAX)
        };
        assert!(
            is < limit,
            "{is} KiB (resident {resident}, anonymous {anonymous})\n{}",
            process.last_words()
        );
    }
}

#[tokio::test]
async fn a_service_that_crashes_leaves_no_core_dump() {
    for builder in [Stack::all(), Stack::separate().gateways(1)] {
        let stack = builder.start().await;
        for process in stack.processes() {
            // The hard limit as well, so that nothing in the process can raise it again.
            let limit = process.limit("Max core file size");
            assert_eq!(limit, ("0".to_owned(), "0".to_owned()), "{}", process.last_words());
        }
    }
}
