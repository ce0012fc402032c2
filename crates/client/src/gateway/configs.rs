//! Encrypted configurations, as somebody with a user key.

use std::sync::Arc;

use bytes::Bytes;
use coffer_api::configs::{
    ConfigBatch, ConfigBatchAnswer, ConfigDeleteQuery, ConfigDiffQuery, ConfigExportQuery, ConfigGetQuery,
    ConfigHistory, ConfigImportQuery, ConfigImported, ConfigListQuery, ConfigMeta, ConfigPage, ConfigPromote,
    ConfigPromoted, ConfigPutQuery, ConfigQuery, ConfigRekey, ConfigRekeyed, ConfigRollback, ConfigStored,
    ConfigSummary, ConfigUnreadPage, ConfigUnreadQuery, ConfigWatchQuery,
};
use coffer_api::contract::configs::{API_KEY, USER_KEY};
use coffer_api::kv::{JSON, KvDiff};
use coffer_api::paths::v1;
use coffer_core::SecretString;
use coffer_core::limits::PAGE_ITEMS_MAX;
use reqwest::{Method, header};

use super::watch::ConfigWatch;
use crate::ClientError;
use crate::calls::Calls;

/// The largest value that is read.
const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// The largest export that is read, and the largest text that is worth sending for an import.
pub const CONFIG_TEXT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The gateway's configurations, asked with one user key.
#[derive(Clone, Debug)]
pub struct ConfigsClient {
    calls: Calls,
}

impl ConfigsClient {
    /// The gateway at `base`, asked with this user key, and with this session if given.
    pub fn new(
        base: &str,
        user_key: Arc<SecretString>,
        token: Option<Arc<SecretString>>,
    ) -> Result<Self, ClientError> {
        Ok(Self { calls: Calls::new(base, token)?.with_secret(USER_KEY, user_key) })
    }

    /// The same with an API key, where the deployment asks for one.
    #[must_use]
    pub fn with_api_key(self, api_key: Arc<SecretString>) -> Self {
        Self { calls: self.calls.with_secret(API_KEY, api_key) }
    }

    /// A value: JSON, as it was written.
    pub async fn get(&self, query: &ConfigGetQuery) -> Result<Vec<u8>, ClientError> {
        let answer = self.calls.send(self.calls.request(Method::GET, v1::CONFIGS_VALUE).query(query)).await?;
        self.calls.bytes(answer, VALUE_BYTES_MAX, |_, _| ()).await
    }

    /// Stores a value: JSON.
    pub async fn put(&self, query: &ConfigPutQuery, value: Bytes) -> Result<ConfigStored, ClientError> {
        let request = self.calls.request(Method::PUT, v1::CONFIGS_VALUE).query(query);
        self.calls.read_json(request.header(header::CONTENT_TYPE, JSON).body(value)).await
    }

    /// Deletes a configuration, with its history; answers what there was.
    pub async fn delete(&self, query: &ConfigDeleteQuery) -> Result<ConfigMeta, ClientError> {
        self.calls.queried(Method::DELETE, v1::CONFIGS_VALUE, query).await
    }

    /// One page of configurations.
    pub async fn list(&self, query: &ConfigListQuery) -> Result<ConfigPage, ClientError> {
        self.calls.get(v1::CONFIGS_ITEMS, query).await
    }

