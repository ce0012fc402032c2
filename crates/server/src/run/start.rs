//! Listeners, workers, signals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use coffer_auth::service_token::ServiceName;
use coffer_core::{Random, SystemRandom};
use futures_util::future::{BoxFuture, join_all};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::opening;
use super::service::{AtStop, BeforeStop, Configure, Service};
use super::tls;
use crate::health::{self, Health};
use crate::observe::Observe;
use crate::routes::not_found;
use crate::scaffold::Scaffold;
use crate::settings::{HttpSettings, List};
use crate::telemetry::{self, TelemetryError};

/// How often histograms are emptied into their buckets.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// Threads of an internal listener: its calls are few, and cached by the callers.
const INTERNAL_WORKERS: usize = 1;
/// How long an idle connection is kept. Longer than balancers and clients keep theirs: whoever closes first while a
/// request is on its way loses that request, and nobody may repeat it unless it changes nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener's address is taken or not ours.
    #[error("the {service} service cannot listen on {address} ({listener} listener)")]
    Bind {
        /// Which service.
        service: ServiceName,
        /// `public` or `internal`.
        listener: &'static str,
        /// The address.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// TLS is not set up rightly.
    #[error("TLS of the {service} service")]
    Tls {
        /// Which service.
        service: ServiceName,
        /// What is wrong.
        #[source]
        source: tls::TlsError,
    },
    /// Metrics cannot be installed.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// Signals cannot be waited for.
    #[error("waiting for signals")]
    Signals(#[source] std::io::Error),
    /// A listener ended by itself.
    #[error("a listener has failed")]
    Listener(#[source] std::io::Error),
}

/// Where a running service listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningService {
    /// Which service.
    pub name: ServiceName,
    /// The public listener.
    pub public: SocketAddr,
    /// The internal listener.
    pub internal: SocketAddr,
}

struct Listener {
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
}

/// Services that are running. Dropping it without [`Running::stop`] leaves them running.
#[must_use = "stop it, or wait for a signal"]
pub struct Running {
    services: Vec<RunningService>,
    public: Vec<Listener>,
    internal: Vec<Listener>,
    health: Vec<web::Data<Health>>,
    before_stop: Vec<BeforeStop>,
    at_stop: Vec<AtStop>,
    drain: Duration,
    stop_timeout: Duration,
    upkeep: JoinHandle<()>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("services", &self.services).finish_non_exhaustive()
    }
}

impl Running {
    /// Where each service listens, in the order in which they were given.
    pub fn services(&self) -> &[RunningService] {
        &self.services
    }

    /// Stops: not ready any more but still serving for the longest `http.drain_s`, then no new connections, then
    /// waits for what is being served, then runs what the services want done at the end. Each of these waits
    /// is bounded by the longest `http.shutdown_timeout_s`.
    pub async fn stop(self) {
        for health in &self.health {
            health.stop();
        }
        tokio::time::sleep(self.drain).await;
        self.before_stop.into_iter().for_each(|work| work());
        // Services in one process call each other, so the internal listeners go last.
        for listeners in [self.public, self.internal] {
            join_all(listeners.iter().map(|listener| listener.handle.stop(true))).await;
            join_all(listeners.into_iter().map(|listener| listener.task)).await;
        }
        let work: Vec<BoxFuture<'static, ()>> = self.at_stop.into_iter().map(|stop| stop()).collect();
        if tokio::time::timeout(self.stop_timeout, join_all(work)).await.is_err() {
            tracing::warn!("stopped before everything was finished");
        }
        self.upkeep.abort();
    }

    /// Waits until a listener ends, which none does by itself.
    async fn failed(&mut self) -> StartError {
        let tasks = self.public.iter_mut().chain(&mut self.internal).map(|listener| &mut listener.task);
        let (result, _, _) = futures_util::future::select_all(tasks).await;
        StartError::Listener(match result {
            Ok(Ok(())) => std::io::Error::other("it stopped"),
            Ok(Err(error)) => error,
            Err(error) => std::io::Error::other(error),
        })
    }
}

struct Front<'a> {
    service: &'a Service,
    scaffold: &'a web::Data<Scaffold>,
    health: &'a web::Data<Health>,
    configure: Vec<Configure>,
    listener: &'static str,
    workers: usize,
}

