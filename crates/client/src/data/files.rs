//! Files as envelopes: streamed both ways, with what the service says of them.

use std::ops::Range;

use bytes::Bytes;
use coffer_api::file_copies::{CopyFile, FILE_COPY, FILE_MOVE, MoveFile};
use coffer_api::files::{
    ENVELOPE_MEDIA_TYPE, FILE_TRASH, FILE_TRASH_RESTORE, FILES, FileHistory, FileQuery, FileTrashPage,
    FileTrashQuery, RestoreFile, StoredFile,
};
use coffer_api::paths::headers::{FILE_VERSION, OWNER};
use futures_util::{Stream, StreamExt as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH,
};
use reqwest::header::{HeaderMap, RANGE};
use reqwest::{Method, RequestBuilder, Response};

use super::DataClient;
use crate::ClientError;

/// What is escaped in a name: all but what stands for itself in every URL, and `/`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A file, and what must be so for it to be read or changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileAt<'a> {
    /// Its name.
    pub name: &'a str,
    /// The e-mail address of its owner, if not the caller.
    pub owner: Option<&'a str>,
    /// The `ETag` that it must have, with its quotes.
    pub if_match: Option<&'a str>,
    /// `*`: there must be no such file; or the `ETag` that it must not have.
    pub if_none_match: Option<&'a str>,
}

impl<'a> FileAt<'a> {
    /// The caller's own file of this name, however it is.
    pub fn own(name: &'a str) -> Self {
        Self { name, ..Self::default() }
    }
}

/// What is told of a file before its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHead {
    /// The version of its content.
    pub version: u64,
    /// Names these very bytes.
    pub etag: String,
    /// Bytes of the whole envelope.
    pub size_bytes: u64,
}

/// A file that is being read. Drop it to stop.
#[derive(Debug)]
pub struct FileDownload {
    /// What is told of it.
    pub head: FileHead,
    /// How many bytes come.
    pub length: u64,
    answer: Response,
    client: DataClient,
}

impl FileDownload {
    /// The bytes, as they arrive. Fewer than [`length`](Self::length) end with an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static {
        let client = self.client;
        self.answer.bytes_stream().map(move |piece| piece.map_err(|source| client.calls.failed(source)))
    }
}

impl DataClient {
    fn file(&self, method: Method, (base, file): (&str, FileAt<'_>)) -> RequestBuilder {
        let path = format!("{base}/{}", utf8_percent_encode(file.name, ESCAPED));
        let request = self.calls.request(method, &path);
        let request = match file.owner {
            Some(owner) => request.header(HeaderName::from_static(OWNER), owner),
            None => request,
        };
        conditioned(request, file)
    }

    /// Stores an envelope as this version of a file. Its length need not be known. An error of the stream breaks the
    /// upload off, and nothing of it is kept. Never tried again: only the caller can begin the stream anew.
    pub async fn put_file<S, E>(
        &self,
        file: FileAt<'_>,
        version: u64,
        (length, envelope): (Option<u64>, S),
    ) -> Result<StoredFile, ClientError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let request = self
            .file(Method::PUT, (FILES, file))
            .header(FILE_VERSION, version)
            .header(CONTENT_TYPE, ENVELOPE_MEDIA_TYPE)
            .body(reqwest::Body::wrap_stream(envelope));
        let request = match length {
            Some(length) => request.header(CONTENT_LENGTH, length),
            None => request,
        };
        self.calls.read_json(request).await
    }

    /// Reads an envelope: the present version or the one of this number, all of it or these bytes.
    pub async fn get_file(
        &self,
        file: FileAt<'_>,
        version: Option<u64>,
        range: Option<Range<u64>>,
    ) -> Result<FileDownload, ClientError> {
        let mut request = self.file(Method::GET, (FILES, file)).query(&FileQuery { version });
        if let Some(range) = &range {
            let last = range.end.checked_sub(1).filter(|last| range.start <= *last);
            let last = last.ok_or_else(|| self.calls.not_understood())?;
            request = request.header(RANGE, format!("bytes={}-{last}", range.start));
        }
        let answer = self.calls.send(request).await?;
        let length = number(answer.headers(), &CONTENT_LENGTH).ok_or_else(|| self.calls.not_understood())?;
        let head = self.told(answer.headers())?;
        Ok(FileDownload { head, length, answer, client: self.clone() })
    }

