//! Extractors that validate, so that handlers need not.
//!
//! Each comes in two manners: native ([`ValidJson`], [`ValidQuery`], [`ValidPath`]: problem documents)
//! and contract ([`JsonBody`], [`ContractQuery`]: what the source systems' framework answers). The fast
//! path is one typed parse. Only when it fails is the input looked at again, to say what is wrong.

use std::borrow::Cow;

use serde::de::IgnoredAny;

mod contract;
mod explain;
mod native;
mod shallow;
mod strict;

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

/// Whether `bytes` have the structure of JSON, whatever the texts in it are: then what failed to parse is a
/// text that is no Unicode.
fn is_json_but_for_texts(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}
