//! Walking through JSON that is known to be well formed, without reading it into values.

/// The length of the text that begins here, with its quotes.
pub(super) fn text_bytes(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
