//! The content key and what is derived from it.

use std::fmt;

use coffer_core::{Random, SecretKey, make_secret_key};

use super::{Prefix, Refusal};
use crate::hazmat::{self, Aes256Gcm, HmacSha256};
use crate::safe::equal::equal;
use crate::stream::StreamKey;

/// The key of one envelope. **It must never seal two envelopes**, nor another plaintext into the same
/// one: whoever starts an upload anew makes a new content key.
pub struct ContentKey(SecretKey);

impl ContentKey {
    pub(super) fn make(random: &dyn Random) -> Self {
        Self(make_secret_key(random))
    }

    /// The content key with these 32 bytes, as the KMS hands it out.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| Refusal::Stanza)?;
        Ok(Self(SecretKey::init_with(|key| key.copy_from_slice(bytes))))
    }

    /// The key's bytes, to be wrapped or handed to whoever may open the envelope.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// HKDF-SHA256 (RFC 5869) with the prefix's salt; the whole prefix but the commitment is in `info`, so
    /// no field of it can be changed without changing every key.
    pub(super) fn derive(&self, prefix: &Prefix, purpose: &str) -> SecretKey {
        SecretKey::init_with(|out| {
            let info: [&[u8]; 4] = [b"coffer envelope v1\0", purpose.as_bytes(), &[0], prefix.keyed()];
            hazmat::hkdf_sha256(prefix.salt(), self.expose(), &info, out);
        })
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(redacted)")
    }
}

/// The keys that one envelope needs, each for one purpose.
pub(super) struct Keys {
    pub(super) frames: StreamKey,
    pub(super) index: StreamKey,
    pub(super) last_part: Aes256Gcm,
    pub(super) stanzas: HmacSha256,
    /// Associated data of frames, index and last part.
    pub(super) prefix_hash: [u8; 32],
}

impl Keys {
    /// The keys of the envelope with this prefix; refused unless the prefix commits to `content`.
    pub(super) fn derive(content: &ContentKey, prefix: &Prefix) -> Result<Self, Refusal> {
        if !equal(&Self::commitment(content, prefix), prefix.commitment()) {
            return Err(Refusal::WrongKey);
        }
        Ok(Self {
            frames: StreamKey::new(&content.derive(prefix, "frames")),
            index: StreamKey::new(&content.derive(prefix, "index")),
            last_part: Aes256Gcm::new(content.derive(prefix, "last part").expose()),
            stanzas: HmacSha256::new(content.derive(prefix, "stanzas").expose()),
            prefix_hash: prefix.hash(),
        })
    }

    /// Binds an envelope to one content key. AES-GCM alone does not: a frame can be made that opens under
    /// two keys, with two plaintexts.
    pub(super) fn commitment(content: &ContentKey, prefix: &Prefix) -> [u8; 32] {
        *content.derive(prefix, "commitment").expose()
    }
}
