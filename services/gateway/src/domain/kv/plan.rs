//! One commit in the making: what it guards, what it writes, and what it tells of that.
//!
//! Everything that keeps history, trash and totals right is here, so every change of a key goes through it.

mod keeping;

use coffer_core::{Random, SecretBytes, Timestamp, UserId};
use coffer_store::records::{COMMIT_ITEMS_MAX, SealedCommit, Sort, Version};
use serde_bytes::Bytes;

use super::key::Key;
use super::known::Known;
use super::settings::KvSettings;
use super::value::{Kind, Packed};
use super::{KvError, OPS_MAX};
use crate::repo::kv::{Change, ChangeRecord, Entry, Head, Leftover, Op, Parts, Past, Tombstone, keys};

/// The largest stored value that is kept in its entry, in bytes: listings read entries.
pub(super) const INLINE_BYTES_MAX: usize = 4 * 1024;
/// One part of a larger value, in bytes.
const PART_BYTES: usize = 1024 * 1024;
/// Versions that one commit takes out of the history of a key, at most: each may have many parts.
pub(super) const FORGOTTEN_MAX: usize = 8;

/// What a commit needs besides what it changes.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) settings: &'a KvSettings,
    pub(super) random: &'a dyn Random,
    pub(super) now: Timestamp,
    /// Who does it; nobody if time does.
    pub(super) by: Option<UserId>,
}

/// A value that is to become a key's current one.
pub(super) struct NewValue<'a> {
    pub(super) packed: &'a Packed,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) op: Op,
    /// The life that a key is brought back to: what the trash has of it.
    pub(super) revives: Option<&'a Tombstone>,
}

/// What a key's entry is after the commit.
struct Learned {
    key: Key,
    head: Option<Head>,
}

/// A commit in the making.
pub(super) struct Plan<'a> {
    context: Context<'a>,
    commit: SealedCommit,
    items: usize,
    changes: Vec<Change>,
    learned: Vec<Learned>,
    /// The first moment at which this leaves something to do.
    due: Option<Timestamp>,
    leftovers: Vec<(Key, Vec<Past>)>,
}

/// A commit that is made, and what there is to know once it has happened.
pub(super) struct Made {
    pub(super) commit: SealedCommit,
    pub(super) due: Option<Timestamp>,
    /// Versions that nothing names any more once it has happened.
    pub(super) leftovers: Vec<(Key, Vec<Past>)>,
    learned: Vec<Learned>,
}

impl Made {
    /// What each key's entry is, now that the commit has this revision; nothing if it is gone.
    pub(super) fn learned(self, version: Version) -> impl Iterator<Item = (Key, Option<Known>)> {
        self.learned
            .into_iter()
            .map(move |learned| (learned.key, learned.head.map(|head| Known { version, head })))
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        let (changes, learned, leftovers) = (Vec::new(), Vec::new(), Vec::new());
        Self { context, commit: SealedCommit::new(), items: 0, changes, learned, due: None, leftovers }
    }

    /// Adds to the commit.
    pub(super) fn add(&mut self, items: usize, change: impl FnOnce(SealedCommit) -> SealedCommit) {
        self.commit = change(std::mem::take(&mut self.commit));
        self.items += items;
    }

    /// Makes `value` the current one of `key`, over what there is `before`, which is guarded. Answers what is then
    /// known of it.
    pub(super) fn put(
        &mut self,
        key: &Key,
        before: Option<&Known>,
        value: &NewValue<'_>,
    ) -> Result<Head, KvError> {
        let sort = keys::current(key.as_str());
        self.guard(&sort, before);
        let mut head = self.head(before, value);
        let mut delta = head.delta();
        if let Some(before) = before {
            delta = delta - before.head.delta();
            self.retire(key, before, &mut head.trail, value.expires_at);
        } else if let Some(tombstone) = value.revives {
            head.trail.clone_from(&tombstone.trail);
            self.trim(key, &mut head.trail);
        }
        let inline = self.store(key, value.packed, &mut head);
        if let Some(at) = value.expires_at {
            let expired = Some((head.version, head.delta()));
            let leftover = Leftover { key: key.as_str().to_owned(), parts: head.parts, expired };
            self.leave(at, (key, 0), &leftover);
        }
        let entry = Entry { head, inline };
        let encoded = entry.encode()?;
        let head = entry.head;
        self.add(1, |commit| commit.put(&sort, encoded, value.expires_at));
        self.tell(key, (value.op, head.version), delta);
        self.learned.push(Learned { key: key.clone(), head: Some(head.clone()) });
        Ok(head)
    }

