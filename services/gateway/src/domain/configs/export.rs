//! The configurations of one environment as a text.

use super::model::Filter;
use super::transfer::{Document, Format, Item};
use super::{ConfigsError, Holder};
use crate::repo::configs::Entry;

/// What a document has around its configurations.
const AROUND_BYTES: u64 = 64 * 1024;

impl Holder {
    /// Writes the configurations of an environment, by key.
    pub async fn export(&self, environment: &str, format: Format) -> Result<String, ConfigsError> {
        let filter = Filter { category: None, environment: Some(environment) };
        let mut items = self.list_as(filter, item).await?;
        items.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let document = Document {
            salt: Some(self.configs().0.deployment.salt),
            environment: Some(environment.to_owned()),
            items,
        };
        // Whole name spaces take long to write; other requests go on meanwhile.
        let written = tokio::task::spawn_blocking(move || format.write(&document)).await;
        Ok(written.map_err(|_| ConfigsError::Broken)??)
    }

    /// The largest document of a format that can be imported, in bytes. One of a whole name space is within it where the
    /// format has no limit of its own: names and values are charged as they are, and 256 bytes for what is around them.
    pub fn document_bytes_max(&self, format: Format) -> usize {
        let space = self.configs().0.settings.space_bytes_max.saturating_add(AROUND_BYTES);
        format.bytes_max().unwrap_or_else(|| usize::try_from(space).unwrap_or(usize::MAX))
    }

    /// Reads what somebody wants to import; and whether it is from this deployment, if it says so.
    pub async fn document(
        &self,
        text: String,
        format: Format,
    ) -> Result<(Document, Option<bool>), ConfigsError> {
        let read = tokio::task::spawn_blocking(move || format.read(&text)).await;
        let document = read.map_err(|_| ConfigsError::Broken)??;
        let is_ours = document.salt.map(|salt| salt == self.configs().0.deployment.salt);
        Ok((document, is_ours))
    }
}

fn item(Entry { key, category, value, schema, .. }: Entry) -> Item {
    Item { key, category, value, schema }
}
