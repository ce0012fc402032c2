//! All of a caller's keys by name, page by page: however many they are, a page of them is held in memory.

use std::collections::HashSet;

use coffer_core::UserId;
use coffer_store::records::SortRange;

use super::{Caller, Kv, KvError};
use crate::repo::kv::keys;

/// Names read at once.
const NAMES_AT_A_TIME: usize = 2_000;
/// Entries looked at at once.
const ENTRIES_AT_A_TIME: usize = 200;
/// Names of expired keys that are remembered, at most. The collector seldom leaves a dozen.
const EXPIRED_MAX: usize = 10_000;

/// A walk through the names of all of an owner's keys, in their order.
#[derive(Debug)]
pub struct Names {
    kv: Kv,
    owner: UserId,
    /// Where to go on, unless it is over.
    range: Option<SortRange>,
    /// What has expired and is not yet collected; unknown before the first page.
    expired: Option<Expired>,
}

#[derive(Debug)]
enum Expired {
    These(HashSet<String>),
    /// More than are remembered: every entry is looked at.
    Many,
}

impl Kv {
    /// The names of all of the caller's keys.
    pub fn all_names(&self, caller: &Caller) -> Names {
        let range = Some(keys::currents("", None));
        Names { kv: self.clone(), owner: caller.id(), range, expired: None }
    }
}

impl Names {
    /// The next of them, in order; `None` behind the last. A page may be empty.
    pub async fn next(&mut self) -> Result<Option<Vec<String>>, KvError> {
        let Some(range) = self.range.clone() else { return Ok(None) };
        if self.expired.is_none() {
            // Before the first page: between the page and the notes what has expired may be collected, and then nothing
            // would say of a name on the page that it is gone.
            self.expired = Some(self.expired().await?);
        }
        let page = self.kv.0.repo.scan_keys(self.owner, &range, NAMES_AT_A_TIME).await?;
        let names = page.items.iter().filter_map(keys::key_in).map(std::borrow::Cow::into_owned).collect();
        let names = self.living(names).await?;
        self.range = page.items.last().filter(|_| page.more).map(|last| range.after(last));
        Ok(Some(names))
    }

    /// Those that had not expired when the walk began.
    async fn living(&self, mut names: Vec<String>) -> Result<Vec<String>, KvError> {
        if let Some(Expired::These(expired)) = &self.expired {
            names.retain(|name| !expired.contains(name));
            return Ok(names);
        }
        let mut living = Vec::with_capacity(names.len());
        for some in names.chunks(ENTRIES_AT_A_TIME) {
            living.extend(self.are_there(some).await?.zip(some).filter(|(is, _)| *is).map(|(_, name)| name));
        }
        Ok(living.into_iter().cloned().collect())
    }

    /// Keys that have expired and are not yet collected.
    async fn expired(&self) -> Result<Expired, KvError> {
        let mut range = keys::due_until(self.kv.0.clock.now());
        let mut expired = HashSet::new();
        while expired.len() <= EXPIRED_MAX {
            let page = self.kv.0.repo.scan_keys(self.owner, &range, ENTRIES_AT_A_TIME).await?;
            let due: Vec<String> = page.items.iter().filter_map(keys::expiring_in).collect();
            // One that was stored anew is no longer what expired.
            let are_there = self.are_there(&due).await?;
            expired.extend(are_there.zip(&due).filter(|(is, _)| !is).map(|(_, key)| key.clone()));
            match page.items.last() {
                Some(last) if page.more => range = range.after(last),
                _ => return Ok(Expired::These(expired)),
            }
        }
        Ok(Expired::Many)
    }

    /// Of each of these keys whether it is there and has not expired.
    async fn are_there(&self, names: &[String]) -> Result<impl Iterator<Item = bool> + use<>, KvError> {
        let sorts: Vec<_> = names.iter().map(|key| keys::current(key)).collect();
        let found = self.kv.0.repo.get_many(self.owner, &sorts).await?;
        Ok(found.into_iter().map(|entry| entry.is_some()))
    }
}
