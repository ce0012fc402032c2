//! Puts the service together.

use std::sync::Arc;

use coffer_auth::service_token::ServiceName;
use coffer_core::{Clock, SystemClock};
use coffer_server::settings::{HttpSettings, LogSettings};
use coffer_server::{Cause, NoCommand, Program, Service, ServiceKeys};
use coffer_store::records;

use crate::config::Settings;

/// The gateway as a program.
#[derive(Debug)]
pub enum GatewayService {}

impl Program for GatewayService {
    const NAME: ServiceName = ServiceName::Gateway;
    const DEFAULTS: &'static [(&'static str, &'static str)] =
        &[("http.bind", "127.0.0.1:8000"), ("http.internal_bind", "127.0.0.1:8001")];
    type Settings = Settings;
    type Command = NoCommand;

    fn http(settings: &Settings) -> &HttpSettings {
        &settings.http
    }

    fn log(settings: &Settings) -> &LogSettings {
        &settings.log
    }

    fn check(settings: &Settings) -> Result<(), Cause> {
        settings.internal.own_secret(ServiceName::Gateway)?;
        settings.kms_url()?;
        settings.records_url()?;
        Ok(())
    }

    async fn build(settings: Settings) -> Result<Service, Cause> {
        build(&settings).await
    }

    async fn command(_: Settings, command: NoCommand) -> Result<(), Cause> {
        match command {}
    }
}

/// Builds the service with the storage and the KMS that the settings name.
pub async fn build(settings: &Settings) -> Result<Service, Cause> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let secret = settings.internal.own_secret(ServiceName::Gateway)?;
    let records = records::open(settings.records_url()?.expose(), Arc::clone(&clock)).await?;
    Ok(Service::new(ServiceName::Gateway, &settings.http)
        .service_keys(ServiceKeys::default().with(ServiceName::Kms, secret))
        .clock(clock)
        .check("records", move || {
            let records = Arc::clone(&records);
            async move { records.ping().await }
        }))
}
