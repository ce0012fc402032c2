//! The versions of files' content: registering them before they are uploaded, and saying that they were.
//!
//! Nobody but a writer registers, and the KMS alone numbers. So what the data service hands out is a certain version of
//! a file or it is refused ([`open`](super::open)). Each call takes many files of one owner and commits them together.

use std::collections::HashSet;

use coffer_api::PrefixHash;
use coffer_api::file_keys::Covers;
use coffer_api::grants::Permission;
use coffer_core::{EmailAddress, FileId, FileName};
use coffer_store::records::Stored;
use futures_util::future::try_join_all;

use super::resolve::NOBODY;
use super::{Caller, FileKeyError, FileKeys, TRIES_MAX};
use crate::domain::events::{Action, Event, KeyUse};
use crate::repo::files::{
    ContentChange, ContentKey, ContentRecord, ContentState, ContentStep, Covering, FileRecord, Space,
};

/// So many events at once are a crowd.
const CROWD: usize = 8;

/// Files of one owner.
#[derive(Clone, Copy, Debug)]
pub struct OfOwner<'a, T> {
    /// The owner, if not the caller.
    pub owner: Option<&'a EmailAddress>,
    /// What is meant, of each file.
    pub items: &'a [T],
}

/// The content that a file is to have.
#[derive(Clone, Debug)]
pub struct NewContent {
    /// The file.
    pub name: FileName,
    /// The hash of the prefix.
    pub prefix_hash: PrefixHash,
}

/// A version that was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The file.
    pub file: FileId,
    /// The version's number.
    pub version: u64,
}

/// A version that was uploaded.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// The file.
    pub name: FileName,
    /// The version's number.
    pub version: u64,
}

/// Files that the caller may write, as they were read.
struct Writable {
    space: Space,
    files: Vec<Covering>,
}

/// Files that the caller may do something with, as they were read; none where there is no key.
pub(super) struct Reachable {
    pub(super) space: Space,
    pub(super) files: Vec<Option<Covering>>,
}

/// What is known of the content of each file.
type States = Vec<Option<Stored<ContentState>>>;

