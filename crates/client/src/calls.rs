//! Calls to one server with one session: the forms that all of them share.
//!
//! Redirects are not followed: a token goes to the server that it is for or to none. Small calls end after
//! [`CALL_TIMEOUT`]; uploads and downloads may take as long as they move, and their pace is the server's to
//! judge.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::{ExposeSecret, SecretString};
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::ClientError;
use crate::connection;
use crate::refusal::refusal;

/// How long a small call may take as a whole: longer than a log-in behind a full queue of others.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest small answer that is read: a full page of a listing is far below.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest refusal that is read.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;
/// Memory that is reserved for an answer because its length was announced.
const ROOM_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Calls to one server.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    http: reqwest::Client,
    base: Url,
    token: Option<Arc<SecretString>>,
    /// Secrets that go with every request besides the session.
    secrets: Vec<(&'static str, Arc<SecretString>)>,
}

impl Calls {
    /// Calls to the server at `base`, with this session if given.
    pub(crate) fn new(base: &str, token: Option<Arc<SecretString>>) -> Result<Self, ClientError> {
        let base = Url::parse(base).map_err(ClientError::Address)?;
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        if is_loopback(&base) {
            // No proxy can reach this machine's own address, whatever the environment says.
            http = http.no_proxy();
        }
        let http = http.build().map_err(ClientError::SetUp)?;
        Ok(Self { http, base, token, secrets: Vec::new() })
    }

    /// Sends a secret in this header with every request.
    #[must_use]
    pub(crate) fn with_secret(mut self, header: &'static str, secret: Arc<SecretString>) -> Self {
        self.secrets.push((header, secret));
        self
    }

    /// A request with the session in it.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(path);
        let request = self.secrets.iter().fold(self.http.request(method, url), |request, (name, secret)| {
            let value = HeaderValue::from_bytes(secret.expose_secret().as_bytes()).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            // A secret that can be in no header fails the request when it is sent.
            match value {
                Ok(value) => request.header(*name, value),
                Err(_) => request.header(*name, "\n"),
            }
        });
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    /// Sends a request; an answer that is no success is an error.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(|source| self.failed(source))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refusal(answer).await)
    }

    /// `GET` with a query.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.queried(Method::GET, path, query).await
    }

    /// Sends a query and no body, and reads JSON.
    pub(crate) async fn queried<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.read_json(self.request(method, path).timeout(CALL_TIMEOUT).query(query)).await
    }

    /// Sends a request and reads JSON.
    pub(crate) async fn read_json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        self.read(self.send(request).await?).await
    }

    /// Sends JSON and reads JSON.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.read(self.send(self.request(method, path).timeout(CALL_TIMEOUT).json(body)).await?).await
    }

    /// Sends no body and reads JSON.
    pub(crate) async fn bare<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ClientError> {
        self.read(self.send(self.request(method, path).timeout(CALL_TIMEOUT)).await?).await
    }

    async fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T, ClientError> {
        let bytes = self.bytes(answer, ANSWER_BYTES_MAX, |_, _| ()).await?;
        // 204 and the like: nothing is what `()` reads.
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(bytes).map_err(|_| self.not_understood())
    }

    /// An answer's body of at most `bytes_max` bytes. `report` is told of each piece as it comes.
    pub(crate) async fn bytes(
        &self,
        mut answer: Response,
        bytes_max: usize,
        report: impl Fn(u64, u64),
    ) -> Result<Vec<u8>, ClientError> {
        let total = answer.content_length().unwrap_or(0);
        // What the server claims reserves memory only up to a point; the rest has to be sent to count.
        let room = usize::try_from(total).unwrap_or(usize::MAX).min(bytes_max).min(ROOM_BYTES_MAX);
        let mut bytes = Vec::with_capacity(room);
        while let Some(chunk) = answer.chunk().await.map_err(|err| self.failed(err))? {
            if chunk.len() > bytes_max - bytes.len() {
                return Err(self.not_understood());
            }
            bytes.extend_from_slice(&chunk);
            report(bytes.len() as u64, total.max(bytes.len() as u64));
        }
        Ok(bytes)
    }

    async fn refusal(&self, answer: Response) -> ClientError {
        let (status, headers) = (answer.status(), answer.headers().clone());
        // The status says what matters; a body that does not come is no other error.
        let body = self.bytes(answer, REFUSAL_BYTES_MAX, |_, _| ()).await.unwrap_or_default();
        ClientError::Refused(Box::new(refusal(status, &headers, &body)))
    }

    /// The error of a request that got no answer.
    pub(crate) fn failed(&self, source: reqwest::Error) -> ClientError {
        connection::failed(self.base.origin().ascii_serialization(), source)
    }

    /// The error of an answer that makes no sense.
    pub(crate) fn not_understood(&self) -> ClientError {
        ClientError::Answer { server: self.base.origin().ascii_serialization() }
    }
}

fn is_loopback(base: &Url) -> bool {
    match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
