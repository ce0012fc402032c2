//! References from one configuration to another: `${ref:…}` in a text. How they are written: [`syntax`].
//!
//! They are stored as they are written and resolved when somebody reads a value and asks for that. So what changes is seen
//! wherever it is referred to, a reference may be written before what it leads to is there, and nobody who does not know
//! of them gets anything else than what they stored. The road not taken: refusing references that lead nowhere when
//! they are stored, which would make an order of writes matter and still promise nothing.
//!
//! A reference leads to a configuration of the same user key and to nothing else: there is no way to write another.

mod resolve;
mod syntax;

use std::fmt;
use std::sync::Arc;

use super::model::Config;
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};
use resolve::{DEPTH_MAX, Resolver, targets};

/// Configurations that one value may lead to, at most.
const TARGETS_MAX: usize = 256;
/// Values read at once.
const READ_MAX: usize = 16;
/// All values that are read for one, in bytes, about.
const GATHERED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Which configuration a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The key.
    pub key: String,
    /// The environment.
    pub environment: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.key, self.environment)
    }
}

/// Why a reference is not resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It does not end, or names nothing.
    #[error("a reference is ${{ref:key}} or ${{ref:key@environment}}")]
    Malformed,
    /// It leads nowhere.
    #[error("{}{name}, which does not exist", from.as_ref().map_or_else(|| "a reference leads to ".to_owned(), |from| format!("{from} refers to ")))]
    Missing {
        /// Where it leads.
        name: Name,
        /// Where it stands.
        from: Option<Name>,
    },
    /// It leads back to itself.
    #[error("the references go round in a circle: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Circle(Vec<Name>),
    /// What it leads to cannot stand within a text.
    #[error("{name} cannot stand within a text")]
    NoText {
        /// Where it leads.
        name: Name,
    },
    /// It leads on and on.
    #[error("references lead on to each other at most {DEPTH_MAX} times")]
    TooDeep,
    /// It leads to too many.
    #[error("a value leads to at most {TARGETS_MAX} configurations")]
    TooMany,
    /// What it becomes is too large.
    #[error("a value with what it refers to has at most 1 MiB")]
    TooLarge,
}

impl Holder {
    /// The value of a configuration with its references resolved.
    pub async fn resolved(&self, config: &Config) -> Result<String, ConfigsError> {
        if !config.value.contains("${") {
            return Ok(config.value.clone());
        }
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Err(super::read::not_found(&config.key)) };
            if let Some(mut resolver) = self.gather(&space, config).await? {
                return Ok(resolver.resolve(&name_of(config))?);
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Reads everything that a configuration leads to, in one round trip for each step that it is away. Nothing if the name
    /// space is no longer ours.
    async fn gather(
        &self,
        space: &Arc<OpenSpace>,
        config: &Config,
    ) -> Result<Option<Resolver>, ConfigsError> {
        let mut resolver = Resolver::default();
        let mut wanted = targets(&config.value, &config.environment)?;
        resolver.put(name_of(config), config.value.clone());
        for _ in 0..=DEPTH_MAX {
            wanted.sort_unstable_by(|a, b| (&a.key, &a.environment).cmp(&(&b.key, &b.environment)));
            wanted.dedup();
            wanted.retain(|name| !resolver.has(name));
            if wanted.is_empty() {
                break;
            }
            if resolver.len() + wanted.len() > TARGETS_MAX {
                return Err(ReferenceError::TooMany.into());
            }
            let mut next = Vec::new();
            for names in wanted.chunks(READ_MAX) {
                let sorts: Vec<_> =
                    names.iter().map(|name| self.sort(space, &name.key, &name.environment)).collect();
                let (owner, found) = self.configs().0.repo.get_with_owner(&space.keys, &sorts).await?;
                if !self.is_ours(space, owner) {
                    return Ok(None);
                }
                for (name, opened) in names.iter().zip(found) {
                    // What is not there is named when it comes to it.
                    let Some(opened) = opened else { continue };
                    let entry = space.read(&opened)?.entry;
                    self.note_reads(space, [entry.id]);
                    next.extend(targets(&entry.value, &name.environment)?);
                    resolver.put(name.clone(), entry.value);
                }
                if resolver.bytes() > GATHERED_BYTES_MAX {
                    return Err(ReferenceError::TooLarge.into());
                }
            }
            wanted = next;
        }
        Ok(Some(resolver))
    }
}

fn name_of(config: &Config) -> Name {
    Name { key: config.key.clone(), environment: config.environment.clone() }
}
