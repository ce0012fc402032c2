//! Keys that nobody has read for some time.
//!
//! Pages are walked in the order of their keys' hashes, which is the order of the listing: it does not change
//! when a page is cut, so a cursor (a key's name) stays good.

use coffer_core::{Timestamp, UserId};
use coffer_store::records::StoreError;

use super::access::Access;
use super::page::{KeyHash, PageId};
use super::writer::Writer;
use crate::repo::usage;

/// Pages that one answer walks, at most; a few hundred keys each.
const WALKED_MAX: usize = 256;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct UnreadQuery {
    /// Keys that nobody has read since then.
    pub since: Timestamp,
    /// The key that the page before ended with.
    pub after: Option<String>,
    /// Keys in the page, at most.
    pub limit: usize,
}

/// A key that nobody has read for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The key.
    pub key: String,
    /// What is known of its use.
    pub access: Access,
}

/// A page of such keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnreadKeys {
    /// The keys.
    pub keys: Vec<Unread>,
    /// Where to go on, if there may be more: also a page without keys may name it.
    pub next: Option<String>,
}

/// Reads one page.
pub(super) async fn unread(
    writer: &Writer,
    owner: UserId,
    query: &UnreadQuery,
) -> Result<UnreadKeys, StoreError> {
    let from = query.after.as_deref().map(|key| (KeyHash::of(key), key));
    let first = from.map(|(hash, _)| PageId::root(hash));
    let pages = writer.repo.walk(owner, (first, None), WALKED_MAX).await?;
    let mut found = UnreadKeys::default();
    let mut last = None;
    for opened in &pages.items {
        let page = usage::page(opened)?;
        let mut keys: Vec<_> = page.keys().map(|(key, access)| (KeyHash::of(key), key, access)).collect();
        keys.sort_unstable_by_key(|(hash, key, _)| (*hash, *key));
        for (hash, key, access) in keys {
            if from.is_some_and(|from| (hash, key) <= from) {
                continue;
            }
            if found.keys.len() == query.limit {
                found.next = found.keys.last().map(|last| last.key.clone());
                return Ok(found);
            }
            if access.unread_since() < query.since {
                found.keys.push(Unread { key: key.to_owned(), access });
            }
            last = Some(key.to_owned());
        }
    }
    found.next = last.filter(|_| pages.more);
    Ok(found)
}
