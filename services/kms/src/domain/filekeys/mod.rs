//! File keys: making them, sharing them, and what they open.
//!
//! A name belongs to its owner's name space; `resolve` says where a name leads for somebody. Who may use a key
//! is asked of the store; only unwrapping uses what was read a moment ago once more (`lately`). Every release
//! of a key is recorded before the key leaves (`release`).
//!
//! Work across partitions is ordered so that a crash in between harms nothing: a grant's index entry is
//! written before the grant, which alone counts; an event and the revocation feed come after the change and
//! before the answer, so a caller who got no answer tries again and loses nothing.

mod aging;
mod copy;
mod create;
mod destroy;
mod directory;
mod error;
mod grants;
mod lately;
mod list;
mod moving;
mod open;
mod opener;
mod present;
mod release;
mod resolve;
mod rewrap;
mod rotate;
#[cfg(test)]
mod tests;
mod turns;
mod uses;
mod versions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use coffer_api::AddressHash;
use coffer_api::internal::heads::{FenceRequest, HeadsPage, HeadsReplaced, HeadsRequest, ReplaceHeads};
use coffer_auth::workers::WorkError;
use coffer_core::{Clock, FileId, FileName, Random, Timestamp, UserId};
use coffer_crypto::index::IndexKey;
use coffer_store::records::Sealed;
use tokio::sync::Notify;

use crate::domain::events::{Action, Event, Events, Origin};
use crate::domain::feed::Feed;
use crate::domain::group::GroupError;
use crate::domain::pool::KeyPool;
use crate::repo::files::{FileRepo, GranteeRepo, Space};
use crate::repo::rotations::RotationRepo;
use directory::Directory;
use lately::Lately;
use opener::Opener;
use uses::Uses;

pub use copy::CopyOrder;
pub use create::PublicKey;
pub use destroy::Destruction;
pub use error::FileKeyError;
pub use grants::{GrantOrder, GrantView};
pub use list::{OwnFile, Paged, SharedFile};
pub use open::{OpenedContent, SealedContent};
pub use release::Exported;
pub use resolve::{Place, Wanted};
pub use rotate::KeyVersions;
pub use uses::UsesOf;
pub use versions::{NewContent, OfOwner, Registered, Uploaded};

/// How long a revoked grant is remembered as such.
const REVOKED_KEPT: Duration = Duration::from_hours(30 * 24);
/// How often something is tried again because others changed it meanwhile.
const TRIES_MAX: usize = 8;

/// Why the data service did not answer.
pub type UploadsError = Box<dyn std::error::Error + Send + Sync>;

/// What is asked of the data service.
#[async_trait]
pub trait Uploads: Send + Sync + fmt::Debug {
    /// Whether `space` has a file called `name`.
    async fn exists(&self, space: UserId, name: &FileName) -> Result<bool, UploadsError>;

    /// A page of the heads that are wrapped for old versions of a file key.
    async fn old_heads(&self, request: &HeadsRequest) -> Result<HeadsPage, UploadsError>;

    /// Puts heads in the place of others.
    async fn replace_heads(&self, request: &ReplaceHeads) -> Result<HeadsReplaced, UploadsError>;

    /// Says which versions of a file key are taken in from now on.
    async fn fence(&self, request: &FenceRequest) -> Result<(), UploadsError>;
}

/// A user who asks, for one request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// His verified address, blinded.
    pub address: AddressHash,
    /// Whether his session was opened with a second factor.
    pub second_factor: bool,
    /// Where the request came from.
    pub origin: Origin,
}

/// The rules that operators choose.
#[derive(Clone, Copy, Debug)]
pub struct FileKeyRules {
    /// One name space for all.
    pub shared_names: bool,
    /// Files that one owner may have.
    pub files_per_owner_max: u32,
    /// Grants that one file may have.
    pub grants_per_file_max: u32,
    /// Threads that open wrapped keys; 0 for those that the requests came in on.
    pub open_threads: usize,
}

/// What [`FileKeys`] works with.
#[derive(Debug)]
pub struct FileKeyParts {
    /// Where everything is kept.
    pub store: Sealed,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub random: Arc<dyn Random>,
    /// Blinds addresses.
    pub index: Arc<IndexKey>,
    /// Records what happened.
    pub events: Arc<Events>,
    /// Tells other services what to forget.
    pub feed: Arc<Feed>,
    /// Key pairs made ahead.
    pub pool: Arc<KeyPool>,
    /// Knows which files were uploaded.
    pub uploads: Arc<dyn Uploads>,
}

/// Everything about file keys, for one process.
#[derive(Debug)]
pub struct FileKeys {
    rules: FileKeyRules,
    files: FileRepo,
    grantees: GranteeRepo,
    directory: Directory,
    opener: Opener,
    lately: Lately,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    events: Arc<Events>,
    feed: Arc<Feed>,
    pool: Arc<KeyPool>,
    uploads: Arc<dyn Uploads>,
    rotations: RotationRepo,
    /// There is something to move.
    moved: Notify,
    uses: Uses,
}

impl FileKeys {
    /// Puts the parts together and starts the threads that unwrap.
    pub fn start(parts: FileKeyParts, rules: FileKeyRules) -> Result<Self, WorkError> {
        let FileKeyParts { store, clock, random, index, events, feed, pool, uploads } = parts;
        Ok(Self {
            rules,
            directory: Directory::new(&store, index),
            grantees: GranteeRepo::new(store.clone()),
            rotations: RotationRepo::new(store.clone()),
            moved: Notify::new(),
            uses: Uses::default(),
            files: FileRepo::new(store),
            opener: Opener::start(rules.open_threads)?,
            lately: Lately::new(feed.changes(), &clock),
            clock,
            random,
            events,
            feed,
            pool,
            uploads,
        })
    }

    /// The name space in which `owner`'s files are.
    fn space(&self, owner: UserId) -> Space {
        if self.rules.shared_names { Space::SHARED } else { Space(owner) }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn make_id(&self) -> FileId {
        FileId::make(self.now(), &*self.random)
    }

    async fn record(&self, caller: &Caller, action: Action) -> Result<(), GroupError> {
        self.events.record(Event::new(action).by_user(caller.user).from(&caller.origin)).await
    }
}

impl Caller {
    fn require_second_factor(&self) -> Result<(), FileKeyError> {
        if self.second_factor { Ok(()) } else { Err(FileKeyError::SecondFactor) }
    }
}
