//! What nobody has read for some time.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer_core::Timestamp;

use super::model::{Filter, Meta};
use super::reads::{Hours, moment};
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};
use crate::repo::configs::ReadTimes;

/// A configuration that nobody has read for some time.
#[derive(Clone, Debug)]
pub struct Unread {
    /// The configuration.
    pub meta: Meta,
    /// The hour in which it was last read, if it ever was.
    pub read_at: Option<Timestamp>,
}

impl Holder {
    /// The configurations that are there for at least so long, and that nobody has read since; in the order in which they
    /// were made.
    pub async fn unread(&self, filter: Filter<'_>, since: Duration) -> Result<Vec<Unread>, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Ok(Vec::new()) };
            if let Some(all) = self.with_times(&space, filter).await? {
                let from = self.configs().0.clock.now().minus(since);
                let is_old =
                    |one: &Unread| one.meta.created_at <= from && one.read_at.is_none_or(|at| at <= from);
                let mut unread: Vec<_> = all.into_iter().filter(is_old).collect();
                unread.sort_unstable_by_key(|one| one.meta.id);
                return Ok(unread);
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// All configurations that a filter takes, with when they were read; nothing if the name space is no longer ours.
    async fn with_times(
        &self,
        space: &OpenSpace,
        filter: Filter<'_>,
    ) -> Result<Option<Vec<Unread>>, ConfigsError> {
        // Before the list: what is made later is in neither.
        let Some(times) = self.configs().0.repo.all_read_times((&space.keys, space.owner)).await? else {
            self.derived().learn(None);
            return Ok(None);
        };
        let Some(metas) = self.list_in(space, Filter::default(), Meta::from).await? else { return Ok(None) };
        self.forget_times(space, &times, &metas).await?;
        let hours: Hours = times.into_iter().flat_map(|(_, times)| times.hours).collect();
        let with = |meta: Meta| {
            let hour = hours.get(&meta.id).copied().max(space.seen.hour(meta.id));
            Unread { read_at: hour.map(moment), meta }
        };
        Ok(Some(metas.into_iter().filter(|meta| filter.takes_meta(meta)).map(with).collect()))
    }

    /// Removes the times of configurations that are no longer there: nobody else knows of all that are.
    async fn forget_times(
        &self,
        space: &OpenSpace,
        times: &[(u64, ReadTimes)],
        metas: &[Meta],
    ) -> Result<(), ConfigsError> {
        let live: BTreeSet<u64> = metas.iter().map(|meta| meta.id).collect();
        for (bucket, times) in times {
            if times.hours.keys().any(|id| !live.contains(id)) {
                let remove = |hours: &mut Hours| hours.retain(|id, _| live.contains(id));
                // Whoever writes to it at the same time leaves this to the next report.
                self.configs().edit_reads((&space.keys, space.owner), *bucket, remove).await?;
            }
        }
        Ok(())
    }
}
