//! JSON Schema of configurations: what a value must be like (draft 2020-12).
//!
//! A schema stands in the entry of its configuration, sealed like it, and every value that is stored there must match,
//! whatever way it comes: from the native or the contract's surface, by rolling back, promoting or importing. So
//! [`Plan::update`](super::write::Plan::update) takes nothing but a [`Checked`], and only [`Holder::checked`] makes one.
//!
//! Whoever writes a schema is a stranger, and so is who wrote the value; neither may cost more than its size. Nothing is
//! fetched: a schema refers to its own parts alone. Regular expressions are matched in linear time, and are small. And
//! since parts that refer to parts multiply, what a schema unfolds to is counted before it is used ([`cost`]). What is not
//! small is done by one thread of the lowest priority, and for a value that is tried again not a second time.

mod cost;
mod many;
mod pattern;
#[cfg(test)]
mod tests;

use std::sync::PoisonError;

use coffer_auth::workers::{WorkError, Workers};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::holder::Found;
use super::model::{Address, Config};
use super::space::TRIES_MAX;
use super::transfer::plain::parse;
use super::write::{Content, Plan, Tried};
use super::{ConfigsError, Holder};
use crate::domain::json;
pub(super) use many::check_all;

/// The largest schema, in bytes.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// A schema's cost times the bytes of a value, at most: some tenths of a second.
const WORK_MAX: usize = 16 * 1024 * 1024;
/// Up to this much of it is done at once; more is done by a thread of its own.
const WORK_AT_ONCE_MAX: usize = 256 * 1024;
/// Levels of lists and objects that are read.
const DEPTH_MAX: usize = 127;
/// Values that may wait for the thread; more are turned away.
const WAITING_MAX: usize = 64;
/// A regular expression, compiled, in bytes.
const PATTERN_BYTES_MAX: usize = 64 * 1024;
/// What the matching of one may use, in bytes.
const PATTERN_CACHE_BYTES_MAX: usize = 256 * 1024;

/// Why a schema cannot be one, or a value does not match. Nothing of either's contents is in it but names of fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The schema cannot be one.
    #[error("{what}{}", place(at))]
    Schema {
        /// What is wrong.
        what: &'static str,
        /// Where, as a JSON pointer.
        at: String,
    },
    /// The value does not match.
    #[error("the value does not match its schema{}: see {rule} in it", place(at))]
    Value {
        /// Where in the value, as a JSON pointer.
        at: String,
        /// Which rule of the schema, as a JSON pointer.
        rule: String,
    },
    /// It would take too long to find out.
    #[error("the value is too large for a schema as involved as its own")]
    Work,
    /// The value is JSON, and yet no schema can be applied to it.
    #[error("{what}, so its schema cannot be applied to it")]
    Unreadable {
        /// Why.
        what: &'static str,
    },
    /// It would take too long to find out of all of them.
    #[error("the schemas are too many or too involved to be imported at once")]
    WorkOfAll,
}

fn place(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!(" at {at}") }
}

fn wrong(what: &'static str, at: &str) -> SchemaError {
    SchemaError::Schema { what, at: at.to_owned() }
}

/// A schema that can be applied.
struct Schema {
    validator: Validator,
    cost: usize,
}

impl Schema {
    fn of(text: &str) -> Result<Self, SchemaError> {
        if text.len() > SCHEMA_BYTES_MAX {
            return Err(wrong("a schema has at most 64 KiB", ""));
        }
        let schema = parse(text).map_err(|_| wrong("a schema is JSON", ""))?;
        let cost = cost::cost(&schema)?;
        let patterns =
            PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_CACHE_BYTES_MAX);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(patterns)
            .build(&schema)
            .map_err(|error| wrong("this is no JSON Schema", error.instance_path().as_str()))?;
        Ok(Self { validator, cost })
    }

    fn check(&self, value: &Value) -> Result<(), SchemaError> {
        self.validator.validate(value).map_err(|error| SchemaError::Value {
            at: shown(error.instance_path().as_str()),
            rule: match error.schema_path().as_str() {
                // A schema that is `false` has no rule in it.
                "" => "/".to_owned(),
                path => shown(path),
            },
        })
    }
}

