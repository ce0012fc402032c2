//! Puts the service together.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Data;
use coffer_auth::service_token::{ServiceName, ServiceSecret, ServiceTokens};
use coffer_client::Forwarder;
use coffer_core::{Clock, Random, SystemClock, SystemRandom};
use coffer_kms_link::{Keys, Kms, Link, RemoteKms};
use coffer_server::settings::{HttpSettings, LogSettings};
use coffer_server::{Authenticator, Cause, NoCommand, Program, Service, ServiceKeys};
use coffer_store::records::{self, Records, Sealed};
use tokio::task::JoinSet;

use crate::config::Settings;
use crate::domain::configs::{Configs, ConfigsSettings};
use crate::domain::kms::UserKms;
use crate::domain::kv::Kv;
use crate::domain::usage::{Usage, UsageParts};
use crate::domain::vault::Vault;
use crate::memory::ValueMemory;
use crate::repo::configs::Deployment;
use crate::repo::kv::KvRepo;
use crate::repo::kv_totals::KvKeys;
use crate::routes::{self, Upstreams, Watchers};

/// How long the last figures of use may take to be written at a stop.
const FIGURES_TIMEOUT: Duration = Duration::from_secs(5);
/// How long giving back what was reserved may take at a stop.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the storage is asked for the salt of configurations until it answers.
const DEPLOYMENT_RETRY: Duration = Duration::from_millis(500);

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
        settings.upstream_urls()?;
        settings.records_url()?;
        settings.kv.check()?;
        settings.configs.check()?;
        settings.usage()?;
        Ok(())
    }

    async fn build(settings: Settings) -> Result<Service, Cause> {
        build(&settings).await
    }

    async fn command(_: Settings, command: NoCommand) -> Result<(), Cause> {
        match command {}
    }
}

/// What the service is made of, beside its settings.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) kms: Arc<dyn UserKms>,
    pub(crate) upstreams: Upstreams,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) secret: Arc<ServiceSecret>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// Builds the service with the storage and the services that the settings name.
pub async fn build(settings: &Settings) -> Result<Service, Cause> {
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let secret = settings.internal.own_secret(ServiceName::Gateway)?;
    let records = records::open(settings.records_url()?.expose(), Arc::clone(&clock)).await?;
    let proof = (ServiceName::Gateway, Arc::clone(&secret));
    let kms = RemoteKms::new(settings.kms_url()?, proof, (Arc::clone(&clock), Arc::clone(&random)))?;
    let tokens = ServiceTokens::new(
        Arc::clone(&secret),
        (ServiceName::Gateway, ServiceName::Kms),
        Arc::clone(&clock),
        Arc::clone(&random),
    );
    let (kms_url, data_url) = settings.upstream_urls()?;
    let upstreams = Upstreams {
        kms: Forwarder::new(kms_url, Some(Arc::new(move || tokens.current().map_err(Into::into))))?,
        data: Forwarder::new(data_url, None)?,
    };
    let parts = Parts { kms: Arc::new(kms), upstreams, records, secret, clock, random };
    assemble(settings, parts)
}

/// Builds the service of these parts and starts what it does in the background.
pub(crate) fn assemble(settings: &Settings, parts: Parts) -> Result<Service, Cause> {
    let link = Link::new(Arc::clone(&parts.kms) as Arc<dyn Kms>, Arc::clone(&parts.clock));
    let vault = Arc::new(Vault::default());
    let service = Service::new(ServiceName::Gateway, &settings.http_with_limits());
    let memory = Arc::new(ValueMemory::new(service.bytes_in_flight()));
    let mut tasks = JoinSet::new();
    tasks.spawn(unlock(parts.clone(), Arc::clone(&vault), (settings.clone(), memory)));
    tasks.spawn(link.run(Vec::new()));

    let watchers = Watchers::new(settings.limits.seats());
    let for_routes = routes::Parts {
        kms: Data::from(Arc::clone(&parts.kms)),
        link: Data::new(link.clone()),
        clock: Data::from(Arc::clone(&parts.clock)),
        vault: Data::from(Arc::clone(&vault)),
        upstreams: Data::new(parts.upstreams),
        owners: Data::default(),
        watchers: Data::new(watchers.clone()),
        door: Data::new(settings.configs.door()?),
        calendar: Data::new(settings.usage()?.calendar),
    };
    let service = service
        .passed_body_bytes_max(settings.limits.passed_body_bytes_max.get())
        .streamed_body_bytes_max(settings.limits.passed_file_bytes_max.get())
        .authenticator(Arc::clone(link.sessions()) as Arc<dyn Authenticator>)
        .service_keys(ServiceKeys::default().with(ServiceName::Kms, Arc::clone(&parts.secret)))
        .clock(Arc::clone(&parts.clock))
        .admit(routes::admit)
        .answer_headers(security_headers(settings.http.tls.cert_file.is_some()))
        .openapi(routes::OPENAPI)
        .public(move |app| routes::public(app, &for_routes))
        .before_stop(move || watchers.close());
    let (stopping, open) = (link.clone(), Arc::clone(&vault));
    Ok(checks(service, parts.records, vault, link).at_stop(move || async move {
        // First, because a flush that is broken off loses what it was writing.
        write_figures(&open).await;
        give_back(&open).await;
        tasks.shutdown().await;
        // What cannot be reported now is lost, and costs a session at most the time since its last report.
        let _ = stopping.touches().report_now().await;
    }))
}

