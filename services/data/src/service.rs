//! Puts the service together.

use std::sync::Arc;

use actix_web::web::Data;
use coffer_auth::service_token::{ServiceName, ServiceSecret};
use coffer_core::{Clock, Random, SystemClock, SystemRandom};
use coffer_kms_link::{Keys, Kms, Link, RemoteKms};
use coffer_server::settings::{HttpSettings, LogSettings};
use coffer_server::{Authenticator, Cause, NoCommand, Program, Service, ServiceKeys};
use coffer_store::blobs::{self, Blobs};
use coffer_store::records::{self, Records, Sealed};
use tokio::task::JoinSet;

use crate::config::{FilesSettings, LimitSettings, Settings};
use crate::domain::access::AccessCache;
use crate::domain::files::Files;
use crate::domain::kms::FileKms;
use crate::domain::library::Library;
use crate::domain::turns::Turns;
use crate::routes::{self, Openness};

/// The data service as a program.
#[derive(Debug)]
pub enum DataService {}

impl Program for DataService {
    const NAME: ServiceName = ServiceName::Data;
    const DEFAULTS: &'static [(&'static str, &'static str)] =
        &[("http.bind", "127.0.0.1:4000"), ("http.internal_bind", "127.0.0.1:4001")];
    type Settings = Settings;
    type Command = NoCommand;

    fn http(settings: &Settings) -> &HttpSettings {
        &settings.http
    }

    fn log(settings: &Settings) -> &LogSettings {
        &settings.log
    }

    fn check(settings: &Settings) -> Result<(), Cause> {
        settings.internal.own_secret(ServiceName::Data)?;
        settings.kms_url()?;
        settings.storage_urls()?;
        settings.check_files()?;
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
    pub(crate) kms: Arc<dyn FileKms>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) secret: Arc<ServiceSecret>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// Builds the service with the storage and the KMS that the settings name.
pub async fn build(settings: &Settings) -> Result<Service, Cause> {
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let secret = settings.internal.own_secret(ServiceName::Data)?;
    let (records_url, blobs_url) = settings.storage_urls()?;
    let records = records::open(records_url.expose(), Arc::clone(&clock)).await?;
    let blobs = blobs::open(blobs_url.expose()).await?;
    let proof = (ServiceName::Data, Arc::clone(&secret));
    let kms = RemoteKms::new(settings.kms_url()?, proof, (Arc::clone(&clock), Arc::clone(&random)))?;
    let parts = Parts { kms: Arc::new(kms), records, blobs, secret, clock, random };
    Ok(assemble(settings, &parts))
}

/// Builds the service of these parts and starts what it does in the background.
pub(crate) fn assemble(settings: &Settings, parts: &Parts) -> Service {
    let openness = openness(settings);
    let (kms, clock) = (Arc::clone(&parts.kms), Arc::clone(&parts.clock));
    let link = Link::new(Arc::clone(&kms) as Arc<dyn Kms>, Arc::clone(&clock));
    let access = Arc::new(AccessCache::new(kms, clock, Arc::clone(link.freshness())));
    let library =
        Data::new(Library::new(Arc::clone(&access), Arc::clone(&parts.kms), turns(&settings.limits)));
    let mut tasks = JoinSet::new();
    tasks.spawn(unlock(parts.clone(), Data::clone(&library), settings.files));
    tasks.spawn(link.run(vec![access]));

    let service = Service::new(ServiceName::Data, &settings.http_with_limits())
        .authenticator(Arc::clone(link.sessions()) as Arc<dyn Authenticator>)
        .service_keys(ServiceKeys::default().with(ServiceName::Kms, Arc::clone(&parts.secret)))
        .clock(Arc::clone(&parts.clock))
        .streamed_body_bytes_max(settings.limits.file_bytes_max.get())
        .openapi(routes::OPENAPI);
    let service = checks(service, parts, (&library, &link), openness);
    let (public, internal) = (Data::clone(&library), library);
    service
        .public(move |app| routes::public(app, &public, openness))
        .internal(move |app| routes::internal(app, &internal))
        .at_stop(move || async move {
            tasks.shutdown().await;
            // What cannot be reported now is lost, and costs a session at most the time since its last
            // report.
            let _ = link.touches().report_now().await;
        })
}

/// Those of large downloads and of large uploads.
fn turns(limits: &LimitSettings) -> (Turns, Turns) {
    let downloads = Turns::new(limits.large_downloads_max, limits.large_downloads_per_user_max);
    (downloads, Turns::new(limits.large_uploads_max, limits.large_uploads_per_user_max))
}

fn openness(settings: &Settings) -> Openness {
    if !settings.files.shared_names {
        return Openness::Sessions;
    }
    tracing::warn!(
        "files.shared_names is on: anybody who reaches this service may list and download all ciphertext \
         and upload; only the keys are still guarded, by the KMS"
    );
    Openness::Anybody
}

fn checks(
    service: Service,
    parts: &Parts,
    (library, link): (&Data<Library>, &Link),
    openness: Openness,
) -> Service {
    let (records, blobs) = (Arc::clone(&parts.records), Arc::clone(&parts.blobs));
    let (library, link) = (Data::clone(library), link.clone());
    let service = service
        .check("records", move || {
            let records = Arc::clone(&records);
            async move { records.ping().await }
        })
        .check("blobs", move || {
            let blobs = Arc::clone(&blobs);
            async move { blobs.ping().await }
        })
        .check("keyring", move || {
            let library = Data::clone(&library);
            async move { library.files().map(drop) }
        });
    if openness == Openness::Anybody {
        return service;
    }
    service.check("feed", move || {
        let followed = link.check();
        async move { followed }
    })
}

/// Waits for the keyring, opens the library, and then does what needs an open one.
async fn unlock(parts: Parts, library: Data<Library>, settings: FilesSettings) {
    let Parts { kms, records, blobs, secret, clock, random } = parts;
    let keys = Keys::new(kms, ServiceName::Data, secret);
    let keyring = Arc::new(keys.wait_for().await);
    let sealed = Sealed::new(records, Arc::clone(&keyring), Arc::clone(&random));
    let files = Files::new(&sealed, blobs, clock, random).keeping(settings.keeping());
    library.unlock(files.clone());
    tracing::info!("the keyring has arrived: files can be served");
    tokio::join!(keys.follow(keyring), files.collect_forever(settings.collect_interval()));
}
