//! Keys in every form that is read: parsed or refused.
#![no_main]

use coffer_crypto::filekey::{PrivateKey, PublicKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = PrivateKey::from_pkcs8_der(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = PrivateKey::from_pem(text);
        let _ = PublicKey::from_pem(text);
    }
});
