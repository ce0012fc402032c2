//! Which version of files is the present one, without any key.
//!
//! Whoever keeps a copy of many files asks this to know which of them have changed. The data service's word would not do:
//! it could go on telling of a version that has been replaced.

use coffer_api::grants::Permission;
use coffer_core::FileName;

use super::versions::{OfOwner, Reachable, each_once};
use super::{Caller, FileKeyError, FileKeys};
use crate::repo::files::ContentKey;

impl FileKeys {
    /// The latest published version of each file, if the caller may read all of them.
    pub async fn present_versions(
        &self,
        caller: &Caller,
        wanted: OfOwner<'_, FileName>,
    ) -> Result<Vec<Option<u64>>, FileKeyError> {
        let names: Vec<_> = wanted.items.iter().collect();
        each_once(&names)?;
        let Reachable { space, files } =
            self.reachable(caller, (wanted.owner, &names), Permission::Read).await?;
        let keys: Vec<_> = files
            .iter()
            .zip(&names)
            .filter_map(|(file, name)| Some(ContentKey { file: file.as_ref()?.record().id, name }))
            .collect();
        let mut states = self.files.content_states(space, &keys).await?.into_iter();
        let published = files.iter().map(|file| {
            file.as_ref()?;
            states.next().flatten().map(|state| state.value.published).filter(|published| *published > 0)
        });
        Ok(published.collect())
    }
}
