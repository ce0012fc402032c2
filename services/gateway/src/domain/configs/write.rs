//! Making, changing and deleting configurations.

mod plan;

use std::sync::Arc;

use coffer_store::records::StoreError;

use super::model::{Address, Config, DEFAULT_ENVIRONMENT, NewConfig, Update};
use super::read::not_found;
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};
use crate::repo::configs::{Committed, Entry};
use plan::{Guarded, Plan};

/// What came of one try.
enum Tried<T> {
    Done(T),
    /// Somebody came in between.
    Again,
}

impl Holder {
    /// Makes a configuration.
    pub async fn create(&self, new: NewConfig<'_>) -> Result<Config, ConfigsError> {
        self.admit(new.value)?;
        for tried in 0..TRIES_MAX {
            let space = self.space_or_new().await?;
            let now = self.configs().0.clock.now();
            let entry = Entry {
                id: self.configs().number(&space).await?,
                key: new.key.to_owned(),
                environment: new.environment.unwrap_or(DEFAULT_ENVIRONMENT).to_owned(),
                category: new.category.map(str::to_owned),
                value: new.value.to_owned(),
                schema: None,
                version: 1,
                created_at: now,
                updated_at: now,
                kept: Vec::new(),
            };
            let mut plan = Plan::new(self, &space);
            plan.create(&entry)?;
            if let Tried::Done(()) = self.commit(&space, plan).await? {
                return Ok(entry.into());
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Changes a configuration.
    pub async fn update(&self, address: Address<'_>, update: Update<'_>) -> Result<Config, ConfigsError> {
        self.admit(update.value)?;
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Err(not_found(address.key)) };
            if let Some(found) = self.find(&space, address).await? {
                let mut plan = Plan::new(self, &space);
                let entry = plan.update(found?, update)?;
                if let Tried::Done(()) = self.commit(&space, plan).await? {
                    return Ok(entry.into());
                }
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Deletes a configuration and its history.
    pub async fn delete(&self, address: Address<'_>) -> Result<(), ConfigsError> {
        for tried in 0..TRIES_MAX {
            let Some(space) = self.space().await? else { return Err(not_found(address.key)) };
            if let Some(found) = self.find(&space, address).await? {
                let mut plan = Plan::new(self, &space);
                plan.delete(&found?);
                if let Tried::Done(()) = self.commit(&space, plan).await? {
                    return Ok(());
                }
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Whether a value may be stored at all.
    fn admit(&self, value: &str) -> Result<(), ConfigsError> {
        let bytes_max = self.configs().0.settings.value_bytes_max;
        if value.len() > bytes_max { Err(ConfigsError::ValueTooLarge { bytes_max }) } else { Ok(()) }
    }

    /// Commits a plan, if there is room for it.
    async fn commit(&self, space: &Arc<OpenSpace>, plan: Plan<'_>) -> Result<Tried<()>, ConfigsError> {
        let inner = &self.configs().0;
        let bytes = plan.bytes();
        let spent = inner.quota.spend(bytes).await?;
        let made = plan.make()?;
        match inner.repo.commit(&space.keys, made.commit).await {
            Ok(Committed::At(..)) => {
                spent.keep();
                if bytes < 0 {
                    inner.quota.free(-bytes).await;
                }
                Ok(Tried::Done(()))
            }
            Ok(Committed::Refused(guard)) => match made.guards.into_iter().nth(guard) {
                Some(Guarded::Absent { key }) => Err(ConfigsError::Exists { key }),
                Some(Guarded::Room) => Err(ConfigsError::Full { what: "this name space is full" }),
                Some(Guarded::Owner) => {
                    self.derived().learn(None);
                    Ok(Tried::Again)
                }
                Some(Guarded::Unchanged) | None => Ok(Tried::Again),
            },
            Err(error) => {
                if matches!(error, StoreError::OutcomeUnknown { .. }) {
                    spent.keep();
                }
                Err(error.into())
            }
        }
    }
}
