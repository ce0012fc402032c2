//! What a command works with: where the servers are, who is logged in, how to speak to both.
//!
//! Every decision on which server may see which token is made here, once.

use std::sync::Arc;

use coffer_client::{ConfigsClient, DataClient, GatewayClient, KmsClient};
use coffer_core::{Clock, EmailAddress, Random, SystemClock, SystemRandom};

use crate::args::{DATA_DEFAULT, GATEWAY_DEFAULT, Global, KMS_DEFAULT};
use crate::credentials::{Credentials, Servers, Store, config_folder};
use crate::error::CliError;
use crate::origin::Origin;
use crate::output::Output;
use crate::user_key::Keys;

/// The program's surroundings.
#[derive(Debug)]
pub(crate) struct App {
    /// Where results and notes go.
    pub(crate) output: Output,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness for content keys.
    pub(crate) random: Arc<dyn Random>,
    /// The files with sessions.
    pub(crate) store: Store,
    /// The KMS that is meant.
    pub(crate) kms: Origin,
    /// The data service, when the command line names one.
    data: Option<Origin>,
    /// The gateway, when the command line names one.
    gateway: Option<Origin>,
}

/// A session with clients that carry it.
#[derive(Debug)]
pub(crate) struct Session {
    /// Who is logged in.
    pub(crate) email: EmailAddress,
    /// Where the session is good.
    pub(crate) servers: Servers,
    /// The KMS, asked as that user.
    pub(crate) kms: KmsClient,
    /// The data service, asked as that user.
    pub(crate) data: DataClient,
}

impl App {
    /// Finds out what the global options and the profile's memory mean.
    pub(crate) fn open(global: &Global) -> Result<Self, CliError> {
        let store = Store::new(&config_folder(|name| std::env::var_os(name))?, &global.profile);
        let kms = match &global.kms {
            Some(kms) => kms.clone(),
            None => store.current()?.map_or_else(|| default(KMS_DEFAULT), |servers| servers.kms),
        };
        Ok(Self {
            output: Output { json: global.json, quiet: global.quiet },
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            store,
            kms,
            data: global.data.clone(),
            gateway: global.gateway.clone(),
        })
    }

    /// The servers of a new session: those that were named, else those that the profile used with this KMS before.
    pub(crate) fn servers_for_log_in(&self) -> Result<Servers, CliError> {
        let remembered = self.store.current()?.filter(|servers| servers.kms == self.kms);
        let (data, gateway) = remembered.map(|servers| (servers.data, servers.gateway)).unzip();
        let data = self.data.clone().or(data).unwrap_or_else(|| default(DATA_DEFAULT));
        let gateway = self.gateway.clone().or(gateway.flatten()).unwrap_or_else(|| default(GATEWAY_DEFAULT));
        Ok(Servers { kms: self.kms.clone(), data, gateway: Some(gateway) })
    }

    /// The KMS, asked as nobody.
    pub(crate) fn anonymous(&self) -> Result<KmsClient, CliError> {
        self.warn_if_exposed(&self.kms);
        Ok(KmsClient::new(self.kms.as_str(), None)?)
    }

    /// The session of this profile with this KMS.
    pub(crate) fn session(&self) -> Result<Session, CliError> {
        let found = self.credentials()?;
        if found.servers.data.as_str() != found.servers.kms.as_str() {
            self.warn_if_exposed(&found.servers.data);
        }
        Self::clients(found)
    }

    /// The gateway of this profile's session with this KMS.
    pub(crate) fn gateway(&self) -> Result<GatewayClient, CliError> {
        let found = self.credentials()?;
        let gateway = found.servers.gateway_for(self.gateway.as_ref())?;
        if gateway != &found.servers.kms {
            self.warn_if_exposed(gateway);
        }
        Ok(GatewayClient::new(gateway.as_str(), Some(found.token.into()))?)
    }

    /// Configurations at the gateway, for whoever has this user key: no log-in is needed. Where the profile has a session
    /// that is good and is for this gateway, it goes along, for deployments that ask for one.
    pub(crate) fn configs(&self, keys: Keys) -> Result<ConfigsClient, CliError> {
        // A session that cannot be had is no failure: what needs one is refused by the gateway, which says so.
        let found = self.store.load(&self.kms, self.data.as_ref()).ok().flatten();
        let found = found.filter(|found| found.expires_at > self.clock.now());
        let remembered = || self.store.current().ok().flatten().and_then(|servers| servers.gateway);
        let gateway = match &self.gateway {
            Some(gateway) => gateway.clone(),
            None => remembered().unwrap_or_else(|| default(GATEWAY_DEFAULT)),
        };
        let token = found.filter(|found| found.servers.gateway.as_ref() == Some(&gateway));
        let token = token.map(|found| Arc::new(found.token));
        self.warn_if_exposed(&gateway);
        let client = ConfigsClient::new(gateway.as_str(), Arc::new(keys.user_key), token)?;
        Ok(match keys.api_key {
            Some(api_key) => client.with_api_key(Arc::new(api_key)),
            None => client,
        })
    }

    /// A session that is still good, and a warning where its KMS is asked in the open.
    fn credentials(&self) -> Result<Credentials, CliError> {
        let not_logged_in = || CliError::NotLoggedIn { kms: self.kms.clone() };
        let found = self.store.load(&self.kms, self.data.as_ref())?.ok_or_else(not_logged_in)?;
        if found.expires_at <= self.clock.now() {
            return Err(CliError::SessionEnded { kms: self.kms.clone() });
        }
        self.warn_if_exposed(&found.servers.kms);
        Ok(found)
    }

    fn clients(found: Credentials) -> Result<Session, CliError> {
        let token: Arc<_> = found.token.into();
        Ok(Session {
            email: found.email,
            kms: KmsClient::new(found.servers.kms.as_str(), Some(Arc::clone(&token)))?,
            data: DataClient::new(found.servers.data.as_str(), Some(token))?,
            servers: found.servers,
        })
    }

    fn warn_if_exposed(&self, server: &Origin) {
        if server.is_exposed() {
            self.output.warn(&format!(
                "{server} is plain http: passwords, keys and sessions can be read on the way"
            ));
        }
    }
}

fn default(origin: &str) -> Origin {
    origin.parse().expect("the default addresses are origins")
}
