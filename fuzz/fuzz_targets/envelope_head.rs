//! The head of an envelope, as a stranger hands it out: read or refused, and what is read is what was there.
#![no_main]

use coffer_crypto::envelope::{Head, PREFIX_BYTES};
use libfuzzer_sys::fuzz_target;

/// A prefix as it may be; only the content key would tell that nobody made it.
const PREFIX: [u8; PREFIX_BYTES] = {
    let mut prefix = [7; PREFIX_BYTES];
    let start = *b"COFFER\0\x01\0\x01\x01\0\0\x01\0\0";
    let mut place = 0;
    while place < start.len() {
        prefix[place] = start[place];
        place += 1;
    }
    prefix
};

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    read(&[&PREFIX, bytes].concat());
});

fn read(bytes: &[u8]) {
    let Some(start) = bytes.first_chunk() else { return };
    let Ok(length) = Head::length(start) else {
        assert!(Head::parse(bytes).is_err(), "a head whose start is refused is no head");
        return;
    };
    if let Some(head) = bytes.get(..length)
        && let Ok(read) = Head::parse(head)
    {
        assert_eq!(read.to_bytes(), head);
    }
}
