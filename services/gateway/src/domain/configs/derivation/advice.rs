//! What is said of a user key that can be guessed.
//!
//! No estimate of strength is more than a hint: only what is plainly weak is told, because false praise does more harm
//! than none.
//!
//! The road not taken is a library that estimates: the good ones keep copies of what they take apart, in memory that
//! nobody wipes.

use zeroize::Zeroizing;

/// Characters below which a user key is called short.
const CHARS_GOOD: usize = 16;
/// Different characters below which a user key is called uniform.
const VARIETY_GOOD: usize = 8;
/// Characters below which a user key is called guessable, when those that follow from the one before count for nothing, and
/// a common word for one.
const SURPRISES_GOOD: usize = 10;

/// Where one character leads to the next, in either direction.
const ROWS: [&str; 5] = ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];
/// Words that guessers try first.
const COMMON: [&str; 40] = [
    "password",
    "passwort",
    "passphrase",
    "passwor",
    "secret",
    "geheim",
    "admin",
    "administrator",
    "welcome",
    "willkommen",
    "letmein",
    "changeme",
    "default",
    "master",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "iloveyou",
    "sunshine",
    "princess",
    "shadow",
    "superman",
    "batman",
    "trustno",
    "login",
    "user",
    "test",
    "config",
    "coffer",
    "database",
    "server",
    "production",
    "staging",
    "development",
    "summer",
    "winter",
    "spring",
    "autumn",
    "company",
];

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
    let plain: Zeroizing<Vec<char>> = Zeroizing::new(
        text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect(),
    );
    if plain.iter().all(char::is_ascii_digit) {
        return Some("this user key is a number; use at least 16 random characters or several words");
    }
    // With separators, which say little, so that several short words are not called few.
    let separators = text.chars().filter(|c| !c.is_alphanumeric()).count();
    if surprises(&plain) + separators.min(plain.len() / 3) < SURPRISES_GOOD {
        return Some("this user key is easily guessed; use at least 16 random characters or several words");
    }
    None
}

/// How many characters do not follow from those before them.
fn surprises(text: &[char]) -> usize {
    let (mut at, mut surprises) = (0, 0);
    while at < text.len() {
        let begins = |word: &&&str| {
            let length = word.chars().count();
            text[at..].len() >= length
                && text[at..].iter().zip(word.chars()).all(|(char, of)| like(*char) == of)
        };
        let word = COMMON.iter().filter(begins).map(|word| word.chars().count()).max();
        let follows = at > 0 && is_neighbour(text[at - 1], text[at]);
        surprises += usize::from(word.is_some() || !follows);
        at += word.unwrap_or(1);
    }
    surprises
}

/// The letter that a sign is often written for.
fn like(char: char) -> char {
    match char {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        other => other,
    }
}

fn is_neighbour(one: char, other: char) -> bool {
    let beside = |row: &str| {
        let row = row.as_bytes();
        row.windows(2).any(|two| {
            let two = [char::from(two[0]), char::from(two[1])];
            two == [one, other] || two == [other, one]
        })
    };
    one == other || ROWS.iter().any(|row| beside(row))
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn weak_user_keys_get_advice_and_strong_ones_none() {
        for weak in ["password", "aaaaaaaaaaaaaaaaaaaaaaaa", "12345678901234567890", "MyKey123!"] {
            assert!(advice(weak.as_bytes()).is_some(), "{weak}");
        }
        let guessable = [
            "abcdefghijklmnop",
            "qwertyuiopasdfgh",
            "Password12345678",
            "passwordpasswor1",
            "P4ssw0rd-12345678",
            "zyxwvutsrqponmlkj",
            "Administrator12345",
        ];
        for weak in guessable {
            assert!(advice(weak.as_bytes()).is_some_and(|said| said.contains("guessed")), "{weak}");
        }
        assert!(advice(b"1234-5678-9012-3456").is_some_and(|said| said.contains("number")));
        let repeated = [
            "Password1Password1",
            "password1PASSWORD1",
            "Summer24-Summer24-Summer24",
            "abcabcabcabcabcabcab",
        ];
        for weak in repeated {
            assert!(advice(weak.as_bytes()).is_some_and(|said| said.contains("repeats itself")), "{weak}");
        }
        for strong in [
            "q7Tz0vXcW2mPd8Lsq7Tz0vXcW2mPd8Ls",
            "correct horse battery staple",
            "q7Tz0vXcW2mPd8Ls",
            "9f8e2b71c04d5a63",
            "lamp river otter cloud",
            "schlüssel ganz geheim nr 9",
        ] {
            assert!(advice(strong.as_bytes()).is_none(), "{strong}");
        }
    }
}
