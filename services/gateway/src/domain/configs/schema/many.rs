//! The schemas of many configurations at once, as an import brings them: one request must not cost what thousands would.
//!
//! Schemas that are the same are made ready once, and no two are in memory at the same time.

use super::{Checks, Schema, SchemaError, WORK_MAX, readable};
use crate::domain::configs::ConfigsError;
use crate::domain::configs::transfer::Item;

/// What making schemas ready and applying them may cost together: a few seconds.
const WORK_OF_ALL_MAX: usize = 4 * WORK_MAX;
/// Making a schema ready costs as much as applying it to a value of so many bytes, at most.
const READY_BYTES: usize = 1024;

/// A configuration with a schema.
struct One {
    schema: String,
    value: String,
    key: String,
}

/// Whether every value matches the schema that comes with it, if one does.
pub(in super::super) async fn check_all(checks: &Checks, items: &[Item]) -> Result<(), ConfigsError> {
    let one = |item: &Item| {
        let schema = item.schema.clone()?;
        Some(One { schema, value: item.value.clone(), key: item.key.clone() })
    };
    let mut all: Vec<One> = items.iter().filter_map(one).collect();
    if all.is_empty() {
        return Ok(());
    }
    let work = move || {
        all.sort_unstable_by(|one, other| one.schema.cmp(&other.schema));
        check_sorted(&all)
    };
    checks.run(work).await?
}

fn check_sorted(all: &[One]) -> Result<(), ConfigsError> {
    let mut left = WORK_OF_ALL_MAX;
    for same in all.chunk_by(|one, other| one.schema == other.schema) {
        let of_first = |error| of(&same[0], error);
        let schema = Schema::of(&same[0].schema).map_err(of_first)?;
        spend(&mut left, schema.cost.saturating_mul(READY_BYTES))?;
        for one in same {
            let work = schema.cost.saturating_mul(one.value.len() + 64);
            if work > WORK_MAX {
                return Err(of(one, SchemaError::Work));
            }
            spend(&mut left, work)?;
            let value = readable(&one.value).map_err(|error| of(one, error))?;
            schema.check(&value).map_err(|error| of(one, error))?;
        }
    }
    Ok(())
}

fn spend(left: &mut usize, work: usize) -> Result<(), SchemaError> {
    *left = left.checked_sub(work).ok_or(SchemaError::WorkOfAll)?;
    Ok(())
}

fn of(one: &One, error: SchemaError) -> ConfigsError {
    ConfigsError::SchemaOf { key: one.key.clone(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: usize, schema: String, value: &str) -> One {
        One { schema, value: value.to_owned(), key: key.to_string() }
    }

    #[test]
    fn the_schemas_of_one_import_cost_together_no_more_than_a_few_large_ones() {
        // About as many rules as a schema may have, another one each time.
        let rules = |n: usize| {
            let rules: Vec<_> = (0..3000).map(|rule| format!("{{\"const\":{}}}", n * 3000 + rule)).collect();
            format!("{{\"not\":{{\"anyOf\":[{}]}}}}", rules.join(","))
        };
        let all = |count: usize| (0..count).map(|n| one(n, rules(n), "\"x\"")).collect::<Vec<_>>();
        check_sorted(&all(5)).unwrap();
        let refused = check_sorted(&all(100)).unwrap_err();
        assert!(matches!(refused, ConfigsError::Schema(SchemaError::WorkOfAll)), "{refused}");
        // The same one is made ready once; applying it counts each time.
        let same =
            |count: usize, value: &str| (0..count).map(|n| one(n, rules(0), value)).collect::<Vec<_>>();
        check_sorted(&same(50, "\"x\"")).unwrap();
        let long = format!("\"{}\"", "x".repeat(1024));
        let refused = check_sorted(&same(100, &long)).unwrap_err();
        assert!(matches!(refused, ConfigsError::Schema(SchemaError::WorkOfAll)), "{refused}");
        let too_long = format!("\"{}\"", "x".repeat(WORK_MAX));
        let refused = check_sorted(&same(1, &too_long)).unwrap_err();
        assert!(matches!(refused, ConfigsError::SchemaOf { error: SchemaError::Work, .. }), "{refused}");
    }

    #[test]
    fn thousands_of_small_schemas_are_no_trouble() {
        let schema = |n| format!("{{\"type\":\"integer\",\"maximum\":{n}}}");
        let all: Vec<_> = (0..5000).map(|n| one(n, schema(n), "0")).collect();
        check_sorted(&all).unwrap();
    }
}
