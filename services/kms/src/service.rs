//! Puts the service together.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use clap::Subcommand;
use coffer_auth::Principal;
use coffer_auth::password::{Hasher, HasherSettings};
use coffer_auth::service_token::{ServiceName, ServiceTokens};
use coffer_client::InternalData;
use coffer_core::{Clock, SystemClock, SystemRandom};
use coffer_server::settings::{HttpSettings, LogSettings, read_secret};
use coffer_server::{AuthenticationError, Authenticator, Cause, Program, Service, Token};
use coffer_store::records::{self, StoreError};
use tokio::task::JoinSet;

use crate::config::{Settings, SettingsError, SmtpSettings};
use crate::domain::identity::{Identity, IdentityParts};
use crate::domain::keyrings::RootSecret;
use crate::domain::mail::{DevMailbox, Outbox, Postman, SmtpTransport, Transport};
use crate::foundation::{Foundation, Machine, RemoteUploads};
use crate::operator::{self, AdminCommand};
use crate::repo::address::AddressRepo;
use crate::repo::mail::MailRepo;
use crate::routes::{self, Parts};

/// How long is waited before storage that is away is asked again.
const STORAGE_RETRY: Duration = Duration::from_secs(1);

/// The KMS as a program.
#[derive(Debug)]
pub enum KmsService {}

/// What the program does beside running.
#[derive(Debug, Subcommand)]
pub enum KmsCommand {
    /// Manage administrators.
    #[command(subcommand)]
    Admin(AdminCommand),
}

impl Program for KmsService {
    const NAME: ServiceName = ServiceName::Kms;
    const DEFAULTS: &'static [(&'static str, &'static str)] =
        &[("http.bind", "127.0.0.1:3000"), ("http.internal_bind", "127.0.0.1:3001")];
    type Settings = Settings;
    type Command = KmsCommand;

    fn http(settings: &Settings) -> &HttpSettings {
        &settings.http
    }

    fn log(settings: &Settings) -> &LogSettings {
        &settings.log
    }

    fn check(settings: &Settings) -> Result<(), Cause> {
        RootSecret::from_settings(&settings.keyring)?;
        settings.storage_url()?;
        settings.auth.check()?;
        settings.files.rsa_bits()?;
        settings.files.pool_pairs()?;
        settings.data_url()?;
        let keys = settings.internal.service_keys()?;
        keys.get(ServiceName::Data).ok_or(SettingsError::NoDataSecret)?;
        post(settings, Arc::new(SystemClock)).map(drop)
    }

    async fn build(settings: Settings) -> Result<Service, Cause> {
        build(&settings).await
    }

    async fn command(settings: Settings, command: KmsCommand) -> Result<(), Cause> {
        match command {
            KmsCommand::Admin(command) => operator::run(&settings, command).await,
        }
    }
}

/// How mail leaves, and the mailbox if it does not.
struct Post {
    transport: Arc<dyn Transport>,
    mailbox: Option<Arc<DevMailbox>>,
}

fn post(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Post, Cause> {
    let smtp = &settings.smtp;
    if smtp.host.is_some() {
        let password = read_secret("smtp.password", smtp.password.as_ref(), smtp.password_file.as_deref())?;
        let smtp = SmtpSettings { password, ..smtp.clone() };
        return Ok(Post { transport: Arc::new(SmtpTransport::new(&smtp)?), mailbox: None });
    }
    if !smtp.dev_mailbox {
        return Err(SettingsError::NoMail.into());
    }
    let mailbox = Arc::new(DevMailbox::new(clock));
    Ok(Post { transport: Arc::clone(&mailbox) as Arc<dyn Transport>, mailbox: Some(mailbox) })
}

/// Opens the store and the keyrings that the settings name.
pub(crate) async fn open(settings: &Settings) -> Result<Foundation, Cause> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let records = records::open_synced(settings.storage_url()?.expose(), Arc::clone(&clock)).await?;
    let machine = Machine { records, clock, random: Arc::new(SystemRandom) };
    Ok(Foundation::open(machine, &settings.keyring, &settings.events).await?)
}

/// Everything about users on an open store.
pub(crate) fn identity(foundation: &Foundation, settings: &Settings) -> Result<Arc<Identity>, Cause> {
    let Machine { clock, random, .. } = foundation.machine.clone();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let auth = settings.auth.clone();
    let threads = if auth.bcrypt_threads == 0 { cores } else { auth.bcrypt_threads };
    let hashing = HasherSettings { cost: auth.bcrypt_cost, threads, queue_jobs_max: auth.bcrypt_queue_max };
    Ok(Arc::new(Identity::new(IdentityParts {
        store: foundation.store.clone(),
        index: Arc::clone(&foundation.index),
        hasher: Hasher::start(hashing, Arc::clone(&random))?,
        events: Arc::clone(&foundation.events),
        feed: Arc::clone(&foundation.feed),
        outbox: Outbox::new(MailRepo::new(foundation.store.clone()), Arc::clone(&clock), Arc::clone(&random)),
        clock,
        random,
        auth,
        limits: settings.limits.clone(),
    })))
}

