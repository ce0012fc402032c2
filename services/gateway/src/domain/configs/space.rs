//! Opening, making and moving name spaces.
//!
//! Which user key opens a name space is written in two partitions, which do not commit together: the *wrap* at the
//! user key's place, and the *owner* record in the name space, which names the place of the one wrap that counts. A
//! wrap that no owner names opens nothing; so what a crash leaves between two commits is harmless, and the commit of the
//! owner record is the one moment at which a name space comes to be, or changes hands.
//!
//! A wrap that counts for nothing may be in the middle of becoming one that counts. Whoever wants its place first
//! *seizes* it: he commits to the owner record of the name space in that wrap (a tombstone, if there is none), so that
//! whoever was about to name the place fails by his guard; and only then writes over the wrap, guarded by the version that he
//! read before. A move reads the owner before it writes the new wrap, always writes it, and names it only if the owner
//! is what was read. So of a move and a seizure that race exactly one succeeds, and no name space loses its last wrap.

use std::sync::{Arc, PoisonError};

use coffer_core::Timestamp;
use coffer_crypto::space::SpaceKeys;
use coffer_store::records::Version;
use tokio::sync::Mutex;

use super::derivation::Derived;
use super::numbers::Numbers;
use super::reads::Seen;
use super::{Configs, ConfigsError};
use crate::repo::configs::{Owner, StoredWrap};

/// How often something is tried when others change the same.
pub(super) const TRIES_MAX: u32 = 32;

/// A name space that was opened.
#[derive(Debug)]
pub(super) struct OpenSpace {
    pub(super) keys: SpaceKeys,
    /// The owner record that named us. Every change is guarded by it.
    pub(super) owner: Version,
    /// Numbers for new configurations.
    pub(super) numbers: Mutex<Numbers>,
    /// What is known here of when configurations were last read.
    pub(super) seen: Seen,
    /// When the log of changes was last looked at to let go of its oldest entries.
    pub(super) log_seen: Mutex<Option<Timestamp>>,
}

impl OpenSpace {
    fn new(keys: SpaceKeys, owner: Version) -> Arc<Self> {
        let (numbers, seen, log_seen) = (Mutex::default(), Seen::default(), Mutex::default());
        Arc::new(Self { keys, owner, numbers, seen, log_seen })
    }
}

impl Derived {
    fn known(&self) -> Option<Arc<OpenSpace>> {
        self.space.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, space: Option<Arc<OpenSpace>>) {
        *self.space.write().unwrap_or_else(PoisonError::into_inner) = space;
    }
}

/// What stands at the place of a user key.
enum Found {
    /// Nothing.
    Nothing,
    /// A wrap that counts.
    Open(SpaceKeys, Version),
    /// A wrap that counts for nothing, and the owner record of its name space.
    Idle(StoredWrap, SpaceKeys, Option<(Owner, Version)>),
}

impl Configs {
    /// The name space of a user key, if there is one. What is remembered may be over: whoever uses it checks its owner.
    pub(super) async fn space(&self, of: &Derived) -> Result<Option<Arc<OpenSpace>>, ConfigsError> {
        if let Some(known) = of.known() {
            return Ok(Some(known));
        }
        let Found::Open(keys, owner) = self.find(of).await? else { return Ok(None) };
        let space = OpenSpace::new(keys, owner);
        of.learn(Some(Arc::clone(&space)));
        Ok(Some(space))
    }

