//! Fetching a tree: what is not here as it is in the store, in batches whose content keys are asked for by one request.
//!
//! Every entry is verified by itself, and the KMS gives a content key only for what was registered under its very name as
//! the latest version. What the data service does not list is not fetched: that something is missing, the KMS cannot tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use coffer_core::{FileName, Timestamp};
use coffer_crypto::envelope::Details;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;

use super::memory::{Known, Memory};
use super::open::{Arrived, Found, Goal, OpenError, content_keys, open_stream, open_whole, publish};
use super::place::{Replace, Tree};
use super::plan::{Place, Rules, Stored, locked};
use super::tally::{Tally, whole};
use super::{BATCHES, SMALL_BYTES_MAX, Stamp, below, is_final, published};
use crate::error::CliError;
use crate::progress::Progress;
use crate::target::TargetError;
use crate::transfer::Arriving;

/// Small files in one batch, and bytes of their envelopes: what is in memory at once.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 4 << 20;
/// What an envelope has besides its content, about.
const ENVELOPE_BYTES: u64 = 16 * 1024;
/// Files that are written before the system is told to make them last, and they are remembered.
const SYNC_FILES: usize = 512;
/// Modes of what somebody else stored: without the bits that give others' rights.
const MODES_OF_OTHERS: u16 = 0o777;

/// An entry of the tree.
#[derive(Clone, Debug)]
struct Item {
    name: FileName,
    below: String,
    stored: Stored,
}

