//! Taking over what other processes changed, and rotating by age and by use.

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::keyring::{KeyId, Keyring, KeyringError};
use coffer_store::records::Version;

use super::{KMS, Keyrings, KeyringsError, Ring, SPREAD, TICK};
use crate::domain::events::{Action, Actor, Event, Events};
use crate::repo::keyring::{KeyringRecord, Pending};

/// However much a version is used, it stays active at least so long.
const ACTIVE_MIN: Duration = Duration::from_hours(1);

/// What this process changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It made a version, which is being spread.
    Made(&'static str, KeyId),
    /// It activated a version.
    Activated(&'static str, KeyId),
}

impl Change {
    fn event(self) -> Event {
        let action = match self {
            Self::Made(service, KeyId(version)) => {
                Action::KeyringVersionMade { service: service.to_owned(), version }
            }
            Self::Activated(service, KeyId(version)) => {
                Action::KeyringRotated { service: service.to_owned(), version }
            }
        };
        Event::new(action).by(Actor::Operator)
    }
}

impl Keyrings {
    /// Takes over what other processes have changed, and makes or activates a version where one is due.
    pub async fn tick(&self) -> Result<Vec<Change>, KeyringsError> {
        let mut changes = Vec::new();
        for ring in &self.rings {
            changes.extend(self.tick_ring(ring).await?);
        }
        Ok(changes)
    }

    async fn tick_ring(&self, ring: &Ring) -> Result<Option<Change>, KeyringsError> {
        let (record, version) = self.repo.keyring(ring.service).await?.ok_or(KeyringsError::Vanished)?;
        let stored = ring.unwrap(&record)?;
        ring.adopt(&stored)?;
        let uses = self.count_uses(ring).await?;
        let now = self.parts.clock.now();
        let in_use = now.since(record.active_since);
        match record.pending {
            Some(pending) if now >= pending.activate_at => {
                let id = KeyId(pending.version);
                stored.activate(id).map_err(|source| ring.adopt_error(source))?;
                let next = KeyringRecord { active_since: now, pending: None, ..record };
                self.replace(ring, version, &stored, next)
                    .await
                    .map(|done| done.then_some(Change::Activated(ring.service, id)))
            }
            None if in_use >= self.due.age || (uses >= self.due.uses && in_use >= ACTIVE_MIN) => {
                let id = stored
                    .add_version(now, &*self.parts.random)
                    .map_err(|source| ring.adopt_error(source))?;
                let pending = Some(Pending { version: id.0, activate_at: now.plus(SPREAD) });
                let next = KeyringRecord { pending, ..record };
                self.replace(ring, version, &stored, next)
                    .await
                    .map(|done| done.then_some(Change::Made(ring.service, id)))
            }
            _ => Ok(None),
        }
    }

    /// Keeps `stored`, unless another process was faster; its change is then taken over at the next tick.
    async fn replace(
        &self,
        ring: &Ring,
        version: Version,
        stored: &Keyring,
        record: KeyringRecord,
    ) -> Result<bool, KeyringsError> {
        let wrapped = stored.wrap(&ring.wrapping, &*self.parts.random);
        let record = KeyringRecord { wrapped, ..record };
        let done = self.repo.replace(ring.service, Some(version), &record).await?;
        if done {
            ring.adopt(stored)?;
        }
        Ok(done)
    }

    async fn count_uses(&self, ring: &Ring) -> Result<u64, KeyringsError> {
        if ring.service != KMS {
            return Ok(0);
        }
        let (version, uses_more) = ring.keyring.take_sealings();
        Ok(self.repo.count_uses(ring.service, version, uses_more).await?)
    }
}

impl Ring {
    fn unwrap(&self, record: &KeyringRecord) -> Result<Keyring, KeyringsError> {
        Keyring::unwrap(&self.wrapping, &record.wrapped)
            .map_err(|source| KeyringsError::Unwrap { service: self.service.to_owned(), source })
    }

    fn adopt(&self, stored: &Keyring) -> Result<(), KeyringsError> {
        self.keyring.adopt(stored).map_err(|source| self.adopt_error(source))
    }

    fn adopt_error(&self, source: KeyringError) -> KeyringsError {
        KeyringsError::Adopt { service: self.service.to_owned(), source }
    }
}

/// Ticks until it is dropped, and records what was changed.
pub async fn keep_rotating(keyrings: Arc<Keyrings>, events: Arc<Events>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let changes = match keyrings.tick().await {
            Ok(changes) => changes,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the keyrings could not be looked after"
                );
                continue;
            }
        };
        for change in changes {
            tracing::info!(?change, "a keyring changed");
            if let Err(error) = events.record(change.event()).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a change of a keyring was not recorded"
                );
            }
        }
    }
}
