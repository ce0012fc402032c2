//! Putting newly wrapped keys in the place of old ones, without touching any content.
//!
//! Each commit is guarded on all that was read of the name, and each head is named by its tag: what was replaced, deleted
//! or wrapped anew meanwhile is left as it is, and whoever asked looks again.

use coffer_core::{FileName, UserId};
use coffer_store::records::StoreError;
use serde_bytes::Bytes;

use super::heads::{section, tag_of};
use crate::domain::files::Files;
use crate::domain::library::LibraryError;
use crate::repo::{FileRecord, NameState, Native, Past, Rewrap, Tag, Tombstone};

/// How often a commit is tried whose guards somebody else overtook: each of them got further.
const TRIES_MAX: u32 = 16;
/// Heads in one commit: each record may hold content.
const HEADS_PER_COMMIT: usize = 16;

/// What a head is to be.
#[derive(Clone, Debug)]
pub(crate) struct NewHead {
    /// The tag of the bytes that it takes the place of.
    pub(crate) tag: String,
    pub(crate) bytes: NewBytes,
}

/// What was wrapped anew.
#[derive(Clone, Debug)]
pub(crate) enum NewBytes {
    /// The stanza section of an envelope.
    Stanzas(Vec<u8>),
    /// The two fields of a classic file.
    Classic { wrapped_key: Vec<u8>, wrapped_vector: Vec<u8> },
}

impl Files {
    /// Replaces heads of one name; says how many of them were still there.
    pub(crate) async fn replace_heads(
        &self,
        space: UserId,
        name: &FileName,
        heads: &[NewHead],
    ) -> Result<usize, LibraryError> {
        let mut replaced = 0;
        for heads in heads.chunks(HEADS_PER_COMMIT) {
            replaced += self.replace_some(space, name, heads).await?;
        }
        Ok(replaced)
    }

    async fn replace_some(
        &self,
        space: UserId,
        name: &FileName,
        heads: &[NewHead],
    ) -> Result<usize, LibraryError> {
        for _ in 0..TRIES_MAX {
            let state = self.repo.state(space, name).await?;
            let mut trail = state.trail()?;
            let wanted: Vec<Past> =
                trail.iter().filter(|past| find(heads, &past.tag.text()).is_some()).cloned().collect();
            let kept = self.repo.pasts(space, name, &wanted).await?;
            let mut rewrap = Rewrap::default();
            for (past, stored) in wanted.iter().zip(&kept) {
                let (Some(stored), Some(head)) = (stored, find(heads, &past.tag.text())) else { continue };
                let Some(record) = rewrapped(stored.record()?, head) else { continue };
                if let Some(at) = trail.iter().position(|other| other.revision() == past.revision()) {
                    trail[at].size_bytes = record.size_bytes;
                    trail[at].tag = record.native.as_ref().map_or(past.tag, |native| native.tag);
                }
                rewrap.pasts.push((past, stored, record));
            }
            let replaced = rewrap.pasts.len() + present(&state, (heads, trail), &mut rewrap)?;
            if replaced == 0 || self.repo.rewrap(space, name, (&state, &rewrap)).await? {
                return Ok(replaced);
            }
        }
        Err(LibraryError::Conflict)
    }
}

fn find<'a>(heads: &'a [NewHead], tag: &str) -> Option<&'a NewHead> {
    heads.iter().find(|head| head.tag == tag)
}

/// What is to be of the file itself and its trail; says how many heads of the file were replaced.
fn present<'a>(
    state: &'a NameState,
    (heads, trail): (&'a [NewHead], Vec<Past>),
    rewrap: &mut Rewrap<'a>,
) -> Result<usize, StoreError> {
    let Some(file) = &state.file else {
        rewrap.tombstone = state.trashed.is_some().then_some(Tombstone { trail });
        return Ok(0);
    };
    let record = file.record()?;
    let head = find(heads, &tag_of(&record, file));
    let anew = head.and_then(|head| rewrapped(file.record().ok()?, head));
    let replaced = usize::from(anew.is_some());
    let mut record = anew.unwrap_or(record);
    if let Some(native) = &mut record.native {
        native.trail = trail;
    }
    rewrap.file = Some(record);
    Ok(replaced)
}

/// The record with this head; none if it is not one for it.
fn rewrapped<'a>(record: FileRecord<'a>, head: &'a NewHead) -> Option<FileRecord<'a>> {
    match (&head.bytes, record.native) {
        (NewBytes::Stanzas(stanzas), Some(native)) => {
            section(native.prefix, stanzas)?;
            let before = native.head_bytes();
            let tag = Tag { stanzas: native.tag.stanzas + 1, ..native.tag };
            let native = Native { tag, stanzas: Bytes::new(stanzas), ..native };
            let size_bytes = record.size_bytes - before + native.head_bytes();
            Some(FileRecord { size_bytes, native: Some(native), ..record })
        }
        (NewBytes::Classic { wrapped_key, wrapped_vector }, None) => {
            let (wrapped_key, wrapped_vector) = (Bytes::new(wrapped_key), Bytes::new(wrapped_vector));
            Some(FileRecord { wrapped_key, wrapped_vector, native: None, ..record })
        }
        _ => None,
    }
}
