//! Files as envelopes on the data service: real services, real storage, real envelopes.

mod copied;
mod copying;
mod crashes;
mod kept;
mod listed;
mod racing;
mod registered;
mod rotated;
mod rotating;
mod stored;
mod streams;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use coffer_client::{ClientError, DataClient, FileAt};
use coffer_core::{FileId, SeededRandom};
use coffer_crypto::envelope::{Compression, Details, Options, Recipient, Sealer};
use coffer_crypto::filekey::{FileKeyPair, RsaBits};
use coffer_tests::{Stack, User};
use futures_util::{Stream, TryStreamExt as _, stream};

static KEY: LazyLock<FileKeyPair> = LazyLock::new(|| FileKeyPair::generate(RsaBits::Rsa2048));

/// The head of each seed: what is wrapped in it is another thing each time.
static HEADS: Mutex<BTreeMap<u64, Bytes>> = Mutex::new(BTreeMap::new());

/// Plaintext in one piece of an envelope that is made.
const PIECE_BYTES: u64 = 256 * 1024;

/// The pieces of an envelope of so many bytes of plaintext, made as they are asked for. What is made of one seed and one
/// length differs from what is made of others in every frame.
fn sealed(seed: u64, plaintext_bytes: u64) -> impl Iterator<Item = Bytes> + Send {
    let random = SeededRandom::new(seed);
    let options = Options { compression: Compression::None, ..Options::default() };
    let sealer = Sealer::new(&random, options).expect("the options are valid");
    let recipient = Recipient { file_key: FileId::from_bytes([7; 16]), version: 1, key: KEY.public() };
    let make = || Bytes::from(sealer.head(&[recipient]).expect("one recipient is fine").to_bytes());
    let mut heads = HEADS.lock().unwrap_or_else(PoisonError::into_inner);
    let head = heads.entry(seed).or_insert_with(make).clone();
    drop(heads);
    let mut rest = Some((sealer, plaintext_bytes));
    let content = std::iter::from_fn(move || {
        let (mut sealer, left) = rest.take()?;
        let mut out = Vec::new();
        if left == 0 {
            sealer.finish(Details::default(), &random, &mut out).expect("there are not too many frames");
            return Some(Bytes::from(out));
        }
        let now = left.min(PIECE_BYTES);
        let plaintext =
            vec![u8::try_from(left % 251).expect("it is less"); usize::try_from(now).expect("it is")];
        sealer.push(&plaintext, &mut out).expect("there are not too many frames");
        rest = Some((sealer, left - now));
        Some(Bytes::from(out))
    });
    std::iter::once(head).chain(content).filter(|piece| !piece.is_empty())
}

/// The whole of it.
fn envelope(seed: u64, plaintext_bytes: u64) -> Vec<u8> {
    sealed(seed, plaintext_bytes).flatten().collect()
}

fn streamed(bytes: &[u8]) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let pieces: Vec<_> = bytes.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

/// The data service as this user, directly.
fn direct(stack: &Stack, user: &User) -> DataClient {
    client(&stack.data[0].url, user)
}

/// The data service as this user, through the gateway.
fn through(stack: &Stack, user: &User) -> DataClient {
    client(&stack.gateways[0].url, user)
}

fn client(url: &str, user: &User) -> DataClient {
    DataClient::new(url, Some(Arc::new(user.sid.clone().into()))).expect("the URL is valid")
}

/// Stores bytes whose length is not announced.
async fn put(
    client: &DataClient,
    name: &str,
    version: u64,
    bytes: &[u8],
) -> Result<coffer_api::files::StoredFile, ClientError> {
    client.put_file(FileAt::own(name), version, (None, streamed(bytes))).await
}

/// The whole of a version.
async fn get(client: &DataClient, name: &str, version: Option<u64>) -> Result<(u64, Vec<u8>), ClientError> {
    let download = client.get_file(FileAt::own(name), version, None).await?;
    let version = download.head.version;
    let pieces: Vec<Bytes> = download.into_stream().try_collect().await?;
    Ok((version, pieces.concat()))
}

/// The blobs of which anything is in this folder.
fn blobs_in(folder: &Path) -> usize {
    let below = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten().collect::<Vec<_>>();
    below(folder).iter().map(|shard| below(&shard.path()).len()).sum()
}