/// Fetches a tree.
pub(crate) async fn fetch(place: &Place<'_>, rules: Rules) -> Result<Tally, CliError> {
    let mut tally = Tally::default();
    let listing = place.listing().await?.unwrap_or_default();
    if listing.is_empty() {
        return Err(CliError::NoTree { name: place.tree.clone() });
    }
    let items = items(place, &listing, &mut tally);
    let memory = place.memory()?;
    let modes = if place.owner.is_some() { MODES_OF_OTHERS } else { coffer_crypto::envelope::MODE_MAX };
    let failed = |source| TargetError::Write { path: place.folder.clone(), source };
    let tree = Arc::new(Tree::open(&place.folder, modes).map_err(failed)?);
    let (missing, kept) = missing(place, items, (&memory, &tree), &mut tally).await?;
    let gone = if rules.delete { gone(&memory, &listing) } else { Vec::new() };
    if rules.dry_run {
        tree.close();
        tally.would_copy = Some(missing.iter().map(|item| item.name.to_string()).collect());
        tally.would_remove = Some(gone.into_iter().map(|(name, _)| name).collect());
        return Ok(tally);
    }
    let bytes = missing.iter().map(|item| item.stored.size_bytes).sum();
    let fetching = Fetching {
        place,
        rules,
        tree: Arc::clone(&tree),
        turns: Semaphore::new(place.jobs),
        progress: Progress::of_many(place.app.output, place.tree.as_str(), bytes),
        memory: Mutex::new(memory),
        tally: Mutex::new(tally),
        late: Mutex::new(Late { folders: kept, ..Late::default() }),
    };
    let outcome = tokio::select! {
        outcome = fetching.all(missing) => outcome,
        _ = tokio::signal::ctrl_c() => Err(TargetError::Stopped.into()),
    };
    fetching.progress.finish();
    let settled = match outcome {
        Ok(()) => fetching.end(&gone),
        Err(err) => fetching.settle().and(Err(err)),
    };
    tree.close();
    settled?;
    Ok(fetching.tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// The entries that can have a place below the folder, what is above others before them.
fn items(place: &Place<'_>, listing: &HashMap<String, Stored>, tally: &mut Tally) -> Vec<Item> {
    let mut items = Vec::with_capacity(listing.len());
    for (name, stored) in listing {
        match (name.parse::<FileName>(), below(&place.tree, name)) {
            (Ok(_), Some(_)) if stored.version == 0 => {
                tally.leave(name, "is a classic envelope: fetch it by itself with coffer get");
            }
            (Ok(parsed), Some(below)) => {
                items.push(Item { name: parsed, below: below.to_owned(), stored: *stored });
            }
            _ => tally.leave(name, "this is no name that a file can have"),
        }
    }
    items.sort_by(|one, other| one.name.cmp(&other.name));
    items
}

/// A folder that is here and needs no fetching: only the time and mode that it had.
type Kept = Vec<(Item, Ending)>;

/// What a folder is to be in the end.
#[derive(Clone, Debug)]
struct Ending {
    details: Details,
    version: u64,
}

/// What is not here as it is in the store.
async fn missing(
    place: &Place<'_>,
    items: Vec<Item>,
    (memory, tree): (&Memory, &Tree),
    tally: &mut Tally,
) -> Result<(Vec<Item>, Kept), CliError> {
    let is_known = |item: &Item| {
        let known = memory.get(item.name.as_str()).filter(|known| known.version == item.stored.version)?;
        (tree.stamp(&item.below)? == known.stamp || is_folder(&known.stamp)).then(|| known.clone())
    };
    let known: Vec<_> = items.iter().map(is_known).collect();
    let names: Vec<_> = items
        .iter()
        .zip(&known)
        .filter(|(_, known)| known.is_some())
        .map(|(item, _)| item.name.as_str())
        .collect();
    let mut latest = published(&place.session.kms, Some(place.whose()), &names).await?.into_iter();
    let (mut missing, mut kept) = (Vec::new(), Vec::new());
    let known =
        known.into_iter().map(|known| known.filter(|known| latest.next().flatten() == Some(known.version)));
    let known: Vec<_> = known.collect();
    for (item, known) in items.into_iter().zip(known) {
        match known {
            Some(known) => {
                tally.unchanged += 1;
                if is_folder(&known.stamp) {
                    let ending = Ending { details: known.stamp.details(&item.name), version: known.version };
                    kept.push((item, ending));
                }
            }
            None => missing.push(item),
        }
    }
    Ok((missing, kept))
}

fn is_folder(stamp: &Stamp) -> bool {
    stamp.kind() == coffer_crypto::envelope::Kind::Directory
}

/// What was fetched or stored once and is not in the store any more, what is in a folder before the folder.
fn gone(memory: &Memory, listing: &HashMap<String, Stored>) -> Vec<(String, Stamp)> {
    let gone = memory.all().filter(|(name, _)| !listing.contains_key(*name));
    let mut gone: Vec<_> = gone.map(|(name, known)| (name.to_owned(), known.stamp.clone())).collect();
    gone.sort_by(|one, other| other.0.cmp(&one.0));
    gone
}

/// What waits until all files are there.
#[derive(Default)]
struct Late {
    links: Vec<(Item, Vec<u8>, Details)>,
    folders: Kept,
    /// What was written, and is remembered once it lasts.
    written: Vec<(String, Known)>,
}

/// A tree on its way down.
struct Fetching<'a> {
    place: &'a Place<'a>,
    rules: Rules,
    tree: Arc<Tree>,
    turns: Semaphore,
    progress: Progress,
    memory: Mutex<Memory>,
    tally: Mutex<Tally>,
    late: Mutex<Late>,
}

impl Fetching<'_> {
    async fn all(&self, missing: Vec<Item>) -> Result<(), CliError> {
        let mut batches =
            stream::iter(batches(missing)).map(|items| self.batch(items)).buffer_unordered(BATCHES);
        while let Some(outcome) = batches.next().await {
            outcome?;
            if locked(&self.late).written.len() >= SYNC_FILES {
                let tree = Arc::clone(&self.tree);
                tokio::task::spawn_blocking(move || tree.sync())
                    .await
                    .map_err(CliError::task)?
                    .map_err(|err| self.failed(err))?;
                self.remember()?;
            }
        }
        Ok(())
    }

    async fn batch(&self, items: Vec<Item>) -> Result<(), CliError> {
        if let [item] = &items[..]
            && item.stored.size_bytes > SMALL_BYTES_MAX + ENVELOPE_BYTES
        {
            let outcome = self.large(item).await;
            return self.note(item, outcome);
        }
        let fetched = stream::iter(items).map(|item| async {
            let whole = self.whole(&item).await;
            (item, whole)
        });
        let mut fetched = fetched.buffer_unordered(self.place.jobs);
        let mut here = Vec::new();
        while let Some((item, whole)) = fetched.next().await {
            match whole {
                Ok((arrived, body)) => here.push((item, arrived, body)),
                Err(err) => self.note(&item, Err(err))?,
            }
        }
        drop(fetched);
        if here.is_empty() {
            return Ok(());
        }
        let arrived: Vec<_> = here.iter().map(|(_, arrived, _)| arrived).collect();
        match content_keys(self.place, &arrived).await {
            Ok(opened) => {
                let late = |(opened, arrived): (&super::open::Opened, &&Arrived)| {
                    (!opened.is_published).then(|| (arrived.name.clone(), arrived.version))
                };
                publish(self.place, opened.iter().zip(&arrived).filter_map(late).collect()).await;
                for ((item, arrived, body), opened) in here.into_iter().zip(opened) {
                    let outcome = self.open(&item, (arrived, body), opened.content).await;
                    self.note(&item, outcome)?;
                }
            }
            // One of them is not what it should be, or all: each is asked for by itself.
            Err(OpenError::Client(err)) if is_final(&err) => return Err(err.into()),
            Err(_) => {
                for (item, arrived, body) in here {
                    let outcome = match content_keys(self.place, &[&arrived]).await {
                        Ok(mut opened) => match opened.pop() {
                            Some(opened) => self.open(&item, (arrived, body), opened.content).await,
                            None => Err(OpenError::Odd),
                        },
                        Err(err) => Err(err),
                    };
                    self.note(&item, outcome)?;
                }
            }
        }
        Ok(())
    }

    async fn arriving(&self, item: &Item) -> Result<(u64, Arriving), OpenError> {
        let file = self.place.file(item.name.as_str());
        let download = self.place.session.data.get_file(file, None, None).await?;
        let (version, length) = (download.head.version, download.length);
        let arriving = Arriving::new(length, download.into_stream()).await.map_err(|err| match err {
            crate::transfer::OpenError::Client(err) => err.into(),
            crate::transfer::OpenError::Refused(refusal) => refusal.into(),
            _ => OpenError::Odd,
        })?;
        Ok((version, arriving))
    }

    /// A small envelope, whole.
    async fn whole(&self, item: &Item) -> Result<(Arrived, Bytes), OpenError> {
        let _turn = self.turns.acquire().await.map_err(|_| OpenError::Odd)?;
        let (version, arriving) = self.arriving(item).await?;
        let (head, rest, mut pieces) = arriving.into_parts();
        let mut body = rest.to_vec();
        while let Some(piece) = pieces.next().await.transpose()? {
            // It has grown since it was listed.
            if (body.len() + piece.len()) as u64 > 2 * (SMALL_BYTES_MAX + ENVELOPE_BYTES) {
                return Err(OpenError::Odd);
            }
            body.extend_from_slice(&piece);
        }
        self.progress.add(item.stored.size_bytes);
        Ok((Arrived { name: item.name.to_string(), version, head }, body.into()))
    }

    async fn open(
        &self,
        item: &Item,
        (arrived, body): (Arrived, Bytes),
        content: coffer_crypto::envelope::ContentKey,
    ) -> Result<(u64, Found), OpenError> {
        let (tree, goal) = (Arc::clone(&self.tree), self.goal(item));
        let work = move || {
            open_whole(&tree, &goal, (&arrived.head, &body), &content).map(|found| (arrived.version, found))
        };
        tokio::task::spawn_blocking(work).await?
    }

    /// A large file, opened as it arrives.
    async fn large(&self, item: &Item) -> Result<(u64, Found), OpenError> {
        let _turn = self.turns.acquire().await.map_err(|_| OpenError::Odd)?;
        let (version, arriving) = self.arriving(item).await?;
        let arrived = Arrived { name: item.name.to_string(), version, head: arriving.head.clone() };
        let opened = content_keys(self.place, &[&arrived]).await?.pop().ok_or(OpenError::Odd)?;
        if !opened.is_published {
            publish(self.place, vec![(arrived.name, version)]).await;
        }
        let found =
            open_stream(&self.tree, self.goal(item), arriving.into_parts(), (opened.content, &self.progress))
                .await?;
        Ok((version, found))
    }

    fn goal(&self, item: &Item) -> Goal {
        let known = || locked(&self.memory).get(item.name.as_str()).map(|known| known.stamp.clone());
        let replace = match known() {
            _ if self.rules.force => Replace::All,
            Some(stamp) if self.rules.sync => Replace::If(stamp),
            _ => Replace::Nothing,
        };
        Goal { below: item.below.clone(), replace }
    }

    /// Takes note of what became of an entry.
    fn note(&self, item: &Item, outcome: Result<(u64, Found), OpenError>) -> Result<(), CliError> {
        let (version, found) = match outcome {
            Ok(found) => found,
            Err(OpenError::Client(err)) if is_final(&err) => return Err(CliError::of_file(&item.name, err)),
            Err(OpenError::Task(err)) => return Err(CliError::task(err)),
            Err(err) => {
                locked(&self.tally).leave(item.name.as_str(), whole(&err));
                return Ok(());
            }
        };
        let mut late = locked(&self.late);
        match found {
            Found::File { stamp, bytes } => {
                late.written.push((item.name.to_string(), Known { version, stamp }));
                let mut tally = locked(&self.tally);
                tally.done += 1;
                tally.bytes += bytes;
            }
            Found::Folder(details) => match self.tree.make_folder(&item.below) {
                Ok(()) => {
                    locked(&self.tally).done += 1;
                    late.folders.push((item.clone(), Ending { details, version }));
                }
                Err(err) => locked(&self.tally).leave(item.name.as_str(), whole(&err)),
            },
            Found::Link { target, details } => {
                let item = Item { stored: Stored { version, ..item.stored }, ..item.clone() };
                late.links.push((item, target, details));
            }
        }
        Ok(())
    }

    /// What comes after all files: links, what is gone, and folders' modes and times.
    fn end(&self, gone: &[(String, Stamp)]) -> Result<(), CliError> {
        let links = std::mem::take(&mut locked(&self.late).links);
        for (item, target, details) in links {
            let linked =
                self.tree.begin_link(&target).map_err(Into::into).and_then(|part| {
                    self.tree.finish(&part, (&item.below, &details), &self.goal(&item).replace)
                });
            match linked {
                Ok(stamp) => {
                    let known = Known { version: item.stored.version, stamp };
                    locked(&self.late).written.push((item.name.to_string(), known));
                    locked(&self.tally).done += 1;
                }
                Err(err) => locked(&self.tally).leave(item.name.as_str(), whole(&err)),
            }
        }
        for (name, stamp) in gone {
            let removed = below(&self.place.tree, name).map(|below| self.tree.remove(below, stamp));
            match removed {
                Some(Ok(true)) => {
                    locked(&self.memory).forget(name)?;
                    locked(&self.tally).removed += 1;
                }
                Some(Ok(false)) => {
                    locked(&self.tally).leave(name, "is gone in the store and has changed here: it stays");
                }
                Some(Err(err)) => locked(&self.tally).leave(name, whole(&err)),
                None => {}
            }
        }
        self.settle()
    }

    /// Folders get their modes and times, the deepest first; then what was written is remembered.
    fn settle(&self) -> Result<(), CliError> {
        self.tree.close();
        let mut folders = std::mem::take(&mut locked(&self.late).folders);
        folders.sort_by(|(one, _), (other, _)| other.below.cmp(&one.below));
        for (item, ending) in folders {
            match self.tree.finish_folder(&item.below, &ending.details) {
                Ok(stamp) => {
                    let known = Known { version: ending.version, stamp };
                    locked(&self.late).written.push((item.name.to_string(), known));
                }
                Err(err) => locked(&self.tally).leave(item.name.as_str(), whole(&err)),
            }
        }
        self.tree.sync().map_err(|err| self.failed(err))?;
        self.remember()
    }

    fn failed(&self, source: std::io::Error) -> CliError {
        TargetError::Write { path: self.place.folder.clone(), source }.into()
    }

    fn remember(&self) -> Result<(), CliError> {
        let written = std::mem::take(&mut locked(&self.late).written);
        let mut memory = locked(&self.memory);
        // Their times are those of the tree, which a later change replaces by another however soon it comes.
        let settled = Timestamp::from_ms(i64::MAX / 2);
        for (name, known) in written {
            memory.record(&name, known, settled)?;
        }
        Ok(memory.flush()?)
    }
}

/// Entries that are fetched together: small ones, or one large.
fn batches(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut batches: Vec<Vec<Item>> = Vec::new();
    let (mut small, mut bytes) = (Vec::new(), 0);
    for item in items {
        let size = item.stored.size_bytes;
        if size > SMALL_BYTES_MAX + ENVELOPE_BYTES {
            batches.push(vec![item]);
            continue;
        }
        if small.len() == BATCH_FILES || bytes + size > BATCH_BYTES {
            batches.push(std::mem::take(&mut small));
            bytes = 0;
        }
        bytes += size;
        small.push(item);
    }
    if !small.is_empty() {
        batches.push(small);
    }
    batches
}
