//! What travels between programs: wire types, paths, error codes. Types and serde; no I/O, no policy.
//!
//! Clients and servers compile against the same types, so a path or a field cannot drift between them.
//! Secrets in wire types are [`secret::WireSecret`]: readable on purpose, never printed by `Debug`.

pub mod configs;
pub mod contract;
pub mod error;
pub mod file_copies;
pub mod file_keys;
pub mod file_versions;
pub mod files;
pub mod grants;
pub mod hash;
pub mod identity;
pub mod internal;
pub mod kv;
pub mod page;
pub mod paths;
pub mod problem;
pub mod raw;
pub mod secret;
pub mod trace;
pub mod usage;

pub use error::ErrorCode;
pub use hash::{AddressHash, PrefixHash, SessionHash};
pub use identity::{Amr, Role};
pub use page::Page;
pub use problem::{FieldError, Problem};
pub use secret::WireSecret;
