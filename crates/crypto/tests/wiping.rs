//! Keys of configurations leave nothing in memory once they are dropped.

use coffer_core::{Random, SecretKey, SystemRandom};
use coffer_crypto::space::{SALT_BYTES, SpaceKeys, UserKey};
use coffer_crypto::testing::{MASK, SECRET_BYTES, times_in_memory};

const USER_KEY: &[u8] = b"the user key whose traces are looked for";

/// Python, each byte ^ 0x5a: `m = pbkdf2_hmac("sha256", USER_KEY, bytes(range(64)), 480000)`; then HKDF-SHA256 with the salt
/// "coffer space v1": of m for "wrap" and "locator"; of the name space's key ([`Fixed`]) for "seal".
const SECRETS: [&str; 4] = [
    "6a6c86d01482a14ebffd9e4d681cf0de3650458df866d12bba4ff0ba2de2ae90",
    "abc78fd74128ed94a2410b906e755e9e0e428a37adfc0fa9285bf3b5396fc061",
    "82d49d44aee401aaa04b606d047fed2ff297f99b6b410393161f4b3900f63510",
    "db8b68f7dedddbd4dadc7863c0749563725a8c9da36fdd8a0448d7de82040116",
];

/// Gives 3, 10, 17, …
#[derive(Debug)]
struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip((0_u8..).map(|at| at.wrapping_mul(7).wrapping_add(3))) {
            *byte = value;
        }
    }
}

fn found() -> [usize; 4] {
    let masked = SECRETS.map(|text| {
        let mut masked = [0; SECRET_BYTES];
        hex::decode_to_slice(text, &mut masked).expect("64 digits");
        masked
    });
    let times = times_in_memory(&masked).expect("a process can read its own memory");
    times.try_into().expect("one for each")
}

/// Moves something about as services do: from the thread that made it to others, and into other allocations.
fn moved<T: Send + 'static>(make: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    let maker = std::thread::spawn(move || sender.send((0_u8, make())));
    let (_, thing) = receiver.recv().expect("it is made");
    maker.join().expect("it does not panic").expect("somebody waits for it");
    let mut list = Vec::with_capacity(1);
    list.push(thing);
    list.reserve(1000);
    list.pop().expect("it is there")
}

/// One test: another one beside it would have keys in the same memory.
#[test]
fn of_what_a_user_key_derives_to_and_opens_nothing_stays_in_memory_after_it() {
    // What is found at all: a key that is there as often as it was copied.
    let copies: Vec<SecretKey> = (0..3)
        .map(|_| {
            SecretKey::init_with(|key| {
                hex::decode_to_slice(SECRETS[0], &mut *key).expect("64 digits");
                for byte in key {
                    *byte ^= MASK;
                }
            })
        })
        .collect();
    assert_eq!(found(), [3, 0, 0, 0]);
    drop(copies);
    assert_eq!(found(), [0; 4]);

    let salt: [u8; SALT_BYTES] = std::array::from_fn(|at| u8::try_from(at).expect("it is below 64"));
    let user_key = moved(move || UserKey::derive(USER_KEY, &salt));
    let [master, wrapping, locator, _] = found();
    assert!(master == 0 && wrapping > 0 && locator == 1, "{master}, {wrapping}, {locator}");
    let pepper = SecretKey::init_with(|key| key.fill(1));
    let space = moved(|| SpaceKeys::make(&Fixed));
    let wrapped = user_key.wrap(&space, &SystemRandom);
    let opened = user_key.unwrap(&wrapped).expect("it is its own");
    let place = user_key.blind(&pepper, b"a place");
    assert_ne!(place, user_key.blind(&pepper, b"another place"));
    let sealed = space.seal(&SystemRandom, b"here", b"a value");
    assert_eq!(opened.open(b"here", &sealed).expect("it is its own").expose(), b"a value");
    assert_eq!(opened.blind(&pepper, "key", "a"), space.blind(&pepper, "key", "a"));
    let [_, wrapping, locator, sealing] = found();
    assert!(wrapping > 0 && locator == 1 && sealing > 1, "{wrapping}, {locator}, {sealing}");
    drop((user_key, space, opened));
    assert_eq!(found(), [0; 4], "master, wrapping key, locator, key of the name space");
}
