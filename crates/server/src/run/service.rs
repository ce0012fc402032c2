//! A service as a value.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::ServiceConfig;
use coffer_auth::service_token::ServiceName;
use coffer_core::Clock;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::authentication::Authenticator;
use crate::docs::Documents;
use crate::failure::{Cause, Failure};
use crate::health::Check;
use crate::in_flight::BytesInFlight;
use crate::scaffold::Scaffold;
use crate::service_caller::ServiceKeys;
use crate::settings::HttpSettings;

pub(super) type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;
pub(super) type BeforeStop = Box<dyn FnOnce() + Send>;
pub(super) type AtStop = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Looks at a request before any handler does: may change it, or refuse it in the manner of the native surface.
pub type Admit = fn(&mut ServiceRequest) -> Result<(), Failure>;

/// A service, ready to be started.
#[must_use = "hand it to `serve` or `start`"]
pub struct Service {
    pub(super) name: ServiceName,
    pub(super) settings: HttpSettings,
    pub(super) scaffold: Scaffold,
    pub(super) public: Vec<Configure>,
    pub(super) internal: Vec<Configure>,
    pub(super) checks: Vec<Check>,
    pub(super) before_stop: Vec<BeforeStop>,
    pub(super) at_stop: Vec<AtStop>,
    pub(super) admit: Option<Admit>,
    pub(super) answer_headers: Arc<[(HeaderName, HeaderValue)]>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// A service that serves nothing yet and lets nobody in.
    pub fn new(name: ServiceName, settings: &HttpSettings) -> Self {
        let mut scaffold = Scaffold::new(name);
        scaffold.body = settings.body_limits();
        scaffold.passed_body_bytes_max = scaffold.body.bytes_max;
        scaffold.streamed_body_bytes_max = scaffold.body.bytes_max as u64;
        scaffold.bytes_in_flight = BytesInFlight::new(scaffold.body.in_flight_bytes_max);
        scaffold.trusted_proxies = settings.trusted_proxies.clone();
        Self {
            name,
            settings: settings.clone(),
            scaffold,
            public: Vec::new(),
            internal: Vec::new(),
            checks: Vec::new(),
            before_stop: Vec::new(),
            at_stop: Vec::new(),
            admit: None,
            answer_headers: Arc::new([]),
        }
    }

    /// The bound on larger bodies in memory, for what needs a share of it beside them.
    pub fn bytes_in_flight(&self) -> BytesInFlight {
        self.scaffold.bytes_in_flight.clone()
    }

    /// Adds routes and data to the public listener. Runs once for each worker.
    pub fn public(mut self, configure: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        self.public.push(Arc::new(configure));
        self
    }

    /// Adds routes and data to the internal listener.
    pub fn internal(mut self, configure: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        self.internal.push(Arc::new(configure));
        self
    }

    /// The largest body that is passed on as it arrives; `http.body_bytes_max` unless set.
    pub fn passed_body_bytes_max(mut self, bytes: usize) -> Self {
        self.scaffold.passed_body_bytes_max = bytes;
        self
    }

    /// The largest body of those that have any length; `http.body_bytes_max` unless set.
    pub fn streamed_body_bytes_max(mut self, bytes: u64) -> Self {
        self.scaffold.streamed_body_bytes_max = bytes;
        self
    }

    /// Looks at every request of the public listener before any handler does.
    pub fn admit(mut self, admit: Admit) -> Self {
        self.admit = Some(admit);
        self
    }

    /// Headers of every answer of the public listener that does not set them itself.
    pub fn answer_headers(mut self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        self.answer_headers = headers.into_iter().collect();
        self
    }

    /// Who checks session tokens.
    pub fn authenticator(mut self, authenticator: Arc<dyn Authenticator>) -> Self {
        self.scaffold.authenticator = authenticator;
        self
    }

    /// Which services may call the internal listener.
    pub fn service_keys(mut self, keys: ServiceKeys) -> Self {
        self.scaffold.service_keys = keys;
        self
    }

    /// The clock by which service tokens are judged; the machine's unless set.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.scaffold.clock = clock;
        self
    }

    /// Serves this OpenAPI document (JSON) and the page that shows it.
    pub fn openapi(self, document: &'static str) -> Self {
        let documents = Documents::new(document);
        self.public(move |app| documents.configure(app))
    }

    /// Adds something that `/readyz` asks.
    pub fn check<F, A, E>(mut self, name: &'static str, run: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Cause>,
    {
        let run = Arc::new(move || {
            let answer = run();
            async move { answer.await.map_err(Into::into) }.boxed()
        });
        self.checks.push(Check { name, run });
        self
    }

    /// Runs when the service begins to stop, before it waits for what is being served: ends answers that would
    /// never end by themselves.
    pub fn before_stop(mut self, work: impl FnOnce() + Send + 'static) -> Self {
        self.before_stop.push(Box::new(work));
        self
    }

    /// Adds what happens after the last request: flushing, stopping tasks. It has as much time as requests
    /// have.
    pub fn at_stop<F, A>(mut self, stop: F) -> Self
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        self.at_stop.push(Box::new(move || stop().boxed()));
        self
    }
}
