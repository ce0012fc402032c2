//! Listeners, workers, signals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use coffer_auth::service_token::ServiceName;
use futures_util::future::{BoxFuture, join_all};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;

use super::front::Front;
use super::leaving;
use super::opening;
use super::service::{AtStop, BeforeStop, Service};
use super::signals::Signals;
use super::tls;
use crate::health::{self, Health};
use crate::scaffold::Scaffold;
use crate::telemetry::{self, TelemetryError};

/// How often histograms are emptied into their buckets.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// Threads of an internal listener: its calls are few, and cached by the callers.
const INTERNAL_WORKERS: usize = 1;
/// How long internal calls may still take once the public listeners have stopped, and after them the services' own work:
/// neither waits for a client's network.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

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

pub(super) struct Listener {
    pub(super) handle: ServerHandle,
    pub(super) task: JoinHandle<std::io::Result<()>>,
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
    upkeep: JoinHandle<()>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("services", &self.services).finish_non_exhaustive()
    }
}

impl Running {
    /// Nothing yet.
    fn new(metrics: &PrometheusHandle) -> Self {
        let metrics = metrics.clone();
        let upkeep = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(METRICS_UPKEEP);
            loop {
                ticks.tick().await;
                metrics.run_upkeep();
            }
        });
        Self {
            services: Vec::new(),
            public: Vec::new(),
            internal: Vec::new(),
            health: Vec::new(),
            before_stop: Vec::new(),
            at_stop: Vec::new(),
            drain: Duration::ZERO,
            upkeep,
        }
    }

    /// Where each service listens, in the order in which they were given.
    pub fn services(&self) -> &[RunningService] {
        &self.services
    }

    /// Stops: not ready any more but still serving for the longest `http.drain_s`, then no new connections, then
    /// waits for what is being served, at most for the longest `http.shutdown_timeout_s`; then the same within seconds for
    /// internal calls, for what the services want done at the end, and for what the network has not taken yet.
    pub async fn stop(self) {
        let ports: Vec<u16> = self
            .services
            .iter()
            .flat_map(|service| [service.public.port(), service.internal.port()])
            .collect();
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
        if tokio::time::timeout(FINISH_WITHIN, join_all(work)).await.is_err() {
            tracing::warn!("stopped before everything was finished");
        }
        leaving::wait(&ports).await;
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

async fn start_one(
    service: Service,
    metrics: &PrometheusHandle,
    open_within: Duration,
    running: &mut Running,
) -> Result<(), StartError> {
    let mut service = service;
    let (mut before_stop, mut at_stop) =
        (std::mem::take(&mut service.before_stop), std::mem::take(&mut service.at_stop));
    let scaffold = std::mem::replace(&mut service.scaffold, Scaffold::new(service.name));
    let scaffold = web::Data::new(scaffold);
    let health = web::Data::new(Health::new(service.checks.clone()));
    let mut routes = service.internal.clone();
    let (data, handle) = (health.clone(), metrics.clone());
    routes.push(Arc::new(move |app| health::configure(app, &data, &handle)));
    let stop_within = Duration::from_secs(service.settings.shutdown_timeout_s);
    let front = |configure, listener, (workers, stop_within)| Front {
        service: &service,
        scaffold: &scaffold,
        health: &health,
        configure,
        listener,
        workers,
        stop_within,
    };
    let (internal, listener) = front(routes, "internal", (INTERNAL_WORKERS, stop_within.min(FINISH_WITHIN)))
        .start(service.settings.internal_bind, false)?;
    running.internal.push(listener);
    running.health.push(health.clone());
    running.drain = running.drain.max(Duration::from_secs(service.settings.drain_s));
    running.before_stop.append(&mut before_stop);
    running.at_stop.append(&mut at_stop);
    opening::wait_until_ready(&health, open_within).await;
    let (public, listener) = front(service.public.clone(), "public", (service.settings.workers, stop_within))
        .start(service.settings.bind, true)?;
    running.public.push(listener);
    health.open();
    running.services.push(RunningService { name: service.name, public, internal });
    Ok(())
}

/// Starts services one after the other. What has been started when it fails or is dropped is in `running`.
async fn start_all(
    services: Vec<Service>,
    (metrics, open_within): (&PrometheusHandle, Duration),
    running: &mut Running,
) -> Result<(), StartError> {
    for service in services {
        start_one(service, metrics, open_within, running).await?;
    }
    Ok(())
}

/// Starts services; when one of them cannot, those that were started are stopped again. All listeners are open when it
/// returns, whether a service is ready or not.
pub async fn start(services: Vec<Service>) -> Result<Running, StartError> {
    let metrics = telemetry::metrics_handle()?;
    let mut running = Running::new(&metrics);
    match start_all(services, (&metrics, Duration::ZERO), &mut running).await {
        Ok(()) => Ok(running),
        Err(error) => {
            running.stop().await;
            Err(error)
        }
    }
}

/// Runs services until SIGTERM or SIGINT. A second signal does not wait for anything. SIGHUP opens the log file anew.
pub async fn serve(services: Vec<Service>) -> Result<(), StartError> {
    serve_announced(services, |_| {}).await
}

/// As [`serve`]; `announce` is called once all of them listen. Each public listener opens when its service is ready, or
/// after a few seconds.
pub async fn serve_announced(
    services: Vec<Service>,
    announce: impl FnOnce(&[RunningService]),
) -> Result<(), StartError> {
    let mut signals = Signals::new().map_err(StartError::Signals)?;
    let metrics = telemetry::metrics_handle()?;
    let mut running = Running::new(&metrics);
    let started = tokio::select! {
        started = start_all(services, (&metrics, opening::WITHIN), &mut running) => Some(started),
        () = signals.stop() => None,
    };
    let outcome = match started {
        Some(Ok(())) => {
            announce(running.services());
            tokio::select! {
                () = signals.stop() => Ok(()),
                error = running.failed() => Err(error),
            }
        }
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        () = signals.stop() => tracing::warn!("stopped at once by a second signal"),
    }
    outcome
}
