//! The body of a download: an envelope as JSON, written straight into what goes over the wire.
//!
//! The ciphertext comes last, so that a large one is encoded and sent part by part while the next part is
//! read; its length is known from the start. A part that cannot be read ends the connection short of the
//! announced length, which no client takes for the whole.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use tokio::task::JoinHandle;

use super::pace::{Pace, PaceLimits};
use crate::base64::{self, Pieces};
use crate::domain::library::{Download, Library, LibraryError};
use crate::domain::turns::Reader;
use crate::repo::{Content, StoredFile};

const KEY: &[u8] = br#"{"code":200,"encrypted_aes_key":""#;
const VECTOR: &[u8] = br#"","encrypted_aes_initial_vector":""#;
const DATA: &[u8] = br#"","encrypted_data":""#;
const END: &[u8] = br#""}"#;

/// Bytes of ciphertext that are encoded at a time: few enough to stay in the processor's cache between
/// here and the socket, and a multiple of 3.
const PIECE_BYTES: usize = 48 * 1024;

fn head(wrapped_key: &[u8], wrapped_vector: &[u8], room: usize) -> Vec<u8> {
    let fixed = KEY.len() + VECTOR.len() + DATA.len() + END.len() + 16;
    let mut body = Vec::with_capacity(fixed + (wrapped_key.len() + wrapped_vector.len()) * 4 / 3 + room);
    body.extend_from_slice(KEY);
    base64::encode(wrapped_key, &mut body);
    body.extend_from_slice(VECTOR);
    base64::encode(wrapped_vector, &mut body);
    body.extend_from_slice(DATA);
    body
}

/// The whole body of a small envelope.
fn whole(wrapped_key: &[u8], wrapped_vector: &[u8], data: &[u8]) -> Bytes {
    let mut body = head(wrapped_key, wrapped_vector, data.len() * 4 / 3);
    base64::encode(data, &mut body);
    body.extend_from_slice(END);
    body.into()
}

/// Answers with the envelope of `file`, if it is large to a reader who keeps pace.
pub(super) async fn answer(
    file: &StoredFile,
    library: &Library,
    (reader, pace): (Reader, PaceLimits),
) -> Result<HttpResponse, LibraryError> {
    let record = file.record()?;
    let (key, vector) = (record.wrapped_key, record.wrapped_vector);
    let mut response = HttpResponse::Ok();
    response.content_type("application/json");
    match &record.content {
        Content::Inline(data) => Ok(response.body(whole(key, vector, data))),
        Content::Blob(blob) => {
            let download = library.read(reader, blob).await?;
            let encoding = Encoding::new(head(key, vector, 0), download, pace);
            Ok(response.body(Streamed::new(encoding, record.size_bytes)))
        }
    }
}

/// A large envelope on its way, with all the memory and the turn that it holds.
struct Encoding {
    download: Download,
    pace: Pace,
    out: Vec<u8>,
    part: Vec<u8>,
    at: usize,
    pieces: Pieces,
    is_over: bool,
}

impl Encoding {
    /// What begins with `head` and goes on with the parts of `download`.
    fn new(head: Vec<u8>, download: Download, pace: PaceLimits) -> Self {
        let (pace, pieces) = (Pace::start(pace), Pieces::default());
        Self { download, pace, out: head, part: Vec::new(), at: 0, pieces, is_over: false }
    }

    fn encode_piece(&mut self) -> Bytes {
        let end = self.part.len().min(self.at + PIECE_BYTES);
        self.pieces.encode(&self.part[self.at..end], &mut self.out);
        self.at = end;
        self.take()
    }

    fn take(&mut self) -> Bytes {
        let room = PIECE_BYTES / 3 * 4 + 8;
        self.pace.took(self.out.len());
        std::mem::replace(&mut self.out, Vec::with_capacity(room)).into()
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if self.at < self.part.len() {
                let piece = self.encode_piece();
                if !piece.is_empty() {
                    return Poll::Ready(Some(Ok(piece)));
                }
                continue;
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            match ready!(self.download.parts.as_mut().poll_next(context)) {
                Some(Ok(part)) => (self.part, self.at) = (part, 0),
                Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                None => {
                    self.is_over = true;
                    self.pieces.finish(&mut self.out);
                    self.out.extend_from_slice(END);
                    return Poll::Ready(Some(Ok(self.take())));
                }
            }
        }
    }
}

