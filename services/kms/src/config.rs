//! Every setting of the KMS that is not common to all services: one small struct for each concern.

mod auth;
mod events;
mod files;
mod keyring;
mod limits;
mod mail;

pub use auth::{AuthSettings, EmailOtp};
pub use events::EventSettings;
pub use files::{FilesSettings, FilesSettingsError};
pub use keyring::KeyringSettings;
pub use limits::LimitSettings;
pub use mail::{SmtpSettings, SmtpTls};
