//! Every name that a caller may download, in pieces: own names, read as keys without their records, then
//! names that others share.

use std::collections::HashSet;
use std::sync::Arc;

use coffer_api::internal::{SharedName, SharedRequest};
use coffer_core::{FileName, UserId};
use coffer_store::records::Sort;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::files::Files;
use super::kms::FileKms;
use super::library::LibraryError;
use crate::repo::{Names, name_in};

/// Own names in one piece.
const NAMES_IN_PIECE: usize = coffer_store::records::PAGE_RECORDS_MAX;
/// Shared names that are looked up at the same time.
const LOOKUPS: usize = 8;

/// A listing on its way.
#[derive(Debug)]
pub struct Listing {
    files: Files,
    own: UserId,
    shared_with: Option<(UserId, Arc<dyn FileKms>)>,
    told: HashSet<FileName>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Own { after: Option<Sort> },
    Shared { cursor: Option<String> },
    Over,
}

/// Some of the names.
#[derive(Debug)]
pub enum Piece {
    /// The caller's own, as the store keeps them; `Piece::names` reads them.
    Own(Vec<Sort>),
    /// Of files that others share and that have been uploaded.
    Shared(Vec<SharedName>),
}

impl Piece {
    /// Calls `each` with every name.
    pub fn for_each_name(&self, mut each: impl FnMut(&str)) {
        match self {
            Self::Own(keys) => keys.iter().filter_map(name_in).for_each(each),
            Self::Shared(shared) => shared.iter().for_each(|shared| each(shared.file_name.as_str())),
        }
    }
}

impl Listing {
    pub(super) fn new(files: Files, own: UserId, shared_with: Option<(UserId, Arc<dyn FileKms>)>) -> Self {
        Self { files, own, shared_with, told: HashSet::new(), stage: Stage::Own { after: None } }
    }

    /// The next piece, until there is none. A name is told once: a shared file that one of the caller's
    /// own, or one told before, hides is left out.
    pub async fn next(&mut self) -> Result<Option<Piece>, LibraryError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Own { after } => self.own_piece(after.as_ref()).await.map(Some),
            Stage::Shared { cursor } => self.shared_piece(cursor).await,
            Stage::Over => Ok(None),
        }
    }

    async fn own_piece(&mut self, after: Option<&Sort>) -> Result<Piece, LibraryError> {
        let names = Names { prefix: "", after: after.and_then(name_in), limit: NAMES_IN_PIECE };
        let page = self.files.name_keys(self.own, &names).await?;
        self.stage = match page.items.last() {
            Some(last) if page.more => Stage::Own { after: Some(last.clone()) },
            _ => Stage::Shared { cursor: None },
        };
        Ok(Piece::Own(page.items))
    }

    async fn shared_piece(&mut self, cursor: Option<String>) -> Result<Option<Piece>, LibraryError> {
        let Some((user_id, kms)) = &self.shared_with else { return Ok(None) };
        let page = kms.shared(&SharedRequest { user_id: *user_id, cursor }).await?;
        let (files, own) = (&self.files, self.own);
        let looked_up = stream::iter(page.items).map(|shared| async move {
            let is_shown = files.exists(shared.space, &shared.file_name).await?
                && !files.exists(own, &shared.file_name).await?;
            Ok::<_, LibraryError>(is_shown.then_some(shared))
        });
        let found: Vec<_> = looked_up.buffered(LOOKUPS).try_collect().await?;
        if let Some(cursor) = page.next_cursor {
            self.stage = Stage::Shared { cursor: Some(cursor) };
        }
        let mut found: Vec<SharedName> = found.into_iter().flatten().collect();
        found.retain(|shared| self.told.insert(shared.file_name.clone()));
        Ok(Some(Piece::Shared(found)))
    }
}
