//! Grants: who may use keys of an owner's.
//!
//! The grant in the owner's partition alone counts. That there is one stands in a list of the grantee's too, so that
//! he finds what is shared with him; the list is written first, so a crash in between leaves an entry in it that
//! leads to nothing.

use coffer_api::grants::Permission;
use coffer_api::{AddressHash, Role};
use coffer_core::{Timestamp, UserId};
use coffer_store::records::{
    Page, Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Stored, Table, Version,
};
use serde::{Deserialize, Serialize};

use super::keys;
use super::records::{Committed, KvRepo, corrupt};

/// What is shared with whom, by grantee.
pub const SHARED: Table = Table::new("kv_shared");

/// Who is given access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Whoever has this address, which is blinded.
    User(AddressHash),
    /// Everybody with exactly this role.
    Role(Role),
}

impl Subject {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::User(hash) => [&b"u"[..], hash.as_bytes()].concat(),
            Self::Role(role) => [&b"r"[..], role.as_str().as_bytes()].concat(),
        }
    }
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// The key, or what the keys begin with.
    pub name: String,
    /// Whether `name` is what keys begin with.
    pub is_prefix: bool,
    /// What it allows.
    pub permission: Permission,
    /// The address of the grantee as the owner wrote it; none if the grant is to a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The role that the grant is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Who granted it.
    pub granted_by: UserId,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when, if it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl GrantRecord {
    /// Whether it is about this key, or about all that begin with it if `is_prefix`.
    pub fn covers(&self, name: &str, is_prefix: bool) -> bool {
        if self.is_prefix { name.starts_with(&self.name) } else { !is_prefix && name == self.name }
    }
}

/// What is shared with somebody: whose keys, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedRecord {
    /// Whose.
    pub owner: UserId,
    /// The key, or what the keys begin with.
    pub name: String,
    /// Whether `name` is what keys begin with.
    pub is_prefix: bool,
}

fn scope(name: &str, is_prefix: bool) -> Vec<u8> {
    [if is_prefix { &b"p"[..] } else { b"k" }, name.as_bytes()].concat()
}

fn grant_sort(subject: &Subject, name: &str, is_prefix: bool) -> Sort {
    keys::grant(&subject.bytes(), &scope(name, is_prefix))
}

impl KvRepo {
    /// The live grants of an owner to a subject; there are few.
    pub async fn grants_to(
        &self,
        owner: UserId,
        subject: &Subject,
        limit: usize,
    ) -> Result<Vec<GrantRecord>, StoreError> {
        let range = keys::grants_to(&subject.bytes());
        let page = self.records().scan_as(&keys::partition(owner), &range, limit).await?;
        Ok(page.items.into_iter().map(|stored: Stored<GrantRecord>| stored.value).collect())
    }

    /// The live grants of an owner, in pages.
    pub async fn grants(
        &self,
        owner: UserId,
        after: Option<&Sort>,
        limit: usize,
    ) -> Result<Page<Stored<GrantRecord>>, StoreError> {
        let range = keys::grants();
        let range = match after {
            Some(after) => range.after(after),
            None => range,
        };
        self.records().scan_as(&keys::partition(owner), &range, limit).await
    }

    /// One grant.
    pub async fn grant(
        &self,
        owner: UserId,
        subject: &Subject,
        (name, is_prefix): (&str, bool),
    ) -> Result<Option<Stored<GrantRecord>>, StoreError> {
        self.records().get_as(&keys::partition(owner), &grant_sort(subject, name, is_prefix)).await
    }

    /// The live grants that entries in the list of a subject lead to, in their order; all of them of one owner.
    pub async fn grants_at(
        &self,
        owner: UserId,
        subject: &Subject,
        entries: &[SharedRecord],
    ) -> Result<Vec<Option<GrantRecord>>, StoreError> {
        let sorts: Vec<_> =
            entries.iter().map(|entry| grant_sort(subject, &entry.name, entry.is_prefix)).collect();
        let found = self.records().get_many_as(&keys::partition(owner), &sorts).await?;
        Ok(found.into_iter().map(|stored: Option<Stored<GrantRecord>>| Some(stored?.value)).collect())
    }

    /// Writes a grant over the one that was `read`.
    pub async fn put_grant(
        &self,
        owner: UserId,
        subject: &Subject,
        (read, grant): (Option<Version>, &GrantRecord),
    ) -> Result<Committed, StoreError> {
        let sort = grant_sort(subject, &grant.name, grant.is_prefix);
        let commit = match read {
            Some(version) => SealedCommit::new().at_version(&sort, version),
            None => SealedCommit::new().absent(&sort),
        };
        self.commit(owner, commit.put_as(&sort, grant, grant.expires_at)).await
    }

    /// Removes a grant, if there is one.
    pub async fn remove_grant(
        &self,
        owner: UserId,
        subject: &Subject,
        (name, is_prefix): (&str, bool),
    ) -> Result<(), StoreError> {
        let commit = SealedCommit::new().delete(&grant_sort(subject, name, is_prefix));
        self.commit(owner, commit).await.map(drop)
    }
}

/// What is shared with whom.
#[derive(Clone, Debug)]
pub struct SharedRepo {
    records: Sealed,
}

impl SharedRepo {
    /// The lists that lie in `records`.
    pub fn new(records: Sealed) -> Self {
        Self { records }
    }

    /// Enters something into the list of a subject.
    pub async fn add(
        &self,
        subject: &Subject,
        shared: &SharedRecord,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let commit = SealedCommit::new().put_as(&shared_sort(shared), shared, expires_at);
        self.records.commit(&shared_partition(subject), commit).await.map(drop)
    }

    /// Takes something out of the list of a subject.
    pub async fn remove(&self, subject: &Subject, shared: &SharedRecord) -> Result<(), StoreError> {
        let commit = SealedCommit::new().delete(&shared_sort(shared));
        self.records.commit(&shared_partition(subject), commit).await.map(drop)
    }

    /// The list of a subject, or what `owner` has in it, from behind `after`.
    pub async fn list(
        &self,
        subject: &Subject,
        (owner, after): (Option<UserId>, Option<&SharedRecord>),
        limit: usize,
    ) -> Result<Page<SharedRecord>, StoreError> {
        let all = owner.map_or_else(SortRange::all, |owner| Sort::of(owner.as_bytes()).children());
        let range = after.map_or(all.clone(), |after| all.after(&shared_sort(after)));
        let page = self.records.scan_as(&shared_partition(subject), &range, limit).await?;
        let items = page.items.into_iter().map(|stored: Stored<SharedRecord>| stored.value);
        Ok(Page { items: items.collect(), more: page.more })
    }
}

fn shared_partition(subject: &Subject) -> Partition {
    Partition::new(SHARED, subject.bytes())
}

fn shared_sort(shared: &SharedRecord) -> Sort {
    Sort::of(shared.owner.as_bytes()).and(scope(&shared.name, shared.is_prefix)).build()
}

/// The subject that a grant is to, from its key.
pub fn subject_in(sort: &Sort) -> Result<Subject, StoreError> {
    let parts = sort.parts().unwrap_or_default();
    let subject = parts.get(1).and_then(|part| part.split_first());
    let known = match subject {
        Some((b'u', hash)) => <[u8; 32]>::try_from(hash).ok().map(AddressHash::from_bytes).map(Subject::User),
        Some((b'r', role)) => {
            std::str::from_utf8(role).ok().and_then(|text| text.parse().ok()).map(Subject::Role)
        }
        _ => None,
    };
    known.ok_or_else(|| corrupt("a grant is to nobody"))
}
