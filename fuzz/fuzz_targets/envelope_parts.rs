//! What a hostile writer can seal under a key of his own: the content of a last part and of a page of the index.
#![no_main]

use coffer_crypto::envelope::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, content)) = bytes.split_first() else { return };
    match kind % 2 {
        0 => fuzzing::last_part(content),
        _ => fuzzing::index_page(content),
    }
});
