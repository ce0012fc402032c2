//! Passing a user's request on to the service that answers it, and the answer back, as both arrive.
//!
//! Only headers that are named here travel: what belongs to one connection (RFC 9110, section 7.6.1) or to
//! one side's own trust ends at the gateway, without a list of what to leave out that could be incomplete.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use coffer_api::paths::headers::{
    CLIENT_ADDRESS, FILE_VERSION, OWNER, REQUEST_ID, SERVICE_TOKEN, SID, TRACEPARENT,
};
use coffer_api::trace::TraceContext;
use coffer_core::ExposeSecret as _;
use futures_util::{Stream, StreamExt as _, stream};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, Response};
use tokio::time::Instant;
use url::Url;

use crate::ClientError;
use crate::connection::{self, failed};
use crate::transport::TokenSource;

/// How long the service may be silent: longer than a request's body may take to arrive.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(90);
/// How long nothing of a body of any length may be taken: longer than its sender may pause.
const STALL_TIMEOUT: Duration = Duration::from_mins(3);

/// Headers of a request that are passed on.
pub const REQUEST_HEADERS: [&str; 16] = [
    "accept",
    "accept-language",
    "authorization",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "last-event-id",
    "range",
    FILE_VERSION,
    OWNER,
    SID,
    "user-agent",
    "x-requested-with",
];

/// Headers of an answer that are passed back.
pub const ANSWER_HEADERS: [&str; 15] = [
    "accept-ranges",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-range",
    "content-type",
    "deprecation",
    "etag",
    FILE_VERSION,
    "last-modified",
    "location",
    "retry-after",
    "www-authenticate",
];

/// A request to be passed on.
#[derive(Debug)]
pub struct ForwardRequest<'a, B> {
    /// The method.
    pub method: &'a str,
    /// Path and query as the client sent them.
    pub target: &'a str,
    /// Those of [`REQUEST_HEADERS`] that it has.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// Whose request it is.
    pub client: IpAddr,
    /// The body's announced length, and the body.
    pub body: Option<(Option<usize>, B)>,
    /// Whether request and answer may have any length, and take as long as they move.
    pub streams: bool,
}

/// An answer to be passed back.
#[derive(Debug)]
pub struct ForwardAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Those of [`ANSWER_HEADERS`] that it has.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The body's length, if the service announced it.
    pub length: Option<u64>,
    server: String,
    response: Response,
}

impl ForwardAnswer {
    /// The body, as it arrives.
    pub fn into_body(self) -> impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static {
        let pieces = Box::pin(self.response.bytes_stream());
        stream::try_unfold((pieces, self.server), async |(mut pieces, server)| {
            // Only the service's silence counts: nobody asks here while the client is slow to take what has come.
            let Ok(piece) = tokio::time::timeout(SILENCE_TIMEOUT, pieces.next()).await else {
                return Err(ClientError::Silent { server });
            };
            let piece = piece.transpose().map_err(|source| failed(server.clone(), source))?;
            Ok(piece.map(|piece| (piece, (pieces, server))))
        })
    }
}

/// When a body was last taken from.
#[derive(Clone, Debug)]
struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn made(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when nothing has been taken for too long.
    async fn stalled(&self) {
        loop {
            let deadline = *self.0.lock().unwrap_or_else(PoisonError::into_inner) + STALL_TIMEOUT;
            if Instant::now() >= deadline {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}

/// Passes requests on to one service.
#[derive(Clone)]
pub struct Forwarder {
    http: reqwest::Client,
    /// The same without a limit on the time between a request's beginning and its answer.
    streaming: reqwest::Client,
    base: Url,
    tokens: Option<TokenSource>,
}

impl std::fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Forwarder({})", self.server())
    }
}

impl Forwarder {
    /// Passes requests on to the public listener at `base`. With `tokens`, it vouches for the client's address
    /// there.
    pub fn new(base: &str, tokens: Option<TokenSource>) -> Result<Self, ClientError> {
        let base = Url::parse(base).map_err(ClientError::Address)?;
        let http = connection::between_services(&base)
            .read_timeout(SILENCE_TIMEOUT)
            .build()
            .map_err(ClientError::SetUp)?;
        let streaming = connection::between_services(&base).build().map_err(ClientError::SetUp)?;
        Ok(Self { http, streaming, base, tokens })
    }

    fn server(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Passes a request on and waits for the head of its answer. Never twice: only the client knows whether
    /// that would do harm.
    pub async fn forward<B, E>(&self, request: ForwardRequest<'_, B>) -> Result<ForwardAnswer, ClientError>
    where
        B: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let not_understood = || ClientError::Answer { server: self.server() };
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| not_understood())?;
        let url = self.url(request.target).ok_or_else(not_understood)?;
        let http = if request.streams { &self.streaming } else { &self.http };
        let is_head = method == Method::HEAD;
        let mut sent = http.request(method, url).headers(self.headers(&request)?);
        let progress = Progress::now();
        if let Some((length, body)) = request.body {
            if let Some(length) = length {
                sent = sent.header(CONTENT_LENGTH, length);
            }
            let taken = progress.clone();
            sent = sent.body(Body::wrap_stream(body.inspect(move |_| taken.made())));
        }
        let response = tokio::select! {
            response = sent.send() => response.map_err(|source| failed(self.server(), source))?,
            () = progress.stalled() => return Err(ClientError::Silent { server: self.server() }),
        };
        let headers = ANSWER_HEADERS.iter().filter_map(|name| {
            let value = response.headers().get(*name)?;
            Some((*name, value.as_bytes().to_vec()))
        });
        Ok(ForwardAnswer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            length: if is_head { announced(&response) } else { response.content_length() },
            server: self.server(),
            response,
        })
    }

    /// Where `target` is; nowhere if it would not arrive as it was sent.
    fn url(&self, target: &str) -> Option<Url> {
        let url = self.base.join(target).ok()?;
        let same_server = url.origin() == self.base.origin();
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        (same_server && url.path() == path && url.query() == query).then_some(url)
    }

    fn headers<B>(&self, request: &ForwardRequest<'_, B>) -> Result<HeaderMap, ClientError> {
        let mut headers = HeaderMap::new();
        let mut insert = |name: &'static str, value: &[u8]| {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        for (name, value) in &request.headers {
            insert(name, value);
        }
        if let Some(context) = TraceContext::current() {
            insert(REQUEST_ID, context.request_id.as_str().as_bytes());
            if let Some(parent) = &context.traceparent {
                insert(TRACEPARENT, parent.as_str().as_bytes());
            }
        }
        if let Some(tokens) = &self.tokens {
            let token = tokens().map_err(ClientError::Token)?;
            insert(SERVICE_TOKEN, token.expose_secret().as_bytes());
            insert(CLIENT_ADDRESS, request.client.to_string().as_bytes());
        }
        Ok(headers)
    }
}

/// The length that an answer to HEAD tells of the body that it does not have.
fn announced(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_arrives_as_it_was_sent_or_not_at_all() {
        let forwarder = Forwarder::new("http://127.0.0.1:3000", None).unwrap();
        let url = |target: &str| forwarder.url(target).map(String::from);
        let whole = "/api/v1/files?prefix=a%2Fb&limit=3";
        assert_eq!(url(whole).unwrap(), format!("http://127.0.0.1:3000{whole}"));
        for target in ["/api/v1/sessions/..", "/api/v1/%2e%2e/x", "//elsewhere/x", "http://elsewhere/", "x"] {
            assert_eq!(url(target), None, "{target}");
        }
    }
}
