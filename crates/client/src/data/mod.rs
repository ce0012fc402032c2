//! The data service, as a user of it: classic envelopes go up and come down whole, others as streams.
//!
//! An envelope of 40 MB is 53 MB of JSON. Going up, that text never exists as a whole: the body is made
//! piece by piece from the ciphertext, and made anew for another try. Coming down, the fields are
//! decoded straight from the one buffer that the answer was read into.

mod body;
mod files;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use coffer_api::ErrorCode;
use coffer_api::files::{DOWNLOAD, DownloadQuery, FILES, FileItem, FilesPage, FilesQuery, UPLOAD};
use coffer_core::SecretString;
use coffer_core::limits::PAGE_ITEMS_MAX;
use reqwest::{Method, header};
use serde::Deserialize;

use crate::ClientError;
use crate::calls::Calls;
use body::UploadBody;

pub use files::{FileAt, FileDownload, FileHead};

/// How often an upload is tried when its answer is lost.
const TRIES_MAX: u32 = 3;
/// The longest wait between two tries that is made without asking anybody.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// The largest answer that is read: an envelope of 1 GiB.
const ANSWER_BYTES_MAX: usize = 1_500_000_000;

/// Told how many bytes have been sent or received, and of how many.
pub type Report = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A classic envelope: ciphertext and what its key and IV are wrapped in. Nothing in it is secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The ciphertext.
    pub encrypted_data: Bytes,
    /// The wrapped content key.
    pub encrypted_key: Vec<u8>,
    /// The wrapped initial vector.
    pub encrypted_iv: Vec<u8>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({} bytes)", self.encrypted_data.len())
    }
}

/// The data service, asked as one user or as nobody.
#[derive(Clone, Debug)]
pub struct DataClient {
    calls: Calls,
}

/// An answer's fields, where they stand in the answer.
#[derive(Deserialize)]
struct Download<'a> {
    #[serde(borrow, rename = "encrypted_data")]
    data: Cow<'a, str>,
    #[serde(borrow, rename = "encrypted_aes_key")]
    key: Cow<'a, str>,
    #[serde(borrow, rename = "encrypted_aes_initial_vector")]
    iv: Cow<'a, str>,
}

impl DataClient {
    /// The data service at `base`, asked with this session if given.
    pub fn new(base: &str, token: Option<Arc<SecretString>>) -> Result<Self, ClientError> {
        Ok(Self { calls: Calls::new(base, token)? })
    }

    /// Stores an envelope under a name that is still free.
    ///
    /// A lost answer is followed by another try. If that one finds the name taken, what is stored there
    /// is compared: content keys are random, so the same envelope can only be this one.
    pub async fn upload(&self, name: &str, envelope: &Envelope, report: Report) -> Result<(), ClientError> {
        let mut unsure = false;
        let mut tries = 1;
        loop {
            let err = match self.upload_once(name, envelope, &report).await {
                Ok(()) => return Ok(()),
                Err(err) => err,
            };
            if unsure && err.code() == Some(ErrorCode::FileExists) {
                let stored = self.download(name, None, body::unheard()).await?;
                return if stored == *envelope { Ok(()) } else { Err(err) };
            }
            let Some(wait) = wait_before_retry(&err, tries).filter(|_| tries < TRIES_MAX) else {
                return Err(err);
            };
            unsure = true;
            tries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    async fn upload_once(&self, name: &str, envelope: &Envelope, report: &Report) -> Result<(), ClientError> {
        let body = UploadBody::new(name, envelope);
        let request = self
            .calls
            .request(Method::POST, UPLOAD)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.length())
            .body(reqwest::Body::wrap_stream(body.into_stream(Arc::clone(report))));
        self.calls.send(request).await.map(drop)
    }

    /// The envelope under a name: the caller's own file or one shared with the caller; with `owner` (an
    /// e-mail address) that user's.
    pub async fn download(
        &self,
        name: &str,
        owner: Option<&str>,
        report: Report,
    ) -> Result<Envelope, ClientError> {
        let query = DownloadQuery { file_name: name.into(), owner: owner.map(Into::into) };
        let request = self.calls.request(Method::GET, DOWNLOAD).query(&query);
        let answer = self.calls.send(request).await?;
        let text = self.calls.bytes(answer, ANSWER_BYTES_MAX, |done, total| report(done, total)).await?;
        envelope_of(&text).ok_or_else(|| self.calls.not_understood())
    }

    /// The caller's own files that `query` asks for, in all pages.
    pub async fn files_all(&self, mut query: FilesQuery) -> Result<Vec<FileItem>, ClientError> {
        query.limit = Some(PAGE_ITEMS_MAX);
        let mut all = Vec::new();
        loop {
            let page: FilesPage = self.calls.get(FILES, &query).await?;
            all.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }
}

fn envelope_of(text: &[u8]) -> Option<Envelope> {
    let answer: Download<'_> = serde_json::from_slice(text).ok()?;
    let decode = |field: &str| BASE64.decode(field).ok();
    Some(Envelope {
        encrypted_data: decode(&answer.data)?.into(),
        encrypted_key: decode(&answer.key)?,
        encrypted_iv: decode(&answer.iv)?,
    })
}

/// How long to wait before an upload is tried again; `None` where another try would not help.
fn wait_before_retry(err: &ClientError, tries: u32) -> Option<Duration> {
    let may_help = match err {
        ClientError::Lost { .. } => true,
        ClientError::Refused(refusal) => matches!(refusal.status, 502..=504),
        _ => false,
    };
    let wait = err.retry_after().unwrap_or(Duration::from_millis(200) * 2_u32.pow(tries));
    (may_help && wait <= WAIT_MAX).then_some(wait)
}
