//! Putting values in the place of references, once everything that they lead to is at hand.

use std::collections::HashMap;

use super::syntax::{Part, Target, Token, parts, tokens};
use super::{Name, ReferenceError};

/// How many references may lead on to each other.
pub(super) const DEPTH_MAX: usize = 16;
/// Everything that is written for one value, in bytes, at most: with what it refers to.
const BYTES_MAX: usize = 1024 * 1024;

/// Values at hand, as they were stored and as they are with their references resolved.
#[derive(Default)]
pub(super) struct Resolver {
    stored: HashMap<Name, String>,
    resolved: HashMap<Name, String>,
    /// From the value that was asked for to the one that is being resolved.
    path: Vec<Name>,
    bytes: usize,
}

/// Where the references in a value of this environment lead.
pub(super) fn targets(json: &str, environment: &str) -> Result<Vec<Name>, ReferenceError> {
    let mut found = Vec::new();
    for token in tokens(json) {
        let Token::Text(text) = token else { continue };
        for part in parts(&decoded(text)?)? {
            if let Part::Reference(target) = part {
                found.push(name(target, environment));
            }
        }
    }
    Ok(found)
}

fn decoded(text: &str) -> Result<String, ReferenceError> {
    serde_json::from_str(text).map_err(|_| ReferenceError::Malformed)
}

fn name(target: Target, environment: &str) -> Name {
    Name { key: target.key, environment: target.environment.unwrap_or_else(|| environment.to_owned()) }
}

impl Resolver {
    /// Takes a value.
    pub(super) fn put(&mut self, name: Name, json: String) {
        self.stored.insert(name, json);
    }

    /// Whether a value is at hand.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.stored.contains_key(name)
    }

    /// Bytes of the values at hand.
    pub(super) fn bytes(&self) -> usize {
        self.stored.values().map(String::len).sum()
    }

    /// How many values are at hand.
    pub(super) fn len(&self) -> usize {
        self.stored.len()
    }

    /// A value with its references resolved.
    pub(super) fn resolve(&mut self, name: &Name) -> Result<String, ReferenceError> {
        if let Some(resolved) = self.resolved.get(name) {
            return Ok(resolved.clone());
        }
        if let Some(at) = self.path.iter().position(|on_path| on_path == name) {
            let mut circle = self.path[at..].to_vec();
            circle.push(name.clone());
            return Err(ReferenceError::Circle(circle));
        }
        if self.path.len() > DEPTH_MAX {
            return Err(ReferenceError::TooDeep);
        }
        let Some(json) = self.stored.get(name).cloned() else {
            return Err(ReferenceError::Missing { name: name.clone(), from: self.path.last().cloned() });
        };
        self.path.push(name.clone());
        let mut resolved = String::with_capacity(json.len());
        for token in tokens(&json) {
            match token {
                Token::Plain(text) => self.write(&mut resolved, text)?,
                Token::Text(text) => self.text(&mut resolved, &parts(&decoded(text)?)?, &name.environment)?,
            }
        }
        self.path.pop();
        self.resolved.insert(name.clone(), resolved.clone());
        Ok(resolved)
    }

    fn write(&mut self, to: &mut String, text: &str) -> Result<(), ReferenceError> {
        self.bytes += text.len();
        if self.bytes > BYTES_MAX {
            return Err(ReferenceError::TooLarge);
        }
        to.push_str(text);
        Ok(())
    }

    /// Writes a text. One that is nothing but a reference becomes the value that it leads to, whatever that is.
    fn text(&mut self, to: &mut String, parts: &[Part], environment: &str) -> Result<(), ReferenceError> {
        if let [Part::Reference(target)] = parts {
            let value = self.resolve(&name(target.clone(), environment))?;
            return self.write(to, &value);
        }
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Reference(target) => {
                    let name = name(target.clone(), environment);
                    let value = self.resolve(&name)?;
                    within(&mut text, &value).ok_or(ReferenceError::NoText { name })?;
                }
            }
            if text.len() > BYTES_MAX {
                return Err(ReferenceError::TooLarge);
            }
        }
        let json = serde_json::to_string(&text).map_err(|_| ReferenceError::Malformed)?;
        self.write(to, &json)
    }
}

