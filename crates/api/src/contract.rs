//! The contracts' wire types: what unchanged clients of the source systems send and expect.
//!
//! Of the file contract [`kms`] (HTTP 200 with the outcome in the body) and [`data`] (real status, repeated in
//! the body); of the gateway's contracts [`people`], [`configs`] and [`usage`] (real status, and a text in `detail`); and
//! [`validation`], the 422 body that all contracts share. Requests only deserialise and
//! check what can be checked without state; what they refuse, [`validation`] explains field by field.

pub mod configs;
pub mod data;
pub mod kms;
pub mod kv;
pub mod people;
pub mod usage;
pub mod validation;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The smallest answer of the file contract: an outcome and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// The outcome as a number; on the data service it repeats the HTTP status.
    pub code: u16,
    /// The outcome's name.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}

impl Outcome {
    /// The outcome `code` named `message`.
    pub const fn new(code: u16, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }
}
