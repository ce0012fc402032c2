//! Everything that counts as a security event, in one place.

use coffer_api::grants::Permission;
use coffer_api::{AddressHash, Amr, Role, SessionHash};
use coffer_auth::code::Purpose;
use coffer_core::{FileId, FileName, Timestamp};
use serde::Serialize;

/// A file key and the version of it that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// The file.
    pub file: FileId,
    /// Its name.
    pub name: FileName,
    /// The version of its key.
    pub version: u32,
}

/// What happened. The name of a variant, in snake case, is the event's `kind`; its fields are details.
///
/// No field may hold a secret. E-mail addresses appear blinded only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Somebody asked for an account.
    RegistrationRequested {
        /// The address that is to be verified.
        email: AddressHash,
    },
    /// The address was verified and the account made.
    Registered,
    /// A password was right; a code follows, or the session where none is asked for.
    PasswordAccepted,
    /// A log-in by password was refused.
    LoginRefused {
        /// The address that was tried.
        email: AddressHash,
    },
    /// A session was opened.
    LoginSucceeded {
        /// Its name.
        session: SessionHash,
        /// How.
        amr: Vec<Amr>,
    },
    /// A code was put on its way.
    CodeSent {
        /// What for.
        purpose: Purpose,
        /// The address.
        email: AddressHash,
    },
    /// A code was refused.
    CodeRefused {
        /// What it was for.
        purpose: Purpose,
        /// The address.
        email: AddressHash,
    },
    /// A limit was reached.
    RateLimited {
        /// Which one.
        limit: &'static str,
    },
    /// A session was ended by its user or by an administrator.
    SessionEnded {
        /// Its name.
        session: SessionHash,
    },
    /// All sessions of a user were ended.
    SessionsEnded,
    /// A user changed the password.
    PasswordChanged,
    /// A password was set by code.
    PasswordReset,
    /// An administrator was made on the command line.
    AdminCreated,
    /// A user's role was changed.
    RoleChanged {
        /// What it is now.
        role: Role,
    },
    /// A user may no longer act.
    UserDeactivated,
    /// A user may act again.
    UserActivated,
    /// A file key was made.
    FileKeyCreated(KeyUse),
    /// With shared names, an unfinished name was taken over from its first owner.
    FileNameTakenOver(KeyUse),
    /// A file key got another version.
    FileKeyRotated(KeyUse),
    /// The versions of a file key up to this one were destroyed.
    FileKeyDestroyed(KeyUse),
    /// A private key was released.
    FileKeyExported(KeyUse),
    /// Something was unwrapped with a private key.
    FileKeyUnwrapped {
        /// Which key.
        #[serde(flatten)]
        key: KeyUse,
        /// How many ciphertexts.
        ciphertexts: usize,
    },
    /// The content of a file's next version was registered, to be uploaded.
    FileVersionRegistered {
        /// The key that is current.
        #[serde(flatten)]
        key: KeyUse,
        /// The version of the content.
        content: u64,
    },
    /// The content key of a version was released.
    FileVersionOpened {
        /// Which key unwrapped it.
        #[serde(flatten)]
        key: KeyUse,
        /// The version of the content.
        content: u64,
    },
    /// A private key was asked for in vain.
    FileKeyRefused {
        /// The name that was asked for.
        name: FileName,
    },
    /// Access was given.
    GrantMade {
        /// To which file.
        file: FileId,
        /// To whom.
        grantee: AddressHash,
        /// What the grant allows.
        permission: Permission,
        /// Until when.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Access was taken away.
    GrantRevoked {
        /// To which file.
        file: FileId,
        /// From whom.
        grantee: AddressHash,
    },
    /// A keyring got a new version, which is not in use yet.
    KeyringVersionMade {
        /// Whose keyring.
        service: String,
        /// Which version.
        version: u32,
    },
    /// A version of a keyring is in use from now on.
    KeyringRotated {
        /// Whose keyring.
        service: String,
        /// Which version.
        version: u32,
    },
    /// A service was given its keyring.
    KeyringHandedOver {
        /// Which service.
        service: String,
    },
}
