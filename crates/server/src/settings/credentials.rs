//! Turns `internal.*` into the secrets that services share.

use std::sync::Arc;

use coffer_auth::service_token::{ServiceName, ServiceSecret, ServiceTokenError};

use super::{InternalSettings, SecretError, read_secret};
use crate::service_caller::ServiceKeys;

/// Why the secrets between services are not usable.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// None is set.
    #[error(
        "`internal.secret` is not set: make one with `openssl rand -base64 32`, give it to this service, \
         and to the KMS as `internal.services.{service}.secret`"
    )]
    Missing {
        /// The service that has none.
        service: ServiceName,
    },
    /// It could not be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It is not one.
    #[error("setting `{setting}`")]
    Invalid {
        /// The setting.
        setting: String,
        /// What is wrong with it.
        #[source]
        source: ServiceTokenError,
    },
}

impl InternalSettings {
    /// The secret that `service` shares with the KMS.
    pub fn own_secret(&self, service: ServiceName) -> Result<Arc<ServiceSecret>, CredentialError> {
        let text = read_secret("internal.secret", self.secret.as_ref(), self.secret_file.as_deref())?
            .ok_or(CredentialError::Missing { service })?;
        let invalid = |source| CredentialError::Invalid { setting: "internal.secret".to_owned(), source };
        ServiceSecret::new(text).map(Arc::new).map_err(invalid)
    }

    /// What the KMS shares with each service that it knows.
    pub fn service_keys(&self) -> Result<ServiceKeys, CredentialError> {
        let mut keys = ServiceKeys::default();
        for (name, credential) in &self.services {
            let setting = format!("internal.services.{name}.secret");
            let invalid = |source| CredentialError::Invalid { setting: setting.clone(), source };
            let service: ServiceName = name.parse().map_err(invalid)?;
            let text = read_secret(&setting, credential.secret.as_ref(), credential.secret_file.as_deref())?
                .ok_or_else(|| invalid(ServiceTokenError::ShortSecret))?;
            keys = keys.with(service, Arc::new(ServiceSecret::new(text).map_err(invalid)?));
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::SecretString;

    use super::*;
    use crate::settings::ServiceCredential;

    #[test]
    fn a_service_without_a_secret_is_told_how_to_make_one() {
        let error = InternalSettings::default().own_secret(ServiceName::Data).unwrap_err().to_string();
        assert!(error.contains("openssl rand") && error.contains("internal.services.data.secret"));
    }

    #[test]
    fn a_short_secret_and_an_unknown_service_are_refused_by_name() {
        let with = |name: &str, secret: &str| {
            let secret = Some(SecretString::from(secret));
            let credential = ServiceCredential { secret, secret_file: None };
            InternalSettings { services: [(name.to_owned(), credential)].into(), ..Default::default() }
        };
        let good = "s".repeat(32);
        assert!(with("data", &good).service_keys().unwrap().get(ServiceName::Data).is_some());
        for settings in [with("data", "short"), with("nobody", &good)] {
            let error = settings.service_keys().unwrap_err();
            assert!(error.to_string().contains("internal.services."), "{error}");
            assert!(!format!("{settings:?}{error:?}").contains("ssss"));
        }
    }
}