    /// The name space of a user key; it is made if there is none.
    pub(super) async fn space_or_new(&self, of: &Derived) -> Result<Arc<OpenSpace>, ConfigsError> {
        if let Some(known) = of.known() {
            return Ok(known);
        }
        for tried in 0..TRIES_MAX {
            let keys = match self.find(of).await? {
                Found::Open(keys, owner) => {
                    let space = OpenSpace::new(keys, owner);
                    of.learn(Some(Arc::clone(&space)));
                    return Ok(space);
                }
                Found::Nothing => self.put_new(of, None).await?,
                // Begun by this very user key and not finished: it is finished now.
                Found::Idle(_, keys, None) => Some(keys),
                Found::Idle(wrap, keys, Some(owner)) => {
                    if self.seize(&keys, Some(owner)).await? {
                        self.put_new(of, Some(wrap.version)).await?
                    } else {
                        None
                    }
                }
            };
            if let Some(keys) = keys
                && let Some(owner) = self.0.repo.put_owner(&keys, None, Owner::Wrap(of.place)).await?
            {
                let space = OpenSpace::new(keys, owner);
                of.learn(Some(Arc::clone(&space)));
                return Ok(space);
            }
            self.pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Moves a name space from one user key to another.
    pub(super) async fn move_space(&self, from: &Derived, to: &Derived) -> Result<(), ConfigsError> {
        if from.place == to.place {
            return Err(ConfigsError::SameUserKey);
        }
        for tried in 0..TRIES_MAX {
            // The owner is read before anything is written, and guards the moment that counts.
            let Found::Open(keys, owner) = self.find(from).await? else {
                return Err(ConfigsError::NothingKept);
            };
            let over = match self.find(to).await? {
                Found::Nothing => Some(None),
                Found::Open(..) => return Err(ConfigsError::UserKeyInUse),
                // What an earlier try left, or another name space that was never named.
                Found::Idle(wrap, idle, _) if idle.id() == keys.id() => Some(Some(wrap.version)),
                Found::Idle(wrap, idle, owner) => {
                    self.seize(&idle, owner).await?.then_some(Some(wrap.version))
                }
            };
            let wrapped = to.user_key.wrap(&keys, &*self.0.random);
            if let Some(over) = over
                && self.0.repo.put_wrap(to.place, over, wrapped).await?
                && let Some(owner) = self.0.repo.put_owner(&keys, Some(owner), Owner::Wrap(to.place)).await?
            {
                from.learn(None);
                to.learn(Some(OpenSpace::new(keys, owner)));
                self.drop_idle_wrap(from).await;
                return Ok(());
            }
            self.pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Looks at the place of a user key.
    async fn find(&self, of: &Derived) -> Result<Found, ConfigsError> {
        let Some(wrap) = self.0.repo.wrap(of.place).await? else { return Ok(Found::Nothing) };
        let keys = of.user_key.unwrap(&wrap.wrapped).map_err(ConfigsError::Wrap)?;
        Ok(match self.0.repo.owner(&keys).await? {
            Some(found) if found.owner == Owner::Wrap(of.place) => Found::Open(keys, found.version),
            found => Found::Idle(wrap, keys, found.map(|found| (found.owner, found.version))),
        })
    }

    /// Puts a wrap of new keys; they are the answer unless somebody else was quicker.
    async fn put_new(&self, of: &Derived, over: Option<Version>) -> Result<Option<SpaceKeys>, ConfigsError> {
        let keys = SpaceKeys::make(&*self.0.random);
        let wrapped = of.user_key.wrap(&keys, &*self.0.random);
        Ok(self.0.repo.put_wrap(of.place, over, wrapped).await?.then_some(keys))
    }

    /// Makes everybody fail who is about to name another owner of this name space than it has.
    async fn seize(&self, keys: &SpaceKeys, owner: Option<(Owner, Version)>) -> Result<bool, ConfigsError> {
        let (over, owner) = owner.map_or((None, Owner::Nobody), |(owner, version)| (Some(version), owner));
        Ok(self.0.repo.put_owner(keys, over, owner).await?.is_some())
    }

    /// Removes the wrap that a move leaves. It opens nothing, so a failure harms nobody.
    async fn drop_idle_wrap(&self, of: &Derived) {
        let dropped = async {
            if let Found::Idle(wrap, ..) = self.find(of).await? {
                self.0.repo.remove_wrap(of.place, wrap.version).await?;
            }
            Ok::<_, ConfigsError>(())
        };
        if let Err(error) = dropped.await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a wrap that opens nothing is left");
        }
    }
}
