//! A keyring as bytes: each version wrapped under a key that belongs to one service.
//!
//! ```text
//! "CFKR" ‖ format 1 (1 byte) ‖ active id (4) ‖ count (4)
//! count × { id (4) ‖ created at, ms (8) ‖ nonce (24) ‖ XAES-256-GCM of the 32-byte key ‖ tag (16) }
//! HMAC-SHA256 of all that, under a key of its own (32)
//! ```
//!
//! Integers are big-endian. Associated data of a version are its service, id and time, so a version
//! belongs to its place; the code over the whole keeps anyone from leaving versions out or from
//! activating another one. It cannot tell an old state from the latest; [`Keyring::adopt`] refuses to go back.

use std::fmt;
use std::sync::Arc;

use coffer_core::{Random, SecretKey, Timestamp};

use super::version::{Version, Versions};
use super::{KeyId, Keyring, UnwrapError, VERSIONS_MAX};
use crate::hazmat::{self, HmacSha256, TAG_BYTES, XAES_NONCE_BYTES, Xaes256Gcm};
use crate::safe::equal::equal;

const MAGIC: &[u8; 5] = b"CFKR\x01";
const MAC_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + 4 + 4;
const VERSION_BYTES: usize = 4 + 8 + XAES_NONCE_BYTES + 32 + TAG_BYTES;

/// The key under which the keyring of one service is wrapped.
pub struct WrappingKey {
    cipher: Xaes256Gcm,
    mac: HmacSha256,
    service: String,
}

impl WrappingKey {
    /// `key` must be derived for this service and for nothing else.
    pub(crate) fn new(key: &SecretKey, service: &str) -> Self {
        let derive = |purpose: &[u8]| {
            SecretKey::init_with(|out| {
                hazmat::hkdf_sha256(b"coffer keyring v1", key.expose(), &[purpose], out);
            })
        };
        let cipher = Xaes256Gcm::new(derive(b"wrap").expose());
        let mac = HmacSha256::new(derive(b"mac").expose());
        Self { cipher, mac, service: service.to_owned() }
    }

    fn aad(&self, id: KeyId, created_at: Timestamp) -> Vec<u8> {
        let service = self.service.as_bytes();
        [&id.0.to_be_bytes()[..], &created_at.as_ms().to_be_bytes(), service].concat()
    }

    fn wrap_version(&self, version: &Version, random: &dyn Random, out: &mut Vec<u8>) {
        let mut nonce = [0; XAES_NONCE_BYTES];
        random.fill(&mut nonce);
        out.extend_from_slice(&version.id.0.to_be_bytes());
        out.extend_from_slice(&version.created_at.as_ms().to_be_bytes());
        out.extend_from_slice(&nonce);
        let key_at = out.len();
        // `out` has its full capacity already, so it does not move and leave the key behind.
        out.extend_from_slice(version.key.expose());
        let aad = self.aad(version.id, version.created_at);
        let tag = self.cipher.seal(&nonce, &aad, &mut out[key_at..]);
        out.extend_from_slice(&tag);
    }

    fn unwrap_version(&self, bytes: &[u8; VERSION_BYTES]) -> Result<Version, UnwrapError> {
        let mut rest = &bytes[..];
        let id = KeyId(u32::from_be_bytes(*take(&mut rest)?));
        let created_at = Timestamp::from_ms(i64::from_be_bytes(*take(&mut rest)?));
        let nonce = take(&mut rest)?;
        let wrapped = take::<32>(&mut rest)?;
        let tag = take(&mut rest)?;
        let mut opened = Ok(());
        let key = SecretKey::init_with(|key| {
            key.copy_from_slice(wrapped);
            opened = self.cipher.open(nonce, &self.aad(id, created_at), key, tag);
        });
        opened.map(|()| Version::new(id, created_at, key)).map_err(|_| UnwrapError::Refused)
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingKey({}, redacted)", self.service)
    }
}

impl Keyring {
    /// The keyring as bytes, to be stored or sent.
    #[must_use]
    pub fn wrap(&self, wrapping: &WrappingKey, random: &dyn Random) -> Vec<u8> {
        let versions = self.versions.load();
        let count = u32::try_from(versions.len()).expect("VERSIONS_MAX fits 32 bits");
        let mut out = Vec::with_capacity(HEADER_BYTES + versions.len() * VERSION_BYTES + MAC_BYTES);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&versions.active().id.0.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        for version in versions.all() {
            wrapping.wrap_version(version, random, &mut out);
        }
        let mac = wrapping.mac.mac(&[&out]);
        out.extend_from_slice(&mac);
        out
    }

    /// The keyring in bytes that [`wrap`](Self::wrap) made with the same key.
    pub fn unwrap(wrapping: &WrappingKey, wrapped: &[u8]) -> Result<Self, UnwrapError> {
        let (content, mac) = wrapped.split_last_chunk::<MAC_BYTES>().ok_or(UnwrapError::Format)?;
        let mut rest = content;
        if take(&mut rest)? != MAGIC {
            return Err(UnwrapError::Format);
        }
        if !equal(&wrapping.mac.mac(&[content]), mac) {
            return Err(UnwrapError::Refused);
        }
        let active = KeyId(u32::from_be_bytes(*take(&mut rest)?));
        let count = u32::from_be_bytes(*take(&mut rest)?) as usize;
        let (versions, excess) = rest.as_chunks::<VERSION_BYTES>();
        if versions.len() != count || count > VERSIONS_MAX || !excess.is_empty() {
            return Err(UnwrapError::Format);
        }
        let versions: Result<Vec<_>, _> =
            versions.iter().map(|bytes| wrapping.unwrap_version(bytes).map(Arc::new)).collect();
        Versions::new(versions?, active).map(Self::of).ok_or(UnwrapError::Format)
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], UnwrapError> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(UnwrapError::Format)?;
    *rest = left;
    Ok(taken)
}
