//! Everything that can go wrong, what a person can do about it, and the exit code it leads to.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_client::ClientError;
use coffer_core::{EmailAddress, EmailError, FileName, FileNameError};
use coffer_crypto::envelope::Refusal;
use coffer_crypto::filekey::KeyFormatError;

use crate::commands::config::{self, ConfigError};
use crate::commands::kv::{self, KvError};
use crate::commands::run::RunError;
use crate::credentials::CredentialsError;
use crate::exit::Exit;
use crate::expiry::ExpiryError;
use crate::input::InputError;
use crate::origin::Origin;
use crate::target::TargetError;
use crate::tree::MemoryError;
use crate::user_key::UserKeyError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Email(#[from] EmailError),
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{name}")]
    File {
        name: FileName,
        #[source]
        source: ClientError,
    },
    #[error("{key}")]
    Key {
        key: String,
        #[source]
        source: ClientError,
    },
    #[error("{key}")]
    Config {
        key: String,
        #[source]
        source: ClientError,
    },
    #[error("{path}", path = path.display())]
    Import {
        path: PathBuf,
        #[source]
        source: ClientError,
    },
    #[error(transparent)]
    Kv(#[from] KvError),
    #[error(transparent)]
    Configs(#[from] ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    UserKey(#[from] UserKeyError),
    /// There is an account, or a registration that waits for its code: a server does not tell which.
    #[error("{email} is registered already, or waits for its code", email = email.as_str())]
    Registered {
        email: EmailAddress,
        #[source]
        source: ClientError,
    },
    #[error("not logged in at {kms}")]
    NotLoggedIn { kms: Origin },
    #[error("the session at {kms} has ended")]
    SessionEnded { kms: Origin },
    #[error("a code has been sent to {email}", email = email.as_str())]
    CodeNeeded { email: EmailAddress, next: String },
    #[error("reading {path}", path = path.display())]
    ReadFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} has more than {bytes_max} bytes", path = path.display())]
    FileTooLarge { path: PathBuf, bytes_max: u64 },
    #[error("standard input has no name: coffer put - NAME")]
    NameNeeded,
    #[error("{path} cannot be stored under its own name; give one: coffer put FILE NAME", path = path.display())]
    NameFromPath {
        path: PathBuf,
        #[source]
        source: FileNameError,
    },
    #[error("--json and - would both write to standard output")]
    JsonAndStdout,
    #[error("the KMS's public key cannot be understood")]
    PublicKey(#[source] KeyFormatError),
    #[error("{name} does not open: it was damaged or tampered with on the way or in storage")]
    Damaged { name: FileName },
    #[error("{name} was damaged or tampered with on the way or in storage")]
    Envelope {
        name: FileName,
        #[source]
        refusal: Refusal,
    },
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("{name} is a file in the store, not a folder")]
    TreeIsFile { name: FileName },
    #[error("{name} is a folder in the store, not a file")]
    NameIsFolder { name: FileName },
    #[error("nothing is stored under {name}/")]
    NoTree { name: FileName },
    #[error("{left} entries were left out")]
    TreePartly { left: usize },
    #[error("a session's id is hexadecimal; give {chars_min} digits of it or more")]
    SessionId { chars_min: usize },
    #[error("several sessions begin with {id}; give more of the id")]
    SessionAmbiguous { id: String },
    #[error("you have no session {id}")]
    SessionUnknown { id: String },
    #[error("there is no user {email}", email = email.as_str())]
    UserUnknown { email: EmailAddress },
    #[error("writing the result")]
    Output(#[from] io::Error),
    #[error("starting up")]
    Runtime(#[source] io::Error),
    #[error("part of the program failed")]
    Task(#[source] tokio::task::JoinError),
}

impl CliError {
    /// A failure that concerns one file.
    pub(crate) fn of_file(name: &FileName, source: ClientError) -> Self {
        Self::File { name: name.clone(), source }
    }

    /// A failure that concerns one key, or the keys that begin with a text.
    pub(crate) fn of_key(key: &str, source: ClientError) -> Self {
        Self::Key { key: or_all(key, "keys"), source }
    }

    /// A failure that concerns one configuration, or the configurations that begin with a text.
    pub(crate) fn of_config(key: &str, source: ClientError) -> Self {
        Self::Config { key: or_all(key, "configurations"), source }
    }

    /// A failure to register.
    pub(crate) fn of_registration(email: &EmailAddress, source: ClientError) -> Self {
        match source.code() {
            Some(ErrorCode::UserExists) => Self::Registered { email: email.clone(), source },
            _ => Self::Client(source),
        }
    }

    /// A failure of work that was given to another thread.
    pub(crate) fn task(source: tokio::task::JoinError) -> Self {
        Self::Task(source)
    }

    /// What a server or the way to it did, if that is what failed.
    pub(crate) fn client(&self) -> Option<&ClientError> {
        match self {
            Self::Client(err)
            | Self::File { source: err, .. }
            | Self::Key { source: err, .. }
            | Self::Config { source: err, .. }
            | Self::Import { source: err, .. }
            | Self::Registered { source: err, .. } => Some(err),
            _ => None,
        }
    }

    /// The server's word for it, when a server refused.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Run(err) => err.code(),
            _ => self.client().and_then(ClientError::code),
        }
    }

    /// How long to wait before the next try, when a server said so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.client().and_then(ClientError::retry_after)
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Client(err)
            | Self::File { source: err, .. }
            | Self::Key { source: err, .. }
            | Self::Config { source: err, .. }
            | Self::Import { source: err, .. }
            | Self::Registered { source: err, .. } => exit_of_client(err),
            Self::Kv(err) => err.exit(),
            Self::Configs(err) => err.exit(),
            Self::Run(err) => err.exit(),
            Self::Input(InputError::PasswordFile { .. } | InputError::Terminal(_)) => Exit::Unexpected,
            Self::Input(_)
            | Self::UserKey(_)
            | Self::Email(_)
            | Self::Expiry(_)
            | Self::ReadFile { .. }
            | Self::FileTooLarge { .. }
            | Self::NameNeeded
            | Self::NameFromPath { .. }
            | Self::JsonAndStdout
            | Self::SessionId { .. }
            | Self::SessionAmbiguous { .. }
            | Self::Target(TargetError::NotPlain { .. } | TargetError::NoFolder { .. }) => Exit::Usage,
            Self::NotLoggedIn { .. }
            | Self::SessionEnded { .. }
            | Self::Credentials(CredentialsError::OtherServer { .. } | CredentialsError::NoGateway) => {
                Exit::NotLoggedIn
            }
            Self::CodeNeeded { .. } => Exit::CodeNeeded,
            Self::Target(TargetError::Exists { .. })
            | Self::TreeIsFile { .. }
            | Self::NameIsFolder { .. } => Exit::Exists,
            Self::Target(TargetError::Stopped) => Exit::Interrupted,
            Self::Damaged { .. } | Self::Envelope { .. } => Exit::Integrity,
            Self::SessionUnknown { .. } | Self::UserUnknown { .. } | Self::NoTree { .. } => Exit::NotFound,
            Self::TreePartly { .. } => Exit::Partly,
            Self::Memory(MemoryError::Busy) => Exit::Unavailable,
            // Whoever reads has enough, as with `coffer ls | head`.
            Self::Output(err) | Self::Target(TargetError::Stdout(err))
                if err.kind() == io::ErrorKind::BrokenPipe =>
            {
                Exit::Done
            }
            Self::Credentials(_)
            | Self::Target(_)
            | Self::PublicKey(_)
            | Self::Memory(_)
            | Self::Output(_)
            | Self::Runtime(_)
            | Self::Task(_) => Exit::Unexpected,
        }
    }

    /// What to do about it, when there is something.
    pub(crate) fn hint(&self) -> Option<String> {
        match (self, self.exit(), self.code()) {
            (Self::CodeNeeded { next, .. }, ..) => Some(format!("go on with: {next}")),
            (Self::Registered { email, .. }, ..) => Some(format!(
                "if you were just registering, ask for another code with: coffer register {0} --resend; else log in \
                 with: coffer login {0}; or set a new password with: coffer password reset {0}",
                email.as_str()
            )),
            (Self::Credentials(CredentialsError::OtherServer { .. }), ..) => {
                Some("log in for the other one with: coffer --data URL --gateway URL login".into())
            }
            (Self::Credentials(CredentialsError::NoGateway), ..) => {
                Some("log in again, with --gateway URL if it is not on this machine: coffer login".into())
            }
            (Self::Credentials(_), ..) => None,
            (Self::File { .. }, _, Some(ErrorCode::PermissionDenied)) => {
                Some("only a file's owner may do this; is the name right?".into())
            }
            (Self::Kv(err), ..) => err.hint().map(Into::into),
            (Self::Configs(err), ..) => err.hint().map(Into::into),
            (Self::Run(err), ..) => err.hint().map(Into::into),
            (Self::Import { .. }, _, Some(ErrorCode::BodyTooLarge)) => Some(
                "the gateway takes no texts of this size (`http.body_bytes_max`): import it in parts".into(),
            ),
            (Self::Config { .. } | Self::Import { .. }, _, Some(code))
                if config::hint_of_code(code).is_some() =>
            {
                config::hint_of_code(code).map(Into::into)
            }
            (Self::Key { .. }, _, Some(code)) if kv::hint_of_code(code).is_some() => {
                kv::hint_of_code(code).map(Into::into)
            }
            (_, _, Some(code)) if hint_of_code(code).is_some() => hint_of_code(code).map(Into::into),
            (_, Exit::Unavailable, _) if matches!(self.client(), Some(ClientError::Unreachable { .. })) => {
                Some("is it running there? --kms, --data and --gateway say where the servers are".into())
            }
            (_, Exit::RateLimited | Exit::Unavailable, _) => {
                self.retry_after().map(|wait| format!("try again in {} s", wait.as_secs().max(1)))
            }
            (_, Exit::NotLoggedIn, _) => Some("log in with: coffer login".into()),
            _ => None,
        }
    }
}

