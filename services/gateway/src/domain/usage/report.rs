//! What is answered: one summary, with totals as they are now.

use coffer_core::UserId;
use coffer_store::records::StoreError;

use super::calendar::Day;
use super::operation::Counts;
use super::summary::Summary;
use super::totals::{Sizes, Totals};
use super::writer::Writer;
use crate::repo::usage::Scope;

/// Commits that a report reads at once beyond the totals that were written.
const COMMITS_MAX: usize = 1_000;

/// What is known of one owner's use, or of all owners'.
#[derive(Clone, Debug)]
pub struct Report {
    summary: Summary,
    sizes: Sizes,
}

impl Report {
    pub(super) fn of(summary: Summary, sizes: Sizes) -> Self {
        Self { summary, sizes }
    }

    /// What was counted.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Keys and their sizes, now. Never under zero.
    pub fn sizes(&self) -> Sizes {
        let Sizes { keys, plain_bytes, stored_bytes, encrypted, compressed } = self.sizes;
        Sizes {
            keys: keys.max(0),
            plain_bytes: plain_bytes.max(0),
            stored_bytes: stored_bytes.max(0),
            encrypted: encrypted.max(0),
            compressed: compressed.max(0),
        }
    }

    /// The share of keys that are stored compressed, 0 to 1; 0 without keys.
    pub fn compressed_share(&self) -> f64 {
        share(self.sizes().compressed, self.sizes().keys)
    }

    /// The share of keys that were stored with `encrypt`, 0 to 1; 0 without keys.
    pub fn encrypted_share(&self) -> f64 {
        share(self.sizes().encrypted, self.sizes().keys)
    }

    /// Bytes stored for each byte given, 1 without keys.
    pub fn stored_per_plain(&self) -> f64 {
        let Sizes { plain_bytes, stored_bytes, .. } = self.sizes();
        if plain_bytes == 0 { 1.0 } else { share(stored_bytes, plain_bytes) }
    }

    /// Operations by day, first day first.
    pub fn days(&self) -> impl Iterator<Item = (Day, Counts)> {
        self.summary.days.iter().map(|(day, counts)| (*day, *counts))
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares of counts below 2^52")]
fn share(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Reads a report. Says too whether the change log has more than what was written down.
pub(super) async fn report(writer: &Writer, scope: Scope) -> Result<(Report, bool), StoreError> {
    let (_, mut summary) = writer.repo.summary(scope).await?;
    summary.forget(writer.clock.now(), (writer.retention, &writer.calendar));
    let mut totals = summary.totals;
    if let Scope::Owner(owner) = scope {
        catch_up(writer, owner, (&mut totals, &mut summary)).await?;
    }
    let is_behind = totals.revision > summary.totals.revision;
    Ok((Report::of(summary, totals.sizes), is_behind))
}

/// Takes in the changes that are in the log and not yet written down.
async fn catch_up(
    writer: &Writer,
    owner: UserId,
    (totals, summary): (&mut Totals, &mut Summary),
) -> Result<(), StoreError> {
    loop {
        let page = writer.keys.changes(owner, totals.revision, COMMITS_MAX).await?;
        totals.fold(&page.items);
        let changes = page.items.iter().flat_map(|commit| &commit.changes);
        for gone in changes.filter(|change| change.fate.is_gone()) {
            summary.top.remove(None, &gone.key);
        }
        if !page.more {
            return Ok(());
        }
    }
}