/// The body of a large envelope.
///
/// A body is not asked for more while its reader takes nothing, so it cannot notice that by itself. A task
/// beside it does, and takes away what the body holds; the reader finds the connection closed early.
struct Streamed {
    length: u64,
    encoding: Arc<Mutex<Option<Encoding>>>,
    watch: JoinHandle<()>,
}

impl Streamed {
    /// The body of an envelope whose ciphertext has `size_bytes`.
    fn new(encoding: Encoding, size_bytes: u64) -> Self {
        let length = encoding.out.len() as u64 + base64::encoded_len(size_bytes) + END.len() as u64;
        let look_every = encoding.pace.look_every();
        let encoding = Arc::new(Mutex::new(Some(encoding)));
        let watch = tokio::spawn(watch(Arc::clone(&encoding), look_every));
        Self { length, encoding, watch }
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.watch.abort();
        // The task goes when it is next looked at; what it shares goes now.
        locked(&self.encoding).take();
    }
}

fn locked(encoding: &Mutex<Option<Encoding>>) -> MutexGuard<'_, Option<Encoding>> {
    encoding.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends an answer whose reader is too slow.
async fn watch(encoding: Arc<Mutex<Option<Encoding>>>, look_every: Duration) {
    loop {
        tokio::time::sleep(look_every).await;
        let mut encoding = locked(&encoding);
        match &*encoding {
            Some(held) if held.pace.is_too_slow() => {
                *encoding = None;
                tracing::debug!("a download was ended: its reader takes too little");
                return;
            }
            Some(_) => {}
            None => return,
        }
    }
}

impl MessageBody for Streamed {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match &mut *locked(&self.encoding) {
            Some(encoding) => encoding.poll_next(context),
            None => Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use coffer_api::files::DownloadAnswer;
    use coffer_store::records::StoreError;
    use futures_util::stream::{self, StreamExt as _};

    use super::*;

    const PACE: PaceLimits = PaceLimits { grace: Duration::from_secs(30), bytes_per_s_min: 1000 };

    fn streamed(parts: Vec<Result<Vec<u8>, StoreError>>, size_bytes: u64) -> Streamed {
        let download = Download::without_bound(stream::iter(parts).boxed());
        Streamed::new(Encoding::new(head(b"key", b"vector", 0), download, PACE), size_bytes)
    }

    async fn next(body: &mut Streamed) -> Option<io::Result<Bytes>> {
        std::future::poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_reader_does_not_take_is_taken_from_him() {
        let held = Arc::new(());
        let parts = Arc::clone(&held);
        // The parts hold something for as long as they are there.
        let endless = stream::repeat_with(move || {
            let _ = &parts;
            Ok(vec![0; 1000])
        });
        let download = Download::without_bound(endless.boxed());
        let mut body = Streamed::new(Encoding::new(Vec::new(), download, PACE), 1 << 40);
        for _ in 0..100 {
            assert!(next(&mut body).await.unwrap().is_ok());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(Arc::strong_count(&held), 2);
        tokio::time::sleep(Duration::from_secs(35)).await;
        assert_eq!(Arc::strong_count(&held), 1, "nothing is held for a reader who stopped");
        assert_eq!(next(&mut body).await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_streamed_envelope_is_the_same_as_a_whole_one_and_as_long_as_announced() {
        let data: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
        for part in [1000, 48 * 1024, 65_537, 200_000] {
            let parts = data.chunks(part).map(|part| Ok(part.to_vec())).collect();
            let body = streamed(parts, 200_000);
            let BodySize::Sized(announced) = body.size() else { panic!("the size is known") };
            let body = to_bytes(body).await.unwrap();
            assert_eq!(body.len() as u64, announced);
            assert_eq!(body, whole(b"key", b"vector", &data), "parts of {part}");
        }
    }

    #[test]
    fn an_envelope_reads_back_as_what_it_was_made_of() {
        let answer: DownloadAnswer = serde_json::from_slice(&whole(b"key", b"iv", b"data")).unwrap();
        let expected = DownloadAnswer {
            code: 200,
            encrypted_data: "ZGF0YQ==".into(),
            encrypted_aes_key: "a2V5".into(),
            encrypted_aes_initial_vector: "aXY=".into(),
        };
        assert_eq!(answer, expected);
    }

    #[tokio::test]
    async fn a_part_that_cannot_be_read_is_no_end_of_the_body() {
        let parts = vec![Ok(vec![1; 100]), Err(StoreError::Limit("gone"))];
        assert!(to_bytes(streamed(parts, 200)).await.is_err());
    }
}
