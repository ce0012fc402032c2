//! Files that only their owner can read, replaced whole or not at all.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

/// A file with a secret is a few hundred bytes; more than this is none of ours.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Why a private file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivateFileError {
    #[error("reading {path}", path = path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("writing {path}", path = path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} can be read by others, so it is not used; if nobody has: chmod 600 {path}", path = path.display())]
    ReadableByOthers { path: PathBuf },
    #[error("{path} can be changed by others, so it is not used; chmod 700 {path}", path = path.display())]
    FolderOpen { path: PathBuf },
    #[error("{path} belongs to another user, so it is not used", path = path.display())]
    NotOurs { path: PathBuf },
    #[error("{path} is not a plain file of at most {FILE_BYTES_MAX} bytes", path = path.display())]
    NotPlain { path: PathBuf },
}

/// The file's text; `None` if there is no file. Refuses a symbolic link, a file of another user, and one
/// that others can read, because then the secret in it is not one any more.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, PrivateFileError> {
    let failed = |source: io::Error| PrivateFileError::Read { path: path.into(), source };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(PrivateFileError::NotPlain { path: path.into() }),
        Err(errno) => return Err(failed(errno.into())),
    };
    // Of the open file, not of the path: what is checked is what is read.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return Err(PrivateFileError::NotPlain { path: path.into() });
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(PrivateFileError::NotOurs { path: path.into() });
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(PrivateFileError::ReadableByOthers { path: path.into() });
    }
    // Room for all of it at once: growing would leave copies of the secret behind.
    let room = usize::try_from(FILE_BYTES_MAX).unwrap_or(usize::MAX);
    let mut text = Zeroizing::new(String::with_capacity(room));
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

/// Replaces the file's text in one step: whoever reads sees the old text or the new one, and so does
/// whoever comes after a power cut. The file is made anew with mode 0600, never opened.
pub(super) fn write(path: &Path, text: &str) -> Result<(), PrivateFileError> {
    let failed = |source: io::Error| PrivateFileError::Write { path: path.into(), source };
    let folder = path.parent().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = folder.metadata().map_err(failed)?;
    if metadata.mode() & 0o022 != 0 {
        return Err(PrivateFileError::FolderOpen { path: folder.into() });
    }
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|err| failed(err.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
