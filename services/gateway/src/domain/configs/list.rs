//! Listing configurations.

use super::model::{Config, Filter};
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};
use crate::repo::configs::keys;

/// Records opened at once, before other requests have their turn.
const PAGE: usize = 256;

impl Holder {
    /// All configurations that a filter takes, in the order in which they were made. A name space has its limit, so
    /// this has one too.
    pub async fn list(&self, filter: Filter<'_>) -> Result<Vec<Config>, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Ok(Vec::new()) };
            match self.list_in(&space, filter).await? {
                Some(list) => return Ok(list),
                None => self.configs().pause(tried).await,
            }
        }
        Err(ConfigsError::Contended)
    }

    async fn list_in(
        &self,
        space: &OpenSpace,
        filter: Filter<'_>,
    ) -> Result<Option<Vec<Config>>, ConfigsError> {
        let repo = &self.configs().0.repo;
        let (mut configs, mut range) = (Vec::new(), keys::currents());
        loop {
            let page = repo.scan(&space.keys, &range, PAGE).await?;
            for opened in &page.items {
                let entry = space.read(opened)?.entry;
                if filter.takes(&entry) {
                    configs.push(Config::from(entry));
                }
            }
            match page.items.last() {
                Some(last) if page.more => range = range.after(&last.sort),
                _ => break,
            }
            tokio::task::yield_now().await;
        }
        // Asked last: what was read is told only if it was still ours then.
        let owner = repo.owner(&space.keys).await?;
        if !self.is_ours(space, owner) {
            return Ok(None);
        }
        configs.sort_unstable_by_key(|config| config.id);
        Ok(Some(configs))
    }
}
