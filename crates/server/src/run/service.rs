//! A service as a value.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use coffer_auth::service_token::ServiceName;
use coffer_core::Clock;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use utoipa::openapi::OpenApi;

use crate::authentication::Authenticator;
use crate::body::BytesInFlight;
use crate::docs::Documents;
use crate::failure::Cause;
use crate::health::Check;
use crate::scaffold::Scaffold;
use crate::service_caller::ServiceKeys;
use crate::settings::HttpSettings;

pub(super) type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;
pub(super) type AtStop = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// A service, ready to be started.
#[must_use = "hand it to `serve` or `start`"]
pub struct Service {
    pub(super) name: ServiceName,
    pub(super) settings: HttpSettings,
    pub(super) scaffold: Scaffold,
    pub(super) public: Vec<Configure>,
    pub(super) internal: Vec<Configure>,
    pub(super) checks: Vec<Check>,
    pub(super) at_stop: Vec<AtStop>,
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
        scaffold.bytes_in_flight = BytesInFlight::new(scaffold.body.in_flight_bytes_max);
        scaffold.trusted_proxies = settings.trusted_proxies.clone();
        Self {
            name,
            settings: settings.clone(),
            scaffold,
            public: Vec::new(),
            internal: Vec::new(),
            checks: Vec::new(),
            at_stop: Vec::new(),
        }
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

    /// Serves the OpenAPI document and the page that shows it.
    pub fn openapi(self, document: &OpenApi) -> Result<Self, serde_json::Error> {
        let documents = Documents::new(document)?;
        Ok(self.public(move |app| documents.configure(app)))
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
