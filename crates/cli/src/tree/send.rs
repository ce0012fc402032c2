//! Storing a tree: what has changed, in batches that are registered and published by one request each.
//!
//! A batch is remembered once it is published. Who is killed before sends it once more, as the next version.

mod upload;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use coffer_api::file_keys::{Covers, CreateFileKey, FileKey, ShowFileKey};
use coffer_api::file_versions::{
    NewVersion, PublishVersions, RegisterVersions, UploadedVersion, VERSIONS_MAX,
};
use coffer_api::{ErrorCode, PrefixHash};
use coffer_client::ClientError;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;

use super::memory::{Known, Memory};
use super::plan::{Place, Rules, Stored, locked};
use super::tally::{Tally, whole};
use super::walk::{Entry, Walked, walk};
use super::{BATCHES, is_final, published};
use crate::error::CliError;
use crate::progress::Progress;
use crate::transfer::Sealing;
use upload::{Failed, Keys, Sent};

/// How often a batch is tried when a server was not there or not ready.
const TRIES_MAX: u32 = 4;
const WAIT: std::time::Duration = std::time::Duration::from_millis(500);

type Listing = Option<HashMap<String, Stored>>;

/// Stores a tree.
pub(crate) async fn send(place: &Place<'_>, rules: Rules) -> Result<Tally, CliError> {
    let memory = place.memory()?;
    let (folder, tree) = (place.folder.clone(), place.tree.clone());
    let walked = tokio::task::spawn_blocking(move || walk(&folder, &tree)).await.map_err(CliError::task)?;
    let walked = walked.map_err(|source| CliError::ReadFile { path: place.folder.clone(), source })?;
    let listing = place.listing().await?;
    let mut tally = Tally::default();
    for odd in &walked.odd {
        tally.leave(&odd.path.display().to_string(), odd.why.clone());
    }
    let changed = changed((place, rules), &walked.entries, (&memory, &listing), &mut tally).await?;
    let gone = if rules.delete { gone(&walked, &listing, &mut tally) } else { Vec::new() };
    if rules.dry_run {
        tally.would_copy = Some(changed.iter().map(|entry| entry.name.to_string()).collect());
        tally.would_remove = Some(gone);
        return Ok(tally);
    }
    let keys = Keys::new(&folder_key(place).await?)?;
    let bytes = changed.iter().map(|entry| entry.stamp.size).sum();
    let sending = Sending {
        place,
        keys,
        turns: Semaphore::new(place.jobs),
        progress: Progress::of_many(place.app.output, place.tree.as_str(), bytes),
        memory: Mutex::new(memory),
        tally: Mutex::new(tally),
    };
    let outcome = sending.all(&changed).await;
    sending.progress.finish();
    outcome?;
    sending.remove(&gone).await?;
    Ok(sending.tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// The key that covers the tree, which gets one of its own if there is none.
async fn folder_key(place: &Place<'_>) -> Result<FileKey, CliError> {
    let of_file = |err| CliError::of_file(&place.tree, err);
    let name = place.tree.to_string();
    let show = ShowFileKey { name: name.clone(), owner: Some(place.whose().to_owned()) };
    let key = match place.session.kms.show_file_key(&show).await {
        Err(err) if err.code() == Some(ErrorCode::FileKeyNotFound) && place.owner.is_none() => {
            let create = CreateFileKey { name, covers: Covers::Folder };
            place.session.kms.create_file_key(&create).await
        }
        answer => answer,
    };
    let key = key.map_err(of_file)?;
    if key.covers == Covers::File {
        return Err(CliError::TreeIsFile { name: place.tree.clone() });
    }
    Ok(key)
}

/// The entries that are not stored as they are.
async fn changed<'e>(
    (place, rules): (&Place<'_>, Rules),
    entries: &'e [Entry],
    (memory, listing): (&Memory, &Listing),
    tally: &mut Tally,
) -> Result<Vec<&'e Entry>, CliError> {
    let known: Vec<_> = entries.iter().filter(|entry| memory.get(entry.name.as_str()).is_some()).collect();
    let names: Vec<_> = known.iter().map(|entry| entry.name.as_str()).collect();
    let present = published(&place.session.kms, place.owner(), &names).await?;
    let present: HashMap<_, _> = names.into_iter().zip(present).collect();
    let mut changed = Vec::new();
    for entry in entries {
        let name = entry.name.as_str();
        let Some(known) = memory.get(name) else {
            changed.push(entry);
            continue;
        };
        let latest = present.get(name).copied().flatten();
        let is_there = listing
            .as_ref()
            .is_none_or(|listing| listing.get(name).is_some_and(|file| file.version == known.version));
        let is_same = known.stamp == entry.stamp;
        if is_same && is_there && latest == Some(known.version) {
            tally.unchanged += 1;
        } else if rules.sync && !rules.force && latest.is_some_and(|latest| latest > known.version) {
            let why =
                if is_same { "is newer in the store: sync --down" } else { "has changed on both sides" };
            tally.leave(name, why);
        } else {
            changed.push(entry);
        }
    }
    Ok(changed)
}

/// What is in the store and not here, what is in a folder before the folder.
fn gone(walked: &Walked, listing: &Listing, tally: &mut Tally) -> Vec<String> {
    let Some(listing) = listing else { return Vec::new() };
    if walked.is_partial {
        tally.leave("", "nothing is removed, because not every folder could be read");
        return Vec::new();
    }
    let here: HashSet<_> = walked.entries.iter().map(|entry| entry.name.as_str()).collect();
    let mut gone: Vec<_> = listing.keys().filter(|name| !here.contains(name.as_str())).cloned().collect();
    gone.sort_by(|one, other| other.cmp(one));
    gone
}

/// A tree on its way up.
struct Sending<'a> {
    place: &'a Place<'a>,
    keys: Keys,
    turns: Semaphore,
    progress: Progress,
    memory: Mutex<Memory>,
    tally: Mutex<Tally>,
}