/// A path, as far as it is worth showing.
fn shown(path: &str) -> String {
    path.chars().take(200).collect()
}

/// The thread that applies schemas to values where that takes long.
pub(super) struct Checks(Workers);

impl Checks {
    /// Starts it.
    pub(super) fn start() -> Result<Self, WorkError> {
        Workers::start_at_low_priority("schema", 1, WAITING_MAX).map(Self)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ConfigsError> {
        self.0.run(work).await.map_err(ConfigsError::Workers)
    }
}

/// Whether a value matches a schema, if it is not too much to find out.
async fn check(checks: &Checks, schema: String, value: &str) -> Result<(), ConfigsError> {
    let value = value.to_owned();
    let small = (schema.len() + 64) * (value.len() + 64) <= WORK_AT_ONCE_MAX;
    let work = move || {
        let schema = Schema::of(&schema)?;
        if schema.cost.saturating_mul(value.len() + 64) > WORK_MAX {
            return Err(SchemaError::Work);
        }
        schema.check(&readable(&value)?)
    };
    if small {
        return Ok(work()?);
    }
    Ok(checks.run(work).await??)
}

/// A value, read as far as a schema needs it. All of it is JSON, but JSON can say what is not kept apart here.
fn readable(value: &str) -> Result<Value, SchemaError> {
    parse(value).map_err(|_| {
        let what = if json::depth(value) > DEPTH_MAX {
            "the value is nested more than 127 levels deep"
        } else if json::has_endless_number(value) {
            "a number in the value is too large"
        } else {
            "a text in the value has half of a character (a surrogate without the other)"
        };
        SchemaError::Unreadable { what }
    })
}

/// A configuration that was found, and what may be stored in its place.
pub(super) struct Checked<'a> {
    pub(super) found: Found,
    pub(super) content: Content<'a>,
}

impl Holder {
    /// Lets through what matches the schema that comes with it, or else the one that is there, if there is one.
    pub(super) async fn checked<'a>(
        &self,
        found: Found,
        content: Content<'a>,
    ) -> Result<Checked<'a>, ConfigsError> {
        if let Some(schema) = content.schema.or(found.entry.schema.as_deref()) {
            self.check_once(schema, content.value).await?;
        }
        Ok(Checked { found, content })
    }
}

impl Holder {
    /// A value is tried again when somebody else was quicker, which does not change what it is like.
    pub(super) async fn check_once(&self, schema: &str, value: &str) -> Result<(), ConfigsError> {
        let passed = || self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed().as_ref().is_some_and(|(of, what)| of == schema && what == value) {
            return Ok(());
        }
        check(&self.configs().0.schema_checks, schema.to_owned(), value).await?;
        *passed() = Some((schema.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The schema of a configuration.
    pub async fn schema(&self, address: Address<'_>) -> Result<String, ConfigsError> {
        let (_, found) = self.found(address).await?;
        found.entry.schema.ok_or(ConfigsError::NoSchema)
    }

    /// Gives a configuration a schema, which its value must match, or takes it away.
    pub async fn set_schema(
        &self,
        address: Address<'_>,
        schema: Option<&str>,
    ) -> Result<Config, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let (space, found) = self.found(address).await?;
            match schema {
                Some(schema) => self.check_once(schema, &found.entry.value).await?,
                None if found.entry.schema.is_none() => return Err(ConfigsError::NoSchema),
                None => {}
            }
            let mut plan = Plan::new(self, &space);
            let entry = plan.set_schema(found, schema.map(str::to_owned))?;
            if let Tried::Done(()) = self.commit(&space, plan).await? {
                return Ok(entry.into());
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }
}
