//! Outstanding codes and how often they were tried.

use coffer_auth::code::Purpose;
use coffer_core::{CodeId, Timestamp};
use coffer_store::records::{Opened, Sort, StoreError, Stored};
use serde::{Deserialize, Serialize};

use super::Versioned;

/// Wrong tries of one bucket that end a code for that bucket.
pub const TRIES_MAX: i64 = 5;

/// Who tries a code. Each bucket has tries of its own, so that strangers cannot use up the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// The device or network address that asked for the code.
    Requester,
    /// A device or network address that the account was used from before.
    Recognised,
    /// Everybody else together.
    Stranger,
}

impl Bucket {
    const ALL: [Self; 3] = [Self::Requester, Self::Recognised, Self::Stranger];

    fn key(self) -> &'static [u8] {
        match self {
            Self::Requester => b"requester",
            Self::Recognised => b"recognised",
            Self::Stranger => b"stranger",
        }
    }
}

/// Who asked for a code, as far as it must be recognised again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The network address, blinded.
    pub address: [u8; 32],
    /// The hash of the device's token.
    #[serde(default)]
    pub device: Option<[u8; 32]>,
    /// Whether a stranger's request may not push this code out: asked for with a password, from a
    /// recognised device or address, or by whoever began the registration.
    pub trusted: bool,
}

/// An outstanding code.
#[derive(Clone, Debug)]
pub struct Code {
    /// Its id.
    pub id: CodeId,
    /// What it is for.
    pub purpose: Purpose,
    /// What is kept of its digits.
    pub stored: [u8; 32],
    /// Who asked for it.
    pub requester: Requester,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// Tries so far, by bucket.
    pub tries: [i64; 3],
}

impl Code {
    /// Tries so far by `bucket`.
    pub fn tries(&self, bucket: Bucket) -> i64 {
        self.tries[bucket as usize]
    }

    /// Whether `bucket` may try this code.
    pub fn is_open_to(&self, bucket: Bucket) -> bool {
        self.tries(bucket) < TRIES_MAX
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct CodeRecord {
    id: CodeId,
    purpose: Purpose,
    stored: [u8; 32],
    requester: Requester,
}

impl From<&Code> for CodeRecord {
    fn from(code: &Code) -> Self {
        Self { id: code.id, purpose: code.purpose, stored: code.stored, requester: code.requester }
    }
}

pub(super) fn code_sort(purpose: Purpose, id: CodeId) -> Sort {
    Sort::of("code").and(purpose.as_str()).and(id.as_bytes()).and("code").build()
}

pub(super) fn tries_sort(purpose: Purpose, id: CodeId, bucket: Bucket) -> Sort {
    Sort::of("code").and(purpose.as_str()).and(id.as_bytes()).and("tries").and(bucket.key()).build()
}

/// Every key that belongs to a code.
pub(super) fn all_sorts(purpose: Purpose, id: CodeId) -> impl Iterator<Item = Sort> {
    let tries = Bucket::ALL.into_iter().map(move |bucket| tries_sort(purpose, id, bucket));
    std::iter::once(code_sort(purpose, id)).chain(tries)
}

/// Adds a record below `code/<purpose>/<id>` to what was read. A code sorts before its tries.
pub(super) fn take(
    codes: &mut Vec<Versioned<Code>>,
    rest: &[&[u8]],
    record: Opened,
) -> Result<(), StoreError> {
    match rest {
        [b"code"] => {
            let Stored { value: stored, version, expires_at, .. } = record.decode::<CodeRecord>()?;
            let value = Code {
                id: stored.id,
                purpose: stored.purpose,
                stored: stored.stored,
                requester: stored.requester,
                expires_at: expires_at.unwrap_or(Timestamp::from_ms(0)),
                tries: [0; 3],
            };
            codes.push(Versioned { value, version });
        }
        [b"tries", bucket] => {
            let bucket = Bucket::ALL.into_iter().find(|known| known.key() == *bucket);
            let code = codes.last_mut().map(|code| &mut code.value);
            if let (Some(bucket), Some(code)) = (bucket, code)
                && tries_sort(code.purpose, code.id, bucket) == record.sort
            {
                code.tries[bucket as usize] = record.counter()?;
            }
        }
        _ => {}
    }
    Ok(())
}
