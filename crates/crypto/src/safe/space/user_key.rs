//! What a user key derives to.

use std::fmt;
use std::num::NonZeroU32;

use coffer_core::{Random, SecretKey};

use zeroize::Zeroizing;

use super::stack::on_wiped_stack;
use super::{ID_BYTES, SpaceError, SpaceKeys, derive, open, seal};
use crate::hazmat::{self, Xaes256Gcm};
use crate::safe::mac::mac;

/// Bytes of the deployment's salt.
pub const SALT_BYTES: usize = 64;
/// Rounds of PBKDF2-HMAC-SHA256 (RFC 8018), as the original of this service has them.
pub const ITERATIONS: NonZeroU32 = NonZeroU32::new(480_000).expect("a constant over zero");

const KEY_BYTES: usize = 32;

/// The keys that one user key derives to. They stay where they were made, however it is moved, and are wiped there.
pub struct UserKey(Box<Keys>);

struct Keys {
    locator: SecretKey,
    wrapping: Xaes256Gcm,
}

impl UserKey {
    /// Derives them: [`ITERATIONS`] rounds, so this takes a good tenth of a second of one core.
    #[must_use]
    pub fn derive(user_key: &[u8], salt: &[u8; SALT_BYTES]) -> Self {
        on_wiped_stack(|| {
            let master =
                SecretKey::init_with(|out| hazmat::pbkdf2_hmac_sha256(user_key, salt, ITERATIONS, out));
            Self::of(&master)
        })
    }

    /// The keys of a master key that was derived some other, equally slow way. Never of a text.
    #[must_use]
    pub fn of(master: &SecretKey) -> Self {
        on_wiped_stack(|| {
            let wrapping = Xaes256Gcm::new(derive(master, b"wrap").expose());
            Self(Box::new(Keys { locator: derive(master, b"locator"), wrapping }))
        })
    }

    /// By what the user key's name space is found, blinded under a secret of the deployment: whoever has the storage
    /// alone cannot try user keys against it. `purpose` names what it is blinded for.
    #[must_use]
    pub fn blind(&self, pepper: &SecretKey, purpose: &[u8]) -> [u8; 32] {
        on_wiped_stack(|| mac(pepper, &[purpose, self.0.locator.expose()]))
    }

    /// What [`blind`](Self::blind) blinds. For tests that look whether it is anywhere.
    #[must_use]
    pub fn locator(&self) -> &SecretKey {
        &self.0.locator
    }

    /// The keys of a name space, to be stored.
    #[must_use]
    pub fn wrap(&self, space: &SpaceKeys, random: &dyn Random) -> Vec<u8> {
        on_wiped_stack(|| {
            let mut plain = Zeroizing::new([0; ID_BYTES + KEY_BYTES]);
            plain[..ID_BYTES].copy_from_slice(&space.0.id);
            plain[ID_BYTES..].copy_from_slice(space.0.key.expose());
            seal(&self.0.wrapping, random, &self.aad(), &*plain)
        })
    }

    /// The keys in what [`wrap`](Self::wrap) made under the same user key.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<SpaceKeys, SpaceError> {
        on_wiped_stack(|| {
            let plain = open(&self.0.wrapping, &self.aad(), wrapped)?;
            let (id, key) = plain.expose().split_first_chunk().ok_or(SpaceError)?;
            let key: &[u8; KEY_BYTES] = key.try_into().map_err(|_| SpaceError)?;
            Ok(SpaceKeys::new(*id, SecretKey::init_with(|out| out.copy_from_slice(key))))
        })
    }

    fn aad(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&b"coffer space wrap v1"[..], self.0.locator.expose()].concat())
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::SystemRandom;

    use super::*;

    #[test]
    fn a_user_key_opens_its_space_and_no_other_user_key_or_salt_does() {
        let (salt, other_salt) = ([1; SALT_BYTES], [2; SALT_BYTES]);
        let user_key = UserKey::derive(b"correct horse", &salt);
        let space = SpaceKeys::make(&SystemRandom);
        let wrapped = user_key.wrap(&space, &SystemRandom);
        let again = UserKey::derive(b"correct horse", &salt);
        assert_eq!(again.locator().expose(), user_key.locator().expose());
        let opened = again.unwrap(&wrapped).unwrap();
        assert_eq!((opened.id(), opened.0.key.expose()), (space.id(), space.0.key.expose()));
        for other in
            [UserKey::derive(b"correct horsf", &salt), UserKey::derive(b"correct horse", &other_salt)]
        {
            assert_ne!(other.locator().expose(), user_key.locator().expose());
            assert!(other.unwrap(&wrapped).is_err());
        }
    }

    #[test]
    fn the_derivation_is_pbkdf2_as_another_implementation_has_it() {
        // Python: hashlib.pbkdf2_hmac("sha256", b"my-user-key", bytes(range(64)), 480000).hex()
        let salt = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let master = SecretKey::init_with(|out| {
            hex::decode_to_slice("46d8c1d9daa5ddcbd339ec9e9a1f838cb258ca031a540b1d5773d2de181f6a60", out)
                .unwrap();
        });
        let derived = UserKey::derive(b"my-user-key", &salt);
        assert_eq!(derived.locator().expose(), UserKey::of(&master).locator().expose());
    }

    #[test]
    fn debug_shows_nothing_of_keys() {
        let user_key = UserKey::of(&SecretKey::init_with(|key| key.fill(0xab)));
        let shown = format!("{user_key:?} {:?}", SpaceKeys::make(&SystemRandom));
        assert_eq!(shown, "UserKey(redacted) SpaceKeys(redacted)");
    }
}
