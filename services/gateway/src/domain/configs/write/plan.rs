//! One commit in the making: what it guards, what it writes, and what it tells of that.
//!
//! Everything that keeps history, bytes and the log of changes right is here, so every change goes through it.

use coffer_core::SecretBytes;
use coffer_store::records::{SealedCommit, Sort, StoreError};

use super::super::holder::Found;
use super::super::schema::Checked;
use super::super::space::OpenSpace;
use super::super::{ConfigsError, Holder};
use crate::repo::configs::{Change, ChangeRecord, Entry, Kept, Op, keys, log_charge, seal};

/// What a guard was for.
#[derive(Debug)]
pub(super) enum Guarded {
    /// The name space is still ours.
    Owner,
    /// There is no configuration of this key yet.
    Absent { key: String },
    /// Nobody changed it meanwhile.
    Unchanged,
    /// There is room in the name space.
    Room,
}

/// A value as it is to be stored.
#[derive(Clone, Copy)]
pub(in super::super) struct Content<'a> {
    pub(in super::super) value: &'a str,
    pub(in super::super) category: Category<'a>,
    /// The schema that comes with it; the one that there is if none does.
    pub(in super::super) schema: Option<&'a str>,
}

/// What becomes of a category.
#[derive(Clone, Copy)]
pub(in super::super) enum Category<'a> {
    /// It stays as it is.
    Keep,
    /// It is this, or none.
    Set(Option<&'a str>),
}

impl<'a> Category<'a> {
    /// The one that a caller gives, if any.
    pub(in super::super) fn given(category: Option<&'a str>) -> Self {
        category.map_or(Self::Keep, |category| Self::Set(Some(category)))
    }
}

/// A commit, and what its guards were for, in their order.
pub(super) struct Made {
    pub(super) commit: SealedCommit,
    pub(super) guards: Vec<Guarded>,
    /// What the entry of the log counts for, in bytes; nothing if there is none.
    pub(super) log_bytes: i64,
}

pub(in super::super) struct Plan<'a> {
    holder: &'a Holder,
    space: &'a OpenSpace,
    commit: SealedCommit,
    guards: Vec<Guarded>,
    changes: Vec<Change>,
    bytes: i64,
}

impl<'a> Plan<'a> {
    pub(in super::super) fn new(holder: &'a Holder, space: &'a OpenSpace) -> Self {
        let commit = SealedCommit::new().at_version(&keys::owner(), space.owner);
        Self { holder, space, commit, guards: vec![Guarded::Owner], changes: Vec::new(), bytes: 0 }
    }

    /// By how much more is used afterwards, in bytes.
    pub(super) fn bytes(&self) -> i64 {
        self.bytes
    }

    /// Makes a configuration.
    pub(in super::super) fn create(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let sort = self.holder.sort(self.space, &entry.key, &entry.environment);
        self.absent(&sort, &entry.key);
        self.put(&sort, entry)?;
        self.bytes += whole(entry.charge());
        self.changes.push(Change::of(Op::Created, entry));
        Ok(())
    }

    /// Gives a configuration a new value, and perhaps another environment; the old value goes to the history.
    pub(in super::super) fn update(
        &mut self,
        Checked { found, content }: Checked<'_>,
        environment: Option<&str>,
    ) -> Result<Entry, ConfigsError> {
        let Found { entry: old, sort, version } = found;
        let mut new = Entry {
            value: content.value.to_owned(),
            category: match content.category {
                Category::Keep => old.category.clone(),
                Category::Set(new) => new.map(str::to_owned),
            },
            environment: environment.unwrap_or(&old.environment).to_owned(),
            schema: content.schema.map(str::to_owned).or_else(|| old.schema.clone()),
            version: old.version + 1,
            updated_at: self.holder.configs().0.clock.now(),
            ..old.clone()
        };
        self.with(Guarded::Unchanged, |commit| commit.at_version(&sort, version));
        let kept_bytes = self.keep(&old, &mut new)?;
        self.bytes += whole(new.charge()) - whole(old.charge()) + kept_bytes;
        if new.environment == old.environment {
            self.put(&sort, &new)?;
            self.changes.push(Change::of(Op::Updated, &new).after(&old));
        } else {
            let target = self.holder.sort(self.space, &new.key, &new.environment);
            self.absent(&target, &new.key);
            self.edit(|commit| commit.delete(&sort));
            self.put(&target, &new)?;
            self.changes.push(Change::of(Op::Deleted, &old));
            self.changes.push(Change::of(Op::Created, &new));
        }
        Ok(new)
    }

