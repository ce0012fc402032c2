//! Files as envelopes: any length, streamed, in versions.
//!
//! An envelope's head (prefix and stanzas) stands in the file's record, what follows it beside that or in a blob. So
//! stanzas can be replaced by one commit that touches no content.
//!
//! Nothing here opens an envelope: that its head is one is all that can be known without its key.

pub(crate) mod condition;
pub(crate) mod copying;
pub(crate) mod heads;
pub(crate) mod history;
mod plan;
mod publish;
mod reading;
pub(crate) mod rewrap;
#[cfg(test)]
mod tests;
mod trash;
mod upload;

pub(crate) use condition::{Condition, Tags};
pub(crate) use publish::{PutOrder, Stored};
pub(crate) use reading::{Answer, NativeFile};
pub(crate) use trash::Trashed;

use std::time::Duration;

/// For how long what was replaced or deleted is kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// Versions of a file beside the present one.
    pub versions_max: usize,
    /// From the moment when another took its place.
    pub versions: Duration,
    /// A deleted file.
    pub trash: Duration,
    /// After its last sign of life an upload counts as abandoned.
    pub collect_after: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        let month = Duration::from_hours(30 * 24);
        let collect_after = super::collector::COLLECT_AFTER;
        Self { versions_max: 20, versions: month, trash: month, collect_after }
    }
}
