//! What makes this device recognised by a KMS: it gives log-ins from here an allowance of their own, so
//! that strangers who guess passwords do not lock the owner out. It opens nothing by itself, and it
//! outlives sessions: logging out keeps it.

use std::collections::BTreeMap;

use coffer_api::WireSecret;
use coffer_core::EmailAddress;
use serde::{Deserialize, Serialize};

use super::{CredentialsError, Store, private_file, to_toml};
use crate::origin::Origin;

/// Accounts that are remembered for one KMS; the file stays small.
const DEVICES_MAX: usize = 32;

/// How the devices of one KMS stand in their file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Devices {
    kms: Origin,
    accounts: BTreeMap<String, WireSecret>,
}

impl Store {
    /// The device secret that `kms` gave for this account; none if it is not remembered.
    pub(crate) fn device(&self, kms: &Origin, email: &EmailAddress) -> Option<WireSecret> {
        self.devices(kms).ok()?.accounts.remove(email.as_str())
    }

    /// Remembers the device secret of an account.
    pub(crate) fn remember_device(
        &self,
        kms: &Origin,
        email: &EmailAddress,
        device: WireSecret,
    ) -> Result<(), CredentialsError> {
        // An unreadable file only costs the allowance, so it is begun anew.
        let empty = || Devices { kms: kms.clone(), accounts: BTreeMap::new() };
        let mut devices = self.devices(kms).unwrap_or_else(|_| empty());
        if devices.accounts.len() >= DEVICES_MAX {
            devices.accounts.pop_first();
        }
        devices.accounts.insert(email.as_str().to_owned(), device);
        Ok(private_file::write(&self.path_of(kms, ".devices"), &to_toml(&devices))?)
    }

    fn devices(&self, kms: &Origin) -> Result<Devices, CredentialsError> {
        let path = self.path_of(kms, ".devices");
        let text = private_file::read(&path)?;
        let text = text.as_ref().map_or("", |text| text.as_str());
        match toml::from_str::<Devices>(text) {
            Ok(devices) if devices.kms == *kms => Ok(devices),
            _ => Err(CredentialsError::Damaged { path }),
        }
    }
}
