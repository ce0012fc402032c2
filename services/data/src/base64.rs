//! Base64 of the wire (RFC 4648, section 4, with padding), on the machine's vector instructions where it
//! has them: megabytes of it pass through every transfer.

use std::sync::LazyLock;

use base64::engine::{Engine as _, GeneralPurposeConfig};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<base64::engine::Simd> =
    LazyLock::new(|| base64::engine::Simd::standard(GeneralPurposeConfig::new()));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: LazyLock<base64::engine::GeneralPurpose> = LazyLock::new(|| {
    base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new())
});

/// Bytes that `length` bytes take as base64.
pub(crate) const fn encoded_len(length: u64) -> u64 {
    length.div_ceil(3) * 4
}

/// Appends `bytes` as base64.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    ENGINE.encode_slice(bytes, &mut out[start..]).expect("the buffer was made long enough");
}

/// The bytes that `text` stands for, unless it is not exactly what [`encode`] writes.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok()
}

/// Encodes a text that comes in pieces: up to two bytes wait for the next piece.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    waiting: [u8; 3],
    length: usize,
}

impl Pieces {
    /// Appends what `bytes` completes.
    pub(crate) fn encode(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while self.length > 0 && self.length < 3 && !bytes.is_empty() {
            self.waiting[self.length] = bytes[0];
            self.length += 1;
            bytes = &bytes[1..];
        }
        if self.length == 3 {
            encode(&self.waiting, out);
            self.length = 0;
        }
        let whole = bytes.len() / 3 * 3;
        encode(&bytes[..whole], out);
        for &byte in &bytes[whole..] {
            self.waiting[self.length] = byte;
            self.length += 1;
        }
    }

    /// Appends what waits, padded.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        encode(&self.waiting[..self.length], out);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(decode(b"aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(decode(b""), Some(Vec::new()));
        for text in ["aGVsbG8", "aGVsbG9=", "aGVs\nbG8=", "aGVsbG8-", "?", "aGVsbG8=aGVsbG8="] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn pieces_of_any_length_make_the_same_text_as_the_whole() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| u8::try_from(i * 7 % 256).unwrap()).collect();
        let mut whole = Vec::new();
        encode(&bytes, &mut whole);
        assert_eq!(u64::try_from(whole.len()).unwrap(), encoded_len(1000));
        for piece in [1, 2, 3, 4, 5, 7, 100, 999, 1000] {
            let (mut pieces, mut out) = (Pieces::default(), Vec::new());
            bytes.chunks(piece).for_each(|chunk| pieces.encode(chunk, &mut out));
            pieces.finish(&mut out);
            assert_eq!(out, whole, "pieces of {piece}");
        }
    }
}
