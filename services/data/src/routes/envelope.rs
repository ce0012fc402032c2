//! The body of a download: an envelope as JSON, written straight into what goes over the wire.
//!
//! The ciphertext comes last, so that a large one is encoded and sent part by part while the next part is
//! read; its length is known from the start. A part that cannot be read ends the connection short of the
//! announced length, which no client takes for the whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

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

/// Answers with the envelope of `file`.
pub(super) async fn answer(
    file: &StoredFile,
    library: &Library,
    reader: Reader,
) -> Result<HttpResponse, LibraryError> {
    let record = file.record()?;
    let (key, vector) = (record.wrapped_key, record.wrapped_vector);
    let mut response = HttpResponse::Ok();
    response.content_type("application/json");
    match &record.content {
        Content::Inline(data) => Ok(response.body(whole(key, vector, data))),
        Content::Blob(blob) => {
            let download = library.read(reader, blob).await?;
            Ok(response.body(Streamed::new(head(key, vector, 0), download, record.size_bytes)))
        }
    }
}

/// The body of a large envelope, with all the memory and the turn that it holds.
struct Streamed {
    length: u64,
    download: Download,
    out: Vec<u8>,
    part: Vec<u8>,
    at: usize,
    pieces: Pieces,
    is_over: bool,
}

impl Streamed {
    /// What begins with `head` and goes on with the parts of `download`, which have `size_bytes`.
    fn new(head: Vec<u8>, download: Download, size_bytes: u64) -> Self {
        let length = head.len() as u64 + base64::encoded_len(size_bytes) + END.len() as u64;
        let (part, pieces) = (Vec::new(), Pieces::default());
        Self { length, download, out: head, part, at: 0, pieces, is_over: false }
    }

    fn encode_piece(&mut self) -> Bytes {
        let end = self.part.len().min(self.at + PIECE_BYTES);
        self.pieces.encode(&self.part[self.at..end], &mut self.out);
        self.at = end;
        self.take()
    }

    fn take(&mut self) -> Bytes {
        let room = PIECE_BYTES / 3 * 4 + 8;
        std::mem::replace(&mut self.out, Vec::with_capacity(room)).into()
    }
}

impl MessageBody for Streamed {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        loop {
            if this.at < this.part.len() {
                let piece = this.encode_piece();
                if !piece.is_empty() {
                    return Poll::Ready(Some(Ok(piece)));
                }
                continue;
            }
            if this.is_over {
                return Poll::Ready(None);
            }
            match ready!(this.download.parts.as_mut().poll_next(context)) {
                Some(Ok(part)) => (this.part, this.at) = (part, 0),
                Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                None => {
                    this.is_over = true;
                    this.pieces.finish(&mut this.out);
                    this.out.extend_from_slice(END);
                    return Poll::Ready(Some(Ok(this.take())));
                }
            }
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

    fn streamed(parts: Vec<Result<Vec<u8>, StoreError>>, size_bytes: u64) -> Streamed {
        let download = Download::without_bound(stream::iter(parts).boxed());
        Streamed::new(head(b"key", b"vector", 0), download, size_bytes)
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
