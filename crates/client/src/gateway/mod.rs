//! The gateway's native surface, as a user of it: the key-value store, how it is used, and configurations.

mod configs;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use coffer_api::Page;
use coffer_api::kv::{
    KvBatch, KvBatchAnswer, KvChanges, KvChangesQuery, KvCopy, KvDeleteQuery, KvDeleted, KvDiff, KvDiffQuery,
    KvGetQuery, KvGrant, KvGrants, KvHistory, KvKeyQuery, KvListQuery, KvMeta, KvMove, KvNewGrant, KvPage,
    KvPutQuery, KvRestore, KvRevoke, KvSharedKeys, KvSharedQuery, KvTrashPage, KvTrashQuery, KvTrashRestore,
    KvTrashed,
};
use coffer_api::paths::v1;
use coffer_api::usage::{
    KeyUse, UnreadKey, UnreadQuery, UsageDays, UsageHours, UsageOverview, UsageQuery, UsageTop, UsedKeyQuery,
};
use coffer_core::SecretString;
use coffer_core::limits::PAGE_ITEMS_MAX;
use reqwest::{Method, header};

use crate::ClientError;
use crate::calls::Calls;
pub use configs::{CONFIG_TEXT_BYTES_MAX, ConfigsClient};
pub use watch::{ConfigWatch, KvWatch, Watch, Watchable, Watched};

/// The largest value that is stored and read.
pub const KV_VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a value may take each way: 16 MiB at 64 KiB a second.
const VALUE_TIMEOUT: Duration = Duration::from_mins(5);

