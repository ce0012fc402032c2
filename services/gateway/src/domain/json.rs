//! Walking through JSON that is known to be well formed, without reading it into values.

/// The length of the text that begins here, with its quotes.
pub(in crate::domain) fn text_bytes(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The tokens of a JSON text that are not white space: texts, each with its quotes; marks; numbers and words.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let from = at;
        at += match bytes.get(at)? {
            b'"' => text_bytes(&bytes[at..]),
            b'[' | b']' | b'{' | b'}' | b',' | b':' => 1,
            _ => bytes[at..].iter().take_while(|byte| !b"[]{},: \t\r\n\"".contains(byte)).count(),
        };
        text.get(from..at)
    })
}

/// How deep lists and objects are nested.
pub(in crate::domain) fn depth(text: &str) -> usize {
    let deeper = |(now, most): (usize, usize), token: &str| match token {
        "[" | "{" => (now + 1, most.max(now + 1)),
        "]" | "}" => (now.saturating_sub(1), most),
        _ => (now, most),
    };
    tokens(text).fold((0, 0), deeper).1
}

/// Whether there is a number that is beyond all that can be calculated with.
pub(in crate::domain) fn has_endless_number(text: &str) -> bool {
    let is_number = |token: &&str| token.starts_with(|char: char| char == '-' || char.is_ascii_digit());
    tokens(text).filter(is_number).any(|number| number.parse::<f64>().is_ok_and(f64::is_infinite))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_numbers_are_those_outside_of_texts() {
        assert_eq!(depth("1"), 0);
        assert_eq!(depth(" [ 1, {\"a[[\\\"[\": [2]}, [] ]"), 3);
        assert!(!has_endless_number("[\"1e999\", 1e308, -0, true, {\"1e999\": null}]"));
        assert!(has_endless_number("[1,-1e309]"));
    }
}