impl Sending<'_> {
    async fn all(&self, changed: &[&Entry]) -> Result<(), CliError> {
        let batches = changed.chunks(VERSIONS_MAX).map(|entries| self.batch(entries.to_vec()));
        let mut batches = stream::iter(batches).buffer_unordered(BATCHES);
        while let Some(outcome) = batches.next().await {
            outcome?;
        }
        Ok(())
    }

    async fn batch(&self, mut entries: Vec<&Entry>) -> Result<(), CliError> {
        for tried in 1..=TRIES_MAX {
            let (again, why) = self.try_batch(&entries).await?;
            let Some(why) = why else { return Ok(()) };
            if tried == TRIES_MAX {
                if why.is_unavailable() {
                    return Err(CliError::of_file(&again[0].name, why));
                }
                for entry in again {
                    locked(&self.tally).leave(entry.name.as_str(), whole(&why));
                }
                return Ok(());
            }
            tokio::time::sleep(why.retry_after().unwrap_or(WAIT * tried)).await;
            entries = again;
        }
        Ok(())
    }

    /// Sends entries; says which to try again, and why.
    async fn try_batch<'e>(
        &self,
        entries: &[&'e Entry],
    ) -> Result<(Vec<&'e Entry>, Option<ClientError>), CliError> {
        let sealing = || Sealing::new(self.place.app.random.clone());
        let sealings: Result<Vec<_>, _> = entries.iter().map(|_| sealing()).collect();
        let sealings =
            sealings.map_err(|refusal| CliError::Envelope { name: self.place.tree.clone(), refusal })?;
        let new = |(entry, sealing): (&&Entry, &Sealing)| NewVersion {
            name: entry.name.to_string(),
            prefix_hash: PrefixHash::from_bytes(sealing.prefix_hash()),
        };
        let items = entries.iter().zip(&sealings).map(new).collect();
        let owner = self.place.owner().map(str::to_owned);
        let body = RegisterVersions { owner, items };
        let registered = match self.place.session.kms.register_versions(&body).await {
            Ok(registered) if registered.items.len() == entries.len() => registered.items,
            Ok(_) => return Err(CliError::Damaged { name: self.place.tree.clone() }),
            Err(err) if err.is_unavailable() => return Ok((entries.to_vec(), Some(err))),
            Err(err) => return Err(CliError::of_file(&self.place.tree, err)),
        };
        let uploads =
            entries.iter().zip(sealings).zip(registered).map(|((entry, sealing), registered)| async {
                (*entry, self.upload(entry, sealing, registered).await)
            });
        let mut uploads = stream::iter(uploads).buffer_unordered(self.place.jobs);
        let (mut sent, mut again, mut why) = (Vec::new(), Vec::new(), None);
        while let Some((entry, outcome)) = uploads.next().await {
            match outcome {
                Ok(one) => sent.push((entry, one)),
                Err(Failed::Left(message)) => locked(&self.tally).leave(entry.name.as_str(), message),
                Err(Failed::Again(err)) => {
                    again.push(entry);
                    why = Some(err);
                }
                Err(Failed::Final(err)) => return Err(err),
            }
        }
        drop(uploads);
        self.publish(&sent).await?;
        Ok((again, why))
    }

    async fn publish(&self, sent: &[(&Entry, Sent)]) -> Result<(), CliError> {
        if sent.is_empty() {
            return Ok(());
        }
        let uploaded = |(entry, sent): &(&Entry, Sent)| UploadedVersion {
            name: entry.name.to_string(),
            version: sent.version,
        };
        let owner = self.place.owner().map(str::to_owned);
        let body = PublishVersions { owner, items: sent.iter().map(uploaded).collect() };
        let mut tried = 1;
        while let Err(err) = self.place.session.kms.publish_versions(&body).await {
            if !err.is_unavailable() || tried == TRIES_MAX {
                return Err(CliError::of_file(&self.place.tree, err));
            }
            tokio::time::sleep(WAIT * tried).await;
            tried += 1;
        }
        let now = self.place.app.clock.now();
        let (mut memory, mut tally) = (locked(&self.memory), locked(&self.tally));
        for (entry, sent) in sent {
            tally.done += 1;
            tally.bytes += sent.bytes;
            let known = Known { version: sent.version, stamp: sent.stamp.clone() };
            memory.record(entry.name.as_str(), known, now)?;
        }
        Ok(memory.flush()?)
    }

    /// Removes from the store what is gone here.
    async fn remove(&self, gone: &[String]) -> Result<(), CliError> {
        for name in gone {
            let file = coffer_client::FileAt::own(name);
            match self.place.session.data.delete_file(file).await {
                Ok(()) => {
                    locked(&self.memory).forget(name)?;
                    locked(&self.tally).removed += 1;
                }
                Err(err) if is_final(&err) => return Err(err.into()),
                Err(err) => locked(&self.tally).leave(name, whole(&err)),
            }
        }
        Ok(locked(&self.memory).flush()?)
    }
}