impl Front<'_> {
    fn settings(&self) -> &HttpSettings {
        &self.service.settings
    }

    /// Binds and starts to serve. `public` decides about TLS and origins.
    fn start(self, address: SocketAddr, public: bool) -> Result<(SocketAddr, Listener), StartError> {
        let (name, listener) = (self.service.name, self.listener);
        let bind_error = |source| StartError::Bind { service: name, listener, address, source };
        let origins = if public { self.settings().cors_origins.clone() } else { List::default() };
        let origins = Arc::new(origins);
        let (scaffold, health, configure) =
            (self.scaffold.clone(), self.health.clone(), self.configure.clone());
        let admit = self.service.admit.filter(|_| public);
        let answer_headers = if public { Arc::clone(&self.service.answer_headers) } else { Arc::new([]) };
        let factory = move || {
            let observe = Observe {
                service: name.as_str(),
                origins: Arc::clone(&origins),
                maker: make_maker(),
                admit,
                answer_headers: Arc::clone(&answer_headers),
                health: health.clone(),
            };
            let configure = &configure;
            App::new()
                .app_data(scaffold.clone())
                .configure(|app| configure.iter().for_each(|add| add(app)))
                .default_service(web::to(not_found))
                .wrap(observe)
        };
        let mut server = HttpServer::new(factory)
            .disable_signals()
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(self.settings().shutdown_timeout_s)
            .max_connections(self.settings().connections_per_worker_max);
        if self.workers > 0 {
            server = server.workers(self.workers);
        }
        let tls = if public { tls::config(&self.settings().tls) } else { Ok(None) };
        let tls = tls.map_err(|source| StartError::Tls { service: name, source })?;
        let secure = tls.is_some();
        let server = match tls {
            Some(tls) => server.bind_rustls_0_23(address, tls),
            None => server.bind(address),
        };
        let server = server.map_err(bind_error)?;
        let address = server.addrs().first().copied().unwrap_or(address);
        let server: Server = server.run();
        let handle = server.handle();
        tracing::info!(service = %name, listener, %address, tls = secure, "listening");
        Ok((address, Listener { handle, task: tokio::spawn(server) }))
    }
}

/// The first half of the request ids that one worker makes.
fn make_maker() -> u64 {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes);
    u64::from_be_bytes(bytes)
}

async fn start_one(
    service: Service,
    metrics: &PrometheusHandle,
    open_within: Duration,
    running: &mut Running,
) -> Result<(), StartError> {
    let mut service = service;
    let scaffold = std::mem::replace(&mut service.scaffold, Scaffold::new(service.name));
    let scaffold = web::Data::new(scaffold);
    let health = web::Data::new(Health::new(service.checks.clone()));
    let mut internal = service.internal.clone();
    let (data, handle) = (health.clone(), metrics.clone());
    internal.push(Arc::new(move |app| health::configure(app, &data, &handle)));
    let front = |configure, listener, workers| Front {
        service: &service,
        scaffold: &scaffold,
        health: &health,
        configure,
        listener,
        workers,
    };
    let (internal_address, listener) =
        front(internal, "internal", INTERNAL_WORKERS).start(service.settings.internal_bind, false)?;
    running.internal.push(listener);
    opening::wait_until_ready(&health, open_within).await;
    let (public_address, listener) = front(service.public.clone(), "public", service.settings.workers)
        .start(service.settings.bind, true)?;
    running.public.push(listener);
    health.open();
    running.services.push(RunningService {
        name: service.name,
        public: public_address,
        internal: internal_address,
    });
    running.health.push(health);
    let timeout = Duration::from_secs(service.settings.shutdown_timeout_s);
    running.stop_timeout = running.stop_timeout.max(timeout);
    running.drain = running.drain.max(Duration::from_secs(service.settings.drain_s));
    running.before_stop.extend(service.before_stop);
    running.at_stop.extend(service.at_stop);
    Ok(())
}

/// Starts services; when one of them cannot, those that were started are stopped again. All listeners are open when it
/// returns, whether a service is ready or not.
pub async fn start(services: Vec<Service>) -> Result<Running, StartError> {
    start_within(services, Duration::ZERO).await
}

/// As [`start()`]; each public listener opens when its service is ready, or after `open_within`.
async fn start_within(services: Vec<Service>, open_within: Duration) -> Result<Running, StartError> {
    let metrics = telemetry::metrics_handle()?;
    let handle = metrics.clone();
    let upkeep = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(METRICS_UPKEEP);
        loop {
            ticks.tick().await;
            handle.run_upkeep();
        }
    });
    let mut running = Running {
        services: Vec::new(),
        public: Vec::new(),
        internal: Vec::new(),
        health: Vec::new(),
        before_stop: Vec::new(),
        at_stop: Vec::new(),
        drain: Duration::ZERO,
        stop_timeout: Duration::ZERO,
        upkeep,
    };
    for service in services {
        if let Err(error) = start_one(service, &metrics, open_within, &mut running).await {
            running.stop().await;
            return Err(error);
        }
    }
    Ok(running)
}

/// Runs services until SIGTERM or SIGINT. A second signal does not wait for anything. SIGHUP opens the log file anew.
pub async fn serve(services: Vec<Service>) -> Result<(), StartError> {
    serve_announced(services, |_| {}).await
}

/// As [`serve`]; `announce` is called once all of them listen.
pub async fn serve_announced(
    services: Vec<Service>,
    announce: impl FnOnce(&[RunningService]),
) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(StartError::Signals)?;
    let mut running = start_within(services, opening::WITHIN).await?;
    announce(running.services());
    let outcome = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hang_up.recv() => telemetry::reopen_logs(),
            error = running.failed() => break Err(error),
        }
    };
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        _ = terminate.recv() => tracing::warn!("stopped at once by a second signal"),
        _ = interrupt.recv() => tracing::warn!("stopped at once by a second signal"),
    }
    outcome
}
