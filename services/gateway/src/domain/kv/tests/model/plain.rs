//! The plainest reading of what the store promises.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use coffer_api::grants::Permission;
use coffer_core::Timestamp;

use super::super::super::Condition;
use super::SETTINGS;
use super::steps::{Wanted, name, value};
use crate::repo::kv::Op;

const DAY: Duration = Duration::from_hours(24);

/// One version of a key.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) version: u64,
    pub(super) revision: u64,
    pub(super) value: u8,
    pub(super) expires_at: Option<Timestamp>,
    /// Until when it is kept, once it is no longer current.
    until: Option<Timestamp>,
}

/// A key, with its versions: the last is the current one, or was when the key was deleted.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) version: u64,
    versions: Vec<Past>,
    /// Until when the trash has it.
    until: Option<Timestamp>,
}

/// What the model says comes of a step; of one that is done, which key was written.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(u8),
    NotFound,
    Conflict,
    Denied,
}

pub(super) struct Model {
    now: Timestamp,
    pub(super) keys: BTreeMap<u8, Life>,
    pub(super) trash: BTreeMap<u8, Life>,
    pub(super) grants: BTreeMap<u8, (Permission, Option<Timestamp>)>,
    pub(super) told: Vec<(String, Op, u64)>,
    /// What has expired and is not yet told: when, which key, which version.
    expired: BTreeSet<(Timestamp, String, u8, u64)>,
}

impl Model {
    pub(super) fn new(now: Timestamp) -> Self {
        let (keys, trash, grants) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { now, keys, trash, grants, told: Vec::new(), expired: BTreeSet::new() }
    }

