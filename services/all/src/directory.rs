//! The data directory: locked for one process, with the secrets that this one process needs.
//!
//! What is missing is made once, each file whole or not at all: it is written and synced under another name
//! and then linked to its own, which fails if it is there. A second start finds it and changes nothing.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use coffer_auth::service_token::ServiceName;
use coffer_core::{Random, make_secret_key};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// The KMS's records, in the data directory.
pub(crate) const KMS_RECORDS: &str = "kms.db";

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    /// Something about a file or folder in it failed.
    #[error("{doing} {}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// Another process runs on it.
    #[error("another coffer-all uses {}: stop it first", .0.display())]
    InUse(PathBuf),
    /// The root key is gone, and making another would lock everything away for good.
    #[error(
        "{} is missing, but {} is there: only the root key that it was made with opens it, so put that back",
        root_key.display(), records.display()
    )]
    RootKeyLost {
        /// Where the root key should be.
        root_key: PathBuf,
        /// What it opens.
        records: PathBuf,
    },
}

/// A data directory that this process alone uses.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> DirectoryError + 'a {
    move |source| DirectoryError::File { doing, path: path.to_owned(), source }
}

impl Directory {
    /// Makes the directory (mode 0700) if it is not there, and locks it. The lock goes with the process,
    /// however that ends.
    pub(crate) fn open(path: &Path) -> Result<Self, DirectoryError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(failed("making the data directory", path))?;
        // Storage URLs need absolute paths.
        let path = path.canonicalize().map_err(failed("finding", path))?;
        let lock_path = path.join("lock");
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600).open(&lock_path);
        let lock = lock.map_err(failed("opening", &lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(Errno::WOULDBLOCK) => Err(DirectoryError::InUse(path)),
            Err(errno) => Err(failed("locking", &lock_path)(errno.into())),
        }
    }

    /// The directory's absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file with the root key; made if nothing was ever kept here.
    pub(crate) fn root_key(&self, random: &dyn Random) -> Result<PathBuf, DirectoryError> {
        let (root_key, records) = (self.path.join("root.key"), self.path.join(KMS_RECORDS));
        if !root_key.exists() && records.exists() {
            return Err(DirectoryError::RootKeyLost { root_key, records });
        }
        self.secret(root_key, random)
    }

    /// The file with the secret that the KMS and another service share; made if it is missing. Losing it
    /// loses nothing: nothing at rest depends on it.
    pub(crate) fn service_secret(
        &self,
        service: ServiceName,
        random: &dyn Random,
    ) -> Result<PathBuf, DirectoryError> {
        self.secret(self.path.join(format!("{service}.secret")), random)
    }

    fn secret(&self, path: PathBuf, random: &dyn Random) -> Result<PathBuf, DirectoryError> {
        if path.exists() {
            return Ok(path);
        }
        let draft = path.with_extension("new");
        // What a start left that was interrupted here. We hold the lock, so nobody is writing it.
        match fs::remove_file(&draft) {
            Err(err) if err.kind() != ErrorKind::NotFound => return Err(failed("removing", &draft)(err)),
            _ => {}
        }
        write_secret(&draft, random).map_err(failed("writing", &draft))?;
        fs::hard_link(&draft, &path).map_err(failed("making", &path))?;
        fs::remove_file(&draft).map_err(failed("removing", &draft))?;
        let folder = File::open(&self.path).and_then(|folder| folder.sync_all());
        folder.map_err(failed("syncing", &self.path))?;
        Ok(path)
    }
}

/// Writes a new 256-bit secret, as hexadecimal digits and a line break.
fn write_secret(path: &Path, random: &dyn Random) -> std::io::Result<()> {
    let secret = make_secret_key(random);
    let mut text = Zeroizing::new([b'\n'; 65]);
    hex::encode_to_slice(secret.expose(), &mut text[..64]).expect("two digits for each of 32 bytes");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&*text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use coffer_core::SeededRandom;

    use super::*;

    fn random() -> SeededRandom {
        SeededRandom::new(6)
    }

    #[test]
    fn what_is_missing_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/data");
        let directory = Directory::open(&path).unwrap();
        let made = [
            directory.root_key(&random()).unwrap(),
            directory.service_secret(ServiceName::Data, &random()).unwrap(),
        ];
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
        let before = made.each_ref().map(read);
        for file in &made {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(before[0].trim_end().len(), 64);
        drop(directory);

        let directory = Directory::open(&path).unwrap();
        let again = [
            directory.root_key(&SeededRandom::new(7)).unwrap(),
            directory.service_secret(ServiceName::Data, &SeededRandom::new(7)).unwrap(),
        ];
        assert_eq!(again.each_ref().map(read), before);
    }

    #[test]
    fn a_second_process_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = Directory::open(folder.path()).unwrap();
        assert!(matches!(Directory::open(folder.path()), Err(DirectoryError::InUse(_))));
        drop(first);
        assert!(Directory::open(folder.path()).is_ok());
    }

    #[test]
    fn a_secret_that_was_interrupted_while_it_was_made_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("root.new"), "half").unwrap();
        let directory = Directory::open(folder.path()).unwrap();
        let root_key = directory.root_key(&random()).unwrap();
        assert_eq!(fs::read_to_string(root_key).unwrap().len(), 65);
        assert!(!folder.path().join("root.new").exists());
    }

    #[test]
    fn no_root_key_is_made_for_records_that_another_one_sealed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KMS_RECORDS), "").unwrap();
        let directory = Directory::open(folder.path()).unwrap();
        assert!(matches!(directory.root_key(&random()), Err(DirectoryError::RootKeyLost { .. })));
    }
}
