//! Opening versions of files: content keys for whoever may read, of what was registered.
//!
//! As with [`release`](super::release), what leaves is recorded before it leaves, and who may have it may have been
//! asked for a second ago. What is registered is asked of the store every time: a later version may have been published
//! at this moment.

use std::collections::HashMap;
use std::sync::Arc;

use coffer_api::PrefixHash;
use coffer_core::{FileId, FileName, SecretBytes};
use coffer_crypto::equal;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::lately::Question;
use super::resolve::Found;
use super::uses::Use;
use super::versions::OfOwner;
use super::{Caller, FileKeyError, FileKeys, Wanted};
use crate::domain::events::{Action, Event, KeyUse};
use crate::repo::files::{ContentKey, FileRecord};

/// Files that are looked up at the same time.
const LOOKUPS: usize = 16;
/// Bytes of a content key.
const CONTENT_KEY_BYTES: usize = 32;

/// A version as the data service handed it out.
#[derive(Clone, Debug)]
pub struct SealedContent {
    /// The file.
    pub name: FileName,
    /// The version's number.
    pub version: u64,
    /// Whether the present content is wanted, and not just this version.
    pub present: bool,
    /// The hash of the prefix that was read.
    pub prefix_hash: PrefixHash,
    /// The version of the file key that the content key is wrapped for.
    pub key_version: u32,
    /// The wrapped content key.
    pub wrapped: Vec<u8>,
}

/// What opens one version.
#[derive(Debug)]
pub struct OpenedContent {
    /// The content key.
    pub content_key: SecretBytes,
    /// The latest version that was published, if one was.
    pub published: Option<u64>,
}

/// A version that may be opened.
struct Opening {
    found: Arc<Found>,
    published: Option<u64>,
}

/// A version of a file key, and the places of what it opens.
type ByKey = HashMap<(FileId, u32), Vec<usize>>;

impl FileKeys {
    /// The content keys of these versions, if the caller may read all of them and each is what was registered.
    pub async fn open_versions(
        &self,
        caller: &Caller,
        wanted: OfOwner<'_, SealedContent>,
    ) -> Result<Vec<OpenedContent>, FileKeyError> {
        caller.require_second_factor()?;
        let owner = wanted.owner;
        let look_up = |place: usize| async move {
            let item = &wanted.items[place];
            let wanted = Wanted { name: &item.name, owner };
            self.admit(caller, wanted, item).await.map_err(|why| why.of(place))
        };
        let places = stream::iter(0..wanted.items.len());
        let openings: Vec<_> = places.map(look_up).buffered(LOOKUPS).try_collect().await?;
        let mut keys = self.open_all(&openings, wanted.items).await?;
        self.record_opened(caller, &openings, wanted.items).await?;
        for (opening, item) in openings.iter().zip(wanted.items) {
            self.note_use(caller, &opening.found, Use::Opened(item.version)).await;
        }
        let opened = openings.iter().enumerate().map(|(place, opening)| {
            let content_key = keys.remove(&place).expect("every place was opened");
            OpenedContent { content_key, published: opening.published }
        });
        Ok(opened.collect())
    }

    /// Whether the caller may read the file, and whether this is what was registered.
    async fn admit(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
        item: &SealedContent,
    ) -> Result<Opening, FileKeyError> {
        let question = Question::of(caller, wanted);
        // What is remembered may not know of the key's newest version yet.
        let lately = self.lately.get(&question, self.now());
        let found = match lately.filter(|found| item.key_version <= found.file.version) {
            Some(found) => found,
            None => self.usable_from_now_on(caller, wanted, question).await?,
        };
        let key = ContentKey { file: found.file.id, name: &item.name };
        let (content, state) = self.files.content(found.space, key, item.version).await?;
        let is_registered =
            content.is_some_and(|content| equal(content.prefix_hash.as_bytes(), item.prefix_hash.as_bytes()));
        if !is_registered {
            return Err(FileKeyError::Unregistered);
        }
        if item.present && item.version < state.published {
            return Err(FileKeyError::Outdated);
        }
        if !(1..=found.file.version).contains(&item.key_version) {
            return Err(FileKeyError::NotForThisKey(0));
        }
        if item.key_version < found.file.oldest {
            return Err(FileKeyError::KeyDestroyed);
        }
        let published = Some(state.published).filter(|published| *published > 0);
        Ok(Opening { found, published })
    }

    /// Opens every wrapped key, by its place; those of one file key together.
    async fn open_all(
        &self,
        openings: &[Opening],
        items: &[SealedContent],
    ) -> Result<HashMap<usize, SecretBytes>, FileKeyError> {
        let mut by_key = ByKey::new();
        for (place, (opening, item)) in openings.iter().zip(items).enumerate() {
            by_key.entry((opening.found.file.id, item.key_version)).or_default().push(place);
        }
        let mut opened = HashMap::with_capacity(items.len());
        for ((_, version), places) in by_key {
            let found = &openings[places[0]].found;
            let key = self.private_key(found.space, &FileRecord { version, ..found.file.clone() }).await;
            let key = key.map_err(|why| why.of(places[0]))?;
            let wrapped: Arc<[_]> = places.iter().map(|place| items[*place].wrapped.clone()).collect();
            let keys = self.opener.open(key, wrapped).await.map_err(|why| match why.into() {
                FileKeyError::NotForThisKey(which) => FileKeyError::NotForThisKey(0).of(places[which]),
                other => other,
            })?;
            for (place, key) in places.into_iter().zip(keys) {
                // Nothing but a content key leaves by this way.
                if key.expose().len() != CONTENT_KEY_BYTES {
                    return Err(FileKeyError::NotForThisKey(0).of(place));
                }
                opened.insert(place, key);
            }
        }
        Ok(opened)
    }

    async fn record_opened(
        &self,
        caller: &Caller,
        openings: &[Opening],
        items: &[SealedContent],
    ) -> Result<(), FileKeyError> {
        let is_crowd = items.len() > 1 || self.opener.is_crowded();
        let events = openings.iter().zip(items).map(|(opening, item)| {
            let key =
                KeyUse { file: opening.found.file.id, name: item.name.clone(), version: item.key_version };
            let action = Action::FileVersionOpened { key, content: item.version };
            let event = Event::new(action).by_user(caller.user).from(&caller.origin);
            self.events.record_among(event, is_crowd)
        });
        futures_util::future::try_join_all(events).await?;
        Ok(())
    }
}