    /// Lets the clock show this.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.now = now;
        let is_over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
        self.trash.retain(|_, life| !is_over(life.until));
        self.grants.retain(|_, (_, until)| !is_over(*until));
        let expired: Vec<_> =
            self.keys.extract_if(.., |_, life| is_over(life.current().expires_at)).collect();
        for (at, life) in expired {
            let moment = life.current().expires_at.unwrap();
            self.expired.insert((moment, name(at), at, life.version));
        }
    }

    pub(super) fn collect(&mut self) {
        for (_, name, at, version) in std::mem::take(&mut self.expired) {
            if !self.keys.contains_key(&at) {
                self.told.push((name, Op::Expire, version));
            }
        }
    }

    pub(super) fn condition(&self, at: u8, wanted: Wanted) -> Condition {
        let revision = self.keys.get(&at).map_or(1, |life| life.current().revision);
        match wanted {
            Wanted::Nothing => Condition::None,
            Wanted::Absent => Condition::Absent,
            Wanted::Right => Condition::Revision(revision),
            Wanted::Wrong => Condition::Revision(revision + 1),
        }
    }

    pub(super) fn holds(&self, at: u8, condition: Condition) -> bool {
        let revision = self.keys.get(&at).map(|life| life.current().revision);
        match condition {
            Condition::None => true,
            Condition::Absent => revision.is_none(),
            Condition::Revision(wanted) => revision == Some(wanted),
        }
    }

    pub(super) fn put(
        &mut self,
        at: u8,
        (value, expires_at): (u8, Option<Timestamp>),
        (by_bob, condition): (bool, Condition),
    ) -> Outcome {
        if by_bob && self.access(at) != Some(Permission::Write) {
            return Outcome::Denied;
        }
        if !self.holds(at, condition) {
            return Outcome::Conflict;
        }
        self.write(at, (value, expires_at), Op::Put);
        Outcome::Done(at)
    }

    pub(super) fn delete(&mut self, at: u8, condition: Condition) -> Outcome {
        if !self.keys.contains_key(&at) {
            return Outcome::NotFound;
        }
        if !self.holds(at, condition) {
            return Outcome::Conflict;
        }
        let mut life = self.keys.remove(&at).unwrap();
        let until = earlier(self.now.plus(DAY * u32::from(SETTINGS.trash_days)), life.current().expires_at);
        life.versions.last_mut().unwrap().until = Some(until);
        life.until = Some(until);
        life.trim(0);
        self.told.push((name(at), Op::Delete, life.version));
        self.trash.insert(at, life);
        Outcome::Done(at)
    }

    pub(super) fn restore(&mut self, at: u8, version: u64) -> Outcome {
        let Some(past) = self.history(at).into_iter().find(|past| past.version == version) else {
            return Outcome::NotFound;
        };
        self.write(at, (past.value, past.expires_at), Op::Restore);
        Outcome::Done(at)
    }

    pub(super) fn untrash(&mut self, at: u8) -> Outcome {
        if self.keys.contains_key(&at) {
            return Outcome::Conflict;
        }
        let Some(life) = self.trash.remove(&at) else { return Outcome::NotFound };
        let last = life.current().clone();
        self.keys.insert(at, Life { until: None, ..life });
        self.push(at, (last.value, last.expires_at), Op::Restore);
        Outcome::Done(at)
    }

    pub(super) fn purge(&mut self, at: u8) -> Outcome {
        let Some(life) = self.trash.remove(&at) else { return Outcome::NotFound };
        self.told.push((name(at), Op::Purge, life.version));
        Outcome::Done(at)
    }

    pub(super) fn copy(&mut self, from: u8, to: u8, condition: Condition) -> Outcome {
        let Some(life) = self.keys.get(&from) else { return Outcome::NotFound };
        let (value, expires_at) = (life.current().value, life.current().expires_at);
        self.put(to, (value, expires_at), (false, condition))
    }

    pub(super) fn rename(&mut self, from: u8, to: u8, condition: Condition) -> Outcome {
        let Some(life) = self.keys.get(&from) else { return Outcome::NotFound };
        if !self.holds(to, condition) {
            return Outcome::Conflict;
        }
        if from != to {
            let (value, expires_at) = (life.current().value, life.current().expires_at);
            self.delete(from, Condition::None);
            self.write(to, (value, expires_at), Op::Put);
            return Outcome::Done(to);
        }
        // Nothing is written, so what is current keeps its revision.
        Outcome::Done(from)
    }

    /// The number of a key's current value.
    pub(super) fn value_of(&self, at: u8) -> Option<u8> {
        self.keys.get(&at).map(|life| life.current().value)
    }

    pub(super) fn set_revision(&mut self, at: u8, revision: u64) {
        let current = self.keys.get_mut(&at).and_then(|life| life.versions.last_mut()).unwrap();
        assert!(current.revision == 0 || current.revision == revision);
        current.revision = revision;
    }

    /// The versions of a key that can be read, the current one first.
    pub(super) fn history(&self, at: u8) -> Vec<Past> {
        let versions = self.keys.get(&at).map_or(&[][..], |life| &life.versions);
        versions
            .iter()
            .rev()
            .filter(|past| past.until.is_none_or(|until| self.now < until))
            .cloned()
            .collect()
    }

    pub(super) fn access(&self, at: u8) -> Option<Permission> {
        let granted = [0, at].into_iter().filter_map(|scope| self.grants.get(&scope));
        granted.map(|(permission, _)| *permission).max()
    }

    pub(super) fn plain_bytes(&self) -> i64 {
        let bytes = |life: &Life| i64::try_from(value(life.current().value).len()).unwrap();
        self.keys.values().map(bytes).sum()
    }

    fn write(&mut self, at: u8, (value, expires_at): (u8, Option<Timestamp>), op: Op) {
        if let Some(life) = self.keys.get_mut(&at) {
            let current = life.versions.last_mut().unwrap();
            let until = self.now.plus(DAY * u32::from(SETTINGS.history_days));
            current.until = Some(earlier(until, current.expires_at));
        }
        self.push(at, (value, expires_at), op);
    }

    fn push(&mut self, at: u8, (value, expires_at): (u8, Option<Timestamp>), op: Op) {
        let life = self.keys.entry(at).or_insert(Life { version: 0, versions: Vec::new(), until: None });
        life.version += 1;
        let version = life.version;
        life.versions.push(Past { version, revision: 0, value, expires_at, until: None });
        life.trim(1);
        self.told.push((name(at), op, version));
    }
}

impl Life {
    fn current(&self) -> &Past {
        self.versions.last().unwrap()
    }

    /// Keeps as many versions as may be, and these besides.
    fn trim(&mut self, besides: usize) {
        let over = self.versions.len().saturating_sub(usize::from(SETTINGS.versions_per_key_max) + besides);
        self.versions.drain(..over);
    }
}

fn earlier(at: Timestamp, other: Option<Timestamp>) -> Timestamp {
    other.map_or(at, |other| at.min(other))
}
