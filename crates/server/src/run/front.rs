//! The listeners of a service, with what stands before its routes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, web};

use super::listen::{self, Listen};
use super::service::{Configure, Service};
use super::start::{Listener, StartError};
use super::tls;
use crate::health::Health;
use crate::observe::Observe;
use crate::routes::not_found;
use crate::scaffold::Scaffold;
use crate::settings::{HttpSettings, List};

/// One listener of a service.
pub(super) struct Front<'a> {
    pub(super) service: &'a Service,
    pub(super) scaffold: &'a web::Data<Scaffold>,
    pub(super) health: &'a web::Data<Health>,
    pub(super) configure: Vec<Configure>,
    /// `public` or `internal`.
    pub(super) listener: &'static str,
    pub(super) workers: usize,
    /// How long what is being served may take when it stops.
    pub(super) stop_within: Duration,
}

impl Front<'_> {
    fn settings(&self) -> &HttpSettings {
        &self.service.settings
    }

    /// Binds and starts to serve. `public` decides about TLS and origins.
    pub(super) fn start(
        self,
        address: SocketAddr,
        public: bool,
    ) -> Result<(SocketAddr, Listener), StartError> {
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
        let settings = self.settings();
        let tls = if public { tls::config(&settings.tls) } else { Ok(None) };
        let tls = tls.map_err(|source| StartError::Tls { service: name, source })?;
        let secure = tls.is_some();
        let listen = Listen {
            workers: self.workers,
            connections_per_worker_max: settings.connections_per_worker_max,
            stop_within: self.stop_within,
            tls,
            limits: settings.patience(),
        };
        let socket = listen::bind(address).map_err(bind_error)?;
        let address = socket.local_addr().map_err(bind_error)?;
        let server = listen.start(socket, factory).map_err(bind_error)?;
        let handle = server.handle();
        tracing::info!(service = %name, listener, %address, tls = secure, "listening");
        Ok((address, Listener { handle, task: tokio::spawn(server) }))
    }
}
