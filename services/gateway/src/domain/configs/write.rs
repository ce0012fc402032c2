//! Making, changing and deleting configurations.

mod plan;

use coffer_store::records::StoreError;

use super::holder::Found;
use super::model::{Address, Condition, Config, DEFAULT_ENVIRONMENT, NewConfig, Update};
use super::space::{OpenSpace, TRIES_MAX};
use super::{ConfigsError, Holder};
use crate::repo::configs::{Committed, Entry};
use plan::Guarded;

pub(super) use plan::{Category, Content, Plan};

/// What came of one try.
pub(super) enum Tried<T> {
    Done(T),
    /// Somebody came in between.
    Again,
}

impl<T> Tried<T> {
    pub(super) fn map<U>(self, of: impl FnOnce(T) -> U) -> Tried<U> {
        match self {
            Self::Done(done) => Tried::Done(of(done)),
            Self::Again => Tried::Again,
        }
    }
}

impl Holder {
    /// Makes a configuration.
    pub async fn create(&self, new: NewConfig<'_>) -> Result<Config, ConfigsError> {
        self.admit(new.value)?;
        for tried in 0..TRIES_MAX {
            let space = self.space_or_new().await?;
            if let Tried::Done(made) = self.create_in(&space, new).await? {
                return Ok(made);
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Makes a configuration, or gives the one that there is a new value.
    pub async fn put(&self, new: NewConfig<'_>, condition: Condition) -> Result<Config, ConfigsError> {
        self.admit(new.value)?;
        let environment = Some(new.environment.unwrap_or(DEFAULT_ENVIRONMENT));
        for tried in 0..TRIES_MAX {
            let space = match condition {
                // What must be there is in no name space that is yet to be made.
                Condition::Version(_) => {
                    self.space().await?.ok_or(ConfigsError::Conflict { version: None })?
                }
                _ => self.space_or_new().await?,
            };
            if let Some(found) = self.find(&space, Address { key: new.key, environment }).await? {
                let done = match found {
                    Ok(found) => {
                        condition.check(Some(found.entry.version))?;
                        let content = Content {
                            value: new.value,
                            category: Category::given(new.category),
                            schema: None,
                        };
                        self.replace(&space, found, content).await?
                    }
                    Err(ConfigsError::NotFound { .. }) => {
                        condition.check(None)?;
                        match self.create_in(&space, new).await {
                            Err(ConfigsError::Exists { .. }) => Tried::Again,
                            outcome => outcome?,
                        }
                    }
                    Err(error) => return Err(error),
                };
                if let Tried::Done(config) = done {
                    return Ok(config);
                }
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Changes a configuration.
    pub async fn update(&self, address: Address<'_>, update: Update<'_>) -> Result<Config, ConfigsError> {
        self.admit(update.value)?;
        for tried in 0..TRIES_MAX {
            let (space, found) = self.found(address).await?;
            let mut plan = Plan::new(self, &space);
            let content =
                Content { value: update.value, category: Category::given(update.category), schema: None };
            let entry = plan.update(self.checked(found, content).await?, update.environment)?;
            if let Tried::Done(()) = self.commit(&space, plan).await? {
                return Ok(entry.into());
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    /// Deletes a configuration and its history.
    pub async fn delete(&self, address: Address<'_>) -> Result<(), ConfigsError> {
        self.delete_if(address, Condition::None).await.map(drop)
    }

    /// Deletes a configuration and its history, if the condition holds; answers what there was.
    pub async fn delete_if(
        &self,
        address: Address<'_>,
        condition: Condition,
    ) -> Result<Config, ConfigsError> {
        for tried in 0..TRIES_MAX {
            let (space, found) = self.found(address).await?;
            condition.check(Some(found.entry.version))?;
            let mut plan = Plan::new(self, &space);
            plan.delete(&found);
            if let Tried::Done(()) = self.commit(&space, plan).await? {
                return Ok(found.entry.into());
            }
            self.configs().pause(tried).await;
        }
        Err(ConfigsError::Contended)
    }

    async fn create_in(&self, space: &OpenSpace, new: NewConfig<'_>) -> Result<Tried<Config>, ConfigsError> {
        let environment = new.environment.unwrap_or(DEFAULT_ENVIRONMENT).to_owned();
        let name = (self.configs().number(space).await?, new.key.to_owned(), environment);
        let content = (new.value.to_owned(), new.category.map(str::to_owned));
        let entry = Entry::first(name, content, self.configs().0.clock.now());
        let mut plan = Plan::new(self, space);
        plan.create(&entry)?;
        Ok(self.commit(space, plan).await?.map(|()| entry.into()))
    }

    /// Gives a configuration that was found a new value.
    pub(super) async fn replace(
        &self,
        space: &OpenSpace,
        found: Found,
        content: Content<'_>,
    ) -> Result<Tried<Config>, ConfigsError> {
        let mut plan = Plan::new(self, space);
        let entry = plan.update(self.checked(found, content).await?, None)?;
        Ok(self.commit(space, plan).await?.map(|()| entry.into()))
    }

    /// Whether a value may be stored at all.
    pub(super) fn admit(&self, value: &str) -> Result<(), ConfigsError> {
        let bytes_max = self.configs().0.settings.value_bytes_max;
        if value.len() > bytes_max { Err(ConfigsError::ValueTooLarge { bytes_max }) } else { Ok(()) }
    }

    /// Commits a plan, if there is room for it.
    pub(super) async fn commit(&self, space: &OpenSpace, plan: Plan<'_>) -> Result<Tried<()>, ConfigsError> {
        let inner = &self.configs().0;
        let bytes = plan.bytes();
        let spent = match inner.quota.spend(bytes).await {
            Err(ConfigsError::Full { .. }) => {
                self.give_log_up(space).await?;
                inner.quota.spend(bytes).await?
            }
            spent => spent?,
        };
        let made = plan.make()?;
        let spent = spent.and_owe(made.log_bytes);
        match inner.repo.commit(&space.keys, made.commit).await {
            Ok(Committed::At(_, counters)) => {
                spent.keep();
                if bytes < 0 {
                    inner.quota.free(-bytes).await;
                }
                if let (Some(log_bytes), 1..) = (counters.last(), made.log_bytes) {
                    self.keep_log_short(space, *log_bytes).await;
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
