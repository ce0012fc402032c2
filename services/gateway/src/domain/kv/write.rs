//! Storing a value.

use std::sync::Arc;
use std::time::Duration;

use coffer_store::records::Version;

use super::known::Known;
use super::plan::{Context, Made, NewValue, Plan};
use super::value::Packed;
use super::{Caller, Condition, Kv, KvError, Meta, PlainValue, PutRequest, Space};
use crate::domain::kv::key::Key;
use crate::repo::kv::{Committed, Op};

/// How often a change is tried when others change the same key.
pub(super) const TRIES_MAX: u32 = 32;
/// The pause between two tries is at most this at first, and doubles up to 512 times.
const PAUSE_US: u64 = 50;

/// What is to be written under a key.
pub(super) struct Write<'a> {
    pub(super) key: &'a Key,
    pub(super) condition: Condition,
    pub(super) value: NewValue<'a>,
}

/// What is known of a key before it is changed.
#[derive(Clone)]
pub(super) struct Before {
    pub(super) known: Option<Arc<Known>>,
    /// Whether it was read for this change, and not only remembered.
    pub(super) is_fresh: bool,
}

/// What a condition says about a key.
pub(super) enum Verdict {
    /// Go on, over this.
    Go(Option<Arc<Known>>),
    /// What is remembered does not tell: read.
    Read,
}

impl Before {
    /// Judges `condition`; an error if it certainly does not hold.
    pub(super) fn judge(&self, condition: Condition) -> Result<Verdict, KvError> {
        let revision = self.known.as_ref().map(|known| known.version.0);
        match condition {
            Condition::None => Ok(Verdict::Go(self.known.clone())),
            // The guard of the commit itself decides, unless we just saw the key.
            Condition::Absent if self.is_fresh && revision.is_some() => Err(KvError::Conflict { revision }),
            Condition::Absent => Ok(Verdict::Go(None)),
            Condition::Revision(wanted) if revision == Some(wanted) => Ok(Verdict::Go(self.known.clone())),
            Condition::Revision(_) if self.is_fresh => Err(KvError::Conflict { revision }),
            Condition::Revision(_) => Ok(Verdict::Read),
        }
    }
}

impl Kv {
    /// Stores a value under a key. Without a condition the last writer wins; every value that was stored is in the
    /// history all the same.
    pub async fn put(&self, caller: &Caller, space: Space, request: &PutRequest) -> Result<Meta, KvError> {
        self.authorize_write(caller, space, &request.key).await?;
        self.admit(&request.value)?;
        let packed = self.pack(&request.value, request.encrypt, request.compress).await?;
        let value = NewValue { packed: &packed, expires_at: request.expires_at, op: Op::Put, revives: None };
        self.write(caller, space, &Write { key: &request.key, condition: request.condition, value }).await
    }

    /// A value in its stored form.
    pub(super) async fn pack(
        &self,
        value: &PlainValue,
        encrypt: bool,
        compress: bool,
    ) -> Result<Packed, KvError> {
        let value = value.clone();
        self.0.bench.run(value.as_bytes().len() as u64, move || Packed::pack(&value, encrypt, compress)).await
    }

    /// Writes until no other writer comes in between, or the condition fails.
    pub(super) async fn write(
        &self,
        caller: &Caller,
        space: Space,
        write: &Write<'_>,
    ) -> Result<Meta, KvError> {
        self.check_expiry(write.value.expires_at)?;
        let _turn = self.0.turns.take(space, write.key).await;
        let mut before = Before { known: self.0.known.get(space, write.key), is_fresh: false };
        for tried in 0..TRIES_MAX {
            let known = match before.judge(write.condition)? {
                Verdict::Go(known) => known,
                Verdict::Read => {
                    before = self.read_before(space, write.key).await?;
                    continue;
                }
            };
            if known.is_none()
                && let Err(full) = self.ensure_room(space, 1)
            {
                if before.is_fresh {
                    return Err(full);
                }
                // Without a memory of it the key may be there all the same, and then it needs no room.
                before = self.read_before(space, write.key).await?;
                continue;
            }
            let mut plan = Plan::new(self.context(Some(caller)));
            let head = plan.put(write.key, known.as_deref(), &write.value)?;
            if let Some(version) = self.commit(space, plan.make()?).await? {
                return Ok(Meta::of(&head, version.0));
            }
            self.pause(tried).await;
            before = self.read_before(space, write.key).await?;
        }
        Err(KvError::Contended)
    }

    /// Commits, and remembers what came of it; nothing if a guard refused it.
    pub(super) async fn commit(&self, space: Space, mut made: Made) -> Result<Option<Version>, KvError> {
        if let Some(at) = made.due {
            self.0.marks.ensure(space.owner, at).await?;
        }
        let (commit, due) = (std::mem::take(&mut made.commit), made.due);
        let leftovers = std::mem::take(&mut made.leftovers);
        let outcome = self.0.repo.commit(space.owner, commit).await;
        let version = match outcome {
            Ok(Committed::At(version)) => version,
            Ok(Committed::Refused(_)) => return Ok(None),
            Err(error) => {
                // It may have happened: what was known is not to be trusted.
                made.learned(Version(0)).for_each(|(key, _)| self.0.known.forget(space, &key));
                return Err(error.into());
            }
        };
        for (key, known) in made.learned(version) {
            match known {
                Some(known) => self.0.known.learn(space, &key, known),
                None => self.0.known.forget(space, &key),
            }
        }
        if let Some(at) = due {
            // The value is stored; only its collection waits for the next mark.
            if let Err(error) = self.0.marks.ensure(space.owner, at).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an expiry could not be marked again"
                );
            }
        }
        for (key, versions) in leftovers {
            self.tidy(space, &key, &versions).await;
        }
        Ok(Some(version))
    }

    /// What there is of a key now.
    pub(super) async fn read_before(&self, space: Space, key: &Key) -> Result<Before, KvError> {
        let stored = self.0.repo.get(space.owner, key.as_str()).await?;
        let known = stored.map(|stored| Known::read(&stored)).transpose()?.map(Arc::new);
        Ok(Before { known, is_fresh: true })
    }

    pub(super) fn context(&self, caller: Option<&Caller>) -> Context<'_> {
        Context {
            settings: &self.0.settings,
            random: &*self.0.random,
            now: self.0.clock.now(),
            by: caller.map(Caller::id),
        }
    }

    /// Waits a moment by chance, longer the more often it was tried.
    pub(super) async fn pause(&self, tried: u32) {
        let mut byte = [0; 8];
        self.0.random.fill(&mut byte);
        let most = PAUSE_US << tried.min(9);
        tokio::time::sleep(Duration::from_micros(u64::from_be_bytes(byte) % most)).await;
    }
}
