//! How references are written, and where they stand in JSON.
//!
//! `${ref:key}` is the configuration of that key in the same environment, `${ref:key@environment}` the one in another.
//! A `\` before `@`, `}` or `\` within makes it a part of the name. `$${` is `${` and refers to nothing; any other `${` is what
//! it is, for it may be meant for somebody else.

use super::ReferenceError;
use crate::domain::json;

const OPEN: &str = "${ref:";

/// Where a reference leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) key: String,
    /// The same environment if there is none.
    pub(super) environment: Option<String>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Reference(Target),
}

/// A part of some JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Copied as it is.
    Plain(&'a str),
    /// A text, with its quotes, in which `${` stands; never the name of a field.
    Text(&'a str),
}

/// The parts of a text.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, ReferenceError> {
    let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            plain.push_str(before);
            plain.push_str("${");
            rest = &from[2..];
        } else if let Some(inner) = from.strip_prefix(OPEN) {
            plain.push_str(before);
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let (target, after) = target(inner)?;
            parts.push(Part::Reference(target));
            rest = after;
        } else {
            plain.push_str(before);
            plain.push_str("${");
            rest = &from[2..];
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

/// The target that begins here, and what stands behind its end.
fn target(text: &str) -> Result<(Target, &str), ReferenceError> {
    let (mut names, mut chars) = (vec![String::new()], text.char_indices());
    let put = |names: &mut Vec<String>, char| names.last_mut().map(|name| name.push(char));
    while let Some((at, char)) = chars.next() {
        match char {
            '}' => {
                let mut names = names.into_iter();
                let (key, environment) = (names.next().unwrap_or_default(), names.next());
                if key.is_empty()
                    || environment.as_ref().is_some_and(String::is_empty)
                    || names.next().is_some()
                {
                    return Err(ReferenceError::Malformed);
                }
                return Ok((Target { key, environment }, &text[at + 1..]));
            }
            '@' => names.push(String::new()),
            '\\' => match chars.next() {
                Some((_, escaped @ ('@' | '}' | '\\'))) => drop(put(&mut names, escaped)),
                _ => return Err(ReferenceError::Malformed),
            },
            char => drop(put(&mut names, char)),
        }
    }
    Err(ReferenceError::Malformed)
}

/// The parts of some JSON.
pub(super) fn tokens(json: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut from, mut at) = (Vec::new(), 0, 0);
    let bytes = json.as_bytes();
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let end = at + json::text_bytes(&bytes[at..]);
        let is_name = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        if !is_name && json[at..end].contains("${") {
            tokens.extend([Token::Plain(&json[from..at]), Token::Text(&json[at..end])]);
            from = end;
        }
        at = end;
    }
    tokens.push(Token::Plain(&json[from..]));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(key: &str, environment: Option<&str>) -> Part {
        Part::Reference(Target { key: key.to_owned(), environment: environment.map(str::to_owned) })
    }

    fn plain(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    #[test]
    fn references_and_what_is_none_are_told_apart() {
        for (text, expected) in [
            ("", vec![plain("")]),
            ("${ref:a}", vec![to("a", None)]),
            (
                "${ref:db/host@prod}:${ref:port}/x",
                vec![to("db/host", Some("prod")), plain(":"), to("port", None), plain("/x")],
            ),
            ("$${ref:a} ${HOME} $$ $", vec![plain("${ref:a} ${HOME} $$ $")]),
            ("$$${ref:a}", vec![plain("$${ref:a}")]),
            ("$${${ref:a}", vec![plain("${"), to("a", None)]),
            ("${ref:a\\@b\\}c\\\\@e:f}", vec![to("a@b}c\\", Some("e:f"))]),
            ("${ref:é$ {}", vec![to("é$ {", None)]),
        ] {
            assert_eq!(parts(text).unwrap(), expected, "{text}");
        }
        for wrong in [
            "${ref:",
            "${ref:}",
            "${ref:@e}",
            "${ref:a@}",
            "${ref:a@b@c}",
            "${ref:a\\",
            "${ref:a\\b}",
            "x${ref:a",
        ] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_texts_that_are_no_names_of_fields_are_looked_into() {
        let json = r#"{"${ref:a}" : "x\"${ref:b}", "n": [1.50, "plain", "${ref:c}"]}"#;
        let expected = [
            Token::Plain(r#"{"${ref:a}" : "#),
            Token::Text(r#""x\"${ref:b}""#),
            Token::Plain(r#", "n": [1.50, "plain", "#),
            Token::Text(r#""${ref:c}""#),
            Token::Plain("]}"),
        ];
        assert_eq!(tokens(json), expected);
    }
}
