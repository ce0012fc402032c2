//! Storing many configurations at once.
//!
//! Everything is looked at before anything is stored; then they are stored in groups, each at once, in the order of the
//! document. A group is as large as a commit can be, so of many a failure in the middle (the name space is full, the storage is
//! away) leaves those before it. The same import again then leaves those and goes on. The road not taken is one commit
//! for all: a store that shards commits only so much together.
//!
//! A schema that comes with a configuration becomes that of the configuration, as far as it is stored. One that comes with
//! none keeps the schema that is there: what other hands wrote, and older exports, say nothing of schemas.

use super::holder::Found;
use super::schema::check_all;
use super::space::{OpenSpace, TRIES_MAX};
use super::transfer::{Item, same};
use super::write::{Category, Content, Plan, Tried};
use super::{ConfigsError, Holder};
use crate::repo::configs::Entry;

/// Configurations in one commit, at most: each takes up to four operations.
const GROUP_MAX: usize = 100;
/// Their values together, in bytes, unless there is one alone.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Configurations in one import, at most, unless a name space holds more.
const ITEMS_MAX: usize = 10_000;
/// What a name space is charged for each configuration at least, in bytes.
const ITEM_BYTES_MIN: u64 = 256;

/// How configurations are imported.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// To which environment.
    pub environment: &'a str,
    /// Whether what is there gets a new version.
    pub overwrite: bool,
    /// Whether to say only what would be done.
    pub dry_run: bool,
}

/// What became of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Created,
    /// It has a new version.
    Changed,
    /// It is as it was.
    Left,
}

/// A configuration that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The key.
    pub key: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The version that it has then.
    pub version: u64,
}

impl Holder {
    /// Stores configurations, each key once; answers what became of each, in their order.
    pub async fn import(&self, items: &[Item], how: Import<'_>) -> Result<Vec<Imported>, ConfigsError> {
        // As many as can be in a name space, so that every export can be imported.
        let max = self.configs().0.settings.space_bytes_max / ITEM_BYTES_MIN;
        let max = usize::try_from(max).unwrap_or(usize::MAX).max(ITEMS_MAX);
        if items.len() > max {
            return Err(ConfigsError::TooManyAtOnce { max });
        }
        for item in items {
            self.admit(&item.value)?;
        }
        check_all(&self.configs().0.schema_checks, items).await?;
        let (mut done, mut rest) = (Vec::with_capacity(items.len()), items);
        while !rest.is_empty() {
            let (group, after) = rest.split_at(group_of(rest));
            done.extend(self.import_group(group, how).await?);
            rest = after;
        }
        Ok(done)
    }

    async fn import_group(&self, group: &[Item], how: Import<'_>) -> Result<Vec<Imported>, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let space = if how.dry_run { self.space().await? } else { Some(self.space_or_new().await?) };
            let Some(space) = space else {
                return Ok(group.iter().map(|item| imported(item, Outcome::Created, 1)).collect());
            };
            if let Tried::Done(done) = self.try_group(&space, group, how).await? {
                return Ok(done);
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    async fn try_group(
        &self,
        space: &OpenSpace,
        group: &[Item],
        how: Import<'_>,
    ) -> Result<Tried<Vec<Imported>>, ConfigsError> {
        let sorts: Vec<_> = group.iter().map(|item| self.sort(space, &item.key, how.environment)).collect();
        let (owner, found) = self.configs().0.repo.get_with_owner(&space.keys, &sorts).await?;
        if !self.is_ours(space, owner) {
            return Ok(Tried::Again);
        }
        let (mut plan, mut done) = (Plan::new(self, space), Vec::with_capacity(group.len()));
        for (item, opened) in group.iter().zip(&found) {
            let found = opened.as_ref().map(|opened| space.read(opened)).transpose()?;
            done.push(self.import_one(space, (&mut plan, how), (item, found)).await?);
        }
        if how.dry_run || done.iter().all(|one| one.outcome == Outcome::Left) {
            return Ok(Tried::Done(done));
        }
        match self.commit(space, plan).await {
            Ok(tried) => Ok(tried.map(|()| done)),
            // Somebody made one just now, so it is looked at again.
            Err(ConfigsError::Exists { .. }) => Ok(Tried::Again),
            Err(error) => Err(error),
        }
    }

    async fn import_one(
        &self,
        space: &OpenSpace,
        (plan, how): (&mut Plan<'_>, Import<'_>),
        (item, found): (&Item, Option<Found>),
    ) -> Result<Imported, ConfigsError> {
        let category = item.category.as_deref();
        Ok(match found {
            None if how.dry_run => imported(item, Outcome::Created, 1),
            None => {
                let id = self.configs().number(space).await?;
                let name = (id, item.key.clone(), how.environment.to_owned());
                let content = (item.value.clone(), item.category.clone());
                let first = Entry::first(name, content, self.configs().0.clock.now());
                plan.create(&Entry { schema: item.schema.clone(), ..first })?;
                imported(item, Outcome::Created, 1)
            }
            Some(Found { entry, .. })
                if !how.overwrite || (is_value_of(item, &entry) && is_schema_of(item, &entry)) =>
            {
                imported(item, Outcome::Left, entry.version)
            }
            Some(found) if is_value_of(item, &found.entry) => {
                // The value stays the version that it is.
                if let Some(schema) = &item.schema {
                    let checked = self.check_once(schema, &found.entry.value).await;
                    checked.map_err(|error| of_item(item, error))?;
                }
                imported(item, Outcome::Changed, plan.set_schema(found, item.schema.clone())?.version)
            }
            Some(found) => {
                let schema = item.schema.as_deref();
                let content = Content { value: &item.value, category: Category::Set(category), schema };
                let checked = self.checked(found, content).await.map_err(|error| of_item(item, error))?;
                imported(item, Outcome::Changed, plan.update(checked, None)?.version)
            }
        })
    }
}

/// Whether a configuration has the value and the category of an item.
fn is_value_of(item: &Item, entry: &Entry) -> bool {
    entry.category == item.category && same(&entry.value, &item.value)
}

/// Whether it has the schema that an item brings, if it brings one.
fn is_schema_of(item: &Item, entry: &Entry) -> bool {
    let has = |new: &String| entry.schema.as_ref().is_some_and(|old| same(old, new));
    item.schema.as_ref().is_none_or(has)
}

/// Of many, which one does not match its schema.
fn of_item(item: &Item, error: ConfigsError) -> ConfigsError {
    match error {
        ConfigsError::Schema(error) => ConfigsError::SchemaOf { key: item.key.clone(), error },
        error => error,
    }
}

fn imported(item: &Item, outcome: Outcome, version: u64) -> Imported {
    Imported { key: item.key.clone(), outcome, version }
}

/// How many of these go together.
fn group_of(items: &[Item]) -> usize {
    let mut bytes = 0;
    let fits = |item: &&Item| {
        bytes += item.value.len() + item.schema.as_ref().map_or(0, String::len);
        bytes <= GROUP_BYTES_MAX
    };
    items.iter().take(GROUP_MAX).take_while(fits).count().max(1)
}
