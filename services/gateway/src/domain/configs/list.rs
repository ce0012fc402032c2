//! Listing configurations.

use super::model::{Config, Filter, Meta};
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};
use crate::repo::configs::{Entry, keys};

/// Records opened at once, before other requests have their turn.
const PAGE: usize = 256;

impl Holder {
    /// All configurations that a filter takes, in the order in which they were made. A name space has its limit, so
    /// this has one too: see [`bytes`](Self::bytes).
    pub async fn list(&self, filter: Filter<'_>) -> Result<Vec<Config>, ConfigsError> {
        let mut configs = self.list_as(filter, Config::from).await?;
        configs.sort_unstable_by_key(|config| config.id);
        Ok(configs)
    }

    /// The same for somebody who reads their values to use them: they count as read.
    pub async fn read_all(&self, filter: Filter<'_>) -> Result<Vec<Config>, ConfigsError> {
        let configs = self.list(filter).await?;
        if let Some(space) = self.space().await? {
            self.note_reads(&space, configs.iter().map(|config| config.id));
        }
        Ok(configs)
    }

    /// The same without the values, of which no more than a page are in memory at the same time.
    pub async fn list_meta(&self, filter: Filter<'_>) -> Result<Vec<Meta>, ConfigsError> {
        let mut metas = self.list_as(filter, Meta::from).await?;
        metas.sort_unstable_by_key(|meta| meta.id);
        Ok(metas)
    }

    /// What all configurations together use, with their history, in bytes: no list of them has more.
    pub async fn bytes(&self) -> Result<usize, ConfigsError> {
        let Some(space) = self.space().await? else { return Ok(0) };
        let bytes = self.configs().0.repo.counter(&space.keys, &keys::bytes()).await?;
        Ok(usize::try_from(bytes).unwrap_or(0))
    }

    /// Of all configurations that a filter takes what `of` makes of them, in any order.
    pub(super) async fn list_as<T>(
        &self,
        filter: Filter<'_>,
        of: fn(Entry) -> T,
    ) -> Result<Vec<T>, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Ok(Vec::new()) };
            match self.list_in(&space, filter, of).await? {
                Some(list) => return Ok(list),
                None => self.configs().pause(tried).await,
            }
        }
        Err(ConfigsError::Contended)
    }

    /// All configurations that a filter takes, in any order; nothing if the name space is no longer ours.
    pub(super) async fn list_in<T>(
        &self,
        space: &OpenSpace,
        filter: Filter<'_>,
        of: fn(Entry) -> T,
    ) -> Result<Option<Vec<T>>, ConfigsError> {
        let repo = &self.configs().0.repo;
        let (mut found, mut range) = (Vec::new(), keys::currents());
        loop {
            let page = repo.scan(&space.keys, &range, PAGE).await?;
            for opened in &page.items {
                let entry = space.read(opened)?.entry;
                if filter.takes(&entry) {
                    found.push(of(entry));
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
        Ok(self.is_ours(space, owner).then_some(found))
    }
}
