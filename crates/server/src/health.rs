//! `/healthz`, `/readyz` and `/metrics`, on the internal listener.
//!
//! Healthy means that the process answers. Ready means that it should get requests: everything it depends
//! on answers, its public listener is open, and it is not stopping. What is wrong with a dependency goes to the log, not into the
//! answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::{HttpResponse, web};
use coffer_api::paths::operations;
use futures_util::future::{BoxFuture, join_all};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::failure::{Cause, Chain};
use crate::routes::native;

/// Longest time that a dependency may take to answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type CheckFn = dyn Fn() -> BoxFuture<'static, Result<(), Cause>> + Send + Sync;

/// Something that a service depends on.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) run: Arc<CheckFn>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

/// What the operators' endpoints of one service know.
#[derive(Debug)]
pub(crate) struct Health {
    checks: Vec<Check>,
    open: AtomicBool,
    stopping: AtomicBool,
}

impl Health {
    /// Of a service that depends on these and whose public listener is not open yet.
    pub(crate) fn new(checks: Vec<Check>) -> Self {
        Self { checks, open: AtomicBool::new(false), stopping: AtomicBool::new(false) }
    }

    /// The public listener is open.
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    /// Whether everything that the service depends on answers. Says nothing in the log.
    pub(crate) async fn has_what_it_needs(&self) -> bool {
        let answers = self.checks.iter().map(|check| tokio::time::timeout(CHECK_TIMEOUT, (check.run)()));
        join_all(answers).await.iter().all(|answer| matches!(answer, Ok(Ok(()))))
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the service serves its last requests.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    async fn run(&self, check: &Check) -> (bool, Value) {
        let started = Instant::now();
        let result = tokio::time::timeout(CHECK_TIMEOUT, (check.run)()).await;
        let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let cause = match result {
            Ok(Ok(())) => return (true, json!({ "ok": true, "latency_ms": latency_ms })),
            Ok(Err(cause)) => Chain(cause.as_ref()).to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(check = check.name, cause, "not ready");
        (false, json!({ "ok": false, "latency_ms": latency_ms }))
    }
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

async fn readyz(health: web::Data<Health>) -> HttpResponse {
    let results = join_all(health.checks.iter().map(|check| health.run(check))).await;
    let stopping = health.is_stopping();
    let open = health.open.load(Ordering::Relaxed);
    let ready = open && !stopping && results.iter().all(|(ok, _)| *ok);
    let names = health.checks.iter().map(|check| check.name.to_owned());
    let checks: Map<_, _> = names.zip(results.into_iter().map(|(_, result)| result)).collect();
    let status = match (stopping, ready) {
        (true, _) => "stopping",
        (_, true) => "ready",
        (_, false) => "not_ready",
    };
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(json!({ "status": status, "checks": checks }))
}

async fn metrics(handle: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(handle.render())
}

/// Registers the operators' endpoints.
pub(crate) fn configure(app: &mut web::ServiceConfig, health: &web::Data<Health>, handle: &PrometheusHandle) {
    app.app_data(health.clone())
        .app_data(web::Data::new(handle.clone()))
        .service(native(operations::HEALTHZ).get(healthz))
        .service(native(operations::READYZ).get(readyz))
        .service(native(operations::METRICS).get(metrics));
}
