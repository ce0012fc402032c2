//! Extractors that validate, so that handlers need not.
//!
//! Each comes in two manners: native ([`ValidJson`], [`ValidQuery`], [`ValidPath`]: problem documents)
//! and contract ([`JsonBody`], [`ContractQuery`]: what the source systems' framework answers). The fast
//! path is one typed parse. Only when it fails is the input looked at again, to say what is wrong.

mod contract;
mod explain;
mod native;
mod shallow;

pub use contract::{ContractQuery, ContractRejection, JsonBody};
pub use native::{ValidJson, ValidPath, ValidQuery};

/// Whether every escape in a query string stands for UTF-8. The form parser would put replacement
/// characters instead, and a name with those is another name.
fn is_utf8(query: &str) -> bool {
    !query.contains('%') || percent_encoding::percent_decode_str(query).decode_utf8().is_ok()
}
