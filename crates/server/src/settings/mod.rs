//! Settings: defaults, then a TOML file, then the environment; strict at every layer.
//!
//! A setting `section.key` of the service `kms` is `COFFER_KMS__SECTION__KEY` in the environment. A key
//! that nobody knows is an error that names it, in the file and in the environment alike: a mistyped
//! limit must not be a limit that is not there. An empty environment variable counts as absent, because
//! container tools cannot leave one out.
//!
//! A service describes its settings as structs with `#[serde(deny_unknown_fields, default)]`, one for
//! each section; this module brings the sections that all services have.

mod credentials;
mod list;
mod load;
mod secret;
mod sections;

pub use credentials::CredentialError;
pub use list::List;
pub use load::{LoadError, Sources, load};
pub(crate) use secret::check_mode;
pub use secret::{SecretError, SecretUrl, read_secret};
pub use sections::{HttpSettings, InternalSettings, LogFormat, LogSettings, ServiceCredential, TlsSettings};
