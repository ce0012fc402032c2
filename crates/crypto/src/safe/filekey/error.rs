//! Why file keys refuse.

/// Why bytes or a text are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormatError {
    /// Not PEM with a label that is known here, or too long for any key.
    #[error("not a PEM key of a known kind")]
    Pem,
    /// Not the DER of an RSA key.
    #[error("not an RSA key")]
    Key,
    /// An RSA key of another size.
    #[error("an RSA key of {0} bits; 2048, 3072 and 4096 are accepted")]
    Size(usize),
}

/// An OAEP ciphertext does not open under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sealed for this file key")]
pub struct OaepRefused;

/// A plaintext is too long for OAEP under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too long to be sealed under this file key")]
pub struct TooLong;
