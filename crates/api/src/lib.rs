//! Wire types and paths of the three services. Serde and schemas only: no I/O, no rules.

pub mod file_keys;
pub mod files;
pub mod grants;
pub mod identity;
pub mod secret;
