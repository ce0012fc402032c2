//! Where a download goes: standard output, or a file that appears whole or not at all.
//!
//! The plaintext is written to a new file of mode 0600 in the target's own folder, synced and renamed.
//! Without `--force` the rename refuses an existing target in the same step, so nothing that appears in
//! the meantime is overwritten either. Not taken: writing in place, which leaves half a file after Ctrl-C.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_core::FileName;
use tempfile::NamedTempFile;

/// How much is written between two looks at whether to stop.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Where a download goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Standard output.
    Stdout,
    /// This file.
    File(PathBuf),
}

/// Why a download could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("{path} exists already; --force replaces it", path = path.display())]
    Exists { path: PathBuf },
    #[error("{path} is not a plain file", path = path.display())]
    NotPlain { path: PathBuf },
    #[error("there is no folder {path}", path = path.display())]
    NoFolder { path: PathBuf },
    #[error("writing {path}", path = path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("writing to standard output")]
    Stdout(#[source] io::Error),
    #[error("interrupted; nothing was written")]
    Stopped,
}

impl Target {
    /// What the argument means: `-` is standard output, a folder takes the last part of the file's name,
    /// and without an argument that name is used in the working folder.
    ///
    /// A [`FileName`] has no `..` and is never absolute, and of what is left only the last part is used:
    /// whoever names a file decides nothing about where it is written.
    pub(crate) fn of(argument: Option<&Path>, name: &FileName) -> Self {
        let last = name.as_str().rsplit('/').next().unwrap_or(name.as_str());
        match argument {
            Some(path) if path == Path::new("-") => Self::Stdout,
            Some(path) if path.is_dir() => Self::File(path.join(last)),
            Some(path) => Self::File(path.to_owned()),
            None => Self::File(PathBuf::from(last)),
        }
    }

    /// Finds out before anything is downloaded what would make the writing fail.
    pub(crate) fn check(&self, force: bool) -> Result<(), TargetError> {
        let Self::File(path) = self else { return Ok(()) };
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(TargetError::NoFolder { path: folder.into() });
        }
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Err(TargetError::NotPlain { path: path.clone() }),
            Ok(_) if !force => Err(TargetError::Exists { path: path.clone() }),
            _ => Ok(()),
        }
    }

    /// Begins to write. `stop` becomes true when the user interrupts.
    pub(crate) fn open(self, force: bool, stop: Arc<AtomicBool>) -> Result<Sink, TargetError> {
        let place = match self {
            Self::Stdout => Place::Stdout,
            Self::File(path) => {
                let failed = |source: io::Error| TargetError::Write { path: path.clone(), source };
                let file = tempfile::Builder::new()
                    .prefix(".coffer-")
                    .permissions(Permissions::from_mode(0o600))
                    .tempfile_in(folder_of(&path))
                    .map_err(failed)?;
                Place::File { file, path, force }
            }
        };
        Ok(Sink { place, stop })
    }

    /// Writes all of `bytes`, or leaves everything as it was; so it does when `stop` becomes true.
    pub(crate) fn write(self, bytes: &[u8], force: bool, stop: Arc<AtomicBool>) -> Result<(), TargetError> {
        let mut sink = self.open(force, stop)?;
        bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| sink.write(chunk))?;
        sink.finish()
    }
}

