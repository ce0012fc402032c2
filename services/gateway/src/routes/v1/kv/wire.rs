//! The domain's answers as they go over the wire.

use coffer_api::kv::{JSON, KvChange, KvChangeKind, KvChanged, KvDiff, KvDigest, KvEdit, KvGrant, KvMeta};

use crate::domain::kv::{Difference, Digest, Edit, Event, Grant, Grantee, Kind, Meta, Scope};
use crate::repo::kv::Op;

pub(super) fn meta(key: &str, meta: Meta) -> KvMeta {
    KvMeta {
        key: key.to_owned(),
        revision: meta.revision,
        version: meta.version,
        content_type: content_type(meta.kind),
        size_bytes: meta.plain_bytes,
        stored_bytes: meta.stored_bytes,
        compressed: meta.compressed,
        encrypt: meta.encrypt,
        created_at: meta.created_at,
        created_by: meta.created_by,
        updated_at: meta.updated_at,
        updated_by: meta.updated_by,
        expires_at: meta.expires_at,
    }
}

pub(super) fn content_type(kind: Kind) -> String {
    match kind {
        Kind::Json => JSON.to_owned(),
        Kind::Bytes { content_type } => content_type,
    }
}

pub(in crate::routes) fn diff(difference: Difference) -> KvDiff {
    match difference {
        Difference::Json { edits, is_cut } => {
            KvDiff::Json { edits: edits.into_iter().map(edit).collect(), truncated: is_cut }
        }
        Difference::Bytes { from, to } => KvDiff::Bytes { from: digest(from), to: digest(to) },
    }
}

fn edit(edit: Edit) -> KvEdit {
    match edit {
        Edit::Added { path, value } => KvEdit::Add { path, value: value.into() },
        Edit::Removed { path, value } => KvEdit::Remove { path, value: value.into() },
        Edit::Replaced { path, from, to } => KvEdit::Replace { path, from: from.into(), to: to.into() },
    }
}

fn digest(digest: Digest) -> KvDigest {
    KvDigest {
        content_type: digest.content_type.unwrap_or_else(|| JSON.to_owned()),
        size_bytes: digest.bytes,
        sha256: hex::encode(digest.sha256),
    }
}

/// A scope as the two fields `key` and `prefix`.
pub(super) fn scope(scope: Scope) -> (Option<String>, Option<String>) {
    match scope {
        Scope::Key(key) => (Some(key), None),
        Scope::Prefix(prefix) => (None, Some(prefix)),
    }
}

pub(super) fn grant(grant: Grant) -> KvGrant {
    let (key, prefix) = scope(grant.scope);
    let (email, role) = match grant.grantee {
        Grantee::User { email, .. } => (Some(email), None),
        Grantee::Role(role) => (None, Some(role)),
    };
    let (permission, granted_at, expires_at) = (grant.permission, grant.granted_at, grant.expires_at);
    KvGrant { key, prefix, email, role, permission, granted_at, expires_at }
}

/// Events, those of one revision together.
pub(super) fn changes(events: Vec<Event>) -> Vec<KvChange> {
    let mut together: Vec<KvChange> = Vec::new();
    for event in events {
        let Some(op) = kind(event.op) else { continue };
        let changed = KvChanged { key: event.key, op, version: event.version };
        match together.last_mut() {
            Some(last) if last.revision == event.revision => last.changes.push(changed),
            _ => together.push(KvChange {
                revision: event.revision,
                at: event.at,
                by: event.by,
                changes: vec![changed],
            }),
        }
    }
    together
}

fn kind(op: Op) -> Option<KvChangeKind> {
    match op {
        Op::Put => Some(KvChangeKind::Put),
        Op::Delete => Some(KvChangeKind::Delete),
        Op::Restore => Some(KvChangeKind::Restore),
        Op::Expire => Some(KvChangeKind::Expire),
        Op::Purge => Some(KvChangeKind::Purge),
        // Nothing that anybody could see.
        Op::Settle => None,
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::Timestamp;

    use super::*;

    #[test]
    fn what_happened_at_once_is_told_at_once() {
        let event = |revision, key: &str, op| Event {
            revision,
            key: key.to_owned(),
            op,
            version: 1,
            at: Timestamp::from_ms(7),
            by: None,
        };
        let told = changes(vec![
            event(1, "a", Op::Put),
            event(1, "b", Op::Delete),
            event(2, "c", Op::Settle),
            event(3, "d", Op::Put),
        ]);
        let shape: Vec<_> = told.iter().map(|change| (change.revision, change.changes.len())).collect();
        assert_eq!(shape, [(1, 2), (3, 1)]);
    }
}
