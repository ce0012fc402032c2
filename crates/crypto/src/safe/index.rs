//! Blinding of names that storage must find but not read: e-mail addresses, user names, configuration names.

use std::fmt;

use coffer_core::SecretKey;

use crate::hazmat::HmacSha256;

/// The key that blinds names. It does not rotate: a blinded name is where a record stands.
pub struct IndexKey(HmacSha256);

impl IndexKey {
    pub(crate) fn new(key: &SecretKey) -> Self {
        Self(HmacSha256::new(key.expose()))
    }

    /// The blinded form of `data`: the same for the same data and domain, and without the key neither
    /// readable nor open to guessing. `domain` keeps kinds of names apart, so that the same text as an
    /// address and as a user name looks unrelated.
    #[must_use]
    pub fn blind(&self, domain: &str, data: &[u8]) -> [u8; 32] {
        self.0.mac(&[&(domain.len() as u64).to_be_bytes(), domain.as_bytes(), data])
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_blinded_alike_in_its_domain_and_otherwise_elsewhere() {
        let key = IndexKey::new(&SecretKey::init_with(|key| key.fill(1)));
        let other = IndexKey::new(&SecretKey::init_with(|key| key.fill(2)));
        let blinded = key.blind("email", b"ann@example.com");
        assert_eq!(blinded, key.blind("email", b"ann@example.com"));
        assert_ne!(blinded, key.blind("user name", b"ann@example.com"));
        assert_ne!(blinded, key.blind("emaila", b"nn@example.com"));
        assert_ne!(blinded, other.blind("email", b"ann@example.com"));
    }
}
