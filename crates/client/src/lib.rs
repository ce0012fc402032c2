//! Typed clients of the services, and the only place that speaks HTTP as a client.
//!
//! [`KmsClient`] and [`DataClient`] are for users, [`InternalKms`] and [`InternalData`] for other services; each
//! has one method for each call. What may be tried again is decided here, not by callers: a call that
//! changes nothing, or one whose outcome can be told afterwards. [`Forwarder`] knows no calls: it passes on
//! what users ask of one service through another.

mod calls;
mod connection;
mod data;
mod error;
mod forward;
mod gateway;
mod internal;
mod kms;
mod refusal;
mod transport;

pub use data::{DataClient, Envelope, FileAt, FileDownload, FileHead, Report};
pub use error::ClientError;
pub use forward::{ANSWER_HEADERS, ForwardAnswer, ForwardRequest, Forwarder, REQUEST_HEADERS};
pub use gateway::{
    CONFIG_TEXT_BYTES_MAX, ConfigWatch, ConfigsClient, GatewayClient, KV_VALUE_BYTES_MAX, KvValue, KvWatch,
    Watch, Watchable, Watched,
};
pub use internal::{InternalData, InternalKms, TokenSource};
pub use kms::KmsClient;
pub use refusal::Refusal;
