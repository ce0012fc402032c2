//! How two values differ.
//!
//! JSON is compared by structure: each difference is the path (a JSON Pointer, RFC 6901) of a value that was added,
//! removed or replaced, as in a JSON Patch (RFC 6902). Items of arrays are compared by their place. Anything else is
//! compared by length and hash.

use coffer_crypto::hash::sha256;
use serde_json::Value;

use super::value::{Kind, PlainValue};

/// Differences that are told, at most.
pub const DIFFERENCES_MAX: usize = 10_000;
/// Deeper than this, values are compared as a whole.
const DEPTH_MAX: usize = 128;

/// How two values differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Both are JSON.
    Json {
        /// What differs, in the order of the paths.
        edits: Vec<Edit>,
        /// Whether there is more than was told.
        is_cut: bool,
    },
    /// One of them is bytes.
    Bytes {
        /// The one.
        from: Digest,
        /// The other.
        to: Digest,
    },
}

/// What differs at one place.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// There is a value now.
    Added {
        /// Where.
        path: String,
        /// The value.
        value: Value,
    },
    /// There is no value any more.
    Removed {
        /// Where.
        path: String,
        /// The value that was there.
        value: Value,
    },
    /// There is another value.
    Replaced {
        /// Where.
        path: String,
        /// The value that was there.
        from: Value,
        /// The value that is there.
        to: Value,
    },
}

/// What is told of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The type, or none if it is JSON.
    pub content_type: Option<String>,
    /// How many there are.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// How two values differ.
pub fn differences(from: &PlainValue, to: &PlainValue) -> Difference {
    let parsed =
        |value: &PlainValue| value.as_json().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let (Some(old), Some(new)) = (parsed(from), parsed(to)) else {
        return Difference::Bytes { from: digest(from), to: digest(to) };
    };
    let mut walk = Walk { edits: Vec::new(), is_cut: false };
    walk.compare(&mut String::new(), (&old, &new), 0);
    Difference::Json { edits: walk.edits, is_cut: walk.is_cut }
}

fn digest(value: &PlainValue) -> Digest {
    let content_type = match value.kind() {
        Kind::Json => None,
        Kind::Bytes { content_type } => Some(content_type.clone()),
    };
    Digest { content_type, bytes: value.as_bytes().len() as u64, sha256: sha256(value.as_bytes()) }
}

struct Walk {
    edits: Vec<Edit>,
    is_cut: bool,
}

impl Walk {
    fn compare(&mut self, path: &mut String, (old, new): (&Value, &Value), depth: usize) {
        match (old, new) {
            (old, new) if old == new => {}
            (Value::Object(old), Value::Object(new)) if depth < DEPTH_MAX => {
                let mut names: Vec<_> =
                    old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
                names.sort();
                for name in names {
                    let token = name.replace('~', "~0").replace('/', "~1");
                    self.at(path, &token, (old.get(name), new.get(name)), depth);
                }
            }
            (Value::Array(old), Value::Array(new)) if depth < DEPTH_MAX => {
                for place in 0..old.len().max(new.len()) {
                    self.at(path, &place.to_string(), (old.get(place), new.get(place)), depth);
                }
            }
            (old, new) => {
                self.tell(Edit::Replaced { path: path.clone(), from: old.clone(), to: new.clone() });
            }
        }
    }

    fn at(&mut self, path: &mut String, token: &str, pair: (Option<&Value>, Option<&Value>), depth: usize) {
        let length = path.len();
        path.push('/');
        path.push_str(token);
        match pair {
            (Some(old), Some(new)) => self.compare(path, (old, new), depth + 1),
            (Some(old), None) => self.tell(Edit::Removed { path: path.clone(), value: old.clone() }),
            (None, Some(new)) => self.tell(Edit::Added { path: path.clone(), value: new.clone() }),
            (None, None) => {}
        }
        path.truncate(length);
    }

    fn tell(&mut self, edit: Edit) {
        if self.edits.len() < DIFFERENCES_MAX {
            self.edits.push(edit);
        } else {
            self.is_cut = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    fn of(value: &Value) -> PlainValue {
        PlainValue::json(RawValue::from_string(value.to_string()).unwrap())
    }

    fn edits(from: &Value, to: &Value) -> Vec<Edit> {
        let Difference::Json { edits, is_cut: false } = differences(&of(from), &of(to)) else {
            panic!("cut or bytes")
        };
        edits
    }

    #[test]
    fn each_difference_is_told_at_its_place() {
        let from = json!({"same": [1, {"a": 1}], "gone": null, "n": {"x/y~z": 1}, "list": [1, 2, 3]});
        let to = json!({"same": [1, {"a": 1}], "new": {}, "n": {"x/y~z": "1"}, "list": [1, 5]});
        let path = str::to_owned;
        assert_eq!(
            edits(&from, &to),
            [
                Edit::Removed { path: path("/gone"), value: json!(null) },
                Edit::Replaced { path: path("/list/1"), from: json!(2), to: json!(5) },
                Edit::Removed { path: path("/list/2"), value: json!(3) },
                Edit::Replaced { path: path("/n/x~1y~0z"), from: json!(1), to: json!("1") },
                Edit::Added { path: path("/new"), value: json!({}) },
            ]
        );
        assert!(edits(&from, &from).is_empty());
        assert_eq!(edits(&json!(1), &json!([1])).len(), 1);
    }

    #[test]
    fn bytes_are_told_by_length_and_hash_and_much_is_cut() {
        let bytes = PlainValue::bytes("text/plain".to_owned(), Bytes::from_static(b"abc"));
        let Difference::Bytes { from, to } = differences(&of(&json!(1)), &bytes) else { panic!("no bytes") };
        assert_eq!((from.content_type, from.bytes, to.bytes), (None, 1, 3));
        assert_eq!(to.sha256, sha256(b"abc"));
        let many = json!(vec![1; DIFFERENCES_MAX + 1]);
        let Difference::Json { edits, is_cut } = differences(&of(&json!([])), &of(&many)) else {
            panic!("bytes")
        };
        assert!(edits.len() == DIFFERENCES_MAX && is_cut);
    }
}
