//! What can go wrong with configurations beside what a server says, and what to do about both.

use std::path::PathBuf;

use coffer_api::ErrorCode;

use crate::exit::Exit;

/// Why a command on configurations failed here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the value is no text, and standard output is a terminal")]
    NotShown,
    #[error("the value is not UTF-8")]
    NotText,
    #[error("{key} has only one version")]
    OneVersion { key: String },
    #[error("there is nothing in {environment} under this user key")]
    Nothing { environment: String },
    #[error("the name {path} does not say how it is written", path = path.display())]
    NoFormat { path: PathBuf },
}

impl ConfigError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NotShown | Self::NotText | Self::NoFormat { .. } => Exit::Usage,
            Self::OneVersion { .. } | Self::Nothing { .. } => Exit::NotFound,
        }
    }

    /// What to do about it, when there is something.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotShown => Some("write it to a file with -o FILE, or to a pipe"),
            Self::NotText => {
                Some("a configuration is JSON: store bytes in base64, or as a key with coffer kv put")
            }
            Self::OneVersion { .. } => None,
            Self::Nothing { .. } => Some(
                "coffer config ls lists what there is; with another user key than it was stored with, nothing is found",
            ),
            Self::NoFormat { .. } => Some("say it with --format json, yaml, toml or env"),
        }
    }
}

/// What to do about a refusal that concerns a configuration.
pub(crate) fn hint_of_code(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::ConfigNotFound => {
            "coffer config ls lists what there is; with another user key than it was stored with, nothing is found"
        }
        ErrorCode::VersionNotFound => "coffer config history KEY lists the versions that are kept",
        ErrorCode::RevisionMismatch => {
            "it was changed meanwhile: coffer config history KEY shows its version"
        }
        ErrorCode::ConfigExists => "--overwrite gives what is there a new version",
        ErrorCode::EnvNamesCollide => "rename one of them, or export in another format",
        ErrorCode::ReferenceUnresolved => {
            "without --resolve it is shown as it was stored; a text that is no reference is written $${ref:…}"
        }
        ErrorCode::EnvironmentNeeded => "it is in several environments: say which with --env NAME",
        ErrorCode::UserKeyInUse => "there are configurations under that user key already: choose another one",
        // Nothing is shared with anybody: only a place to watch from is somebody's.
        ErrorCode::AccessDenied => "watch without --since, with the user key that opens them now",
        ErrorCode::InvalidApiKey => "this deployment asks for an API key: give --api-key-file FILE",
        ErrorCode::BodyTooLarge => {
            "larger values are keys or files: coffer kv put KEY @FILE, coffer put FILE"
        }
        ErrorCode::StorageFull => "coffer config rm makes room, or an operator raises the limit",
        ErrorCode::ChangesGone => {
            "look at the configurations with coffer config ls, and watch without --since"
        }
        _ => return None,
    })
}
