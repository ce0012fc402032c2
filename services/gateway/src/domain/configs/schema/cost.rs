//! What a schema costs to apply, counted before it is.
//!
//! Parts of a schema can refer to other parts, and so can those: a page of text unfolds to more rules than anybody
//! could try. The count is that of the rules after unfolding, each pattern for as many as it has states. References
//! that go round in a circle are refused: where they end depends on the value, and what a value can then cost is
//! exponential in its depth. Configurations are seldom trees; what is lost is little.

use std::collections::HashMap;

use serde_json::Value;

use super::{SchemaError, pattern, wrong};

/// What a schema may cost.
const COST_MAX: usize = 10_000;
/// Levels of a schema with everything that it refers to.
const HEIGHT_MAX: usize = 64;
/// Words that make a reference lead elsewhere than to where it says.
const ELSEWHERE: [&str; 5] = ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef"];
/// Rules that look again at what others beside them looked at.
const AGAIN: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// How large a part of a schema is with everything that it refers to.
#[derive(Clone, Copy)]
struct Size {
    cost: usize,
    height: usize,
}

impl Size {
    const ONE: Self = Self { cost: 1, height: 1 };

    /// With a part in it.
    fn with(self, part: Self) -> Result<Self, SchemaError> {
        let (cost, height) = (self.cost.saturating_add(part.cost), self.height.max(part.height + 1));
        if cost > COST_MAX || height > HEIGHT_MAX {
            return Err(too_involved());
        }
        Ok(Self { cost, height })
    }
}

fn too_involved() -> SchemaError {
    wrong("a schema unfolds to at most 10,000 rules on 64 levels", "")
}

struct Count<'a> {
    root: &'a Value,
    /// The size of what was referred to; nothing while it is being counted.
    known: HashMap<String, Option<Size>>,
}

/// The cost of a schema.
pub(super) fn cost(schema: &Value) -> Result<usize, SchemaError> {
    Ok(Count { root: schema, known: HashMap::new() }.of(schema, 1)?.cost)
}

impl Count<'_> {
    /// The size of a part that is so many levels down.
    fn of(&mut self, part: &Value, depth: usize) -> Result<Size, SchemaError> {
        if depth > HEIGHT_MAX {
            return Err(too_involved());
        }
        let mut size = Size::ONE;
        match part {
            Value::Array(parts) => {
                for part in parts {
                    size = size.with(self.of(part, depth + 1)?)?;
                }
            }
            Value::Object(fields) => {
                for (name, part) in fields {
                    size = size.with(self.field(name, part, depth + 1)?)?;
                }
                if AGAIN.iter().any(|name| fields.contains_key(*name)) {
                    size = size.with(size)?;
                }
            }
            Value::String(text) => size.cost += text.len() / 16,
            _ => {}
        }
        Ok(size)
    }

    /// The size of what stands under a word. What is no rule but the name of a field counts as if it were one.
    fn field(&mut self, name: &str, part: &Value, depth: usize) -> Result<Size, SchemaError> {
        match (name, part) {
            ("$ref", Value::String(target)) => self.target(target, depth),
            (name, Value::String(_)) if ELSEWHERE.contains(&name) => {
                Err(wrong("`$id`, anchors and dynamic references are not supported", ""))
            }
            ("$schema", Value::String(draft)) if !draft.contains("/draft/2020-12/schema") => {
                Err(wrong("only draft 2020-12 is supported", ""))
            }
            ("pattern", Value::String(pattern)) => Ok(Size { cost: 1 + pattern::cost(pattern), height: 1 }),
            ("patternProperties", Value::Object(patterns)) => {
                let size = self.of(part, depth)?;
                let of_names = patterns.keys().map(|name| pattern::cost(name));
                Ok(Size { cost: of_names.fold(size.cost, usize::saturating_add), ..size })
            }
            _ => self.of(part, depth),
        }
    }

    fn target(&mut self, target: &str, depth: usize) -> Result<Size, SchemaError> {
        match self.known.get(target) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(wrong("references in a schema go round in a circle", target)),
            None => {}
        }
        // Every target has one way to be written, so that a circle is seen.
        let pointer = target.strip_prefix('#').filter(|pointer| !pointer.contains('%'));
        let found = pointer.and_then(|pointer| self.root.pointer(pointer));
        let found = found.ok_or_else(|| wrong("a schema refers to its own parts only", target))?;
        self.known.insert(target.to_owned(), None);
        let size = self.of(found, depth)?;
        self.known.insert(target.to_owned(), Some(size));
        Ok(size)
    }
}
