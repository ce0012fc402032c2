//! A space, looked through in pages: by what names begin with, by folders, by what they have in them.
//!
//! Names are read as keys, without their records, which are read only of what is told. Work is bounded: a page that has
//! looked at enough ends, and its cursor says where to go on, whether or not it has found anything.

use coffer_core::{Timestamp, UserId};
use coffer_store::records::{Sort, StoreError};

use super::files::Files;
use crate::repo::{Names, Tag, name_in};

/// Records read at once for a listing with sizes.
const RECORDS_AT_A_TIME: usize = 16;
/// Names looked at for one page.
const NAMES_MAX: usize = 10_000;
/// Scans for one page: what there is in a folder is passed over with one each, however much that is.
const SCANS_MAX: usize = 100;

/// What is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Browse<'a> {
    /// Only names that begin with this.
    pub(crate) prefix: &'a str,
    /// Only names after this one; after all of a folder, if it ends with `/`.
    pub(crate) after: Option<&'a str>,
    /// Whether what is in folders is told as the folder.
    pub(crate) folders: bool,
    /// Only names that have this in them, in lower case.
    pub(crate) contains: Option<&'a str>,
    /// Files and folders, at most.
    pub(crate) limit: usize,
}

impl<'a> Browse<'a> {
    /// The folder that a name is in, below the prefix.
    fn folder<'n>(&self, name: &'n str) -> Option<&'n str> {
        let below = name.get(self.prefix.len()..).filter(|_| self.folders)?;
        below.find('/').map(|at| &name[..=self.prefix.len() + at])
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.contains.is_none_or(|text| name.to_lowercase().contains(text))
    }

    fn names<'b>(&'b self, after: Option<&'b str>) -> Names<'b>
    where
        'a: 'b,
    {
        Names { prefix: self.prefix, after, limit: self.limit.max(RECORDS_AT_A_TIME) }
    }
}

/// What a listing tells of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name.
    pub file_name: String,
    /// Bytes of ciphertext.
    pub size_bytes: u64,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// What names its content, if it is an envelope.
    pub(crate) tag: Option<Tag>,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Browsed {
    /// Files, in the order of their names.
    pub(crate) files: Vec<FileInfo>,
    /// Folders, with the `/` at their ends, in order.
    pub(crate) folders: Vec<String>,
    /// Where to go on, unless there is nothing more.
    pub(crate) next: Option<String>,
}

/// The names of a page, before their records are read.
#[derive(Default)]
struct Found {
    keys: Vec<Sort>,
    folders: Vec<String>,
    next: Option<String>,
}

impl Files {
    /// A page of the files in `space`.
    pub(crate) async fn browse(&self, space: UserId, browse: &Browse<'_>) -> Result<Browsed, StoreError> {
        let Found { keys, folders, next } = self.find_names(space, browse).await?;
        let mut files = Vec::with_capacity(keys.len());
        // The records may hold content, so a few at a time are in memory.
        for keys in keys.chunks(RECORDS_AT_A_TIME) {
            for file in self.repo.get_many(space, keys).await? {
                let (Some(name), record) = (file.name(), file.record()?) else { continue };
                files.push(FileInfo {
                    file_name: name.to_owned(),
                    size_bytes: record.size_bytes,
                    created_at: record.created_at,
                    tag: record.native.map(|native| native.tag),
                });
            }
        }
        Ok(Browsed { files, folders, next })
    }

    async fn find_names(&self, space: UserId, browse: &Browse<'_>) -> Result<Found, StoreError> {
        let (mut found, mut looked_at) = (Found::default(), 0);
        let mut position = browse.after.map(str::to_owned);
        for _ in 0..SCANS_MAX {
            let page = self.repo.name_keys(space, &browse.names(position.as_deref())).await?;
            looked_at += page.items.len();
            for key in page.items {
                let Some(name) = name_in(&key) else { continue };
                let is_passed = |folder: &String| folder.ends_with('/') && name.starts_with(folder.as_str());
                if position.as_ref().is_some_and(is_passed) {
                    continue;
                }
                if found.keys.len() + found.folders.len() == browse.limit {
                    found.next = position;
                    return Ok(found);
                }
                position = Some(name.to_owned());
                if !browse.is_wanted(name) {
                    continue;
                }
                match browse.folder(name) {
                    Some(folder) => {
                        found.folders.push(folder.to_owned());
                        position = Some(folder.to_owned());
                    }
                    None => found.keys.push(key),
                }
            }
            if !page.more {
                return Ok(found);
            }
            if looked_at >= NAMES_MAX {
                break;
            }
        }
        found.next = position;
        Ok(found)
    }
}