/// What a failure concerns: a key, or where there is none all of its kind.
fn or_all(key: &str, all: &str) -> String {
    if key.is_empty() { all } else { key }.to_owned()
}

fn hint_of_code(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::FileExists => "files are not overwritten: choose another name (coffer put FILE NAME)",
        ErrorCode::SecondFactorRequired => "log in again, with a code: coffer login",
        ErrorCode::UserExists => {
            "log in with: coffer login; or set a new password with: coffer password reset"
        }
        ErrorCode::NoPendingRegistration => "register with: coffer register",
        ErrorCode::OtpFailed => "ask for another code by giving the command again without --code",
        ErrorCode::LoginFailed => "set a new password with: coffer password reset",
        ErrorCode::AccessDenied => "ask the owner to share it with you",
        ErrorCode::VersionUnregistered | ErrorCode::VersionOutdated => {
            "the data service handed out something else than what was stored last: tell whoever runs it. If it lost that after a restore or a power failure, --version reads one before"
        }
        ErrorCode::KeyVersionInUse => {
            "what is kept may still be on its way to the newest version: try again in a moment; --force destroys it all \
             the same"
        }
        ErrorCode::KeyVersionDestroyed => {
            "its owner destroyed the key that it was sealed for; nobody can open it"
        }
        ErrorCode::PermissionDenied => "only an administrator may do this",
        ErrorCode::BodyTooLarge => {
            "the data service takes no files of this size; with its default limit (`limits.upload_body_bytes_max`, \
             64 MiB of JSON and base64) a file may have about 47 MiB"
        }
        _ => return None,
    })
}

