//! Devices and network addresses that a user logged in from: they have allowances of their own, so that
//! strangers who guess lock nobody out.

use std::time::Duration;

use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Sealed, SealedCommit, Sort, StoreError};
use serde::{Deserialize, Serialize};

use super::profile::{Profile, decode_profile};
use super::{UserRepo, partition, profile_sort};
use crate::repo::address::Versioned;

/// How long a device or an address stays known after its last log-in.
pub const KNOWN_TTL: Duration = Duration::from_hours(90 * 24);
/// Devices and addresses of one user, together, at most; the one longest not seen goes first.
const KNOWN_MAX: usize = 64;

/// Where somebody comes from, in the form in which it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The network address, blinded.
    pub address: [u8; 32],
    /// The hash of the device's token, if one was sent.
    pub device: Option<[u8; 32]>,
}

/// Which of it the user was seen with before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownPlaces {
    /// The network address.
    pub address: bool,
    /// The device.
    pub device: bool,
}

#[derive(Serialize, Deserialize)]
struct KnownRecord {
    seen_at: Timestamp,
}

fn address_sort(address: &[u8; 32]) -> Sort {
    Sort::of("known").and("address").and(address).build()
}

fn device_sort(device: &[u8; 32]) -> Sort {
    Sort::of("known").and("device").and(device).build()
}

fn last_log_in_sort() -> Sort {
    Sort::of("last log-in").build()
}

impl UserRepo {
    /// When the user last logged in, if he ever did.
    pub async fn last_log_in(&self, user: UserId) -> Result<Option<Timestamp>, StoreError> {
        let record = self.store.get_as::<KnownRecord>(&partition(user), &last_log_in_sort()).await?;
        Ok(record.map(|record| record.value.seen_at))
    }

    /// The user and whether he was seen from `from` before: one look, the same for an id that is nobody's.
    pub async fn load_from(
        &self,
        user: UserId,
        from: &Known,
    ) -> Result<(Option<Versioned<Profile>>, KnownPlaces), StoreError> {
        // Without a device the look-up is the same, for one that nobody has.
        let device = from.device.unwrap_or_default();
        let sorts = [profile_sort(), address_sort(&from.address), device_sort(&device)];
        let mut records = self.store.get_many(&partition(user), &sorts).await?.into_iter();
        let mut next = || records.next().flatten();
        let profile = next().map(decode_profile).transpose()?;
        Ok((profile, KnownPlaces { address: next().is_some(), device: next().is_some() }))
    }

    /// Remembers where a user logged in from, and when.
    pub async fn remember_log_in(
        &self,
        user: UserId,
        from: &Known,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let commit = SealedCommit::new().put_as(&last_log_in_sort(), &KnownRecord { seen_at: now }, None);
        self.remember_with(commit, (user, from), now).await
    }

    /// Remembers where a user comes from who has not logged in yet.
    pub async fn remember(&self, user: UserId, from: &Known, now: Timestamp) -> Result<(), StoreError> {
        self.remember_with(SealedCommit::new(), (user, from), now).await
    }

    /// The same with more in one commit; forgets what is longest ago beyond the limit.
    async fn remember_with(
        &self,
        commit: SealedCommit,
        (user, from): (UserId, &Known),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let expires_at = Some(now.plus(KNOWN_TTL));
        let record = KnownRecord { seen_at: now };
        let mut commit = commit.put_as(&address_sort(&from.address), &record, expires_at);
        let mut written = vec![address_sort(&from.address)];
        if let Some(device) = &from.device {
            commit = commit.put_as(&device_sort(device), &record, expires_at);
            written.push(device_sort(device));
        }
        for sort in longest_ago(&self.store, user, &written).await? {
            commit = commit.delete(&sort);
        }
        self.store.commit(&partition(user), commit).await.map(drop)
    }
}

async fn longest_ago(store: &Sealed, user: UserId, kept: &[Sort]) -> Result<Vec<Sort>, StoreError> {
    let range = Sort::of("known").children();
    let page = store.scan_as::<KnownRecord>(&partition(user), &range, KNOWN_MAX * 2).await?;
    let mut seen = Vec::with_capacity(page.items.len());
    for record in page.items {
        if !kept.contains(&record.sort) {
            seen.push((record.value.seen_at, record.sort));
        }
    }
    let beyond = (seen.len() + kept.len()).saturating_sub(KNOWN_MAX);
    seen.sort();
    Ok(seen.into_iter().take(beyond).map(|(_, sort)| sort).collect())
}
