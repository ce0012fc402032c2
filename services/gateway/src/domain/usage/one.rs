//! How one key is used.

use coffer_core::UserId;
use coffer_store::records::StoreError;

use super::access::Access;
use super::page::KeyHash;
use super::writer::Writer;
use crate::repo::usage::{self, Scope};

/// How often the page is looked for: each time but the last it was cut just before it was read.
const LOOKS_MAX: u32 = 3;

/// What is known of a key: two reads, the summary for where the key stands, and its page.
pub(super) async fn one(writer: &Writer, owner: UserId, key: &str) -> Result<Option<Access>, StoreError> {
    let hash = KeyHash::of(key);
    for _ in 0..LOOKS_MAX {
        let (_, summary) = writer.repo.summary(Scope::Owner(owner)).await?;
        let page = summary.cuts.page_of(hash);
        if let Some(opened) = writer.repo.pages(owner, &[page]).await?.first().and_then(Option::as_ref) {
            return Ok(usage::page(opened)?.get(key));
        }
        let (_, now) = writer.repo.summary(Scope::Owner(owner)).await?;
        if now.cuts.page_of(hash) == page {
            return Ok(None);
        }
    }
    Ok(None)
}
