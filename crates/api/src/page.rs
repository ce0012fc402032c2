//! Cursor paging of the native surface.

use coffer_core::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the order of the listing.
    pub items: Vec<T>,
    /// Names the next page; absent on the last one. Opaque, and only good for the same listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same page with every item translated.
    pub fn map<U>(self, translate: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(translate).collect(), next_cursor: self.next_cursor }
    }
}

/// How many items a page may have: what was asked for, within the limits.
pub fn page_items(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE_ITEMS_DEFAULT).clamp(1, PAGE_ITEMS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_size_stays_within_the_limits() {
        let sizes = [None, Some(0), Some(7), Some(usize::MAX)].map(page_items);
        assert_eq!(sizes, [100, 1, 7, 1000]);
    }
}
