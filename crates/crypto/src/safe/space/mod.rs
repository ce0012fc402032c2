//! Name spaces that open for one text alone: the user key of encrypted configurations.
//!
//! A user key is derived once, slowly ([`UserKey::derive`]), into a *locator*, by which what belongs to it is found,
//! and a key that does nothing but wrap. What it wraps are the [`SpaceKeys`]: a random id and a random key, under which
//! everything in the name space is sealed and its names are blinded. So a name space moves to another user key by
//! replacing one small wrap, and neither ids nor blinded names can be computed from a guessed user key without it.
//!
//! ```text
//! wrapped or sealed: format 1 (1 byte) ‖ nonce (24) ‖ XAES-256-GCM ciphertext ‖ tag (16)
//! plaintext of a wrap: id (16) ‖ key (32); its associated data has the locator in it
//! ```
//!
//! The road not taken is to derive the name space's key from the user key itself: a change of the user key would
//! then be a change of every record, which no sharded store does at once.

mod stack;
mod user_key;

use std::fmt;

use coffer_core::{Random, SecretBytes, SecretKey, make_secret_key};

use crate::hazmat::{self, HmacSha256, TAG_BYTES, XAES_NONCE_BYTES, Xaes256Gcm};

use stack::on_wiped_stack;
pub use user_key::{ITERATIONS, SALT_BYTES, UserKey};

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 1 + XAES_NONCE_BYTES;
const ID_BYTES: usize = 16;
/// Bytes of a blinded name.
pub const NAME_BYTES: usize = 16;
/// How much longer something sealed is than its plaintext, in bytes.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;

/// What was sealed does not open: it was changed or moved, or is another key's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not as it was sealed for this place and key")]
pub struct SpaceError;

/// The keys of one name space. They stay where they were made, however it is moved, and are wiped there.
pub struct SpaceKeys(Box<Keys>);

struct Keys {
    id: [u8; ID_BYTES],
    key: SecretKey,
    cipher: Xaes256Gcm,
    names: HmacSha256,
}

impl SpaceKeys {
    /// The keys of a new name space, all random.
    #[must_use]
    pub fn make(random: &dyn Random) -> Self {
        let mut id = [0; ID_BYTES];
        random.fill(&mut id);
        on_wiped_stack(|| Self::new(id, make_secret_key(random)))
    }

    /// To be called on a stack that is wiped.
    fn new(id: [u8; ID_BYTES], key: SecretKey) -> Self {
        let cipher = Xaes256Gcm::new(derive(&key, b"seal").expose());
        let names = HmacSha256::new(derive(&key, b"names").expose());
        Self(Box::new(Keys { id, key, cipher, names }))
    }

    /// The name space's id. Random: it tells nothing of the user key.
    #[must_use]
    pub fn id(&self) -> &[u8; ID_BYTES] {
        &self.0.id
    }

    /// A name as storage may see it. `domain` keeps kinds of names apart; `pepper` is a secret of the deployment.
    #[must_use]
    pub fn blind(&self, pepper: &SecretKey, domain: &str, name: &str) -> [u8; NAME_BYTES] {
        let length = (domain.len() as u64).to_be_bytes();
        let inner = self.0.names.mac(&[&length, domain.as_bytes(), name.as_bytes()]);
        let blinded = HmacSha256::new(pepper.expose()).mac(&[b"coffer space name v1", &inner]);
        *blinded.first_chunk().expect("32 bytes begin with 16")
    }

    /// Seals `plaintext`, bound to `aad`, which must name the place where it will stand.
    #[must_use]
    pub fn seal(&self, random: &dyn Random, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        seal(&self.0.cipher, random, aad, plaintext)
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, SpaceError> {
        open(&self.0.cipher, aad, sealed)
    }
}

impl fmt::Debug for SpaceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpaceKeys(redacted)")
    }
}

fn derive(key: &SecretKey, purpose: &[u8]) -> SecretKey {
    SecretKey::init_with(|out| hazmat::hkdf_sha256(b"coffer space v1", key.expose(), &[purpose], out))
}

fn seal(cipher: &Xaes256Gcm, random: &dyn Random, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut nonce = [0; XAES_NONCE_BYTES];
    random.fill(&mut nonce);
    // With its full capacity from the start it does not move and leave plaintext behind.
    let mut sealed = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = cipher.seal(&nonce, aad, &mut sealed[HEADER_BYTES..]);
    sealed.extend_from_slice(&tag);
    sealed
}

fn open(cipher: &Xaes256Gcm, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, SpaceError> {
    let rest = sealed.strip_prefix(&[FORMAT]).ok_or(SpaceError)?;
    let (nonce, rest) = rest.split_first_chunk::<XAES_NONCE_BYTES>().ok_or(SpaceError)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(SpaceError)?;
    let mut plaintext = ciphertext.to_vec();
    let opened = cipher.open(nonce, aad, &mut plaintext, tag);
    let plaintext = SecretBytes::new(plaintext);
    opened.map(|()| plaintext).map_err(|_| SpaceError)
}

#[cfg(test)]
mod tests {
    use coffer_core::SystemRandom;

    use super::*;

    #[test]
    fn a_value_opens_at_its_place_and_in_its_space_alone() {
        let (space, other) = (SpaceKeys::make(&SystemRandom), SpaceKeys::make(&SystemRandom));
        let sealed = space.seal(&SystemRandom, b"here", b"planted");
        assert_eq!(sealed.len(), b"planted".len() + OVERHEAD_BYTES);
        assert_eq!(space.open(b"here", &sealed).unwrap().expose(), b"planted");
        assert!(space.open(b"there", &sealed).is_err() && other.open(b"here", &sealed).is_err());
        assert!(!sealed.windows(7).any(|window| window == b"planted"));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(space.open(b"here", &changed).is_err(), "byte {at}");
            assert!(space.open(b"here", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_name_is_blinded_by_its_space_and_its_deployment() {
        let (space, other) = (SpaceKeys::make(&SystemRandom), SpaceKeys::make(&SystemRandom));
        let [pepper, another] = [1, 2].map(|byte| SecretKey::init_with(|key| key.fill(byte)));
        let blinded = space.blind(&pepper, "key", "database");
        assert_eq!(blinded, space.blind(&pepper, "key", "database"));
        assert_ne!(blinded, space.blind(&pepper, "environment", "database"));
        assert_ne!(blinded, space.blind(&pepper, "keyd", "atabase"));
        assert_ne!(blinded, space.blind(&another, "key", "database"));
        assert_ne!(blinded, other.blind(&pepper, "key", "database"));
    }
}