fn exit_of_client(err: &ClientError) -> Exit {
    err.code()
        .map_or_else(|| if err.is_unavailable() { Exit::Unavailable } else { Exit::Unexpected }, exit_of_code)
}

/// The exit code for a server's error code. Every code is named, so that a new one is thought about.
pub(crate) fn exit_of_code(code: ErrorCode) -> Exit {
    match code {
        ErrorCode::InvalidSession
        | ErrorCode::NotAuthenticated
        | ErrorCode::LoginFailed
        | ErrorCode::InvalidUserKey
        | ErrorCode::OtpFailed => Exit::NotLoggedIn,
        ErrorCode::AccessDenied
        | ErrorCode::PermissionDenied
        | ErrorCode::SecondFactorRequired
        | ErrorCode::CrossSiteRequest
        | ErrorCode::LastAdmin
        | ErrorCode::InvalidApiKey
        | ErrorCode::StorageFull
        | ErrorCode::LimitReached => Exit::Refused,
        ErrorCode::FileNotFound
        | ErrorCode::KeyNotFound
        | ErrorCode::ConfigNotFound
        | ErrorCode::VersionNotFound
        | ErrorCode::SchemaNotFound
        | ErrorCode::ChangesGone
        | ErrorCode::FileKeyNotFound
        | ErrorCode::GrantNotFound
        | ErrorCode::SessionNotFound
        | ErrorCode::UserNotFound
        | ErrorCode::NoPendingRegistration => Exit::NotFound,
        ErrorCode::UserExists
        | ErrorCode::UserNameTaken
        | ErrorCode::FileExists
        | ErrorCode::KeyExists
        | ErrorCode::ConfigExists
        | ErrorCode::UserKeyInUse
        | ErrorCode::FileChanged
        | ErrorCode::KeyVersionInUse
        | ErrorCode::RevisionMismatch => Exit::Exists,
        ErrorCode::BodyTooLarge
        | ErrorCode::EnvironmentNeeded
        | ErrorCode::EnvNamesCollide
        | ErrorCode::ReferenceUnresolved
        | ErrorCode::SchemaMismatch
        | ErrorCode::InvalidInput
        | ErrorCode::RangeNotSatisfiable
        | ErrorCode::MissingFields => Exit::Usage,
        ErrorCode::UnwrapFailed
        | ErrorCode::VersionUnregistered
        | ErrorCode::VersionOutdated
        | ErrorCode::KeyVersionDestroyed => Exit::Integrity,
        ErrorCode::RateLimited => Exit::RateLimited,
        ErrorCode::Unavailable
        | ErrorCode::BadGateway
        | ErrorCode::OutcomeUnknown
        | ErrorCode::RequestTimeout
        | ErrorCode::Conflict => Exit::Unavailable,
        ErrorCode::BadRequest
        | ErrorCode::ConflictingCredentials
        | ErrorCode::InvalidServiceToken
        | ErrorCode::NotFound
        | ErrorCode::MethodNotAllowed
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::BodyCompressed
        | ErrorCode::Internal => Exit::Unexpected,
    }
}
