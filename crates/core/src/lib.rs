//! What every part of Coffer shares and nothing that does I/O: ids, time, randomness, secrets,
//! validated names and limits.
//!
//! Time and randomness are values that are handed in ([`Clock`], [`Random`]), so that a test can
//! move the one and repeat the other; `clippy.toml` bans the hidden sources everywhere else.

mod clock;
mod email;
mod id;
mod invisible;
mod names;
mod random;
mod secret;

pub mod base64;
pub mod limits;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp, TimestampError};
pub use email::{EmailAddress, EmailError};
pub use id::{BlobId, CodeId, DeviceId, EventId, FileId, IdError, MailId, UserId};
pub use names::{FileName, FileNameError, UserName, UserNameError};
pub use random::{Random, SeededRandom, SystemRandom};
pub use secrecy::{ExposeSecret, SecretString};
pub use secret::{SecretBytes, SecretKey, make_secret_key};