    /// All configurations that `query` asks for, in all pages.
    pub async fn list_all(&self, mut query: ConfigListQuery) -> Result<Vec<ConfigMeta>, ClientError> {
        query.limit = Some(PAGE_ITEMS_MAX);
        let mut all = Vec::new();
        loop {
            let page = self.list(&query).await?;
            all.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Environments, categories, and advice about the user key.
    pub async fn summary(&self) -> Result<ConfigSummary, ClientError> {
        self.calls.get(v1::CONFIGS_SUMMARY, &()).await
    }

    /// The versions of a configuration that are kept, the current one first.
    pub async fn history(&self, query: &ConfigQuery) -> Result<ConfigHistory, ClientError> {
        self.calls.get(v1::CONFIGS_HISTORY, query).await
    }

    /// How two values differ.
    pub async fn diff(&self, query: &ConfigDiffQuery) -> Result<KvDiff, ClientError> {
        self.calls.get(v1::CONFIGS_DIFF, query).await
    }

    /// Stores an earlier version anew.
    pub async fn roll_back(&self, order: &ConfigRollback) -> Result<ConfigMeta, ClientError> {
        self.calls.call(Method::POST, v1::CONFIGS_ROLLBACK, order).await
    }

    /// Copies configurations from one environment to another.
    pub async fn promote(&self, order: &ConfigPromote) -> Result<ConfigPromoted, ClientError> {
        self.calls.call(Method::POST, v1::CONFIGS_PROMOTE, order).await
    }

    /// Reads several configurations in one call.
    pub async fn batch(&self, batch: &ConfigBatch) -> Result<ConfigBatchAnswer, ClientError> {
        self.calls.call(Method::POST, v1::CONFIGS_BATCH, batch).await
    }

    /// The JSON Schema of a configuration.
    pub async fn schema(&self, query: &ConfigQuery) -> Result<Vec<u8>, ClientError> {
        let answer =
            self.calls.send(self.calls.request(Method::GET, v1::CONFIGS_SCHEMA).query(query)).await?;
        self.calls.bytes(answer, VALUE_BYTES_MAX, |_, _| ()).await
    }

    /// Gives a configuration a JSON Schema, which its value must match.
    pub async fn put_schema(&self, query: &ConfigQuery, schema: Bytes) -> Result<ConfigMeta, ClientError> {
        let request = self.calls.request(Method::PUT, v1::CONFIGS_SCHEMA).query(query);
        self.calls
            .read_json(request.header(header::CONTENT_TYPE, "application/schema+json").body(schema))
            .await
    }

    /// Takes the JSON Schema of a configuration away.
    pub async fn delete_schema(&self, query: &ConfigQuery) -> Result<ConfigMeta, ClientError> {
        self.calls.queried(Method::DELETE, v1::CONFIGS_SCHEMA, query).await
    }

    /// One page of the configurations that nobody has read for some time.
    pub async fn unread(&self, query: &ConfigUnreadQuery) -> Result<ConfigUnreadPage, ClientError> {
        self.calls.get(v1::CONFIGS_UNREAD, query).await
    }

    /// The configurations of an environment as a text. Values are plain in it.
    pub async fn export(&self, query: &ConfigExportQuery) -> Result<Vec<u8>, ClientError> {
        let answer =
            self.calls.send(self.calls.request(Method::GET, v1::CONFIGS_EXPORT).query(query)).await?;
        self.calls.bytes(answer, CONFIG_TEXT_BYTES_MAX, |_, _| ()).await
    }

    /// Stores configurations from a text.
    pub async fn import(
        &self,
        query: &ConfigImportQuery,
        text: Bytes,
    ) -> Result<ConfigImported, ClientError> {
        let request = self.calls.request(Method::POST, v1::CONFIGS_IMPORT).query(query);
        self.calls
            .read_json(request.header(header::CONTENT_TYPE, "application/octet-stream").body(text))
            .await
    }

    /// Watches configurations, from behind `query.after` or from now on.
    pub async fn watch(&self, query: ConfigWatchQuery) -> Result<ConfigWatch, ClientError> {
        ConfigWatch::open(self.calls.clone(), query).await
    }

    /// Moves everything to another user key. This client goes on with the old one, which opens nothing then.
    pub async fn rekey(&self, order: &ConfigRekey) -> Result<ConfigRekeyed, ClientError> {
        self.calls.call(Method::POST, v1::CONFIGS_REKEY, order).await
    }
}