/// A value as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct KvValue {
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for KvValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KvValue({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

/// The gateway, asked as one user.
#[derive(Clone, Debug)]
pub struct GatewayClient {
    calls: Calls,
}

impl GatewayClient {
    /// The gateway at `base`, asked with this session if given.
    pub fn new(base: &str, token: Option<Arc<SecretString>>) -> Result<Self, ClientError> {
        Ok(Self { calls: Calls::new(base, token)? })
    }

    /// The value of a key.
    pub async fn get(&self, query: &KvGetQuery) -> Result<KvValue, ClientError> {
        let request = self.calls.request(Method::GET, v1::KV_VALUE).timeout(VALUE_TIMEOUT).query(query);
        let answer = self.calls.send(request).await?;
        let content_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.ok_or_else(|| self.calls.not_understood())?.to_owned();
        let bytes = self.calls.bytes(answer, KV_VALUE_BYTES_MAX, |_, _| ()).await?;
        Ok(KvValue { content_type, bytes })
    }

    /// Stores a value of this media type.
    pub async fn put(
        &self,
        query: &KvPutQuery,
        content_type: &str,
        value: Bytes,
    ) -> Result<KvMeta, ClientError> {
        let request = self.calls.request(Method::PUT, v1::KV_VALUE).timeout(VALUE_TIMEOUT).query(query);
        self.calls.read_json(request.header(header::CONTENT_TYPE, content_type).body(value)).await
    }

    /// Deletes a key; it goes to the trash.
    pub async fn delete(&self, query: &KvDeleteQuery) -> Result<KvDeleted, ClientError> {
        self.calls.queried(Method::DELETE, v1::KV_VALUE, query).await
    }

    /// What is known of a key.
    pub async fn meta(&self, query: &KvKeyQuery) -> Result<KvMeta, ClientError> {
        self.calls.get(v1::KV_META, query).await
    }

    /// One page of keys.
    pub async fn list(&self, query: &KvListQuery) -> Result<KvPage, ClientError> {
        self.calls.get(v1::KV_ITEMS, query).await
    }

    /// All keys that `query` asks for, in all pages.
    pub async fn list_all(&self, mut query: KvListQuery) -> Result<KvPage, ClientError> {
        query.limit = Some(PAGE_ITEMS_MAX);
        let mut all = KvPage::default();
        loop {
            let page = self.list(&query).await?;
            all.items.extend(page.items);
            all.common_prefixes.extend(page.common_prefixes);
            all.damaged.extend(page.damaged);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Several operations in one call.
    pub async fn batch(&self, batch: &KvBatch) -> Result<KvBatchAnswer, ClientError> {
        self.calls.call(Method::POST, v1::KV_BATCH, batch).await
    }

    /// Copies a value to another key.
    pub async fn copy(&self, copy: &KvCopy) -> Result<KvMeta, ClientError> {
        self.calls.call(Method::POST, v1::KV_COPY, copy).await
    }

    /// Gives a key another name.
    pub async fn rename(&self, rename: &KvMove) -> Result<KvMeta, ClientError> {
        self.calls.call(Method::POST, v1::KV_MOVE, rename).await
    }

    /// The versions of a key that are kept, the current one first.
    pub async fn history(&self, query: &KvKeyQuery) -> Result<KvHistory, ClientError> {
        self.calls.get(v1::KV_HISTORY, query).await
    }

    /// How two versions of a key differ.
    pub async fn diff(&self, query: &KvDiffQuery) -> Result<KvDiff, ClientError> {
        self.calls.get(v1::KV_DIFF, query).await
    }

    /// Stores an earlier version anew.
    pub async fn restore(&self, restore: &KvRestore) -> Result<KvMeta, ClientError> {
        self.calls.call(Method::POST, v1::KV_RESTORE, restore).await
    }

    /// One page of the caller's deleted keys.
    pub async fn trash(&self, query: &KvTrashQuery) -> Result<KvTrashPage, ClientError> {
        self.calls.get(v1::KV_TRASH, query).await
    }

    /// All of the caller's deleted keys that `query` asks for, in all pages.
    pub async fn trash_all(&self, mut query: KvTrashQuery) -> Result<Vec<KvTrashed>, ClientError> {
        query.limit = Some(PAGE_ITEMS_MAX);
        let mut all = Vec::new();
        loop {
            let page = self.trash(&query).await?;
            all.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Brings a deleted key back.
    pub async fn restore_from_trash(&self, key: &str) -> Result<KvMeta, ClientError> {
        self.calls.call(Method::POST, v1::KV_TRASH_RESTORE, &KvTrashRestore { key: key.into() }).await
    }

    /// Removes a deleted key for good.
    pub async fn purge(&self, key: &str) -> Result<KvDeleted, ClientError> {
        self.calls.queried(Method::DELETE, v1::KV_TRASH, &[("key", key)]).await
    }

    /// Gives access to keys of the caller's own.
    pub async fn grant(&self, grant: &KvNewGrant) -> Result<KvGrant, ClientError> {
        self.calls.call(Method::POST, v1::KV_GRANTS, grant).await
    }

    /// Takes access back.
    pub async fn revoke(&self, revoke: &KvRevoke) -> Result<(), ClientError> {
        self.calls.call(Method::POST, v1::KV_GRANTS_REVOKE, revoke).await
    }

    /// The live grants that the caller has given.
    pub async fn grants(&self) -> Result<KvGrants, ClientError> {
        self.calls.get(v1::KV_GRANTS, &()).await
    }

    /// A page of what others share with the caller.
    pub async fn shared(&self, query: &KvSharedQuery) -> Result<KvSharedKeys, ClientError> {
        self.calls.get(v1::KV_SHARED, query).await
    }

    /// What happened after a position.
    pub async fn changes(&self, query: &KvChangesQuery) -> Result<KvChanges, ClientError> {
        self.calls.get(v1::KV_CHANGES, query).await
    }

    /// Watches keys, from behind `query.after` or from now on.
    pub async fn watch(&self, query: KvChangesQuery) -> Result<KvWatch, ClientError> {
        KvWatch::open(self.calls.clone(), query).await
    }

    /// How keys are used, in single figures.
    pub async fn usage(&self, query: &UsageQuery) -> Result<UsageOverview, ClientError> {
        self.calls.get(v1::USAGE, query).await
    }

    /// The keys that are used most.
    pub async fn usage_top(&self, query: &UsageQuery) -> Result<UsageTop, ClientError> {
        self.calls.get(v1::USAGE_TOP, query).await
    }

    /// Operations by day.
    pub async fn usage_days(&self, query: &UsageQuery) -> Result<UsageDays, ClientError> {
        self.calls.get(v1::USAGE_DAYS, query).await
    }

    /// Operations by hour.
    pub async fn usage_hours(&self, query: &UsageQuery) -> Result<UsageHours, ClientError> {
        self.calls.get(v1::USAGE_HOURS, query).await
    }

    /// One page of the caller's keys that nobody has read for some time. It may be empty and still have a next one.
    pub async fn usage_unread(&self, query: &UnreadQuery) -> Result<Page<UnreadKey>, ClientError> {
        self.calls.get(v1::USAGE_UNREAD, query).await
    }

    /// How a key of the caller's own is used.
    pub async fn usage_of_key(&self, key: &str) -> Result<KeyUse, ClientError> {
        self.calls.get(v1::USAGE_KEY, &UsedKeyQuery { key: key.to_owned() }).await
    }
}
