//! A classic envelope's ciphertext and what was wrapped beside it: opened or refused.
#![no_main]

use coffer_crypto::classic::ContentKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((lengths, rest)) = bytes.split_first() else { return };
    let (key, rest) = rest.split_at(usize::from(lengths >> 4).min(rest.len()));
    let (iv, data) = rest.split_at(usize::from(lengths & 15).min(rest.len()));
    let _ = ContentKey::from_bytes(key, iv);
    let good = ContentKey::from_bytes(&[1; 32], &[2; 16]).expect("32 and 16 bytes");
    if let Ok(opened) = good.open(data) {
        assert!(opened.expose().len() < data.len());
    }
});
