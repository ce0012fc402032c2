//! The keys that are used most.
//!
//! A list of a fixed length, offered every count that changes. Counts only grow, so whatever was turned away
//! stays behind what the list holds, until it is offered again: the list is exact and no query has to look
//! further. Only a deletion makes room for one that was turned away; the best of those is remembered, so that
//! the list knows how far down it is still exact and when it must be filled anew.

use std::cmp::Reverse;

use coffer_core::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Keys in the list, at most.
pub const TOP_MAX: usize = 64;
/// As far down as any answer shows the list: it is filled anew before it is inexact so far up.
pub const TOP_SHOWN_MAX: usize = 20;

/// A key that is used much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopKey {
    /// Whose key it is; told only where several owners' keys stand together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// The key.
    pub key: String,
    /// Reads and writes since the key was made.
    pub count: u64,
    /// The last of them.
    pub last_at: Timestamp,
}

/// Keys in the order of their counts, and of their names where those are the same.
type Rank<'a> = (Reverse<u64>, &'a str, Option<UserId>);

impl TopKey {
    fn rank(&self) -> Rank<'_> {
        (Reverse(self.count), &self.key, self.owner)
    }
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// The keys, most used first.
    keys: Vec<TopKey>,
    /// The best of those that were turned away, if any was.
    #[serde(default)]
    outside: Option<TopKey>,
}

impl Top {
    /// The keys, most used first.
    pub fn keys(&self) -> &[TopKey] {
        &self.keys
    }

    /// Takes note of a key's count, and when it was last used.
    pub fn offer(&mut self, owner: Option<UserId>, key: &str, (count, last_at): (u64, Timestamp)) {
        let rank = (Reverse(count), key, owner);
        let new = || TopKey { owner, key: key.to_owned(), count, last_at };
        let known = self.keys.iter().position(|known| known.key == key && known.owner == owner);
        if let Some(known) = known {
            self.keys.remove(known);
        } else if self.keys.len() >= TOP_MAX && self.keys.last().is_some_and(|last| last.rank() < rank) {
            // Most keys are turned away, so that must cost next to nothing.
            if self.outside.as_ref().is_none_or(|known| rank < known.rank()) {
                self.outside = Some(new());
            }
            return;
        }
        let place = self.keys.partition_point(|known| known.rank() < rank);
        self.keys.insert(place, new());
        if self.keys.len() > TOP_MAX {
            let out = self.keys.pop();
            if let Some(out) = out
                && self.outside.as_ref().is_none_or(|known| out.rank() < known.rank())
            {
                self.outside = Some(out);
            }
        }
    }

    /// Takes a key that is gone off the list.
    pub fn remove(&mut self, owner: Option<UserId>, key: &str) {
        self.keys.retain(|known| known.owner != owner || known.key != key);
    }

    /// Whether so many keys are gone that one which was turned away may belong into what is shown.
    pub fn is_worn(&self) -> bool {
        let Some(outside) = &self.outside else { return false };
        let exact = self.keys.partition_point(|known| known.rank() < outside.rank());
        exact < TOP_SHOWN_MAX
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use coffer_core::{Random as _, SeededRandom};

    use super::*;

    const AT: Timestamp = Timestamp::from_ms(0);

    fn shown(top: &Top) -> Vec<(u64, String)> {
        top.keys().iter().take(TOP_SHOWN_MAX).map(|one| (one.count, one.key.clone())).collect()
    }

    fn best(all: &BTreeMap<String, u64>) -> Vec<(u64, String)> {
        let mut all: Vec<_> = all.iter().map(|(key, count)| (*count, key.clone())).collect();
        all.sort_by_key(|(count, key)| (Reverse(*count), key.clone()));
        all.truncate(TOP_SHOWN_MAX);
        all
    }

    #[test]
    fn the_list_is_what_sorting_all_keys_would_give_also_after_deletions() {
        let random = SeededRandom::new(11);
        let (mut all, mut top, mut refills) = (BTreeMap::new(), Top::default(), 0);
        for i in 0..20_000 {
            let mut bytes = [0; 3];
            random.fill(&mut bytes);
            let name = format!("k{}", u16::from_le_bytes([bytes[0], bytes[1] % 2]));
            if i % 1_000 < 100 && !top.keys().is_empty() {
                // The most used go, many in a row: the list wears off.
                let name = top.keys()[usize::from(bytes[0]) % top.keys().len()].key.clone();
                all.remove(&name);
                top.remove(None, &name);
            } else {
                let count = all.entry(name.clone()).or_insert(0);
                *count += u64::from(bytes[2] % 3);
                top.offer(None, &name, (*count, AT));
            }
            if top.is_worn() {
                top = Top::default();
                for (name, count) in &all {
                    top.offer(None, name, (*count, AT));
                }
                refills += 1;
            }
            assert_eq!(shown(&top), best(&all));
        }
        assert!((1..1_000).contains(&refills), "{refills}");
        assert!(top.keys().len() <= TOP_MAX);
    }

    #[test]
    fn keys_of_the_same_name_are_told_apart_by_their_owner() {
        let mut top = Top::default();
        let owner = |byte| Some(UserId::from_bytes([byte; 16]));
        top.offer(owner(1), "a", (2, AT));
        top.offer(owner(2), "a", (3, AT));
        top.remove(owner(1), "a");
        assert_eq!(top.keys().len(), 1);
        assert_eq!(top.keys()[0].owner, owner(2));
    }
}
