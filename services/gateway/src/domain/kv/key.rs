//! Keys of the store.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use coffer_core::limits::KEY_BYTES_MAX;

/// A key: any text of 1 to [`KEY_BYTES_MAX`] bytes. It is a name and never a path, so `/` and `..` mean nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is empty.
    #[error("a key is not empty")]
    Empty,
    /// It is too long.
    #[error("a key has at most {KEY_BYTES_MAX} bytes")]
    TooLong,
}

impl Key {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text.len() {
            0 => Err(KeyError::Empty),
            1..=KEY_BYTES_MAX => Ok(Self(text.into())),
            _ => Err(KeyError::TooLong),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_any_text_that_is_neither_empty_nor_too_long() {
        for key in ["a", "../etc/passwd", "/", "\0", &"報".repeat(341)] {
            assert_eq!(key.parse::<Key>().unwrap().as_str(), key);
        }
        assert_eq!("".parse::<Key>(), Err(KeyError::Empty));
        assert_eq!("a".repeat(KEY_BYTES_MAX + 1).parse::<Key>(), Err(KeyError::TooLong));
    }
}
