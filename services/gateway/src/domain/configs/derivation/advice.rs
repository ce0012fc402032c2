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
    let text = String::from_utf8_lossy(user_key).to_lowercase();
    let chars: Vec<char> = text.chars().collect();
    let once = unrepeated(&chars);
    if once.len() < chars.len() {
        let weak = of_text(&once.iter().collect::<String>());
        return weak
            .map(|_| "this user key repeats itself; use at least 16 random characters or several words");
    }
    of_text(&String::from_utf8_lossy(user_key))
}

/// What is repeated, if that is all there is, the last time perhaps in part.
fn unrepeated(chars: &[char]) -> &[char] {
    let repeats = |&length: &usize| chars[length..].iter().zip(chars).all(|(char, before)| char == before);
    // Twice, less a character that stands in between: "secret-secret".
    let length = (1..=chars.len().div_ceil(2)).find(repeats).unwrap_or(chars.len());
    &chars[..length.min(chars.len())]
}

fn of_text(text: &str) -> Option<&'static str> {
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
        let repeated = [
            "Password1Password1",
            "password1PASSWORD1",
            "Summer24-Summer24-Summer24",
            "abcabcabcabcabcabcab",
        ];
        for weak in repeated {
            assert!(advice(weak.as_bytes()).is_some_and(|said| said.contains("repeats itself")), "{weak}");
        }
        for strong in ["q7Tz0vXcW2mPd8Lsq7Tz0vXcW2mPd8Ls", "correct horse battery staple", "q7Tz0vXcW2mPd8Ls"]
        {
            assert!(advice(strong.as_bytes()).is_none(), "{strong}");
        }
    }
}
