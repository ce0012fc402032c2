//! Blobs in a folder, for one machine.
//!
//! ```text
//! <folder>/<last byte of the id, hex>/<blob id>/<part, 8 hex digits>
//! ```
//!
//! A part is a file of its own, written and synced with the folders that lead to it before it is answered. So
//! a blob of any size streams through a few MiB of memory, parts are written side by side, and there is no
//! format to get wrong. A part that a crash cut short belongs to a blob that no record names.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use coffer_core::{BlobId, Timestamp};
use tokio::sync::Semaphore;

use super::{Blobs, check_list, check_part, made_at};
use crate::records::StoreError;

/// Parts that are read or written at once; each holds a thread and its bytes.
const UNDER_WAY_MAX: usize = 32;

type SyncFile = dyn Fn(&Path, &File) -> io::Result<()> + Send + Sync;

/// How a file or folder is made durable. Only tests have another way than the system's.
#[derive(Clone)]
struct Syncing(Arc<SyncFile>);

impl Syncing {
    fn of_system() -> Self {
        Self(Arc::new(|_, file| file.sync_all()))
    }

    fn folder(&self, path: &Path) -> io::Result<()> {
        (self.0)(path, &File::open(path)?)
    }
}

impl fmt::Debug for Syncing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Syncing")
    }
}

/// The file back end.
#[derive(Clone, Debug)]
pub struct FileBlobs {
    folder: Arc<Path>,
    under_way: Arc<Semaphore>,
    syncing: Syncing,
}

impl FileBlobs {
    /// Keeps blobs in `folder`, which is made (mode 0700) if it is not there; what it stands in must be.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, Syncing::of_system())
    }

    fn open_with(folder: &Path, syncing: Syncing) -> Result<Self, StoreError> {
        let settings =
            |err| StoreError::Settings(format!("cannot keep blobs in {}: {err}", folder.display()));
        make_folder(folder).map_err(settings)?;
        syncing.folder(folder.parent().unwrap_or(folder)).map_err(settings)?;
        probe(folder).map_err(settings)?;
        Ok(Self { folder: folder.into(), under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)), syncing })
    }

    fn shard(&self, shard: u8) -> PathBuf {
        self.folder.join(format!("{shard:02x}"))
    }

    fn blob(&self, blob: BlobId) -> PathBuf {
        self.shard(blob.as_bytes()[15]).join(blob.to_string())
    }

    fn part(&self, blob: BlobId, index: u32) -> PathBuf {
        self.blob(blob).join(format!("{index:08x}"))
    }

    /// Runs what blocks on a thread where it may.
    async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.under_way).acquire_owned().await;
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also if the caller is gone by then.
            let _permit = permit;
            work(&this)
        });
        let unavailable = |source| StoreError::Unavailable { doing, source };
        done.await.map_err(|err| unavailable(err.into()))?.map_err(|err| unavailable(err.into()))
    }

    fn write(&self, blob: BlobId, index: u32, part: &[u8]) -> io::Result<()> {
        let (shard, folder) = (self.shard(blob.as_bytes()[15]), self.blob(blob));
        make_folder(&shard)?;
        make_folder(&folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let path = self.part(blob, index);
        let mut file = options.open(&path)?;
        file.write_all(part)?;
        (self.syncing.0)(&path, &file)?;
        // The names that lead to it. A folder that needs no sync costs next to nothing.
        [&*folder, &*shard, &*self.folder].into_iter().try_for_each(|folder| self.syncing.folder(folder))
    }

    fn find(&self, before: Timestamp, after: Option<BlobId>, limit: usize) -> io::Result<Vec<BlobId>> {
        let mut found = Vec::new();
        for shard in after.map_or(0, |after| after.as_bytes()[15])..=u8::MAX {
            let entries = match fs::read_dir(self.shard(shard)) {
                Err(err) if err.kind() == ErrorKind::NotFound => continue,
                entries => entries?,
            };
            let mut blobs = Vec::new();
            for entry in entries {
                let id = entry?.file_name().to_str().and_then(|name| name.parse().ok());
                let behind = |id: &BlobId| {
                    after.is_none_or(|after| id.as_bytes()[15] != after.as_bytes()[15] || *id > after)
                };
                blobs.extend(id.filter(behind).filter(|id| made_at(*id) < before));
            }
            blobs.sort_unstable();
            found.extend(blobs.into_iter().take(limit - found.len()));
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(err) if err.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Whether files can be written here.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(".writable");
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put_part(&self, blob: BlobId, index: u32, part: Bytes) -> Result<(), StoreError> {
        check_part(&part)?;
        self.run("writing a part of a blob", move |this| this.write(blob, index, &part)).await
    }

    async fn get_part(&self, blob: BlobId, index: u32) -> Result<Option<Bytes>, StoreError> {
        let read = move |this: &Self| match fs::read(this.part(blob, index)) {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        };
        self.run("reading a part of a blob", read).await
    }

    async fn delete(&self, blob: BlobId) -> Result<(), StoreError> {
        // Not synced: a blob that a crash brings back is found again as one that no record names.
        let delete = move |this: &Self| match fs::remove_dir_all(this.blob(blob)) {
            Err(err) if err.kind() != ErrorKind::NotFound => Err(err),
            _ => Ok(()),
        };
        self.run("deleting a blob", delete).await
    }

    async fn list(
        &self,
        before: Timestamp,
        after: Option<BlobId>,
        limit: usize,
    ) -> Result<Vec<BlobId>, StoreError> {
        check_list(limit)?;
        self.run("listing blobs", move |this| this.find(before, after, limit)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.run("asking for a sign of life", |this| probe(&this.folder)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use coffer_core::SeededRandom;

    use super::*;

    /// Bytes of the file, or of the folder's entry for a folder, when each path was synced.
    type Synced = Arc<Mutex<Vec<(PathBuf, u64)>>>;

    fn watched(folder: &Path) -> (FileBlobs, Synced) {
        let synced = Synced::default();
        let log = Arc::clone(&synced);
        let syncing = Syncing(Arc::new(move |path, file| {
            log.lock().unwrap().push((path.to_owned(), file.metadata()?.len()));
            file.sync_all()
        }));
        (FileBlobs::open_with(folder, syncing).unwrap(), synced)
    }

    #[tokio::test]
    async fn a_part_and_the_names_that_lead_to_it_are_synced_before_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let (blobs, synced) = watched(folder.path());
        let blob = BlobId::make(Timestamp::from_ms(1), &SeededRandom::new(1));
        synced.lock().unwrap().clear();
        blobs.put_part(blob, 0, Bytes::from_static(b"part")).await.unwrap();
        let synced = synced.lock().unwrap().clone();
        let (part, length) = &synced[0];
        assert_eq!((part, *length), (&blobs.part(blob, 0), 4), "the whole part was written by then");
        let folders: Vec<_> = synced[1..].iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(folders, [blobs.blob(blob), blobs.shard(blob.as_bytes()[15]), folder.path().to_owned()]);
    }

    #[tokio::test]
    async fn a_part_that_cannot_be_synced_is_not_answered_for() {
        let folder = tempfile::tempdir().unwrap();
        let system = FileBlobs::open(folder.path()).unwrap();
        let blob = BlobId::make(Timestamp::from_ms(1), &SeededRandom::new(1));
        let broken = Syncing(Arc::new(|_, _| Err(io::Error::other("the disk is gone"))));
        let blobs = FileBlobs { syncing: broken, ..system };
        let put = blobs.put_part(blob, 0, Bytes::from_static(b"part")).await;
        assert!(matches!(put, Err(StoreError::Unavailable { .. })), "{put:?}");
    }
}
