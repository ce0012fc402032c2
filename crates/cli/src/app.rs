//! What a command works with: where the servers are, who is logged in, how to speak to both.
//!
//! Every decision on which server may see which token is made here, once.

use std::sync::Arc;

use coffer_client::{DataClient, KmsClient};
use coffer_core::{Clock, EmailAddress, Random, SystemClock, SystemRandom};

use crate::args::{DATA_DEFAULT, Global, KMS_DEFAULT};
use crate::credentials::{Credentials, Store, config_folder};
use crate::error::CliError;
use crate::origin::Origin;
use crate::output::Output;

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
}

/// A session with clients that carry it.
#[derive(Debug)]
pub(crate) struct Session {
    /// Who is logged in.
    pub(crate) email: EmailAddress,
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
        })
    }

    /// The data service for a new session: the one that was named, else the one that the profile used
    /// with this KMS before.
    pub(crate) fn data_for_log_in(&self) -> Result<Origin, CliError> {
        if let Some(data) = &self.data {
            return Ok(data.clone());
        }
        let remembered = self.store.current()?.filter(|servers| servers.kms == self.kms);
        Ok(remembered.map_or_else(|| default(DATA_DEFAULT), |servers| servers.data))
    }

    /// The KMS, asked as nobody.
    pub(crate) fn anonymous(&self) -> Result<KmsClient, CliError> {
        self.warn_if_exposed(&self.kms);
        Ok(KmsClient::new(self.kms.as_str(), None)?)
    }

    /// The session of this profile with this KMS.
    pub(crate) fn session(&self) -> Result<Session, CliError> {
        let not_logged_in = || CliError::NotLoggedIn { kms: self.kms.clone() };
        let found = self.store.load(&self.kms, self.data.as_ref())?.ok_or_else(not_logged_in)?;
        if found.expires_at <= self.clock.now() {
            return Err(CliError::SessionEnded { kms: self.kms.clone() });
        }
        self.warn_if_exposed(&found.servers.kms);
        if found.servers.data.as_str() != found.servers.kms.as_str() {
            self.warn_if_exposed(&found.servers.data);
        }
        Self::clients(found)
    }

    fn clients(found: Credentials) -> Result<Session, CliError> {
        let token: Arc<_> = found.token.into();
        Ok(Session {
            email: found.email,
            kms: KmsClient::new(found.servers.kms.as_str(), Some(Arc::clone(&token)))?,
            data: DataClient::new(found.servers.data.as_str(), Some(token))?,
        })
    }

    fn warn_if_exposed(&self, server: &Origin) {
        if server.is_exposed() {
            self.output
                .warn(&format!("{server} is plain http: passwords and sessions can be read on the way"));
        }
    }
}

fn default(origin: &str) -> Origin {
    origin.parse().expect("the default addresses are origins")
}
