//! Which key is a file's: its own, or that of the nearest folder above it that has one. A folder that has a key is itself
//! covered by that.
//!
//! Folders that have a key are [`FOLDERS_DEEP_MAX`] deep at most, so a name is looked up by one look at few records,
//! whatever it is. The road not taken: noting at each file which key covers it. A folder's key is for what comes later
//! too, and one look costs what one record costs.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use coffer_api::file_keys::Covers;
use coffer_core::FileName;
use coffer_store::records::{GET_MANY_MAX, StoreError, Stored};

use super::{FileRecord, FileRepo, Space, name_sort};

/// How deep a folder may be that has a key.
pub const FOLDERS_DEEP_MAX: usize = 32;

/// The key that a file has, and the name under which it stands.
#[derive(Clone, Debug)]
pub struct Covering {
    /// The file's own name, or that of a folder above it.
    pub name: FileName,
    /// What is there.
    pub file: Arc<Stored<FileRecord>>,
}

impl Covering {
    /// The file or folder that the key was made for.
    pub fn record(&self) -> &FileRecord {
        &self.file.value
    }
}

/// The folders above a file, the nearest first, as far as they may have a key.
pub fn ancestors(name: &FileName) -> impl Iterator<Item = FileName> {
    let text = name.as_str();
    let ends: Vec<_> = text.match_indices('/').map(|(end, _)| end).take(FOLDERS_DEEP_MAX).collect();
    ends.into_iter().rev().filter_map(|end| text[..end].parse().ok())
}

impl FileRepo {
    /// The key of the file of this name.
    pub async fn covering(&self, space: Space, name: &FileName) -> Result<Option<Covering>, StoreError> {
        Ok(self.covering_each(space, &[name]).await?.pop().flatten())
    }

    /// The keys of the files of these names. What is above several of them is looked at once.
    pub async fn covering_each(
        &self,
        space: Space,
        names: &[&FileName],
    ) -> Result<Vec<Option<Covering>>, StoreError> {
        let wanted: BTreeSet<FileName> =
            names.iter().flat_map(|name| std::iter::once((*name).clone()).chain(ancestors(name))).collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let mut found = HashMap::with_capacity(wanted.len());
        for names in wanted.chunks(GET_MANY_MAX) {
            let sorts: Vec<_> = names.iter().map(name_sort).collect();
            let files = self.store.get_many_as::<FileRecord>(&space.partition(), &sorts).await?;
            let files = names.iter().zip(files);
            found.extend(files.filter_map(|(name, file)| Some((name, Arc::new(file?)))));
        }
        let covering = |name: &FileName, covers: Covers| {
            let file = found.get(name).filter(|file| file.value.covers == covers)?;
            Some(Covering { name: name.clone(), file: Arc::clone(file) })
        };
        let of = |name: &&FileName| match found.get(*name) {
            // A folder's own entry, which has its mode and times, goes with what is in the folder.
            Some(_) => covering(name, Covers::File).or_else(|| covering(name, Covers::Folder)),
            None => ancestors(name).find_map(|folder| covering(&folder, Covers::Folder)),
        };
        Ok(names.iter().map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_above_a_file_come_nearest_first_and_not_too_deep() {
        let above = |name: &str| -> Vec<_> {
            ancestors(&name.parse().unwrap()).map(|folder| folder.to_string()).collect()
        };
        assert_eq!(above("a/b/c"), ["a/b", "a"]);
        assert!(above("a").is_empty());
        let deep = above(&["x"; 100].join("/"));
        assert_eq!((deep.len(), &*deep[31]), (FOLDERS_DEEP_MAX, "x"));
    }
}