/// A download that is being written. A file appears when it is [finished](Self::finish); dropped before, it is gone.
#[derive(Debug)]
pub(crate) struct Sink {
    place: Place,
    stop: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Place {
    Stdout,
    File { file: NamedTempFile, path: PathBuf, force: bool },
}

impl Sink {
    /// Writes what comes next.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        match &mut self.place {
            Place::Stdout => io::stdout().lock().write_all(bytes).map_err(TargetError::Stdout)?,
            Place::File { file, path, .. } => {
                file.write_all(bytes).map_err(|source| TargetError::Write { path: path.clone(), source })?;
            }
        }
        if self.stop.load(Ordering::Relaxed) { Err(TargetError::Stopped) } else { Ok(()) }
    }

    /// All was written.
    pub(crate) fn finish(self) -> Result<(), TargetError> {
        match self.place {
            Place::Stdout => io::stdout().lock().flush().map_err(TargetError::Stdout),
            Place::File { file, path, force } => put_in_place(file, &path, force),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn put_in_place(file: NamedTempFile, path: &Path, force: bool) -> Result<(), TargetError> {
    let failed = |source: io::Error| TargetError::Write { path: path.into(), source };
    file.as_file().sync_all().map_err(failed)?;
    let renamed = if force { file.persist(path) } else { file.persist_noclobber(path) };
    match renamed {
        Ok(_) => {}
        Err(err) if err.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(TargetError::Exists { path: path.into() });
        }
        Err(err) => return Err(failed(err.error)),
    }
    // Not every file system can sync a folder; the file itself is safe by now.
    let _ = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    fn go_on() -> Arc<AtomicBool> {
        Arc::default()
    }

    fn name(text: &str) -> FileName {
        text.parse().unwrap()
    }

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_name_of_a_file_never_decides_on_its_folder() {
        let home = TempDir::new().unwrap();
        let of = |argument: Option<&Path>, text: &str| Target::of(argument, &name(text));
        assert_eq!(of(None, "etc/cron.d/job"), Target::File("job".into()));
        assert_eq!(of(Some(home.path()), "a/b.txt"), Target::File(home.path().join("b.txt")));
        assert_eq!(of(Some(Path::new("x/y")), "a/b.txt"), Target::File("x/y".into()));
        assert_eq!(of(Some(Path::new("-")), "a"), Target::Stdout);
    }

    #[test]
    fn a_download_is_private_and_leaves_nothing_beside_it() {
        let home = TempDir::new().unwrap();
        let path = home.path().join("報告 2026.bin");
        Target::File(path.clone()).write(b"plain", false, go_on()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"plain");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(entries(home.path()), ["報告 2026.bin"]);
    }

    #[test]
    fn an_existing_file_stays_as_it_is_unless_forced() {
        let home = TempDir::new().unwrap();
        let target = Target::File(home.path().join("a"));
        fs::write(home.path().join("a"), "before").unwrap();
        assert!(matches!(target.check(false), Err(TargetError::Exists { .. })));
        // Also when it appears between the check and the writing.
        assert!(matches!(target.clone().write(b"after", false, go_on()), Err(TargetError::Exists { .. })));
        assert_eq!(fs::read(home.path().join("a")).unwrap(), b"before");
        assert_eq!(entries(home.path()), ["a"]);

        target.check(true).unwrap();
        target.write(b"after", true, go_on()).unwrap();
        assert_eq!(fs::read(home.path().join("a")).unwrap(), b"after");
    }

    #[test]
    fn a_symbolic_link_is_replaced_and_not_followed() {
        let home = TempDir::new().unwrap();
        let precious = home.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        symlink(&precious, home.path().join("a")).unwrap();
        let target = Target::File(home.path().join("a"));
        assert!(matches!(target.clone().write(b"x", false, go_on()), Err(TargetError::Exists { .. })));
        target.write(b"x", true, go_on()).unwrap();
        assert_eq!(fs::read(precious).unwrap(), b"precious");
    }

    #[test]
    fn what_cannot_work_is_said_before_the_download() {
        let home = TempDir::new().unwrap();
        let missing = Target::File(home.path().join("no/a"));
        assert!(matches!(missing.check(false), Err(TargetError::NoFolder { .. })));
        let folder = Target::File(home.path().to_owned());
        assert!(matches!(folder.check(true), Err(TargetError::NotPlain { .. })));
    }

    #[test]
    fn an_interrupted_download_leaves_nothing() {
        let home = TempDir::new().unwrap();
        let target = Target::File(home.path().join("a"));
        let stopped = target.write(&[0; 10], false, Arc::new(AtomicBool::new(true)));
        assert!(matches!(stopped, Err(TargetError::Stopped)));
        assert!(entries(home.path()).is_empty());
    }
}