/// Writes a value within a text: texts, numbers and booleans can stand there.
fn within(to: &mut String, json: &str) -> Option<()> {
    let json = json.trim();
    match json.as_bytes().first()? {
        b'"' => to.push_str(&serde_json::from_str::<String>(json).ok()?),
        b'[' | b'{' | b'n' => return None,
        _ => to.push_str(json),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(key: &str, environment: &str) -> Name {
        Name { key: key.to_owned(), environment: environment.to_owned() }
    }

    fn resolve(values: &[(&str, &str, &str)]) -> Result<String, String> {
        let mut resolver = Resolver::default();
        for (key, environment, json) in values {
            resolver.put(named(key, environment), (*json).to_owned());
        }
        let (key, environment, _) = values[0];
        resolver.resolve(&named(key, environment)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_reference_becomes_the_value_and_within_a_text_its_text() {
        let values = [
            (
                "url",
                "e",
                r#"{"u": "http://${ref:host}:${ref:port}/${ref:on}", "all": "${ref:list}", "n": 1.50}"#,
            ),
            ("host", "e", r#""${ref:name@other}.example""#),
            ("port", "e", "8080"),
            ("on", "e", "true"),
            ("list", "e", r#"[1.50, {"a": "${ref:port}"}, "$${x}"]"#),
            ("name", "other", r#""\"é${ref:suffix}""#),
            ("suffix", "other", r#""\n""#),
        ];
        let expected =
            r#"{"u": "http://\"é\n.example:8080/true", "all": [1.50, {"a": 8080}, "${x}"], "n": 1.50}"#;
        assert_eq!(resolve(&values).as_deref(), Ok(expected));
        assert_eq!(resolve(&[("a", "e", "[\"x\",  1.0]")]).as_deref(), Ok("[\"x\",  1.0]"));
    }

    #[test]
    fn what_cannot_be_resolved_is_named() {
        let circle =
            [("a", "e", "\"${ref:b}\""), ("b", "e", "[\"x${ref:c@f}\"]"), ("c", "f", "\"${ref:a@e}\"")];
        assert_eq!(resolve(&circle).unwrap_err(), "the references go round in a circle: a@e, b@e, c@f, a@e");
        let missing = [("a", "e", "\"${ref:b}\""), ("b", "e", "\"${ref:x@f}\"")];
        assert_eq!(resolve(&missing).unwrap_err(), "b@e refers to x@f, which does not exist");
        for value in ["[]", "{}", "null"] {
            let within = [("a", "e", "\"x${ref:b}\""), ("b", "e", value)];
            assert_eq!(resolve(&within).unwrap_err(), "b@e cannot stand within a text");
        }
        let malformed = resolve(&[("a", "e", "\"${ref:\"")]);
        assert!(malformed.unwrap_err().contains("${ref:key@environment}"));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let chain = |length: usize| {
            let values: Vec<_> = (0..length)
                .map(|n| {
                    (
                        n.to_string(),
                        if n + 1 < length { format!("\"${{ref:{}}}\"", n + 1) } else { "1".into() },
                    )
                })
                .collect();
            let values: Vec<_> =
                values.iter().map(|(key, json)| (key.as_str(), "e", json.as_str())).collect();
            resolve(&values)
        };
        assert_eq!(chain(DEPTH_MAX + 1).as_deref(), Ok("1"));
        assert!(chain(DEPTH_MAX + 2).unwrap_err().contains("16"));
        // Each doubles the one behind it.
        let values: Vec<_> = (0..16)
            .map(|n| {
                let json = if n < 15 {
                    format!("\"${{ref:{0}}}${{ref:{0}}}\"", n + 1)
                } else {
                    format!("\"{}\"", "x".repeat(1000))
                };
                (n.to_string(), json)
            })
            .collect();
        let values: Vec<_> = values.iter().map(|(key, json)| (key.as_str(), "e", json.as_str())).collect();
        assert!(resolve(&values).unwrap_err().contains("1 MiB"));
    }
}
