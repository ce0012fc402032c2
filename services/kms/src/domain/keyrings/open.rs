//! Opening the keyrings at start, and making them on the first one.

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::keyring::Keyring;
use coffer_crypto::root::RootKey;
use moka::sync::Cache;

use super::{KeyringParts, Keyrings, KeyringsError, Ring, RootSecret, SERVICES};
use crate::config::KeyringSettings;
use crate::repo::keyring::{KeyringRecord, KeyringRepo, RootRecord};

/// Places that were handed a keyring, of which is remembered that it was recorded.
const HANDOVERS_MAX: u64 = 1024;
/// For how long.
const HANDOVER_NEWS: Duration = Duration::from_hours(1);

impl Keyrings {
    /// Opens the keyrings of this store with the root key of `secret`, and makes both on the first start.
    /// With another root key nothing is changed.
    pub async fn open(
        parts: KeyringParts,
        secret: &RootSecret,
        settings: &KeyringSettings,
    ) -> Result<Self, KeyringsError> {
        let repo = KeyringRepo::new(Arc::clone(&parts.store));
        let root = match repo.root().await? {
            Some(record) => checked(secret, &record)?,
            None => begin(&repo, &parts, secret).await?,
        };
        let mut rings = Vec::with_capacity(SERVICES.len());
        for service in SERVICES {
            rings.push(open_ring(&repo, &parts, &root, service).await?);
        }
        let told = Cache::builder().max_capacity(HANDOVERS_MAX).time_to_live(HANDOVER_NEWS).build();
        Ok(Self { parts, repo, root, rings, due: settings.into(), told })
    }
}

fn checked(secret: &RootSecret, record: &RootRecord) -> Result<RootKey, KeyringsError> {
    let root = secret.root_key(record.password.as_ref())?;
    root.check(&record.verifier).map_err(KeyringsError::WrongRootKey)?;
    Ok(root)
}

async fn begin(
    repo: &KeyringRepo,
    parts: &KeyringParts,
    secret: &RootSecret,
) -> Result<RootKey, KeyringsError> {
    let params = secret.make_params(&*parts.random);
    let root = secret.root_key(params.as_ref())?;
    let now = parts.clock.now();
    let verifier = root.verifier().to_vec();
    let keyrings = SERVICES.map(|service| (service, make_keyring(parts, &root, service)));
    if repo.create(&RootRecord { verifier, password: params, created_at: now }, &keyrings).await? {
        tracing::info!("first start: made the keyrings");
        return Ok(root);
    }
    // Another process was first. With a password, its salt counts and not ours.
    let record = repo.root().await?.ok_or(KeyringsError::Vanished)?;
    checked(secret, &record)
}

fn make_keyring(parts: &KeyringParts, root: &RootKey, service: &str) -> KeyringRecord {
    let now = parts.clock.now();
    let keyring = Keyring::create(now, &*parts.random);
    let wrapped = keyring.wrap(&root.derive_wrapping_key(service), &*parts.random);
    KeyringRecord { wrapped, active_since: now, pending: None }
}

async fn open_ring(
    repo: &KeyringRepo,
    parts: &KeyringParts,
    root: &RootKey,
    service: &'static str,
) -> Result<Ring, KeyringsError> {
    let wrapping = root.derive_wrapping_key(service);
    let mut stored = repo.keyring(service).await?;
    if stored.is_none() {
        // A service that this store was not begun with. Whoever comes first makes its keyring.
        repo.replace(service, None, &make_keyring(parts, root, service)).await?;
        stored = repo.keyring(service).await?;
    }
    let (record, _) = stored.ok_or(KeyringsError::Vanished)?;
    let keyring = Keyring::unwrap(&wrapping, &record.wrapped)
        .map_err(|source| KeyringsError::Unwrap { service: service.to_owned(), source })?;
    Ok(Ring { service, keyring: Arc::new(keyring), wrapping })
}
