//! Changes to what belongs to an address. Each step guards what it relies on.

use coffer_auth::code::Purpose;
use coffer_core::Timestamp;
use coffer_store::records::{SealedCommit, Sort};

use super::code::{Bucket, Code, CodeRecord, TRIES_MAX, all_sorts, code_sort, tries_sort};
use super::{Claim, Pending, PendingRecord, Versioned, claim_sort, pending_sort};

/// What is to change about an address, all or nothing.
#[derive(Debug, Default)]
#[must_use]
pub struct AddressChange {
    commit: SealedCommit,
}

impl From<AddressChange> for SealedCommit {
    fn from(change: AddressChange) -> Self {
        change.commit
    }
}

impl AddressChange {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn map(self, change: impl FnOnce(SealedCommit) -> SealedCommit) -> Self {
        Self { commit: change(self.commit) }
    }

    fn unchanged<T>(self, sort: &Sort, read: Option<&Versioned<T>>) -> Self {
        self.map(|commit| match read {
            Some(read) => commit.at_version(sort, read.version),
            None => commit.absent(sort),
        })
    }

    /// Only if the claim is still as it was read.
    pub fn claim_unchanged(self, read: Option<&Versioned<Claim>>) -> Self {
        self.unchanged(&claim_sort(), read)
    }

    /// Only if the pending registration is still as it was read.
    pub fn pending_unchanged(self, read: Option<&Versioned<Pending>>) -> Self {
        self.unchanged(&pending_sort(), read)
    }

    /// Only if `code` was not used meanwhile.
    pub fn code_unused(self, code: &Versioned<Code>) -> Self {
        let sort = code_sort(code.value.purpose, code.value.id);
        self.map(|commit| commit.at_version(&sort, code.version))
    }

    /// Gives the address to a user.
    pub fn put_claim(self, claim: &Claim) -> Self {
        self.map(|commit| commit.put_as(&claim_sort(), claim, None))
    }

    /// Begins a registration, or makes one wait longer.
    pub fn put_pending(self, pending: &Pending) -> Self {
        let record = PendingRecord {
            user_id: pending.user_id,
            password_hash: pending.password.as_str().to_owned(),
            user_name: pending.user_name.clone(),
            created_at: pending.created_at,
        };
        self.map(|commit| commit.put_as(&pending_sort(), &record, Some(pending.expires_at)))
    }

    /// Ends a registration.
    pub fn delete_pending(self) -> Self {
        self.map(|commit| commit.delete(&pending_sort()))
    }

    /// Adds a code.
    pub fn put_code(self, code: &Code) -> Self {
        let sort = code_sort(code.purpose, code.id);
        self.map(|commit| commit.put_as(&sort, &CodeRecord::from(code), Some(code.expires_at)))
    }

    /// Ends codes.
    pub fn delete_codes<'a>(self, codes: impl IntoIterator<Item = &'a Versioned<Code>>) -> Self {
        let sorts = codes.into_iter().flat_map(|code| all_sorts(code.value.purpose, code.value.id));
        self.map(|commit| sorts.fold(commit, |commit, sort| commit.delete(&sort)))
    }

    /// Counts a try of `code` by `bucket`; only if it has one left.
    pub fn count_try(self, code: &Code, bucket: Bucket) -> Self {
        let sort = tries_sort(code.purpose, code.id, bucket);
        self.map(|commit| {
            commit.counter_within(&sort, 0..=TRIES_MAX - 1).add(&sort, 1, Some(code.expires_at))
        })
    }

    /// Counts a try while there is no code to try: the same work for the store.
    pub fn count_vain_try(self, purpose: Purpose, expires_at: Timestamp) -> Self {
        let sort = Sort::of("tries").and(purpose.as_str()).build();
        self.map(|commit| commit.counter_within(&sort, 0..=i64::MAX).add(&sort, 1, Some(expires_at)))
    }
}
