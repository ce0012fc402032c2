//! The body of an upload, made while it is sent.

use std::convert::Infallible;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::{Stream, stream};

use super::{Envelope, Report};

/// Ciphertext in one piece of the body. A multiple of three: only the last piece is padded, so the pieces'
/// base64 is the base64 of the whole.
const PIECE_BYTES: usize = 3 * 64 * 1024;

/// JSON of an upload: what stands before the ciphertext, the ciphertext, what stands after it.
pub(super) struct UploadBody {
    before: String,
    data: Bytes,
}

const AFTER: &[u8] = b"\"}";

impl UploadBody {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Self {
        let before = format!(
            r#"{{"file_name":{},"encrypted_aes_key":"{}","encrypted_aes_initial_vector":"{}","encrypted_data":""#,
            serde_json::Value::from(name),
            BASE64.encode(&envelope.encrypted_key),
            BASE64.encode(&envelope.encrypted_iv),
        );
        // Cloning shares the bytes.
        Self { before, data: envelope.encrypted_data.clone() }
    }

    /// How many bytes the body has.
    pub(super) fn length(&self) -> u64 {
        (self.before.len() + self.data.len().div_ceil(3) * 4 + AFTER.len()) as u64
    }

    /// The body's pieces. `report` is told of each as it is taken.
    pub(super) fn into_stream(
        self,
        report: Report,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        let total = self.length();
        let data = self.data;
        let count = data.len().div_ceil(PIECE_BYTES);
        let encoded = (0..count).map(move |piece| {
            let start = piece * PIECE_BYTES;
            let end = data.len().min(start + PIECE_BYTES);
            Bytes::from(BASE64.encode(&data[start..end]))
        });
        let mut sent = 0;
        let pieces = std::iter::once(Bytes::from(self.before))
            .chain(encoded)
            .chain(std::iter::once(Bytes::from_static(AFTER)))
            .inspect(move |piece| {
                sent += piece.len() as u64;
                report(sent, total);
            });
        stream::iter(pieces.map(Ok))
    }
}

/// A report that nobody reads.
pub(super) fn unheard() -> Report {
    Arc::new(|_, _| ())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use coffer_api::files::UploadRequest;
    use futures_util::StreamExt as _;

    use super::*;

    async fn text(name: &str, envelope: &Envelope) -> Vec<u8> {
        let body = UploadBody::new(name, envelope);
        let length = body.length();
        let pieces: Vec<_> = body.into_stream(unheard()).collect().await;
        let text: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap()).collect();
        assert_eq!(text.len() as u64, length);
        text
    }

    fn envelope(bytes: usize) -> Envelope {
        let data: Vec<u8> = (0..bytes).map(|i| u8::try_from(i % 251).unwrap()).collect();
        Envelope { encrypted_data: data.into(), encrypted_key: vec![1; 256], encrypted_iv: vec![2; 256] }
    }

    #[tokio::test]
    async fn the_pieces_join_to_the_contracts_body() {
        for bytes in [0, 1, 2, 3, 16, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 16] {
            let envelope = envelope(bytes);
            let request: UploadRequest =
                serde_json::from_slice(&text("報告 \"2026\"\\.bin", &envelope).await).unwrap();
            assert_eq!(request.file_name, "報告 \"2026\"\\.bin");
            assert_eq!(
                BASE64.decode(request.encrypted_data).unwrap(),
                envelope.encrypted_data,
                "{bytes} bytes"
            );
            assert_eq!(BASE64.decode(request.encrypted_aes_key).unwrap(), envelope.encrypted_key);
            assert_eq!(BASE64.decode(request.encrypted_aes_initial_vector).unwrap(), envelope.encrypted_iv);
        }
    }

    #[tokio::test]
    async fn progress_ends_at_the_whole() {
        let seen = Arc::new(Mutex::new((0, 0)));
        let told = Arc::clone(&seen);
        let body = UploadBody::new("a", &envelope(500_000));
        let length = body.length();
        let stream = body.into_stream(Arc::new(move |done, total| *told.lock().unwrap() = (done, total)));
        stream.for_each(|_| async {}).await;
        assert_eq!(*seen.lock().unwrap(), (length, length));
    }
}
