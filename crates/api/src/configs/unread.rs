//! What nobody has read for some time.

use coffer_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ConfigMeta;

/// `GET` with a [`ConfigUnreadQuery`]: a [`ConfigUnreadPage`].
pub const CONFIGS_UNREAD: &str = "/api/v1/configs/unread";

/// Which configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ConfigUnreadQuery {
    /// Days, 1 to 3,660; 30 by default. Configurations that were made since then are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Only of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// `next_cursor` of the page before; none asks for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// Configurations in the page, 1 to 1000; 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A configuration that nobody has read for some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreadConfig {
    /// The configuration.
    pub config: ConfigMeta,
    /// The beginning of the hour in which it was last read (RFC 3339), unless it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<Timestamp>,
}

/// One page of them, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigUnreadPage {
    /// Configurations, without their values.
    pub items: Vec<UnreadConfig>,
    /// Where the next page begins, unless this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<u64>,
}
