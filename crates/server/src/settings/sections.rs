//! The sections that every service has.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use coffer_core::SecretString;
use serde::Deserialize;

use super::List;
use crate::body::BodyLimits;
use crate::cors::Origin;
use crate::network::Networks;
use crate::run::Patience;

/// How long the head of a request may take to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// `http.*`: the listeners and what a request may cost.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// The public listener. Port 0 picks one; the log line `listening` names it.
    pub bind: SocketAddr,
    /// The internal listener: other services, health and metrics. Never public.
    pub internal_bind: SocketAddr,
    /// Origins whose pages may call this service, such as `https://app.example.com`. None by default.
    pub cors_origins: List<Origin>,
    /// Threads that serve the public listener; 0 means one for each core.
    pub workers: usize,
    /// Certificate and key of the public listener; plain HTTP without.
    pub tls: TlsSettings,
    /// Networks of our own proxies, whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Longest time for a body to arrive. A body of any length may take longer: each stretch of this time must keep the
    /// slowest rate.
    pub body_deadline_s: u64,
    /// Slowest average rate of a body, after five seconds.
    pub body_bytes_per_s_min: usize,
    /// Bodies over 64 KiB that are in memory at the same time, all together.
    pub bodies_in_flight_bytes_max: usize,
    /// Slowest average rate at which an answer is taken; who is slower is cut off.
    pub answer_bytes_per_s_min: u32,
    /// For how long, in seconds, that average is not looked at. Who takes nothing at all is cut off after this and the
    /// time in which 4 MiB go out at that rate.
    pub answer_grace_s: NonZeroU32,
    /// Open connections for each worker.
    pub connections_per_worker_max: usize,
    /// How long requests that are being served may take after the signal to stop, and after `drain_s`. It should not be less
    /// than `body_deadline_s`. A service without requests does not wait.
    pub shutdown_timeout_s: u64,
    /// When asked to stop, a service says for so long, in seconds, that it is not ready, and still serves: as long as
    /// a balancer in front of it needs to notice. A connection that is answered in that time is closed after it.
    pub drain_s: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let limits = BodyLimits::default();
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            internal_bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            cors_origins: List::default(),
            workers: 0,
            tls: TlsSettings::default(),
            trusted_proxies: List::default(),
            body_bytes_max: limits.bytes_max,
            body_deadline_s: limits.deadline.as_secs(),
            body_bytes_per_s_min: limits.bytes_per_s_min,
            bodies_in_flight_bytes_max: limits.in_flight_bytes_max,
            answer_bytes_per_s_min: 32 * 1024,
            answer_grace_s: NonZeroU32::new(30).expect("a constant over zero"),
            connections_per_worker_max: 10_000,
            shutdown_timeout_s: limits.deadline.as_secs(),
            drain_s: 0,
        }
    }
}

impl HttpSettings {
    /// The limits of a request's body.
    pub fn body_limits(&self) -> BodyLimits {
        BodyLimits {
            bytes_max: self.body_bytes_max,
            deadline: Duration::from_secs(self.body_deadline_s),
            bytes_per_s_min: self.body_bytes_per_s_min,
            in_flight_bytes_max: self.bodies_in_flight_bytes_max,
            ..BodyLimits::default()
        }
    }

    /// How long a client may let us wait.
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            head: HEAD_WITHIN,
            grace: Duration::from_secs(self.answer_grace_s.get().into()),
            bytes_per_s_min: self.answer_bytes_per_s_min,
        }
    }
}

/// `http.tls.*`: both or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// Certificate chain, PEM, leaf first.
    pub cert_file: Option<PathBuf>,
    /// Private key, PEM.
    pub key_file: Option<PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// `log.*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as
    /// `info,coffer_kms=debug`. Single requests are logged at `debug`.
    pub level: String,
    /// A file that gets every line as well as standard error does.
    pub file: Option<PathBuf>,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned(), file: None }
    }
}

/// A secret that is shared with one service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceCredential {
    /// The secret, at least 32 bytes.
    pub secret: Option<SecretString>,
    /// A file that holds it.
    pub secret_file: Option<PathBuf>,
}

/// `internal.*`: how services prove themselves to each other and where they are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InternalSettings {
    /// The secret that this service shares with the KMS, at least 32 bytes. Not for the KMS.
    pub secret: Option<SecretString>,
    /// A file that holds it.
    pub secret_file: Option<PathBuf>,
    /// KMS only: the secret of each other service, by its name.
    pub services: BTreeMap<String, ServiceCredential>,
    /// The KMS's internal listener, such as `http://kms:3001`.
    pub kms_url: Option<String>,
    /// The data service's internal listener, such as `http://data:4001`.
    pub data_url: Option<String>,
}
