//! `coffer cp` and `coffer mv`: the servers give content another name; none of it comes here.
//!
//! The KMS registers the copy and wraps its content key for the file key of the new name, the data service makes it, and the
//! KMS is told that it did.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_api::ErrorCode;
use coffer_api::file_copies::{CopyFile, MoveFile, RegisterCopy, RegisteredCopy};
use coffer_api::file_keys::{Covers, CreateFileKey, ShowFileKey};
use coffer_api::file_versions::{PublishVersions, UploadedVersion};
use coffer_api::files::StoredFile;
use coffer_client::{ClientError, FileAt};
use coffer_core::{EmailAddress, FileName};

use crate::app::{App, Session};
use crate::error::CliError;
use crate::transfer::{Named, Seen};

/// How often it is tried while the file is replaced, or keys are rotated.
const TRIES_MAX: u32 = 4;

/// Arguments of `coffer cp`.
#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    /// The file
    from: FileName,
    /// Its second name
    to: FileName,
    /// Whose file, when several people's files of this name are within reach
    #[arg(long, value_name = "EMAIL")]
    owner: Option<EmailAddress>,
    /// Which version; by default the present one
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
    /// Refuse a name that has a file; otherwise the file gets a new version, and the old one is kept for a while
    #[arg(long, short)]
    no_replace: bool,
}

/// Arguments of `coffer mv`.
#[derive(Debug, clap::Args)]
pub(crate) struct MoveArgs {
    /// The file
    from: FileName,
    /// Its new name
    to: FileName,
    /// Refuse a name that has a file; otherwise the file gets a new version, and the old one is kept for a while
    #[arg(long, short)]
    no_replace: bool,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Copy,
    Move,
}

/// A file on its way to another name.
pub(super) struct Way<'a> {
    session: &'a Session,
    from: Named<'a>,
    to: &'a FileName,
    no_replace: bool,
    how: How,
}

/// Copies a file.
pub(crate) async fn copy(args: CopyArgs, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    let from = Named { name: &args.from, owner: args.owner.as_ref(), version: args.version };
    let way = Way { session: &session, from, to: &args.to, no_replace: args.no_replace, how: How::Copy };
    let stored = way.go().await?;
    app.output
        .result(&stored, || format!("Copied {} to {}, version {}", args.from, args.to, stored.version))?;
    Ok(())
}

/// Moves a file.
pub(crate) async fn rename(args: MoveArgs, app: &App) -> Result<(), CliError> {
    let session = app.session()?;
    let from = Named { name: &args.from, owner: None, version: None };
    let way = Way { session: &session, from, to: &args.to, no_replace: args.no_replace, how: How::Move };
    let stored = way.go().await?;
    app.output.result(&stored, || {
        format!("Moved {} to {}, version {}; its history is in the trash", args.from, args.to, stored.version)
    })?;
    Ok(())
}

impl<'a> Way<'a> {
    /// An earlier version of one's own file that becomes the next one.
    pub(super) fn back(session: &'a Session, name: &'a FileName, version: u64) -> Self {
        let from = Named { name, owner: None, version: Some(version) };
        Self { session, from, to: name, no_replace: false, how: How::Copy }
    }

    /// Goes, again if something changes on the way.
    pub(super) async fn go(&self) -> Result<StoredFile, CliError> {
        for _ in 1..TRIES_MAX {
            match self.try_go().await {
                Err(err)
                    if matches!(
                        err.code(),
                        Some(
                            ErrorCode::VersionOutdated | ErrorCode::KeyVersionDestroyed | ErrorCode::Conflict
                        )
                    ) => {}
                outcome => return outcome,
            }
        }
        self.try_go().await
    }

    async fn try_go(&self) -> Result<StoredFile, CliError> {
        let seen = self.from.see(self.session).await?;
        let of_target = |err| CliError::of_file(self.to, err);
        self.make_key().await.map_err(of_target)?;
        let registered = self.register(&seen).await?;
        let stored = self.make(&seen, &registered).await;
        let stored = stored.map_err(|err| CliError::of_file(self.from.name, err))?;
        let items = vec![UploadedVersion { name: self.to.as_str().into(), version: registered.version }];
        let publish = PublishVersions { owner: None, items };
        self.session.kms.publish_versions(&publish).await.map_err(of_target)?;
        Ok(stored)
    }

    /// Sees to it that the new name has a key: one of its own, unless a folder's covers it.
    async fn make_key(&self) -> Result<(), ClientError> {
        let owner = Some(self.session.email.as_str().to_owned());
        let show = ShowFileKey { name: self.to.as_str().into(), owner };
        match self.session.kms.show_file_key(&show).await {
            Err(err) if err.code() == Some(ErrorCode::FileKeyNotFound) => {
                let create = CreateFileKey { name: self.to.as_str().into(), covers: Covers::File };
                self.session.kms.create_file_key(&create).await.map(drop)
            }
            answer => answer.map(drop),
        }
    }

    async fn register(&self, seen: &Seen) -> Result<RegisteredCopy, CliError> {
        let stanza = self.from.newest(seen)?;
        let copy = RegisterCopy {
            from: self.from.name.as_str().into(),
            from_owner: self.from.owner_text(),
            version: seen.told.version,
            present: self.from.version.is_none(),
            prefix: BASE64.encode(seen.head.prefix.as_bytes()),
            key_version: stanza.version,
            wrapped: BASE64.encode(&stanza.wrapped),
            to: self.to.as_str().into(),
            to_owner: None,
        };
        let registered = self.session.kms.register_copy(&copy).await;
        registered.map_err(|err| CliError::of_file(self.from.name, err))
    }

    async fn make(&self, seen: &Seen, registered: &RegisteredCopy) -> Result<StoredFile, ClientError> {
        let (from, to) = (self.from.name.as_str().to_owned(), self.to.as_str().to_owned());
        let RegisteredCopy { version, stanzas, .. } = registered.clone();
        let from_version = seen.told.version;
        let condition = FileAt { if_none_match: self.no_replace.then_some("*"), ..FileAt::default() };
        let data = &self.session.data;
        match self.how {
            How::Copy => {
                let from_owner = self.from.owner_text();
                let copy = CopyFile { from, from_owner, from_version, to, to_owner: None, version, stanzas };
                data.copy_file(&copy, condition).await
            }
            How::Move => {
                let body = MoveFile { from, from_version, to, owner: None, version, stanzas };
                data.move_file(&body, condition).await
            }
        }
    }
}
