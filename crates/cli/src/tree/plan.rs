//! Which tree, and what is there of it in the store.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use coffer_api::files::FilesQuery;
use coffer_client::{ClientError, FileAt};
use coffer_core::{EmailAddress, FileName};

use super::below;
use super::memory::{Identity, Memory, state_folder};
use crate::app::{App, Session};
use crate::error::CliError;
use crate::target::TargetError;

/// A tree in the store, and its folder here.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) app: &'a App,
    pub(crate) session: &'a Session,
    pub(crate) tree: FileName,
    /// Whose, if not the caller's.
    pub(crate) owner: Option<EmailAddress>,
    /// An absolute path without symbolic links.
    pub(crate) folder: PathBuf,
    /// Transfers at the same time.
    pub(crate) jobs: usize,
}

/// What is done besides.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Rules {
    /// Replace what is there.
    pub(crate) force: bool,
    /// Both sides are kept alike: what only one of them changed goes to the other.
    pub(crate) sync: bool,
    /// Remove what is gone on the other side.
    pub(crate) delete: bool,
    /// Only say what would be done.
    pub(crate) dry_run: bool,
}

/// An entry in the store, as the data service tells of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    /// 0: no envelope.
    pub(crate) version: u64,
    pub(crate) size_bytes: u64,
}

impl Place<'_> {
    pub(crate) fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(EmailAddress::as_str)
    }

    /// Whose tree it is. Readers always say so: without it, a name could lead to what somebody else has shared.
    pub(crate) fn whose(&self) -> &str {
        self.owner().unwrap_or(self.session.email.as_str())
    }

    /// A file of the tree, to be read.
    pub(crate) fn file<'f>(&'f self, name: &'f str) -> FileAt<'f> {
        FileAt { owner: Some(self.whose()), ..FileAt::own(name) }
    }

    /// What is remembered of this tree.
    pub(crate) fn memory(&self) -> Result<Memory, CliError> {
        let email = self.session.email.as_str();
        let identity = Identity {
            kms: self.session.servers.kms.as_str(),
            data: self.session.servers.data.as_str(),
            email,
            owner: self.whose(),
            tree: self.tree.as_str(),
            folder: &self.folder,
        };
        Ok(Memory::open(&state_folder(|name| std::env::var_os(name))?, &identity)?)
    }

    /// All entries in the store; nothing where they are somebody else's, which are not listed.
    pub(crate) async fn listing(&self) -> Result<Option<HashMap<String, Stored>>, CliError> {
        if self.owner.is_some() {
            return Ok(None);
        }
        let query = FilesQuery { prefix: Some(format!("{}/", self.tree)), ..FilesQuery::default() };
        let files = self.session.data.files_all(query).await?.into_iter();
        let stored = files.filter(|file| below(&self.tree, &file.file_name).is_some()).map(|file| {
            let stored = Stored { version: file.version.unwrap_or(0), size_bytes: file.size_bytes };
            (file.file_name, stored)
        });
        let mut stored: HashMap<_, _> = stored.collect();
        match self.session.data.head_file(self.file(self.tree.as_str()), None).await {
            Ok(head) => {
                let root = Stored { version: head.version, size_bytes: head.size_bytes };
                stored.insert(self.tree.to_string(), root);
            }
            // The answer to HEAD has no body that would name the reason.
            Err(ClientError::Refused(refusal)) if refusal.status == 404 => {}
            Err(err) => return Err(CliError::of_file(&self.tree, err)),
        }
        Ok(Some(stored))
    }
}

/// The folder that is meant, as it is found from everywhere.
pub(crate) fn canonical(folder: &Path) -> Result<PathBuf, CliError> {
    let failed = |source| CliError::ReadFile { path: folder.into(), source };
    std::fs::canonicalize(folder).map_err(failed)
}

/// The same for a folder that is made if it is not there.
pub(crate) fn made(folder: &Path) -> Result<PathBuf, CliError> {
    match std::fs::create_dir(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(TargetError::Write { path: folder.into(), source }.into())
        }
        _ => canonical(folder),
    }
}

/// A lock whose holder cannot have left anything half done.
pub(crate) fn locked<T>(shared: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
