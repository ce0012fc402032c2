//! Pages: what is known of single keys, many keys in one record.
//!
//! A record for every key would cost a record for every key that a batch touches; one record for all keys
//! would cost all of it for every batch. So keys are spread over pages by their hash, 256 to begin with, and
//! a page that grows too large is cut into 16 (as a trie over the hash). Which pages were cut is a part of the
//! owner's summary, so that whoever has read that knows where each key stands.

use std::borrow::Cow;
use std::collections::BTreeSet;

use coffer_core::Timestamp;
use coffer_crypto::hash::sha256;
use serde::{Deserialize, Serialize};

use super::access::Access;

const ROOT_BITS: u8 = 8;
const STEP_BITS: u8 = 4;
/// Pages that one is cut into.
pub(super) const CUT_INTO: usize = 1 << STEP_BITS;
const HASH_BITS: u8 = 32;
/// Keys in a page, at most, unless no hash tells them apart.
const KEYS_MAX: usize = 256;
/// Bytes of the names in a page, at most, likewise.
const NAME_BYTES_MAX: usize = 64 * 1024;

/// Where a key stands among all keys of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(u32);

impl KeyHash {
    /// The hash of a key's name. It is the same in every process and version.
    pub fn of(key: &str) -> Self {
        let [a, b, c, d, ..] = sha256(key.as_bytes());
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

/// A page: all keys whose hash begins with certain bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u8)", into = "(u32, u8)")]
pub struct PageId {
    /// The bits, and zeros after them.
    first: u32,
    bits: u8,
}

impl PageId {
    fn holding(hash: KeyHash, bits: u8) -> Self {
        Self { first: hash.0 & (u32::MAX << (HASH_BITS - bits)), bits }
    }

    /// The page that the key stood in before any was cut.
    pub fn root(hash: KeyHash) -> Self {
        Self::holding(hash, ROOT_BITS)
    }

    /// Five bytes that sort as the hashes of the pages' keys do.
    pub fn to_bytes(self) -> [u8; 5] {
        let [a, b, c, d] = self.first.to_be_bytes();
        [a, b, c, d, self.bits]
    }
}

impl From<(u32, u8)> for PageId {
    fn from((first, bits): (u32, u8)) -> Self {
        Self { first, bits: bits.clamp(ROOT_BITS, HASH_BITS) }
    }
}

impl From<PageId> for (u32, u8) {
    fn from(page: PageId) -> Self {
        (page.first, page.bits)
    }
}

/// The pages that were cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cuts(BTreeSet<PageId>);

impl Cuts {
    /// The page that holds a key.
    pub(super) fn page_of(&self, hash: KeyHash) -> PageId {
        let mut page = PageId::root(hash);
        while self.0.contains(&page) {
            page = PageId::holding(hash, page.bits + STEP_BITS);
        }
        page
    }

    pub(super) fn insert(&mut self, page: PageId) {
        self.0.insert(page);
    }
}

/// One key in a page. Written without the fields' names: there are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry<'a>(#[serde(borrow)] Cow<'a, str>, u64, u64, Timestamp, Timestamp, Option<Timestamp>);

impl<'a> Entry<'a> {
    fn new(key: Cow<'a, str>, access: &Access) -> Self {
        Self(key, access.reads, access.writes, access.first_at, access.last_at, access.last_read_at)
    }

    fn access(&self) -> Access {
        let Self(_, reads, writes, first_at, last_at, last_read_at) = *self;
        Access { reads, writes, first_at, last_at, last_read_at }
    }
}

/// The keys of a page, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Page<'a>(#[serde(borrow)] Vec<Entry<'a>>);

impl<'a> Page<'a> {
    /// What is known of a key.
    pub(super) fn get(&self, key: &str) -> Option<Access> {
        self.find(key).ok().map(|i| self.0[i].access())
    }

    /// Writes down what is known of a key now; nothing takes it out.
    pub(super) fn set(&mut self, key: &'a str, access: Option<&Access>) {
        match (self.find(key), access) {
            (Ok(i), Some(access)) => self.0[i] = Entry::new(Cow::Borrowed(key), access),
            (Ok(i), None) => drop(self.0.remove(i)),
            (Err(i), Some(access)) => self.0.insert(i, Entry::new(Cow::Borrowed(key), access)),
            (Err(_), None) => {}
        }
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|entry| entry.0.as_ref().cmp(key))
    }

    /// Every key with what is known of it.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Access)> {
        self.0.iter().map(|entry| (entry.0.as_ref(), entry.access()))
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of all its keys' names.
    pub(super) fn name_bytes(&self) -> usize {
        self.0.iter().map(|entry| entry.0.len()).sum()
    }

    /// The pages that this one, `id`, is to be cut into, if it is too large.
    pub(super) fn cut(&mut self, id: PageId) -> Option<Vec<(PageId, Self)>> {
        let is_large = self.0.len() > KEYS_MAX || self.name_bytes() > NAME_BYTES_MAX;
        if !is_large || id.bits >= HASH_BITS {
            return None;
        }
        let mut pieces: Vec<(PageId, Self)> = Vec::with_capacity(CUT_INTO);
        for entry in self.0.drain(..) {
            let piece = PageId::holding(KeyHash::of(&entry.0), id.bits + STEP_BITS);
            match pieces.iter_mut().find(|(id, _)| *id == piece) {
                Some((_, page)) => page.0.push(entry),
                None => pieces.push((piece, Self(vec![entry]))),
            }
        }
        Some(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(count: u64) -> Access {
        let at = Timestamp::from_ms(1_700_000_000_000);
        Access { reads: count, writes: 1, first_at: at, last_at: at, last_read_at: None }
    }

    #[test]
    fn a_page_reads_back_and_keeps_its_order() {
        let mut page = Page::default();
        for (i, key) in ["b", "報", "a", "c"].into_iter().enumerate() {
            page.set(key, Some(&access(i as u64)));
        }
        page.set("b", None);
        page.set("a", Some(&access(9)));
        let bytes = rmp_serde::to_vec_named(&page).unwrap();
        let read: Page<'_> = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(read, page);
        assert_eq!(read.keys().map(|(key, _)| key).collect::<Vec<_>>(), ["a", "c", "報"]);
        assert_eq!((read.get("a"), read.get("b")), (Some(access(9)), None));
        assert!(bytes.len() < 120, "{}", bytes.len());
    }

    #[test]
    fn a_page_that_is_cut_loses_no_key_and_each_is_found_in_its_new_page() {
        let names: Vec<String> = (0..200_000).map(|i| format!("key-{i}")).collect();
        let id = PageId::root(KeyHash::of("key-0"));
        let inside = || names.iter().filter(|name| PageId::root(KeyHash::of(name)) == id);
        let mut page = Page::default();
        inside().for_each(|name| page.set(name, Some(&access(1))));
        assert!(inside().count() > KEYS_MAX);
        let pieces = page.clone().cut(id).unwrap();
        let mut cuts = Cuts::default();
        cuts.insert(id);
        assert_eq!(pieces.iter().map(|(_, page)| page.0.len()).sum::<usize>(), inside().count());
        for name in inside() {
            let place = cuts.page_of(KeyHash::of(name));
            let (_, piece) = pieces.iter().find(|(id, _)| *id == place).unwrap();
            assert_eq!(piece.get(name), Some(access(1)));
        }
        assert_eq!(cuts.page_of(KeyHash::of("elsewhere")), PageId::root(KeyHash::of("elsewhere")));
    }

    #[test]
    fn a_page_of_few_long_names_is_cut_before_it_is_too_large_for_a_record() {
        let names: Vec<String> = (0..70).map(|i| format!("{i:02}{}", "x".repeat(1022))).collect();
        let mut page = Page::default();
        names[..60].iter().for_each(|name| page.set(name, Some(&access(1))));
        assert!(page.clone().cut(PageId::root(KeyHash(0))).is_none());
        for name in &names {
            page.set(name, Some(&access(1)));
        }
        assert!(page.cut(PageId::root(KeyHash(0))).is_some());
    }

    #[test]
    fn pages_sort_as_the_hashes_of_their_keys() {
        let hashes = [0_u32, 0x00ff_ffff, 0x0100_0000, 0x8000_0000, u32::MAX].map(KeyHash);
        let roots = hashes.map(|hash| PageId::root(hash).to_bytes());
        assert!(roots.is_sorted());
        let deep = PageId::holding(hashes[1], 12).to_bytes();
        assert!(roots[0] < deep && deep < roots[2]);
    }
}