    /// Gives a configuration a schema, or takes it away. Its value stays the version that it is.
    pub(in super::super) fn set_schema(
        &mut self,
        Found { entry: old, sort, version }: Found,
        schema: Option<String>,
    ) -> Result<Entry, StoreError> {
        let new = Entry { schema, ..old.clone() };
        self.with(Guarded::Unchanged, |commit| commit.at_version(&sort, version));
        self.bytes += whole(new.charge()) - whole(old.charge());
        self.put(&sort, &new)?;
        Ok(new)
    }

    /// Guards that nobody changes what was found.
    pub(in super::super) fn unchanged(&mut self, found: &Found) {
        self.with(Guarded::Unchanged, |commit| commit.at_version(&found.sort, found.version));
    }

    /// Deletes a configuration with its history.
    pub(super) fn delete(&mut self, found: &Found) {
        let Found { entry, sort, version } = found;
        self.with(Guarded::Unchanged, |commit| commit.at_version(sort, *version));
        self.edit(|commit| commit.delete(sort));
        for kept in &entry.kept {
            self.edit(|commit| commit.delete(&keys::history(entry.id, kept.version)));
        }
        self.bytes -= whole(entry.charge_in_all());
        self.changes.push(Change::of(Op::Deleted, entry));
    }

    /// Moves a value to the history, and what is too old out of it; answers by how many bytes that changes.
    fn keep(&mut self, old: &Entry, new: &mut Entry) -> Result<i64, StoreError> {
        let versions_max = usize::from(self.holder.configs().0.settings.versions_per_config_max);
        let mut bytes = 0;
        if versions_max > 0 {
            let past = Entry { kept: Vec::new(), schema: None, ..old.clone() };
            let charge = past.charge();
            self.put(&keys::history(old.id, old.version), &past)?;
            new.kept.push(Kept { version: old.version, charge });
            bytes += whole(charge);
        }
        let excess = new.kept.len().saturating_sub(versions_max);
        for kept in new.kept.drain(..excess) {
            self.edit(|commit| commit.delete(&keys::history(old.id, kept.version)));
            bytes -= whole(kept.charge);
        }
        Ok(bytes)
    }

    /// The commit.
    pub(super) fn make(mut self) -> Result<Made, StoreError> {
        if self.bytes != 0 {
            let (counter, bytes) = (keys::bytes(), self.bytes);
            if bytes > 0 {
                let room = whole(self.holder.configs().0.settings.space_bytes_max) - bytes;
                self.with(Guarded::Room, |commit| commit.counter_within(&counter, i64::MIN + 1..=room));
            }
            self.edit(|commit| commit.add(&counter, bytes, None));
        }
        let inner = &self.holder.configs().0;
        if self.changes.is_empty() {
            return Ok(Made { commit: self.commit, guards: self.guards, log_bytes: 0 });
        }
        let record = ChangeRecord { at: inner.clock.now(), changes: std::mem::take(&mut self.changes) };
        let log = keys::changes();
        let sealed = SecretBytes::new(seal(&self.space.keys, &*inner.random, &log, &record)?);
        let log_bytes = log_charge(sealed.expose().len());
        let until = record.at.plus(inner.settings.watch_retention());
        // The last of the counters, as `Holder::commit` expects it.
        self.edit(|commit| commit.append(&log, sealed, Some(until)).add(&keys::log_bytes(), log_bytes, None));
        Ok(Made { commit: self.commit, guards: self.guards, log_bytes })
    }

    fn put(&mut self, sort: &Sort, entry: &Entry) -> Result<(), StoreError> {
        let sealed = seal(&self.space.keys, &*self.holder.configs().0.random, sort, entry)?;
        self.edit(|commit| commit.put(sort, SecretBytes::new(sealed), None));
        Ok(())
    }

    fn absent(&mut self, sort: &Sort, key: &str) {
        self.with(Guarded::Absent { key: key.to_owned() }, |commit| commit.absent(sort));
    }

    fn with(&mut self, guarded: Guarded, guard: impl FnOnce(SealedCommit) -> SealedCommit) {
        self.guards.push(guarded);
        self.edit(guard);
    }

    fn edit(&mut self, edit: impl FnOnce(SealedCommit) -> SealedCommit) {
        self.commit = edit(std::mem::take(&mut self.commit));
    }
}

/// Bytes as a counter has them; settings keep them far below its limit.
fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