    /// What is told of a file, without its bytes.
    pub async fn head_file(&self, file: FileAt<'_>, version: Option<u64>) -> Result<FileHead, ClientError> {
        let request = self.file(Method::HEAD, (FILES, file)).query(&FileQuery { version });
        self.told(self.calls.send(request).await?.headers())
    }

    /// Deletes a file, with its versions; they can be brought back for a while.
    pub async fn delete_file(&self, file: FileAt<'_>) -> Result<(), ClientError> {
        self.calls.send(self.file(Method::DELETE, (FILES, file))).await.map(drop)
    }

    /// The versions of a file, the newest first.
    pub async fn file_history(&self, file: FileAt<'_>) -> Result<FileHistory, ClientError> {
        self.calls.read_json(self.file(Method::GET, ("/api/v1/file-history", file))).await
    }

    /// A page of the caller's deleted files.
    pub async fn file_trash(&self, query: &FileTrashQuery) -> Result<FileTrashPage, ClientError> {
        self.calls.get(FILE_TRASH, query).await
    }

    /// Brings a deleted file of the caller's back.
    pub async fn restore_file(&self, name: &str) -> Result<StoredFile, ClientError> {
        let body = RestoreFile { file_name: name.to_owned() };
        self.calls.call(Method::POST, FILE_TRASH_RESTORE, &body).await
    }

    /// Gives content a second name; `target` says what the file there must be.
    pub async fn copy_file(&self, body: &CopyFile, target: FileAt<'_>) -> Result<StoredFile, ClientError> {
        let request = self.calls.request(Method::POST, FILE_COPY).json(body);
        self.calls.read_json(conditioned(request, target)).await
    }

    /// Gives a file another name; `target` says what the file there must be.
    pub async fn move_file(&self, body: &MoveFile, target: FileAt<'_>) -> Result<StoredFile, ClientError> {
        let request = self.calls.request(Method::POST, FILE_MOVE).json(body);
        self.calls.read_json(conditioned(request, target)).await
    }

    fn told(&self, headers: &HeaderMap) -> Result<FileHead, ClientError> {
        let whole =
            headers.get(CONTENT_RANGE).and_then(|told| told.to_str().ok()?.rsplit_once('/')?.1.parse().ok());
        let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let version = number(headers, &HeaderName::from_static(FILE_VERSION));
        let told = whole.or_else(|| number(headers, &CONTENT_LENGTH)).zip(etag).zip(version);
        let ((size_bytes, etag), version) = told.ok_or_else(|| self.calls.not_understood())?;
        Ok(FileHead { version, etag, size_bytes })
    }
}

/// The request with what must be so for it to be done.
fn conditioned(request: RequestBuilder, file: FileAt<'_>) -> RequestBuilder {
    let headers = [(IF_MATCH, file.if_match), (IF_NONE_MATCH, file.if_none_match)];
    headers.into_iter().fold(request, |request, (name, value)| match value {
        Some(value) => request.header(name, value),
        None => request,
    })
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_arrives_as_it_is() {
        let client = DataClient::new("http://127.0.0.1:4000", None).unwrap();
        for (name, path) in [
            ("a/b c.txt", "/api/v1/files/a/b%20c.txt"),
            ("50%?#x", "/api/v1/files/50%25%3F%23x"),
            ("報", "/api/v1/files/%E5%A0%B1"),
            ("..a", "/api/v1/files/..a"),
        ] {
            let request = client.file(Method::GET, (FILES, FileAt::own(name))).build().unwrap();
            assert_eq!(request.url().path(), path);
        }
    }
}
