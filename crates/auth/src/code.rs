//! One-time codes: six digits from a mail that prove an address.
//!
//! A code is guessable by design (one in 900,000), so it is kept only as a keyed code of its digits: who
//! reads the storage but not the index key cannot try all of them. It is bound to what it is for, to whom,
//! and to its own id, so that a stored code opens nothing else.

use std::fmt;

use coffer_core::{CodeId, Random};
use coffer_crypto::index::IndexKey;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The least code: the first digit is not 0.
const LEAST: u32 = 100_000;
/// How many codes there are.
const COUNT: u32 = 900_000;

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Completing a registration.
    Registration,
    /// The second step of logging in.
    #[serde(rename = "login")]
    LogIn,
    /// A new password without the old one.
    Reset,
}

impl Purpose {
    /// The purpose's one text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::LogIn => "login",
            Self::Reset => "reset",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a stored code is good for.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is: the blinded address.
    pub account: &'a [u8; 32],
    /// Which of that account's codes it is.
    pub id: CodeId,
}

/// Six decimal digits, the first not 0.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OneTimeCode([u8; 6]);

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(redacted)")
    }
}

impl OneTimeCode {
    /// A new code, each of the 900,000 as likely as any other.
    pub fn make(random: &dyn Random) -> Self {
        // The remainder alone would prefer low codes: what is beyond the last whole multiple is drawn again.
        const FAIR: u32 = u32::MAX - u32::MAX % COUNT;
        loop {
            let mut bytes = [0; 4];
            random.fill(&mut bytes);
            let drawn = u32::from_le_bytes(bytes);
            bytes.zeroize();
            if drawn < FAIR {
                return Self::from_number(LEAST + drawn % COUNT);
            }
        }
    }

    /// The code that somebody typed; `None` if it cannot be one. Spaces around it are forgiven.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 6] = text.trim().as_bytes().try_into().ok()?;
        (digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit)).then_some(Self(digits))
    }

    fn from_number(mut number: u32) -> Self {
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        Self(digits)
    }

    /// The digits, for the mail.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a code is six ASCII digits")
    }

    /// What is stored of the code.
    pub fn derive_stored(&self, key: &IndexKey, binding: Binding<'_>) -> [u8; 32] {
        let purpose = binding.purpose.as_str().as_bytes();
        // Everything but the purpose has a fixed length, and the purpose comes last.
        let mut data = [0; 32 + 16 + 6].to_vec();
        data[..32].copy_from_slice(binding.account);
        data[32..48].copy_from_slice(binding.id.as_bytes());
        data[48..].copy_from_slice(&self.0);
        data.extend_from_slice(purpose);
        let stored = key.blind("one-time code", &data);
        data.zeroize();
        stored
    }

    /// Whether this is the code of which `stored` was kept, in constant time.
    pub fn matches(&self, key: &IndexKey, binding: Binding<'_>, stored: &[u8; 32]) -> bool {
        coffer_crypto::equal(&self.derive_stored(key, binding), stored)
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::SeededRandom;
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug)]
    struct Fixed(std::sync::Mutex<Vec<u32>>);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0.lock().unwrap().remove(0).to_le_bytes());
        }
    }

    #[test]
    fn codes_span_the_whole_range_and_the_unfair_rest_is_drawn_again() {
        let random = Fixed(vec![0, 899_999, u32::MAX, 900_001].into());
        let codes: Vec<String> = (0..3).map(|_| OneTimeCode::make(&random).expose().to_owned()).collect();
        assert_eq!(codes, ["100000", "999999", "100001"]);
    }

    #[test]
    fn what_is_no_code_is_not_read_as_one() {
        for text in ["", "12345", "1234567", "012345", "12a456", "１２３４５６", "-12345", "1 2345"] {
            assert!(OneTimeCode::parse(text).is_none(), "{text:?}");
        }
        assert_eq!(OneTimeCode::parse(" 123456\n").unwrap().expose(), "123456");
    }

    #[test]
    fn debug_shows_nothing_of_a_code() {
        assert_eq!(format!("{:?}", OneTimeCode::parse("123456").unwrap()), "OneTimeCode(redacted)");
    }

    proptest! {
        #[test]
        fn every_made_code_is_read_back(seed: u64) {
            let code = OneTimeCode::make(&SeededRandom::new(seed));
            prop_assert!(OneTimeCode::parse(code.expose()).is_some());
        }
    }
}
