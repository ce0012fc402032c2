//! Typed clients of the services, and the only place that speaks HTTP as a client.
//!
//! [`KmsClient`] and [`DataClient`] have one method for each call. What may be tried again is decided
//! here, not by callers: a call that changes nothing, or one whose outcome can be told afterwards.

mod calls;
mod data;
mod error;
mod kms;

pub use data::{DataClient, Envelope, Report};
pub use error::{ClientError, Refusal};
pub use kms::KmsClient;