fn checks(service: Service, records: Arc<dyn Records>, vault: Arc<Vault>, link: Link) -> Service {
    let of_configs = Arc::clone(&vault);
    service
        .check("records", move || {
            let records = Arc::clone(&records);
            async move { records.ping().await }
        })
        .check("keyring", move || {
            let open = vault.kv().map(drop);
            async move { open }
        })
        .check("configs", move || {
            let open = of_configs.configs().map(drop);
            async move { open }
        })
        .check("feed", move || {
            let followed = link.check();
            async move { followed }
        })
}

/// Writes what was counted and is not yet written, as far as the storage answers in time.
async fn write_figures(vault: &Vault) {
    let Ok(usage) = vault.usage() else { return };
    match tokio::time::timeout(FIGURES_TIMEOUT, usage.flush()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last figures of use are lost");
        }
        Err(_) => tracing::warn!("the last figures of use are lost: the storage does not answer"),
    }
}

/// What every answer tells a browser: nothing here is to be framed, run or told to other sites, unless the answer
/// is a page and says more about itself.
fn security_headers(is_tls: bool) -> Vec<(HeaderName, HeaderValue)> {
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut headers = vec![
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    if is_tls {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.push((header::STRICT_TRANSPORT_SECURITY, year));
    }
    headers
}

/// Waits for the keyring, opens the vault, and then does what needs an open one.
async fn unlock(parts: Parts, vault: Arc<Vault>, (settings, memory): (Settings, Arc<ValueMemory>)) {
    let Parts { kms, records, secret, clock, random, .. } = parts;
    let keys = Keys::new(kms, ServiceName::Gateway, secret);
    let keyring = Arc::new(keys.wait_for().await);
    let store = Sealed::new(records, Arc::clone(&keyring), Arc::clone(&random));
    let usage = match settings.usage() {
        Ok(usage) => usage,
        Err(error) => return tracing::error!(%error, "the settings were checked, and are wrong"),
    };
    let kv = settings.kv;
    let log_retention = Duration::from_secs(u64::from(kv.watch_retention_s));
    let kv_keys = KvKeys::new(KvRepo::new(store.clone()), Arc::clone(&clock), log_retention);
    let of_configs = (Arc::clone(&clock), Arc::clone(&random));
    let (counted, (with_clock, with_random)) = (Arc::new(kv_keys), (Arc::clone(&clock), Arc::clone(&random)));
    let usage = Usage::new(usage, UsageParts { store: store.clone(), keys: counted, clock, random });
    let kv = Kv::within(&store, kv, (with_clock, with_random), (Arc::new(usage.clone()), memory));
    vault.unlock(kv.clone(), usage.clone());
    tracing::info!("the keyring has arrived: keys can be served");
    let configs = serve_configs(&store, &vault, &settings.configs, of_configs);
    tokio::join!(keys.follow(keyring), usage.run(), kv.collect_for_ever(), configs);
}

/// Opens configurations as soon as the storage answers, and wipes expired keys from then on.
async fn serve_configs(
    store: &Sealed,
    vault: &Vault,
    settings: &ConfigsSettings,
    (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
) {
    let deployment = loop {
        match Deployment::load(store, &*random).await {
            Ok(deployment) => break deployment,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "configurations wait: their salt cannot be read"
                );
                tokio::time::sleep(DEPLOYMENT_RETRY).await;
            }
        }
    };
    match Configs::new(store, settings, deployment, (clock, random)) {
        Ok(configs) => {
            vault.unlock_configs(configs.clone());
            configs.run().await;
        }
        Err(error) => tracing::error!(%error, "the threads that derive user keys cannot be started"),
    }
}

/// Gives back what was reserved for configurations and not used.
async fn give_back(vault: &Vault) {
    let Ok(configs) = vault.configs() else { return };
    if tokio::time::timeout(GIVE_BACK_TIMEOUT, configs.close()).await.is_err() {
        tracing::debug!("bytes stay reserved: the storage does not answer");
    }
}