fn uploads(foundation: &Foundation, settings: &Settings) -> Result<Arc<RemoteUploads>, Cause> {
    let keys = settings.internal.service_keys()?;
    let secret = keys.get(ServiceName::Data).ok_or(SettingsError::NoDataSecret)?;
    let Machine { clock, random, .. } = foundation.machine.clone();
    let route = (ServiceName::Kms, ServiceName::Data);
    let tokens = ServiceTokens::new(Arc::clone(secret), route, clock, random);
    let source = Arc::new(move || tokens.current().map_err(Into::into));
    Ok(Arc::new(RemoteUploads(InternalData::new(settings.data_url()?, source)?)))
}

/// Builds the service with the storage that the settings name, and starts what it does in the background.
///
/// Storage that is away is waited for: whoever starts everything at once need not know an order, and whoever starts it
/// anew in the middle of an outage need not come back. Until then nothing listens, for the root key is checked against
/// what is stored before anything is done with it.
pub async fn build(settings: &Settings) -> Result<Service, Cause> {
    let foundation = loop {
        match open(settings).await {
            Err(cause) if is_away(&*cause) => {
                tracing::warn!(error = &*cause as &dyn Error, "the storage is away; it is waited for");
                tokio::time::sleep(STORAGE_RETRY).await;
            }
            opened => break opened?,
        }
    };
    let uploads = uploads(&foundation, settings)?;
    assemble(foundation, uploads, settings)
}

/// Whether it is for the storage to come back, and for nobody to change a setting.
fn is_away(cause: &(dyn Error + Send + Sync + 'static)) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(cause);
    while let Some(error) = next {
        if matches!(
            error.downcast_ref(),
            Some(StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. })
        ) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Builds the service on an open store.
pub(crate) fn assemble(
    foundation: Foundation,
    uploads: Arc<dyn crate::domain::filekeys::Uploads>,
    settings: &Settings,
) -> Result<Service, Cause> {
    warn_of_openness(settings);
    let identity = identity(&foundation, settings)?;
    let (file_keys, pool) = foundation.file_keys(&settings.files, uploads)?;
    let clock = Arc::clone(&foundation.machine.clock);
    let post = post(settings, Arc::clone(&clock))?;
    let postman = Postman {
        repo: MailRepo::new(foundation.store.clone()),
        addresses: AddressRepo::new(foundation.store.clone()),
        transport: post.transport,
        clock: Arc::clone(&clock),
        deliveries_max: usize::try_from(settings.smtp.connections_max)?,
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(postman.run(identity.outbox().clone()));
    tasks.spawn(Arc::clone(&file_keys).keep_moving());
    tasks.spawn(Arc::clone(&file_keys).keep_writing_uses());
    if let Some(age) = settings.files.key_age() {
        tasks.spawn(Arc::clone(&file_keys).keep_rotating(age));
    }
    let used = Arc::clone(&file_keys);

    // Whoever reaches the development mailbox reads every code: nobody but this machine may.
    let mailbox = post.mailbox.filter(|_| settings.http.internal_bind.ip().is_loopback());
    let keys = settings.internal.service_keys()?;
    let parts = Parts {
        identity,
        file_keys,
        mailbox,
        service_keys: keys.clone(),
        events: Arc::clone(&foundation.events),
        feed: Arc::clone(&foundation.feed),
        keyrings: Arc::clone(&foundation.keyrings),
    };
    let records = Arc::clone(&foundation.machine.records);
    let (public, internal) = (parts.clone(), parts.clone());
    Ok(Service::new(ServiceName::Kms, &settings.http)
        .authenticator(Arc::new(parts))
        .service_keys(keys)
        .clock(clock)
        .openapi(routes::OPENAPI)
        .check("records", move || {
            let records = Arc::clone(&records);
            async move { records.ping().await }
        })
        .public(move |app| routes::public(app, &public))
        .internal(move |app| routes::internal(app, &internal))
        .at_stop(move || async move {
            tasks.shutdown().await;
            used.write_uses().await;
            pool.close().await;
            drop(foundation);
        }))
}

fn warn_of_openness(settings: &Settings) {
    if settings.files.shared_names {
        tracing::warn!(
            "files.shared_names is on: all files share one name space, and the data service asks nobody \
             for a session; only the keys are guarded"
        );
    }
}

#[async_trait]
impl Authenticator for Parts {
    async fn authenticate(&self, token: &Token) -> Result<Principal, AuthenticationError> {
        match self.identity.check_session(token.expose()).await {
            Ok(Some(live)) => Ok(live.principal()),
            Ok(None) => Err(AuthenticationError::Invalid),
            Err(error) => Err(AuthenticationError::Unavailable(error.into())),
        }
    }

    async fn authenticate_lately(&self, token: &Token) -> Result<Principal, AuthenticationError> {
        let lately = self.identity.lately_live(token.expose()).await;
        let lately = lately.map_err(|error| AuthenticationError::Unavailable(error.into()))?;
        lately.ok_or(AuthenticationError::Invalid)
    }
}
