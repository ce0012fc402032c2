//! The gateway's native key-value surface.
//!
//! A key is any text, `/` and `..` included, so it travels in queries and bodies and never as part of a path. A value
//! travels as it is: the body of a request or an answer is the value, and its media type says what it is.

mod batch;
mod changes;
mod diff;
mod history;
mod items;
mod sharing;

pub use batch::{KvBatch, KvBatchAnswer, KvOp, KvOperation, KvOutcome};
pub use changes::{KvChange, KvChangeKind, KvChanged, KvChanges, KvChangesQuery, LAST_EVENT_ID};
pub use diff::{KvDiff, KvDigest, KvEdit};
pub use history::{KvDiffQuery, KvHistory, KvRestore, KvTrashPage, KvTrashQuery, KvTrashRestore, KvTrashed};
pub use items::{
    JSON, KvCopy, KvDeleteQuery, KvDeleted, KvGetQuery, KvKeyQuery, KvListQuery, KvMeta, KvMove, KvPage,
    KvPutQuery,
};
pub use sharing::{KvGrant, KvGrants, KvNewGrant, KvRevoke, KvShared, KvSharedKeys, KvSharedQuery};

/// `GET` with a [`KvListQuery`]: a [`KvPage`].
pub const KV_ITEMS: &str = "/api/v1/kv/items";
/// `GET` with a [`KvGetQuery`]: the value. `PUT` a value with a [`KvPutQuery`]: a [`KvMeta`]. `DELETE` with a
/// [`KvDeleteQuery`]: a [`KvDeleted`].
pub const KV_VALUE: &str = "/api/v1/kv/value";
/// `GET` with a [`KvKeyQuery`]: a [`KvMeta`].
pub const KV_META: &str = "/api/v1/kv/meta";
/// `POST` a [`KvBatch`]: a [`KvBatchAnswer`].
pub const KV_BATCH: &str = "/api/v1/kv/batch";
/// `POST` a [`KvCopy`]: a [`KvMeta`].
pub const KV_COPY: &str = "/api/v1/kv/copy";
/// `POST` a [`KvMove`]: a [`KvMeta`].
pub const KV_MOVE: &str = "/api/v1/kv/move";
/// `GET` with a [`KvKeyQuery`]: a [`KvHistory`].
pub const KV_HISTORY: &str = "/api/v1/kv/history";
/// `GET` with a [`KvDiffQuery`]: a [`KvDiff`].
pub const KV_DIFF: &str = "/api/v1/kv/diff";
/// `POST` a [`KvRestore`]: a [`KvMeta`].
pub const KV_RESTORE: &str = "/api/v1/kv/restore";
/// `GET` with a [`KvTrashQuery`]: a [`KvTrashPage`]. `DELETE` with a `key`: a [`KvDeleted`], for good.
pub const KV_TRASH: &str = "/api/v1/kv/trash";
/// `POST` a [`KvTrashRestore`]: a [`KvMeta`].
pub const KV_TRASH_RESTORE: &str = "/api/v1/kv/trash/restore";
/// `POST` a [`KvNewGrant`]: a [`KvGrant`]. `GET`: [`KvGrants`].
pub const KV_GRANTS: &str = "/api/v1/kv/grants";
/// `POST` a [`KvRevoke`].
pub const KV_GRANTS_REVOKE: &str = "/api/v1/kv/grants/revoke";
/// `GET` with a [`KvSharedQuery`]: [`KvSharedKeys`].
pub const KV_SHARED: &str = "/api/v1/kv/shared";
/// `GET` with a [`KvChangesQuery`]: [`KvChanges`].
pub const KV_CHANGES: &str = "/api/v1/kv/changes";
/// `GET` with a [`KvChangesQuery`]: server-sent events, each a [`KvChange`].
pub const KV_WATCH: &str = "/api/v1/kv/watch";

fn yes() -> bool {
    true
}
