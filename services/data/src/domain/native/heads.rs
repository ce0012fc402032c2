//! The heads that are wrapped for an old version of a file key: finding them for the KMS.
//!
//! Names are gone through three times over: those of files, of deleted files, and of files again. A file that is deleted
//! or brought back meanwhile moves from one to the other, and is seen all the same.

use coffer_api::file_keys::Covers;
use coffer_core::{FileId, FileName, UserId};
use coffer_crypto::envelope::{PREFIX_BYTES, Prefix, StanzaSection};
use coffer_store::records::StoreError;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::domain::files::Files;
use crate::repo::{FileRecord, NameState, Names, StoredFile, name_in, trashed_name_in};

/// Names that are looked at for one page.
const NAMES_PER_PAGE: usize = 64;
/// Of these, at the same time: their records may hold content.
const NAMES_AT_A_TIME: usize = 8;

/// A file key, and which of its versions are old.
#[derive(Clone, Debug)]
pub(crate) struct OldKey {
    pub(crate) space: UserId,
    pub(crate) file: FileId,
    /// The file or the folder that it was made for.
    pub(crate) name: FileName,
    pub(crate) covers: Covers,
    /// Versions before this one are old.
    pub(crate) below: u32,
}

/// A head that is wrapped for an old version, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OldHead {
    pub(crate) name: FileName,
    /// Names these very bytes.
    pub(crate) tag: String,
    pub(crate) bytes: OldBytes,
}

/// What is wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OldBytes {
    /// Prefix and stanzas of this version of the content.
    Envelope { version: u64, head: Vec<u8> },
    /// The two fields of a classic file.
    Classic { wrapped_key: Vec<u8>, wrapped_vector: Vec<u8> },
}

/// A page of heads.
#[derive(Debug, Default)]
pub(crate) struct OldHeads {
    pub(crate) heads: Vec<OldHead>,
    /// Where to go on, unless there is nothing more.
    pub(crate) next: Option<At>,
}

/// How far the names have been gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    round: Round,
    after: Option<String>,
}

/// Which names are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Files,
    Deleted,
    FilesAgain,
}

impl At {
    const START: Self = Self { round: Round::Files, after: None };

    /// As a text, for whoever asks for the next page.
    pub(crate) fn text(&self) -> String {
        let round = match self.round {
            Round::Files => '1',
            Round::Deleted => '2',
            Round::FilesAgain => '3',
        };
        format!("{round}{}", self.after.as_deref().unwrap_or_default())
    }

    /// Reads what [`text`](Self::text) made.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let after = text.get(1..)?;
        let round = match text.as_bytes()[0] {
            b'1' => Round::Files,
            b'2' => Round::Deleted,
            b'3' => Round::FilesAgain,
            _ => return None,
        };
        Some(Self { round, after: (!after.is_empty()).then(|| after.to_owned()) })
    }

    fn next_round(&self) -> Option<Self> {
        let round = match self.round {
            Round::Files => Round::Deleted,
            Round::Deleted => Round::FilesAgain,
            Round::FilesAgain => return None,
        };
        Some(Self { round, after: None })
    }
}

impl Files {
    /// A page of the heads that are wrapped for old versions of a key and not for a newer one.
    pub(crate) async fn old_heads(&self, key: &OldKey, at: Option<At>) -> Result<OldHeads, StoreError> {
        if key.covers == Covers::File {
            return Ok(OldHeads { heads: self.old_heads_of(key, key.name.clone()).await?, next: None });
        }
        let at = at.unwrap_or(At::START);
        let folder = format!("{}/", key.name);
        let wanted = Names { prefix: &folder, after: at.after.as_deref(), limit: NAMES_PER_PAGE };
        let (page, name_of): (_, fn(&_) -> Option<&str>) = match at.round {
            Round::Files | Round::FilesAgain => {
                (self.repo.name_keys(key.space, &wanted).await?, |sort| name_in(sort))
            }
            Round::Deleted => (self.repo.trash_keys(key.space, &wanted).await?, |sort| trashed_name_in(sort)),
        };
        let names: Vec<FileName> = page.items.iter().filter_map(|sort| name_of(sort)?.parse().ok()).collect();
        let next = match page.items.last().and_then(name_of).filter(|_| page.more) {
            Some(last) => Some(At { round: at.round, after: Some(last.to_owned()) }),
            None => at.next_round(),
        };
        let heads = stream::iter(names).map(|name| self.old_heads_of(key, name));
        let heads: Vec<_> = heads.buffered(NAMES_AT_A_TIME).try_collect().await?;
        Ok(OldHeads { heads: heads.concat(), next })
    }

    async fn old_heads_of(&self, key: &OldKey, name: FileName) -> Result<Vec<OldHead>, StoreError> {
        let state = self.repo.state(key.space, &name).await?;
        let mut heads = Vec::new();
        for file in self.kept(key.space, &name, &state).await?.iter().chain(&state.file) {
            heads.extend(old_head(key, &name, file)?);
        }
        Ok(heads)
    }

    /// The records of the versions before the present one that are kept.
    async fn kept(
        &self,
        space: UserId,
        name: &FileName,
        state: &NameState,
    ) -> Result<Vec<StoredFile>, StoreError> {
        let now = self.clock.now();
        let mut trail = state.trail()?;
        trail.retain(|past| past.until > now);
        Ok(self.repo.pasts(space, name, &trail).await?.into_iter().flatten().collect())
    }
}

fn old_head(key: &OldKey, name: &FileName, file: &StoredFile) -> Result<Option<OldHead>, StoreError> {
    let record = file.record()?;
    let bytes = match &record.native {
        Some(native) if is_old(key, native.stanzas) => {
            let head = [&native.prefix[..], &native.stanzas[..]].concat();
            OldBytes::Envelope { version: native.tag.version, head }
        }
        // A folder's key is no classic file's.
        None if key.covers == Covers::File => OldBytes::Classic {
            wrapped_key: record.wrapped_key.to_vec(),
            wrapped_vector: record.wrapped_vector.to_vec(),
        },
        _ => return Ok(None),
    };
    Ok(Some(OldHead { name: name.clone(), tag: tag_of(&record, file), bytes }))
}

fn is_old(key: &OldKey, stanzas: &[u8]) -> bool {
    // It was read when it was stored; one that cannot be read any more is nothing that could be wrapped anew.
    let Ok(section) = StanzaSection::parse(stanzas) else { return false };
    let newest = section.stanzas().iter().filter(|stanza| stanza.file_key == key.file);
    newest.map(|stanza| stanza.version).max().is_some_and(|version| version < key.below)
}

/// What names the bytes of a record, whichever kind of file it is.
pub(super) fn tag_of(record: &FileRecord<'_>, file: &StoredFile) -> String {
    match &record.native {
        Some(native) => native.tag.text(),
        None => format!("classic-{}", file.version().0),
    }
}

/// The stanzas, if they may stand behind this prefix.
pub(super) fn section(prefix: &[u8], stanzas: &[u8]) -> Option<StanzaSection> {
    let prefix: &[u8; PREFIX_BYTES] = prefix.try_into().ok()?;
    Prefix::parse(prefix).ok()?;
    StanzaSection::parse(stanzas).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_nothing_else_is_one() {
        for at in [At::START, At { round: Round::Deleted, after: Some("報/b".into()) }] {
            assert_eq!(At::read(&at.text()), Some(at));
        }
        for wrong in ["", "4a", "報"] {
            assert_eq!(At::read(wrong), None, "{wrong:?}");
        }
        let rounds = std::iter::successors(Some(At::START), At::next_round);
        assert_eq!(rounds.count(), 3);
    }
}
