//! Earlier versions of a configuration: what there were, how values differ, and bringing one back.

use super::holder::Found;
use super::model::{Address, Condition, Config};
use super::space::{OpenSpace, TRIES_MAX};
use super::write::{Category, Content, Tried};
use super::{ConfigsError, Holder};
use crate::repo::configs::keys;

impl Holder {
    /// The versions of a configuration that are kept, the current one first.
    pub async fn history(&self, address: Address<'_>) -> Result<Vec<Config>, ConfigsError> {
        let (space, found) = self.found(address).await?;
        let sorts: Vec<_> =
            found.entry.kept.iter().rev().map(|kept| keys::history(found.entry.id, kept.version)).collect();
        let past = self.past(&space, &sorts).await?;
        Ok(std::iter::once(found.entry.into()).chain(past.into_iter().flatten()).collect())
    }

    /// A version of a configuration.
    pub async fn version(&self, address: Address<'_>, version: u64) -> Result<Config, ConfigsError> {
        let (space, found) = self.found(address).await?;
        self.version_of(&space, found, version).await
    }

    /// Stores an earlier version anew, as the next one, with the category that it had.
    pub async fn roll_back(
        &self,
        address: Address<'_>,
        version: u64,
        condition: Condition,
    ) -> Result<Config, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let (space, found) = self.found(address).await?;
            condition.check(Some(found.entry.version))?;
            let (entry, sort, at) = (found.entry.clone(), found.sort.clone(), found.version);
            let past = self.version_of(&space, found, version).await?;
            let content = Content {
                value: &past.value,
                category: Category::Set(past.category.as_deref()),
                schema: None,
            };
            let current = Found { entry, sort, version: at };
            if let Tried::Done(config) = self.replace(&space, current, content).await? {
                return Ok(config);
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// The configuration that an address means, with the name space that it was found in.
    pub(super) async fn found(
        &self,
        address: Address<'_>,
    ) -> Result<(std::sync::Arc<OpenSpace>, Found), ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Err(super::read::not_found(address.key)) };
            if let Some(found) = self.find(&space, address).await? {
                return Ok((space, found?));
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    async fn version_of(
        &self,
        space: &OpenSpace,
        found: Found,
        version: u64,
    ) -> Result<Config, ConfigsError> {
        if found.entry.version == version {
            return Ok(found.entry.into());
        }
        let sort = keys::history(found.entry.id, version);
        let past = self.past(space, std::slice::from_ref(&sort)).await?;
        past.into_iter().next().flatten().ok_or(ConfigsError::VersionNotFound)
    }

    async fn past(
        &self,
        space: &OpenSpace,
        sorts: &[coffer_store::records::Sort],
    ) -> Result<Vec<Option<Config>>, ConfigsError> {
        let (owner, found) = self.configs().0.repo.get_with_owner(&space.keys, sorts).await?;
        if !self.is_ours(space, owner) {
            // What was found a moment ago has moved to another user key since.
            return Err(ConfigsError::VersionNotFound);
        }
        let read = |opened| -> Result<Config, ConfigsError> { Ok(space.read(opened)?.entry.into()) };
        found.iter().map(|opened| opened.as_ref().map(read).transpose()).collect()
    }
}
