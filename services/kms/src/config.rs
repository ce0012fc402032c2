//! Every setting of the KMS that is not common to all services: one small struct for each concern.

mod auth;
mod files;
mod keyring;
mod limits;
mod mail;

pub use auth::{AuthSettings, EmailOtp};
pub use files::FilesSettings;
pub use keyring::KeyringSettings;
pub use limits::LimitSettings;
pub use mail::{SmtpSettings, SmtpTls};
