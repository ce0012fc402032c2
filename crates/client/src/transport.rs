//! Calls from service to service: POST, JSON both ways, bounded in time and size.
//!
//! Every internal call can be made twice without harm, so a call whose server was not reached, or was busy
//! and said when to come back, is tried again within the call's own time.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use coffer_api::trace::TraceContext;
use coffer_api::{ErrorCode, paths};
use coffer_core::{ExposeSecret as _, SecretString};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use crate::ClientError;
use crate::connection;
use crate::refusal::refusal;

/// How often one call is tried.
const TRIES_MAX: u32 = 3;
/// The wait after a try that did not reach the server.
const RETRY_WAIT: Duration = Duration::from_millis(50);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where service tokens come from: asked before every call, so it keeps a token as long as that is good.
pub type TokenSource =
    Arc<dyn Fn() -> Result<Arc<SecretString>, Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// Calls to the internal listener of one service.
#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    tokens: TokenSource,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transport({})", self.server())
    }
}

impl Transport {
    pub(crate) fn new(base: &str, tokens: TokenSource) -> Result<Self, ClientError> {
        let base = Url::parse(base).map_err(ClientError::Address)?;
        let http = connection::between_services(&base).build().map_err(ClientError::SetUp)?;
        Ok(Self { http, base, tokens })
    }

    fn server(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Calls `path` with `body`; everything together, tries and waits included, takes at most `timeout`.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        timeout: Duration,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|_| ClientError::Answer { server: self.server() })?;
        let (body, deadline) = (Bytes::from(body), Instant::now() + timeout);
        let mut tries = 1;
        let answer = loop {
            let error = match self.call_once(path, body.clone(), deadline).await {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            let Some(wait) = wait_before_retry(&error).filter(|_| tries < TRIES_MAX) else {
                return Err(error);
            };
            if Instant::now() + wait >= deadline {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            tries += 1;
        };
        serde_json::from_slice(&answer).map_err(|_| ClientError::Answer { server: self.server() })
    }

    fn headers(&self) -> Result<HeaderMap, ClientError> {
        let mut headers = HeaderMap::new();
        let token = (self.tokens)().map_err(ClientError::Token)?;
        let value = format!("Bearer {}", token.expose_secret());
        let mut value = HeaderValue::try_from(value).map_err(|error| ClientError::Token(Box::new(error)))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(context) = TraceContext::current() {
            if let Ok(id) = HeaderValue::from_str(context.request_id.as_str()) {
                headers.insert(paths::headers::REQUEST_ID, id);
            }
            let parent = context.traceparent.as_ref().map(|parent| HeaderValue::from_str(parent.as_str()));
            if let Some(Ok(parent)) = parent {
                headers.insert(paths::headers::TRACEPARENT, parent);
            }
        }
        Ok(headers)
    }

    async fn call_once(&self, path: &str, body: Bytes, deadline: Instant) -> Result<Bytes, ClientError> {
        let mut url = self.base.clone();
        url.set_path(path);
        let request = self
            .http
            .post(url)
            .headers(self.headers()?)
            .timeout(deadline.saturating_duration_since(Instant::now()))
            .body(body);
        let answer = request.send().await.map_err(|source| self.failed(source))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = self.read(answer).await?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(ClientError::Refused(Box::new(refusal(status, &headers, &body))))
        }
    }

    async fn read(&self, mut answer: Response) -> Result<Bytes, ClientError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|source| self.failed(source))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ClientError::Answer { server: self.server() });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    fn failed(&self, source: reqwest::Error) -> ClientError {
        connection::failed(self.server(), source)
    }
}

/// How long to wait before the call is made again; `None` where that would not help.
fn wait_before_retry(error: &ClientError) -> Option<Duration> {
    match error {
        ClientError::Unreachable { .. } => Some(RETRY_WAIT),
        // Not where the outcome is unknown: who made the call must look first.
        ClientError::Refused(refusal) if refusal.code != Some(ErrorCode::OutcomeUnknown) => {
            refusal.retry_after.filter(|_| refusal.status == StatusCode::SERVICE_UNAVAILABLE)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
