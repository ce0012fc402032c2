//! Opaque tokens: 256 random bits that open something, kept by us only as a hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_core::{ExposeSecret, Random, SecretString};
use coffer_crypto::hash::sha256;
use zeroize::Zeroizing;

/// The length of a token's text.
pub const TOKEN_CHARS: usize = 43;

/// A session's or a device's token: 32 random bytes as base64url without padding.
///
/// SHA-256 without a key is enough to keep of it: nobody guesses 256 random bits.
pub struct OpaqueToken(SecretString);

impl OpaqueToken {
    /// A new token.
    pub fn make(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(SecretString::from(URL_SAFE_NO_PAD.encode(*bytes)))
    }

    /// A token as somebody sent it; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TOKEN_CHARS {
            return None;
        }
        // Strict decoding: one token has one text.
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        (bytes.len() == 32).then(|| Self(SecretString::from(text)))
    }

    /// The text to hand out, once.
    pub fn into_text(self) -> SecretString {
        self.0
    }

    /// What is kept of the token, and names what it opens.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.expose_secret().as_bytes())
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::SeededRandom;

    use super::*;

    #[test]
    fn a_token_is_43_characters_and_reads_back_to_the_same_hash() {
        let token = OpaqueToken::make(&SeededRandom::new(3));
        let hash = token.hash();
        let text = token.into_text();
        assert_eq!(text.expose_secret().len(), TOKEN_CHARS);
        assert_eq!(OpaqueToken::parse(text.expose_secret()).unwrap().hash(), hash);
    }

    #[test]
    fn other_spellings_of_a_token_are_refused() {
        let text = OpaqueToken::make(&SeededRandom::new(3)).into_text();
        let text = text.expose_secret();
        assert!(OpaqueToken::parse(&format!("{text}=")).is_none());
        assert!(OpaqueToken::parse(&text[1..]).is_none());
        assert!(OpaqueToken::parse(&format!(" {}", &text[1..])).is_none());
        // The last character carries two bits that must be zero.
        assert!(OpaqueToken::parse(&format!("{}B", &text[..42])).is_none());
    }

    #[test]
    fn debug_shows_nothing_of_a_token() {
        let token = OpaqueToken::make(&SeededRandom::new(3));
        assert_eq!(format!("{token:?}"), "OpaqueToken(redacted)");
    }
}
