//! Base64 (RFC 4648, section 4, with padding), on the machine's vector instructions where it has them:
//! megabytes of it pass through every transfer of a file.

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
pub const fn encoded_len(length: u64) -> u64 {
    length.div_ceil(3) * 4
}

/// Appends `bytes` as base64.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    ENGINE.encode_slice(bytes, &mut out[start..]).expect("the buffer was made long enough");
}

/// The bytes that `text` stands for, unless it is not exactly what [`encode`] writes.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok()
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
    fn what_is_encoded_is_as_long_as_announced_and_decodes_to_the_same() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| u8::try_from(i * 7 % 256).unwrap()).collect();
        for length in [0, 1, 2, 3, 63, 64, 127, 128, 999, 1000] {
            let mut text = b"before".to_vec();
            encode(&bytes[..length], &mut text);
            assert_eq!(text.len() as u64, 6 + encoded_len(length as u64));
            assert_eq!(decode(&text[6..]).unwrap(), bytes[..length]);
        }
    }
}
