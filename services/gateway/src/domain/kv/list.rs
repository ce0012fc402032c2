//! Listing keys, in the order of their bytes.

use coffer_core::UserId;
use coffer_core::limits::PAGE_ITEMS_MAX;
use coffer_store::records::StoreError;

use super::{Caller, KEY_BYTES_MAX, Kv, KvError, Meta, Space};
use crate::repo::kv::keys;

/// Keys that one page looks at, at most, when it looks for a text or folds what lies behind a delimiter. The page
/// may then end early, even empty, with a cursor.
const WALKED_KEYS_MAX: usize = 20_000;
/// Keys read at once on the way.
const STEP_KEYS: usize = 2_000;
/// Entries read at once.
const ENTRIES_AT_A_TIME: usize = 200;

/// Which keys are listed.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Folds keys that have this text behind the prefix into what they have up to and with it.
    pub delimiter: Option<String>,
    /// Only keys whose name has this in it, in upper or lower case.
    pub search: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Keys and folded prefixes in the page, at most; 1 to 1,000.
    pub limit: usize,
}

/// A key in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// What is known of it.
    pub meta: Meta,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Keys.
    pub items: Vec<Listed>,
    /// What keys with the delimiter have in common.
    pub common_prefixes: Vec<String>,
    /// Keys of which nothing is known, for what was stored of them is damaged.
    pub damaged: Vec<String>,
    /// Where to go on, unless this is the last page.
    pub next_cursor: Option<String>,
}

/// Where a walk through the keys is.
enum Place {
    /// Behind this key.
    Key(String),
    /// Behind everything that begins with this.
    Prefix(String),
}

impl Place {
    fn parse(cursor: &str) -> Result<Self, KvError> {
        if cursor.len() > 1 + KEY_BYTES_MAX {
            return Err(KvError::Cursor);
        }
        match cursor.split_at_checked(1) {
            Some(("k", key)) => Ok(Self::Key(key.to_owned())),
            Some(("p", prefix)) => Ok(Self::Prefix(prefix.to_owned())),
            _ => Err(KvError::Cursor),
        }
    }

    fn cursor(&self) -> String {
        match self {
            Self::Key(key) => format!("k{key}"),
            Self::Prefix(prefix) => format!("p{prefix}"),
        }
    }
}

/// What a walk found.
#[derive(Default)]
struct Walk {
    names: Vec<String>,
    prefixes: Vec<String>,
    place: Option<Place>,
    walked: usize,
    /// Whether there is nothing behind.
    is_over: bool,
}

impl Kv {
    /// One page of keys with what is known of them.
    pub async fn list(
        &self,
        caller: &Caller,
        space: Space,
        request: &ListRequest,
    ) -> Result<Listing, KvError> {
        self.authorize_prefix(caller, space, &request.prefix).await?;
        let limit = request.limit.clamp(1, PAGE_ITEMS_MAX);
        let walk = self.walk(space.owner, request, limit).await?;
        let (mut items, mut damaged) = (Vec::with_capacity(walk.names.len()), Vec::new());
        for names in walk.names.chunks(ENTRIES_AT_A_TIME) {
            let sorts: Vec<_> = names.iter().map(|name| keys::current(name)).collect();
            let found = self.0.repo.get_each(space.owner, &sorts).await?;
            for (key, stored) in names.iter().zip(found) {
                let meta = stored.and_then(|stored| match stored {
                    Some(stored) => Ok(Some(Meta::of(&stored.entry()?.head, stored.version().0))),
                    // What has expired may still be among the keys.
                    None => Ok(None),
                });
                match meta {
                    Ok(Some(meta)) => items.push(Listed { key: key.clone(), meta }),
                    Ok(None) => {}
                    Err(error @ StoreError::Corrupt { .. }) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(owner = %space.owner, error, "a key cannot be listed: its record is damaged");
                        damaged.push(key.clone());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let next_cursor = walk.place.filter(|_| !walk.is_over).map(|place| place.cursor());
        Ok(Listing { items, common_prefixes: walk.prefixes, damaged, next_cursor })
    }

    async fn walk(&self, owner: UserId, request: &ListRequest, limit: usize) -> Result<Walk, KvError> {
        let place = request.cursor.as_deref().map(Place::parse).transpose()?;
        let mut walk = Walk { place, ..Walk::default() };
        let needle = request.search.as_ref().map(|text| text.to_lowercase());
        let is_plain = needle.is_none() && request.delimiter.is_none();
        while walk.names.len() + walk.prefixes.len() < limit && walk.walked < WALKED_KEYS_MAX {
            let left = limit - walk.names.len();
            let range = match &walk.place {
                None => keys::currents(&request.prefix, None),
                Some(Place::Key(key)) => keys::currents(&request.prefix, Some(key)),
                Some(Place::Prefix(prefix)) => keys::currents_behind(&request.prefix, prefix),
            };
            let page = self.0.repo.scan_keys(owner, &range, if is_plain { left } else { STEP_KEYS }).await?;
            let found = page.items.len();
            let taken = walk.take(&page.items, (request, needle.as_deref()), limit);
            if taken == found && !page.more {
                walk.is_over = true;
                break;
            }
        }
        Ok(walk)
    }
}

impl Walk {
    /// Takes in what was found, until there is enough; answers how many keys that were.
    fn take(
        &mut self,
        found: &[coffer_store::records::Sort],
        (request, needle): (&ListRequest, Option<&str>),
        limit: usize,
    ) -> usize {
        for (taken, sort) in found.iter().enumerate() {
            if self.names.len() + self.prefixes.len() == limit {
                return taken;
            }
            self.walked += 1;
            let Some(key) = keys::key_in(sort) else { continue };
            if let Some(Place::Prefix(passed)) = &self.place
                && key.starts_with(&**passed)
            {
                continue;
            }
            if needle.is_some_and(|needle| !key.to_lowercase().contains(needle)) {
                self.place = Some(Place::Key(key.into_owned()));
                continue;
            }
            let rest = key.get(request.prefix.len()..).unwrap_or("");
            let folded = request.delimiter.as_deref().filter(|text| !text.is_empty());
            if let Some(end) = folded.and_then(|text| rest.find(text).map(|at| at + text.len())) {
                let prefix = key[..request.prefix.len() + end].to_owned();
                self.prefixes.push(prefix.clone());
                self.place = Some(Place::Prefix(prefix));
            } else {
                self.names.push(key.clone().into_owned());
                self.place = Some(Place::Key(key.into_owned()));
            }
        }
        found.len()
    }
}
