//! Envelopes, from the first byte to the last version, over stores that fail when they are told to.

mod copied;
mod faults;
mod kept;
mod stored;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use coffer_core::{BlobId, Clock as _, FileId, FileName, SeededRandom};
use coffer_crypto::envelope::{Options, Recipient, Sealer};
use coffer_crypto::filekey::{FileKeyPair, RsaBits};
use coffer_kms_link::testing::user;
use coffer_store::records::MemoryRecords;
use coffer_store::testing::Observed;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::publish::Stored;
use super::{Answer, Condition, Keeping, NativeFile, PutOrder, Tags};
use crate::domain::library::{Caller, Library, LibraryError, Wanted};
use crate::domain::testing::{FakeBlobs, World, files_over};
use crate::domain::turns::{Reader, Turns};

/// The head of an envelope; what follows it is never looked at.
static HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let sealer = Sealer::new(&SeededRandom::new(3), Options::default()).unwrap();
    let key = FileKeyPair::generate(RsaBits::Rsa2048);
    let recipient = Recipient { file_key: FileId::from_bytes([1; 16]), version: 1, key: key.public() };
    sealer.head(&[recipient]).unwrap().to_bytes()
});

/// An envelope whose content has so many bytes, which begin with `first`.
fn envelope(first: u8, bytes: usize) -> Vec<u8> {
    let content = (0..bytes).map(|at| u8::try_from((at * 31 + usize::from(first)) % 251).unwrap());
    HEAD.iter().copied().chain(content).collect()
}

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

struct Desk {
    world: World,
    records: Arc<Observed>,
    blobs: Arc<FakeBlobs>,
    library: Library,
    /// As the session was checked at the start: here time may pass without anybody following the feed.
    ann: Caller,
}

async fn desk() -> Desk {
    desk_keeping(Keeping::default()).await
}

async fn desk_keeping(keeping: Keeping) -> Desk {
    let (world, blobs) = (World::new().await, Arc::new(FakeBlobs::default()));
    let turns = || Turns::new(NonZeroUsize::new(8).unwrap(), NonZeroUsize::new(4).unwrap());
    let library = Library::new(Arc::clone(&world.access), world.kms.clone(), (turns(), turns()));
    let records = Arc::new(Observed::new(Arc::new(MemoryRecords::new(world.clock.clone()))).yielding());
    library.unlock(files_over(records.clone(), &world.clock, &blobs).keeping(keeping));
    world.kms.log_in("ann", user(1));
    let ann = Caller::User(world.link.sessions().check("ann").await.unwrap());
    Desk { world, records, blobs, library, ann }
}

fn tag_of(file: &NativeFile) -> Tags {
    Tags::Of(vec![file.tag.text()])
}

impl Desk {
    async fn put_if(
        &self,
        text: &str,
        (version, condition): (u64, Condition),
        bytes: &[u8],
    ) -> Result<Stored, LibraryError> {
        let pieces: Vec<_> = bytes.chunks(50_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        self.put_pieces(text, (version, condition), pieces).await
    }

    async fn put_pieces(
        &self,
        text: &str,
        (version, condition): (u64, Condition),
        pieces: Vec<Result<Bytes, ()>>,
    ) -> Result<Stored, LibraryError> {
        let name = name(text);
        let order = PutOrder { wanted: Wanted { name: &name, owner: None }, version, condition };
        let (caller, sender) = (self.ann, Reader::User(user(1)));
        self.library.put((&caller, sender), &order, stream::iter(pieces)).await
    }

    async fn put(&self, text: &str, version: u64, bytes: &[u8]) -> Result<Stored, LibraryError> {
        self.put_if(text, (version, Condition::default()), bytes).await
    }

    async fn find(&self, text: &str, version: Option<u64>) -> Result<NativeFile, LibraryError> {
        let name = name(text);
        let wanted = Wanted { name: &name, owner: None };
        self.library.find_native(&self.ann, wanted, version).await
    }

    async fn read(&self, text: &str, version: Option<u64>) -> Result<Vec<u8>, LibraryError> {
        let file = self.find(text, version).await?;
        self.range(&file, 0..file.size_bytes).await
    }

    async fn range(&self, file: &NativeFile, range: std::ops::Range<u64>) -> Result<Vec<u8>, LibraryError> {
        match self.library.read_native(Reader::User(user(1)), file, range).await? {
            Answer::Whole(bytes) => Ok(bytes.to_vec()),
            Answer::Pieces(pieces) => {
                let pieces: Vec<Bytes> = pieces.try_collect().await?;
                Ok(pieces.concat())
            }
        }
    }

    async fn delete(&self, text: &str) -> Result<(), LibraryError> {
        let name = name(text);
        let wanted = Wanted { name: &name, owner: None };
        self.library.delete(&self.ann, wanted, &Condition::default()).await
    }

    async fn restore(&self, text: &str) -> Result<NativeFile, LibraryError> {
        self.library.restore(&self.ann, &name(text)).await
    }

    /// The numbers of the versions that there are, the newest first.
    async fn versions(&self, text: &str) -> Vec<u64> {
        let name = name(text);
        let wanted = Wanted { name: &name, owner: None };
        let versions = self.library.history(&self.ann, wanted).await.unwrap_or_default();
        versions.iter().map(|version| version.tag.version).collect()
    }

    async fn collect(&self) -> usize {
        self.library.files().unwrap().collect().await.unwrap()
    }

    /// Lets time pass without anybody looking at the feed.
    fn later(&self, time: Duration) {
        self.world.clock.advance(time);
    }

    /// The blobs that any version of these names has its content in, by what the records say.
    async fn named(&self, names: &[&str]) -> BTreeSet<BlobId> {
        let files = self.library.files().unwrap();
        let (now, mut found) = (self.world.clock.now(), BTreeSet::new());
        for text in names {
            let state = files.repo.state(user(1), &name(text)).await.unwrap();
            for blob in self.blobs.ids() {
                if state.names(blob, now).unwrap() {
                    found.insert(blob);
                }
            }
        }
        found
    }
}

/// Whether every future that `make` makes is done at once.
async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    stream::iter(futures).buffer_unordered(64).collect().await
}
