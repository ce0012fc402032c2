//! The versions of a file.

use coffer_core::Timestamp;

use super::reading::NativeFile;
use crate::domain::library::{Caller, Library, LibraryError, Wanted};
use crate::repo::{Past, Tag};

/// A version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) tag: Tag,
    pub(crate) size_bytes: u64,
    pub(crate) created_at: Timestamp,
    /// How it went, if it is not the present one.
    pub(crate) gone: Option<Gone>,
}

/// How a version went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) at: Timestamp,
    pub(crate) deleted: bool,
    pub(crate) kept_until: Timestamp,
}

impl Version {
    fn past(past: &Past) -> Self {
        let gone = Gone { at: past.gone_at, deleted: past.deleted, kept_until: past.until };
        let Past { tag, size_bytes, created_at, .. } = *past;
        Self { tag, size_bytes, created_at, gone: Some(gone) }
    }
}

impl Library {
    /// The versions of a file that can be read, the newest first.
    pub(crate) async fn history(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
    ) -> Result<Vec<Version>, LibraryError> {
        let (_, state) = self.locate(caller, wanted).await?;
        let now = self.files()?.clock.now();
        let trail = state.trail()?;
        let mut versions = Vec::with_capacity(trail.len() + 1);
        if let Some(file) = state.file {
            let file = NativeFile::of(file)?.ok_or(LibraryError::NotFound)?;
            let NativeFile { tag, size_bytes, created_at, .. } = file;
            versions.push(Version { tag, size_bytes, created_at, gone: None });
        }
        versions.extend(trail.iter().rev().filter(|past| past.until > now).map(Version::past));
        Ok(versions)
    }
}