    /// Deletes `key`, of which there is `before`, which is guarded. It goes to the trash, if that keeps anything.
    pub(super) fn delete(&mut self, key: &Key, before: &Known) {
        let Context { settings, now, by, .. } = self.context;
        let sort = keys::current(key.as_str());
        self.guard(&sort, Some(before));
        self.add(1, |commit| commit.delete(&sort));
        let mut trail = before.head.trail.clone();
        if settings.trash_days == 0 {
            self.unleave(key, before, None);
            if let Some(parts) = before.head.parts {
                self.drop_parts(key, parts);
            }
            self.leave_over(key, trail);
        } else {
            let until = earlier(now.plus(settings.trash()), before.head.expires_at);
            self.unleave(key, before, None);
            self.keep(key, before, (&mut trail, until));
            self.trim(key, &mut trail);
            let tombstone = Tombstone {
                created_at: before.head.created_at,
                created_by: before.head.created_by,
                deleted_at: now,
                deleted_by: by.unwrap_or(before.head.updated_by),
                version: before.head.version,
                plain_bytes: before.head.plain_bytes,
                trail,
            };
            self.add(1, |commit| commit.put_as(&keys::tombstone(key.as_str()), &tombstone, Some(until)));
        }
        self.tell(key, (Op::Delete, before.head.version), -before.head.delta());
        self.learned.push(Learned { key: key.clone(), head: None });
    }

    /// Tells of a change.
    pub(super) fn tell(&mut self, key: &Key, (op, version): (Op, u64), delta: crate::repo::kv::Delta) {
        self.changes.push(Change { key: key.as_str().to_owned(), op, version, delta });
    }

    /// The commit; an error if it does more than one commit can.
    pub(super) fn make(mut self) -> Result<Made, KvError> {
        let Context { settings, now, by, .. } = self.context;
        let record = ChangeRecord { at: now, by, changes: std::mem::take(&mut self.changes) };
        let until = now.plus(settings.watch_retention());
        self.add(1, |commit| commit.append_as(&keys::changes(), &record, Some(until)));
        if self.items > COMMIT_ITEMS_MAX {
            return Err(KvError::Batch { ops_max: OPS_MAX });
        }
        Ok(Made { commit: self.commit, due: self.due, leftovers: self.leftovers, learned: self.learned })
    }

    /// The commit without a word of it in the log: it changes nothing that anybody could see.
    pub(super) fn silent(self) -> SealedCommit {
        self.commit
    }

    fn guard(&mut self, sort: &Sort, before: Option<&Known>) {
        self.add(1, |commit| match before {
            Some(before) => commit.at_version(sort, before.version),
            None => commit.absent(sort),
        });
    }

    fn head(&self, before: Option<&Known>, value: &NewValue<'_>) -> Head {
        let Context { now, by, .. } = self.context;
        let before = before.map(|before| &before.head);
        let by = by.or(before.map(|before| before.updated_by)).unwrap_or(UserId::from_bytes([0; 16]));
        let earlier = before
            .map(|head| (head.version, head.created_at, head.created_by))
            .or(value.revives.map(|tomb| (tomb.version, tomb.created_at, tomb.created_by)));
        let (last, created_at, created_by) = earlier.unwrap_or((0, now, by));
        let packed = value.packed;
        Head {
            version: last + 1,
            created_at,
            updated_at: now,
            created_by,
            updated_by: by,
            expires_at: value.expires_at,
            content_type: match &packed.kind {
                Kind::Json => None,
                Kind::Bytes { content_type } => Some(content_type.clone()),
            },
            encrypt: packed.encrypt,
            compress: packed.compress,
            compressed: packed.is_compressed(),
            plain_bytes: packed.plain_bytes as u64,
            stored_bytes: packed.stored_bytes() as u64,
            parts: None,
            trail: before.map_or_else(Vec::new, |before| before.trail.clone()),
        }
    }

    /// Writes the parts of a large value; a small one goes into the entry.
    fn store<'v>(&mut self, key: &Key, packed: &'v Packed, head: &mut Head) -> Option<&'v Bytes> {
        if packed.frame.len() <= INLINE_BYTES_MAX {
            return Some(Bytes::new(&packed.frame));
        }
        let mut id = [0; 16];
        self.context.random.fill(&mut id);
        let mut count = 0;
        for part in packed.frame.chunks(PART_BYTES) {
            let bytes = SecretBytes::new(part.to_vec());
            self.add(1, |commit| commit.put(&keys::part(key.as_str(), id, count), bytes, None));
            count += 1;
        }
        head.parts = Some(Parts { id, count });
        None
    }
}

fn earlier(at: Timestamp, other: Option<Timestamp>) -> Timestamp {
    other.map_or(at, |other| at.min(other))
}
