//! Extractors that validate, so that handlers need not.
//!
//! Each comes in two manners: native ([`ValidJson`], [`ValidQuery`], [`ValidPath`]: problem documents)
//! and contract ([`JsonBody`], [`ContractQuery`]: what the source systems' framework answers). The fast
//! path is one typed parse. Only when it fails is the input looked at again, to say what is wrong.

use std::borrow::Cow;

use serde::de::IgnoredAny;

mod bytes;
mod contract;
mod explain;
mod native;
mod shallow;
mod strict;

pub use bytes::BytesBody;
pub use contract::{ContractQuery, ContractRejection, JsonBody};
pub use native::{ValidJson, ValidPath, ValidQuery};

/// Why a query string is not UTF-8.
struct NotUtf8 {
    /// The parameter whose value is not, if its name is.
    parameter: Option<String>,
}

/// Refuses a query string in which an escape does not stand for UTF-8. The form parser would put
/// replacement characters instead, and a name with those is another name.
fn check_utf8(query: &str) -> Result<(), NotUtf8> {
    if !query.contains('%') {
        return Ok(());
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(Cow::into_owned);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).map_err(|_| NotUtf8 { parameter: None })?;
        decode(value).map_err(|_| NotUtf8 { parameter: Some(name) })?;
    }
    Ok(())
}

/// Whether `bytes` have the structure of JSON and what failed to parse can be a text in them that is no
/// Unicode: bytes that are no UTF-8, or half of a surrogate pair.
fn is_json_but_for_texts(bytes: &[u8]) -> bool {
    let has_surrogate = || bytes.windows(3).any(|escape| escape.eq_ignore_ascii_case(br"\ud"));
    let is_suspect = std::str::from_utf8(bytes).is_err() || has_surrogate();
    is_suspect && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}
