//! Cursor paging of the native surface.

use coffer_core::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
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

/// Reads how many items a page is to have, and refuses what is not within 1 to [`PAGE_ITEMS_MAX`]: whoever asks
/// for more should not take a part for the whole.
pub fn deserialize_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let limit = Option::<usize>::deserialize(deserializer)?;
    match limit {
        Some(items) if !(1..=PAGE_ITEMS_MAX).contains(&items) => {
            Err(D::Error::custom(format_args!("must be between 1 and {PAGE_ITEMS_MAX}")))
        }
        limit => Ok(limit),
    }
}

/// How many items a page may have: what was asked for, within the limits.
pub fn page_items(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE_ITEMS_DEFAULT).clamp(1, PAGE_ITEMS_MAX)
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    /// Which of these page sizes are refused.
    fn refused<T: DeserializeOwned>(query: &Value) -> Vec<usize> {
        let is_refused = |limit: &usize| {
            let mut query = query.clone();
            query["limit"] = (*limit).into();
            let parsed = serde_json::from_value::<T>(query);
            parsed.is_err_and(|error| error.to_string() == "must be between 1 and 1000")
        };
        [0, 1, 1000, 1001].into_iter().filter(is_refused).collect()
    }

    #[test]
    fn every_listing_refuses_page_sizes_out_of_bounds() {
        for refused in [
            refused::<crate::file_keys::PageQuery>(&json!({})),
            refused::<crate::files::FilesQuery>(&json!({})),
            refused::<crate::grants::ListGrants>(&json!({ "name": "a" })),
            refused::<crate::identity::EventQuery>(&json!({})),
            refused::<crate::identity::UserQuery>(&json!({})),
            refused::<crate::usage::UnreadQuery>(&json!({ "days": 1 })),
        ] {
            assert_eq!(refused, [0, 1001]);
        }
    }

    #[test]
    fn a_page_size_stays_within_the_limits() {
        let sizes = [None, Some(0), Some(7), Some(usize::MAX)].map(page_items);
        assert_eq!(sizes, [100, 1, 7, 1000]);
    }
}
