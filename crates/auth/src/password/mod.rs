//! Passwords: which are accepted, and how they are kept (bcrypt, as the contracts ask).

mod hasher;

use coffer_core::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use coffer_core::{ExposeSecret, SecretString};

pub use hasher::{HashError, Hasher, HasherSettings, PasswordHash, Verdict};

/// A password that may be hashed or tried: not empty, at most [`PASSWORD_BYTES_MAX`] bytes, no NUL.
///
/// bcrypt reads 72 bytes and repeats a shorter password after a NUL until they are full. So a longer
/// one would be cut silently, and one with a NUL would share its hash with other passwords.
#[derive(Debug)]
pub struct Password(SecretString);

/// Why a text is not accepted as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing at all.
    #[error("a password must not be empty")]
    Empty,
    /// More than bcrypt reads.
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes of UTF-8")]
    TooLong,
    /// Fewer characters than a new password must have on the native surface.
    #[error("a new password has at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// A NUL character.
    #[error("a password must not contain NUL")]
    Nul,
}

impl Password {
    /// Accepts what can be hashed: the rule for trying a password and of the file contract.
    pub fn new(text: SecretString) -> Result<Self, PasswordError> {
        let exposed = text.expose_secret();
        if exposed.is_empty() {
            return Err(PasswordError::Empty);
        }
        if exposed.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        if exposed.contains('\0') {
            return Err(PasswordError::Nul);
        }
        Ok(Self(text))
    }

    /// Accepts what may become somebody's password on the native surface: also long enough.
    pub fn new_for_account(text: SecretString) -> Result<Self, PasswordError> {
        let password = Self::new(text)?;
        if password.expose().chars().count() < PASSWORD_CHARS_MIN {
            return Err(PasswordError::TooShort);
        }
        Ok(password)
    }

    fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Option<PasswordError> {
        Password::new(SecretString::from(text)).err()
    }

    #[test]
    fn a_password_of_73_bytes_is_refused_and_one_of_72_is_not() {
        assert_eq!(check(&"x".repeat(72)), None);
        assert_eq!(check(&"x".repeat(73)), Some(PasswordError::TooLong));
        assert_eq!(check(&"漢".repeat(25)), Some(PasswordError::TooLong));
    }

    #[test]
    fn what_bcrypt_would_confuse_is_refused() {
        assert_eq!(check("a\0a"), Some(PasswordError::Nul));
        assert_eq!(check(""), Some(PasswordError::Empty));
    }

    #[test]
    fn a_new_password_counts_characters_not_bytes() {
        let new = |text: &str| Password::new_for_account(SecretString::from(text)).err();
        assert_eq!(new("漢字漢字漢字漢字漢"), Some(PasswordError::TooShort));
        assert_eq!(new("漢字漢字漢字漢字漢字"), None);
    }

    #[test]
    fn debug_shows_nothing_of_a_password() {
        let password = Password::new(SecretString::from("hunter2")).unwrap();
        assert!(!format!("{password:?}").contains("hunter"));
    }
}
