//! What the gateway derives and opens is in its memory for as long as it says, and then nowhere.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::{ManualClock, Random, SecretKey, SystemRandom};
use coffer_crypto::keyring::Keyring;
use coffer_crypto::testing::{SECRET_BYTES, times_in_memory};
use coffer_store::records::{MemoryRecords, Sealed};

use super::bed::{CLIENT, START, any, new, read, value, wide};
use crate::domain::configs::Configs;
use crate::repo::configs::Deployment;

const USER_KEY: &[u8] = b"the user key whose traces are looked for";

/// Python, each byte ^ 0x5a: `m = pbkdf2_hmac("sha256", USER_KEY, bytes(range(64)), 480000)`; then HKDF-SHA256 with the salt
/// "coffer space v1": of m for "wrap" and "locator"; of the name space's key ([`Fixed`]) for "seal".
const SECRETS: [&str; 4] = [
    "6a6c86d01482a14ebffd9e4d681cf0de3650458df866d12bba4ff0ba2de2ae90",
    "abc78fd74128ed94a2410b906e755e9e0e428a37adfc0fa9285bf3b5396fc061",
    "82d49d44aee401aaa04b606d047fed2ff297f99b6b410393161f4b3900f63510",
    "db8b68f7dedddbd4dadc7863c0749563725a8c9da36fdd8a0448d7de82040116",
];

/// Gives 3, 10, 17, … for a key, and chance for everything else.
#[derive(Debug)]
struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() != SECRET_BYTES {
            return SystemRandom.fill(bytes);
        }
        for (byte, value) in bytes.iter_mut().zip((0_u8..).map(|at| at.wrapping_mul(7).wrapping_add(3))) {
            *byte = value;
        }
    }
}

fn found() -> [usize; 4] {
    let masked = SECRETS.map(|text| {
        let mut masked = [0; SECRET_BYTES];
        hex::decode_to_slice(text, &mut masked).unwrap();
        masked
    });
    times_in_memory(&masked).unwrap().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_time_nothing_of_a_derived_key_and_of_what_it_opened_is_in_memory() {
    let clock = Arc::new(ManualClock::at(START));
    let keyring = Arc::new(Keyring::create(START, &SystemRandom));
    let records = Arc::new(MemoryRecords::new(clock.clone()));
    let sealed = Sealed::new(records, keyring, Arc::new(SystemRandom));
    let deployment = || Deployment {
        salt: std::array::from_fn(|at| u8::try_from(at).unwrap()),
        pepper: SecretKey::init_with(|key| key.fill(1)),
    };
    let process = || Configs::new(&sealed, &wide(), deployment(), (clock.clone(), Arc::new(Fixed))).unwrap();
    let (configs, another) = (process(), process());
    let used = async |configs: &Configs| {
        let configs = configs.clone();
        // A task, as a request is one: what it holds moves between threads.
        let task = tokio::spawn(async move {
            let holder = configs.holder(USER_KEY, CLIENT).await.unwrap();
            let _ = holder.create(new("a", "1")).await;
            holder.update(any("a"), value("2")).await.unwrap();
            assert_eq!(read(&holder, any("a")).await.as_deref(), Ok("2"));
        });
        task.await.unwrap();
    };
    // One makes the name space, the other opens it.
    used(&configs).await;
    used(&another).await;
    let [master, wrapping, locator, sealing] = found();
    assert_eq!(master, 0);
    assert!(wrapping > 1 && locator == 2 && sealing > 1, "{wrapping}, {locator}, {sealing}");
    clock.advance(Duration::from_secs(wide().derived_key_idle_s.into()));
    configs.flush_reads().await;
    another.flush_reads().await;
    configs.0.deriver.sweep();
    another.0.deriver.sweep();
    assert_eq!(found(), [0; 4], "master, wrapping key, locator, key of the name space");
}
