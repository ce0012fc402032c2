//! What every service needs of actix, so that a service is its domain and a route table.
//!
//! A service is a [`Service`] value: settings, routes, readiness checks, an [`Authenticator`]. Its handlers
//! name who may call them and what they take by extractors ([`Granted`], [`JsonBody`], [`ValidJson`] …) and
//! answer failures through [`HttpError`]. [`main`] makes a program of it; [`serve`] runs several in one
//! process.

pub mod ask;
pub mod authentication;
pub mod body;
pub mod core_dumps;
pub mod extract;
pub mod failure;
pub mod network;
pub mod page;
pub mod passed;
pub mod program;
pub mod routes;
pub mod run;
pub mod service_caller;
pub mod settings;
pub mod surface;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

mod cors;
mod docs;
mod health;
mod held;
mod in_flight;
mod json_lines;
mod observe;
mod scaffold;
mod unread;

pub use ask::{Asked, ask};
pub use authentication::{
    AuthenticationError, Authenticator, CallerToken, Granted, GrantedFor, LatelyGranted, Session, Token,
};
pub use cors::{Origin, OriginError};
pub use docs::SessionSchemes;
pub use extract::{BytesBody, ContractQuery, JsonBody, ValidJson, ValidPath, ValidQuery};
pub use failure::{Cause, Chain, Failure, HttpError};
pub use held::HeldBody;
pub use in_flight::{BytesInFlight, Reservation, UNCOUNTED_BYTES_MAX};
pub use network::ClientAddress;
pub use passed::{PassedBody, StreamedBody};
pub use program::{NoCommand, Program, healthcheck, main};
pub use run::{Admit, Running, RunningService, Service, StartError, serve, serve_announced, start};
pub use service_caller::{ServiceCaller, ServiceKeys};
pub use surface::{ConfigsContract, DataContract, DetailContract, KmsContract, Native, Surface};

/// Every service allocates with it: see ADR 7.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