impl FileKeys {
    /// Registers the next version of each file.
    pub async fn register(
        &self,
        caller: &Caller,
        wanted: OfOwner<'_, NewContent>,
    ) -> Result<Vec<Registered>, FileKeyError> {
        let names: Vec<_> = wanted.items.iter().map(|item| &item.name).collect();
        each_once(&names)?;
        let content = |item: &NewContent| ContentRecord {
            prefix_hash: item.prefix_hash,
            by: caller.user,
            at: self.now(),
        };
        let contents: Vec<_> = wanted.items.iter().map(content).collect();
        for _ in 0..TRIES_MAX {
            let Writable { space, files } = self.writable(caller, wanted.owner, &names).await?;
            let states = self.states(space, &files, &names).await?;
            let changes: Vec<_> = states
                .into_iter()
                .zip(&names)
                .zip(&contents)
                .zip(&files)
                .map(|(((read, name), content), file)| ContentChange {
                    key: ContentKey { file: file.record().id, name },
                    read,
                    step: ContentStep::Register(content),
                })
                .collect();
            if self.files.change_contents(space, &changes, &[]).await? {
                let registered = |change: &ContentChange<'_>| Registered {
                    file: change.key.file,
                    version: change.state().last,
                };
                let registered: Vec<_> = changes.iter().map(registered).collect();
                self.record_registered(caller, (&names, &files), &registered).await?;
                return Ok(registered);
            }
        }
        Err(FileKeyError::Conflict)
    }

    /// Takes note that these versions were uploaded. One that is not later than what is published changes nothing.
    pub async fn publish(&self, caller: &Caller, wanted: OfOwner<'_, Uploaded>) -> Result<(), FileKeyError> {
        let names: Vec<_> = wanted.items.iter().map(|item| &item.name).collect();
        each_once(&names)?;
        for _ in 0..TRIES_MAX {
            let Writable { space, files } = self.writable(caller, wanted.owner, &names).await?;
            let key = |place: usize| ContentKey { file: files[place].record().id, name: names[place] };
            let versions: Vec<_> =
                wanted.items.iter().enumerate().map(|(place, item)| (key(place), item.version)).collect();
            let registered = self.files.are_registered(space, &versions).await?;
            if let Some(place) = registered.iter().position(|registered| !registered) {
                return Err(FileKeyError::Unregistered.of(place));
            }
            let (mut changes, mut uploaded) = (Vec::new(), Vec::new());
            let states = self.states(space, &files, &names).await?;
            for (place, (read, (key, version))) in states.into_iter().zip(versions).enumerate() {
                if read.as_ref().is_none_or(|read| read.value.published < version) {
                    changes.push(ContentChange { key, read, step: ContentStep::Publish(version) });
                }
                let record = files[place].record();
                if !record.uploaded && record.covers == Covers::File {
                    uploaded.push((names[place], &*files[place].file));
                }
            }
            if self.files.change_contents(space, &changes, &uploaded).await? {
                return Ok(());
            }
        }
        Err(FileKeyError::Conflict)
    }

    async fn states(
        &self,
        space: Space,
        files: &[Covering],
        names: &[&FileName],
    ) -> Result<States, FileKeyError> {
        let key = |(file, name): (&Covering, _)| ContentKey { file: file.record().id, name };
        let keys: Vec<_> = files.iter().zip(names.iter().copied()).map(key).collect();
        Ok(self.files.content_states(space, &keys).await?)
    }

    /// The key of a file of this name, if the caller may write it.
    pub(super) async fn writable_one(
        &self,
        caller: &Caller,
        owner: Option<&EmailAddress>,
        name: &FileName,
    ) -> Result<(Space, FileRecord), FileKeyError> {
        let Writable { space, files } = self.writable(caller, owner, &[name]).await?;
        let file = files.first().map(|file| file.record().clone());
        file.map(|file| (space, file)).ok_or(FileKeyError::NotFound)
    }

    /// The files of these names, if the caller may write all of them.
    async fn writable(
        &self,
        caller: &Caller,
        owner: Option<&EmailAddress>,
        names: &[&FileName],
    ) -> Result<Writable, FileKeyError> {
        let Reachable { space, files } = self.reachable(caller, (owner, names), Permission::Write).await?;
        let file =
            |(place, file): (usize, Option<Covering>)| file.ok_or_else(|| FileKeyError::NotFound.of(place));
        Ok(Writable { space, files: files.into_iter().enumerate().map(file).collect::<Result<_, _>>()? })
    }

    /// The files of these names, if the caller may do this with all of them that there are. Without an owner, those of the
    /// caller's own name space: nothing that is meant for there goes elsewhere by chance.
    pub(super) async fn reachable(
        &self,
        caller: &Caller,
        (owner, names): (Option<&EmailAddress>, &[&FileName]),
        permission: Permission,
    ) -> Result<Reachable, FileKeyError> {
        let owner = match owner {
            None => caller.user,
            Some(owner) => self.directory.owner_of(owner).await?.unwrap_or(NOBODY),
        };
        let space = self.space(owner);
        let files = self.files.covering_each(space, names).await?;
        let is_foreign = |file: &Option<Covering>| {
            file.as_ref().map_or(owner != caller.user, |file| file.record().owner != caller.user)
        };
        let foreign: Vec<_> = (0..files.len()).filter(|place| is_foreign(&files[*place])).collect();
        let mut asked = Vec::with_capacity(foreign.len());
        for place in &foreign {
            // What is not there is refused to others as what they may not use, so nobody learns which names there are.
            let file = files[*place].as_ref().ok_or_else(|| FileKeyError::AccessDenied.of(*place))?;
            asked.push((&file.name, file.record().id));
        }
        let granted = self.files.granted(space, caller.address, &asked).await?;
        for (place, granted) in foreign.into_iter().zip(granted) {
            let may =
                granted.is_some_and(|(_, grant)| grant.is_live(self.now()) && grant.permission >= permission);
            if !may {
                return Err(FileKeyError::AccessDenied.of(place));
            }
        }
        Ok(Reachable { space, files })
    }

    async fn record_registered(
        &self,
        caller: &Caller,
        (names, files): (&[&FileName], &[Covering]),
        registered: &[Registered],
    ) -> Result<(), FileKeyError> {
        let is_crowd = registered.len() > CROWD;
        let events = registered.iter().zip(names).zip(files).map(|((registered, name), file)| {
            let key =
                KeyUse { file: file.record().id, name: (*name).clone(), version: file.record().version };
            let action = Action::FileVersionRegistered { key, content: registered.version };
            let event = Event::new(action).by_user(caller.user).from(&caller.origin);
            self.events.record_among(event, is_crowd)
        });
        try_join_all(events).await?;
        Ok(())
    }
}

/// A file that is named twice would be changed twice by one commit.
pub(super) fn each_once(names: &[&FileName]) -> Result<(), FileKeyError> {
    let mut seen = HashSet::with_capacity(names.len());
    match names.iter().position(|name| !seen.insert(*name)) {
        Some(place) => Err(FileKeyError::Field { field: "name", message: "is named twice" }.of(place)),
        None => Ok(()),
    }
}
