//! Reading one configuration.

use super::holder::Found;
use super::model::{Address, Config, DEFAULT_ENVIRONMENT};
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};

/// Environments of one key that are looked at, at most: so many are named in a refusal.
const ENVIRONMENTS_MAX: usize = 100;
/// Configurations read at once.
const READ_MAX: usize = 32;

impl Holder {
    /// A configuration.
    pub async fn get(&self, address: Address<'_>) -> Result<Config, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Err(not_found(address.key)) };
            match self.find(&space, address).await? {
                Some(found) => {
                    let entry = found?.entry;
                    self.note_reads(&space, [entry.id]);
                    return Ok(entry.into());
                }
                None => self.configs().pause(tried).await,
            }
        }
        Err(ConfigsError::Contended)
    }

    /// Several configurations, in the order asked. What is where its address says comes in few round trips.
    pub async fn get_many(
        &self,
        addresses: &[Address<'_>],
    ) -> Result<Vec<Result<Config, ConfigsError>>, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else {
                return Ok(addresses.iter().map(|address| Err(not_found(address.key))).collect());
            };
            if let Some(found) = self.where_they_say(&space, addresses).await? {
                self.note_reads(&space, found.iter().flatten().map(|found| found.entry.id));
                let mut configs = Vec::with_capacity(addresses.len());
                for (address, found) in addresses.iter().zip(found) {
                    configs.push(match found {
                        Some(found) => Ok(found.entry.into()),
                        None if address.environment.is_some() => Err(not_found(address.key)),
                        // It may be in one other environment alone.
                        None => self.get(*address).await,
                    });
                }
                return Ok(configs);
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// What is where its address says, or in the default environment; nothing if the name space is no longer ours.
    async fn where_they_say(
        &self,
        space: &OpenSpace,
        addresses: &[Address<'_>],
    ) -> Result<Option<Vec<Option<Found>>>, ConfigsError> {
        let mut all = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(READ_MAX) {
            let sort = |address: &Address<'_>| {
                self.sort(space, address.key, address.environment.unwrap_or(DEFAULT_ENVIRONMENT))
            };
            let sorts: Vec<_> = some.iter().map(sort).collect();
            let (owner, found) = self.configs().0.repo.get_with_owner(&space.keys, &sorts).await?;
            if !self.is_ours(space, owner) {
                return Ok(None);
            }
            for opened in found {
                all.push(opened.map(|opened| space.read(&opened)).transpose()?);
            }
        }
        Ok(Some(all))
    }

    /// The configuration that an address means, with why there is none; nothing if the name space is no longer ours,
    /// and the caller is to begin anew.
    pub(super) async fn find(
        &self,
        space: &OpenSpace,
        address: Address<'_>,
    ) -> Result<Option<Result<Found, ConfigsError>>, ConfigsError> {
        let environment = address.environment.unwrap_or(DEFAULT_ENVIRONMENT);
        let sort = self.sort(space, address.key, environment);
        let repo = &self.configs().0.repo;
        let (owner, found) = repo.get_with_owner(&space.keys, std::slice::from_ref(&sort)).await?;
        if !self.is_ours(space, owner) {
            return Ok(None);
        }
        if let Some(opened) = found.into_iter().next().flatten() {
            return Ok(Some(Ok(space.read(&opened)?)));
        }
        if address.environment.is_some() {
            return Ok(Some(Err(not_found(address.key))));
        }
        // It is not in the default environment, so it is meant if it is in one alone.
        let range = self.environments_of(space, address.key);
        let page = repo.scan(&space.keys, &range, ENVIRONMENTS_MAX).await?;
        // What was found after the owner was read may be another user key's by now.
        if !self.is_ours(space, repo.owner(&space.keys).await?) {
            return Ok(None);
        }
        let found: Result<Vec<_>, _> = page.items.iter().map(|opened| space.read(opened)).collect();
        let mut found = found?;
        Ok(Some(match found.len() {
            0 => Err(not_found(address.key)),
            1 => Ok(found.remove(0)),
            _ => {
                let mut environments: Vec<_> =
                    found.into_iter().map(|found| found.entry.environment).collect();
                environments.sort_unstable();
                Err(ConfigsError::EnvironmentNeeded { key: address.key.to_owned(), environments })
            }
        }))
    }
}

pub(super) fn not_found(key: &str) -> ConfigsError {
    ConfigsError::NotFound { key: key.to_owned() }
}
