//! Copying configurations from one environment to another, all of them at once or none.
//!
//! As with an import, a schema that a configuration has comes along and becomes that of what it overwrites; where it has none,
//! the one that is there stays, and the value must match it.

use std::collections::HashSet;

use super::holder::Found;
use super::model::Config;
use super::read::not_found;
use super::space::{OpenSpace, TRIES_MAX};
use super::transfer::same;
use super::write::{Category, Content, Plan, Tried};
use super::{ConfigsError, Holder};
use crate::repo::configs::Entry;

/// Configurations in one promotion, at most: each takes several operations of one commit.
pub const PROMOTED_MAX: usize = 50;
/// Their values together, in bytes, at most.
const PROMOTED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is copied from where to where.
#[derive(Clone, Copy, Debug)]
pub struct Promotion<'a> {
    /// The keys.
    pub keys: &'a [String],
    /// The environment that they are in.
    pub from: &'a str,
    /// The environment that they will be in as well.
    pub to: &'a str,
    /// Whether what is there already gets a new version.
    pub overwrite: bool,
}

/// What there is of one key: in the one environment, and in the other.
type Pair = (Found, Option<Found>);

impl Holder {
    /// Copies configurations from one environment to another; answers what is there then, in the order asked.
    pub async fn promote(&self, promotion: Promotion<'_>) -> Result<Vec<Config>, ConfigsError> {
        let Promotion { keys, from, to, overwrite } = promotion;
        let different: HashSet<_> = keys.iter().collect();
        if from == to || different.len() != keys.len() || !(1..=PROMOTED_MAX).contains(&keys.len()) {
            return Err(ConfigsError::Promotion);
        }
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Err(not_found(&keys[0])) };
            if let Some(pairs) = self.pairs(&space, promotion).await? {
                let (mut plan, mut done) = (Plan::new(self, &space), Vec::with_capacity(keys.len()));
                for pair in pairs {
                    done.push(self.promote_one(&space, (&mut plan, promotion), pair).await?.into());
                }
                match self.commit(&space, plan).await {
                    Ok(Tried::Done(())) => return Ok(done),
                    Ok(Tried::Again) => {}
                    // Somebody made it just now, so it is written over like any other.
                    Err(ConfigsError::Exists { .. }) if overwrite => {}
                    Err(error) => return Err(error),
                }
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    async fn promote_one(
        &self,
        space: &OpenSpace,
        (plan, promotion): (&mut Plan<'_>, Promotion<'_>),
        (source, target): Pair,
    ) -> Result<Entry, ConfigsError> {
        plan.unchanged(&source);
        let Entry { key, value, category, schema, .. } = source.entry;
        let has_value = |there: &Entry| there.value == value && there.category == category;
        let has_schema = |there: &Entry| {
            let is = |new: &String| there.schema.as_ref().is_some_and(|old| same(old, new));
            schema.as_ref().is_none_or(is)
        };
        match target {
            Some(target) if has_value(&target.entry) && has_schema(&target.entry) => {
                plan.unchanged(&target);
                Ok(target.entry)
            }
            Some(_) if !promotion.overwrite => Err(ConfigsError::Exists { key }),
            // The value stays the version that it is; it is that of the source, which matches.
            Some(target) if has_value(&target.entry) => Ok(plan.set_schema(target, schema)?),
            Some(target) => {
                let category = Category::Set(category.as_deref());
                let content = Content { value: &value, category, schema: schema.as_deref() };
                plan.update(self.checked(target, content).await?, None)
            }
            None => {
                let id = self.configs().number(space).await?;
                let environment = promotion.to.to_owned();
                let now = self.configs().0.clock.now();
                // The value matches the schema that comes with it.
                let entry = Entry { schema, ..Entry::first((id, key, environment), (value, category), now) };
                plan.create(&entry)?;
                Ok(entry)
            }
        }
    }

    /// What there is of each key; nothing if the name space is no longer ours.
    async fn pairs(
        &self,
        space: &OpenSpace,
        promotion: Promotion<'_>,
    ) -> Result<Option<Vec<Pair>>, ConfigsError> {
        let Promotion { keys, from, to, .. } = promotion;
        let of = |environment| keys.iter().map(move |key| self.sort(space, key, environment));
        let sorts: Vec<_> = of(from).chain(of(to)).collect();
        let (owner, found) = self.configs().0.repo.get_with_owner(&space.keys, &sorts).await?;
        if !self.is_ours(space, owner) {
            return Ok(None);
        }
        let read = |opened: &Option<_>| opened.as_ref().map(|opened| space.read(opened)).transpose();
        let found: Vec<_> = found.iter().map(read).collect::<Result<_, _>>()?;
        let mut targets = found;
        let sources: Vec<_> = targets.drain(..keys.len()).collect();
        let bytes: usize = sources.iter().flatten().map(|found| found.entry.value.len()).sum();
        if bytes > PROMOTED_BYTES_MAX {
            return Err(ConfigsError::Promotion);
        }
        let pair = |((key, source), target): ((&String, Option<Found>), _)| {
            Ok((source.ok_or_else(|| not_found(key))?, target))
        };
        keys.iter().zip(sources).zip(targets).map(pair).collect::<Result<_, _>>().map(Some)
    }
}
