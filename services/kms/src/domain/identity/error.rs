//! Why identity refuses.

use coffer_auth::password::HashError;
use coffer_store::records::StoreError;

use crate::domain::group::GroupError;

/// Why something about a user was not done.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The address has an account, or one is being made.
    #[error("there is an account for this address already")]
    UserExists,
    /// The user name is somebody else's.
    #[error("this user name is taken")]
    UserNameTaken,
    /// Nobody waits to be verified under this address.
    #[error("no registration is pending for this address")]
    NoPendingRegistration,
    /// Address and password do not belong together, or the user may not log in.
    #[error("the address or the password is wrong")]
    LogInFailed,
    /// Address and password belong together, and an administrator has shut the user out. Only a surface whose
    /// contract says so tells this apart from a failed log-in.
    #[error("the user was shut out")]
    Deactivated,
    /// The code is wrong, used or expired, or was tried too often.
    #[error("the code is wrong or has expired")]
    OtpFailed,
    /// Too much was tried lately.
    #[error("too many attempts")]
    RateLimited {
        /// When to come back, in seconds.
        retry_after_s: u32,
    },
    /// None of the user's sessions has this name.
    #[error("there is no such session")]
    SessionNotFound,
    /// Nobody has this id.
    #[error("there is no such user")]
    UserNotFound,
    /// The change would leave nobody who can administer.
    #[error("the last active administrator cannot be removed")]
    LastAdmin,
    /// Others changed the same thing again and again meanwhile.
    #[error("somebody else changed the same thing meanwhile")]
    Conflict,
    /// The password could not be hashed or checked.
    #[error("checking or hashing a password")]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("keeping identity records")]
    Store(#[from] StoreError),
    /// A security event or a revocation could not be written.
    #[error("recording what happened")]
    Recording(#[from] GroupError),
}
