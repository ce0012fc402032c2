//! Reading one configuration.

use super::holder::Found;
use super::model::{Address, Config, DEFAULT_ENVIRONMENT};
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};

/// Environments of one key that are looked at, at most: so many are named in a refusal.
const ENVIRONMENTS_MAX: usize = 100;

impl Holder {
    /// A configuration.
    pub async fn get(&self, address: Address<'_>) -> Result<Config, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Err(not_found(address.key)) };
            match self.find(&space, address).await? {
                Some(found) => return Ok(found?.entry.into()),
                None => self.configs().pause(tried).await,
            }
        }
        Err(ConfigsError::Contended)
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
