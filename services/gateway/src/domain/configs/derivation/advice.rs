//! What is said of a user key that can be guessed.
//!
//! No estimate of strength is more than a hint: only what is plainly weak is told, because false praise does more harm
//! than none.

/// Characters below which a user key is called short.
const CHARS_GOOD: usize = 16;
/// Different characters below which a user key is called uniform.
const VARIETY_GOOD: usize = 8;

/// Advice about a weak user key; nothing if there is none to give.
pub(super) fn advice(user_key: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(user_key);
    let variety = text.chars().collect::<std::collections::HashSet<_>>().len();
    if variety < VARIETY_GOOD {
        return Some("this user key has few different characters; use 16 random ones or several words");
    }
    if text.chars().count() < CHARS_GOOD {
        return Some("this user key is short; use at least 16 random characters or several words");
    }
    if text.chars().all(|c| c.is_ascii_digit()) {
        return Some("this user key is a number; use at least 16 random characters or several words");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn weak_user_keys_get_advice_and_strong_ones_none() {
        for weak in ["password", "aaaaaaaaaaaaaaaaaaaaaaaa", "12345678901234567890", "MyKey123!"] {
            assert!(advice(weak.as_bytes()).is_some(), "{weak}");
        }
        for strong in ["correct horse battery staple", "q7Tz0vXcW2mPd8Ls"] {
            assert!(advice(strong.as_bytes()).is_none(), "{strong}");
        }
    }
}
