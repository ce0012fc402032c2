//! The content of a frame: never more than it may hold, and what was compressed comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;

const FRAME_BYTES: usize = 65_536;

fuzz_target!(|bytes: &[u8]| {
    let mut opened = b"before".to_vec();
    if let Ok(length) = coffer_compression::decompress_bounded(bytes, FRAME_BYTES, &mut opened) {
        assert!(length <= FRAME_BYTES && opened.len() == 6 + length);
    }
    assert!(opened.starts_with(b"before"));
    let (mut frame, mut back) = (Vec::new(), Vec::new());
    coffer_compression::compress_frame(bytes, &mut frame);
    coffer_compression::decompress_bounded(&frame, bytes.len(), &mut back).expect("it was just made");
    assert_eq!(back, bytes);
});
