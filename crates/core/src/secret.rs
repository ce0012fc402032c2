//! Values that are wiped when dropped and never printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Random;

/// A 256-bit secret key. It has no `Clone`, no `Serialize`, and its `Debug` shows nothing of it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(Box<[u8; 32]>);

impl SecretKey {
    /// A key that `fill` writes in place, so that no copy of it is left on the stack.
    pub fn init_with(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Self(Box::new([0; 32]));
        fill(&mut key.0);
        key
    }

    /// The key's bytes; hand them to a primitive, never keep them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

/// A new random key.
pub fn make_secret_key(random: &dyn Random) -> SecretKey {
    SecretKey::init_with(|key| random.fill(key))
}

/// Secret bytes of any length, wiped when dropped; `Debug` shows only how many there are.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over; the caller keeps no copy.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes, redacted)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        let key = SecretKey::init_with(|k| k.fill(0xab));
        assert_eq!(format!("{key:?}"), "SecretKey(redacted)");
        assert_eq!(format!("{:?}", SecretBytes::new(vec![1, 2])), "SecretBytes(2 bytes, redacted)");
    }

    #[test]
    fn two_made_keys_differ() {
        let random = SeededRandom::new(1);
        assert_ne!(make_secret_key(&random).expose(), make_secret_key(&random).expose());
    }
}
