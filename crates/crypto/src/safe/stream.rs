//! Sealing of one long byte string in parts: AES-256-GCM with a counter and a last-part flag in the
//! nonce (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
//!
//! Parts can be opened alone and in any order; parts that were left out, moved, repeated or appended
//! are refused, and so is a stream cut short, because only its true last part opens as the last.

use std::fmt;

use coffer_core::SecretKey;

use crate::hazmat::{Aes256Gcm, GCM_NONCE_BYTES, TAG_BYTES};

/// How much longer a sealed part is than its plaintext, in bytes.
pub const PART_OVERHEAD_BYTES: usize = TAG_BYTES;

/// The key of one stream. **It must never seal two streams**, nor the same part twice with different
/// contents (SP 800-38D, section 8): make a new random key per stream, and a new one when starting over.
pub struct StreamKey(Aes256Gcm);

/// Which part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place, counted from 0.
    pub index: u64,
    /// Whether it is the last one. A stream has exactly one last part, which may be empty.
    pub last: bool,
}

/// A part does not open: wrong key, wrong place, wrong associated data, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this part of the stream is not as it was sealed")]
pub struct PartRefused;

impl Part {
    /// Three zero bytes, the flag, the index: `index` alone makes a nonce unique, the flag tells apart.
    fn nonce(self) -> [u8; GCM_NONCE_BYTES] {
        let mut nonce = [0; GCM_NONCE_BYTES];
        nonce[3] = u8::from(self.last);
        nonce[4..].copy_from_slice(&self.index.to_be_bytes());
        nonce
    }
}

impl StreamKey {
    /// The stream key with these bytes.
    #[must_use]
    pub fn new(key: &SecretKey) -> Self {
        Self(Aes256Gcm::new(key.expose()))
    }

    /// Seals a part in place and appends its tag, [`PART_OVERHEAD_BYTES`] long. Reserve room for it: a
    /// buffer that has to move leaves a copy of the plaintext behind.
    pub fn seal_part(&self, part: Part, aad: &[u8], in_out: &mut Vec<u8>) {
        self.seal_part_from(0, part, aad, in_out);
    }

    /// Like [`seal_part`](Self::seal_part), leaving the first `start` bytes of `in_out` as they are.
    pub(crate) fn seal_part_from(&self, start: usize, part: Part, aad: &[u8], in_out: &mut Vec<u8>) {
        in_out.reserve_exact(TAG_BYTES);
        let tag = self.0.seal(&part.nonce(), aad, &mut in_out[start..]);
        in_out.extend_from_slice(&tag);
    }

    /// Opens a part in place and takes its tag off. After a refusal `in_out` is empty.
    pub fn open_part(&self, part: Part, aad: &[u8], in_out: &mut Vec<u8>) -> Result<(), PartRefused> {
        let opened = match in_out.split_last_chunk_mut::<TAG_BYTES>() {
            Some((ciphertext, tag)) => self.0.open(&part.nonce(), aad, ciphertext, tag).is_ok(),
            None => false,
        };
        if !opened {
            in_out.clear();
            return Err(PartRefused);
        }
        in_out.truncate(in_out.len() - TAG_BYTES);
        Ok(())
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StreamKey {
        StreamKey::new(&SecretKey::init_with(|key| key.fill(3)))
    }

    fn sealed(part: Part) -> Vec<u8> {
        let mut bytes = b"part".to_vec();
        key().seal_part(part, b"blob", &mut bytes);
        bytes
    }

    #[test]
    fn a_part_opens_at_its_place_and_nowhere_else() {
        let part = Part { index: 7, last: false };
        let mut bytes = sealed(part);
        assert_eq!(bytes.len(), 4 + PART_OVERHEAD_BYTES);
        assert_eq!(key().open_part(part, b"blob", &mut bytes), Ok(()));
        assert_eq!(bytes, b"part");
        for (place, aad) in
            [(Part { index: 8, ..part }, b"blob"), (Part { last: true, ..part }, b"blob"), (part, b"glob")]
        {
            let mut bytes = sealed(part);
            assert_eq!(key().open_part(place, aad, &mut bytes), Err(PartRefused));
            assert!(bytes.is_empty());
        }
    }

    #[test]
    fn what_is_shorter_than_a_tag_is_refused() {
        let mut bytes = vec![0; TAG_BYTES - 1];
        assert_eq!(key().open_part(Part { index: 0, last: true }, b"", &mut bytes), Err(PartRefused));
    }
}
