//! What is remembered of a tree: as which version each entry was stored or fetched, and its stamp then.
//!
//! A journal of one line for each entry, in a file of mode 0600 of this profile's state. It is appended to as work goes on, so
//! that who is killed goes on where he was, and written anew when it has grown to twice its worth. A line that was cut off
//! counts for nothing. It holds names, no content and no key. Losing it costs time: everything is sent, or compared, once more.
//!
//! Whoever works on a tree holds the journal locked.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use coffer_core::Timestamp;
use coffer_crypto::hash::sha256;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::Stamp;

/// Lines that are worth nothing any more, before the journal is written anew.
const DEAD_LINES_MAX: usize = 1_000;

/// Why nothing can be remembered of a tree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    #[error("there is no folder for what is remembered: set COFFER_STATE_DIR, XDG_STATE_HOME or HOME")]
    NoFolder,
    #[error("another coffer is at work on this folder")]
    Busy,
    #[error("keeping what is remembered in {path}", path = path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Which tree on this machine, and which in the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    pub(crate) kms: &'a str,
    pub(crate) data: &'a str,
    pub(crate) email: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) tree: &'a str,
    pub(crate) folder: &'a Path,
}

impl Identity<'_> {
    /// Its file's name. No part can be taken for another: each comes with its length.
    fn file_name(&self) -> String {
        let folder = self.folder.as_os_str().as_encoded_bytes();
        let parts = [self.kms, self.data, self.email, self.owner, self.tree].map(str::as_bytes);
        let mut text = Vec::new();
        for part in parts.into_iter().chain([folder]) {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part);
        }
        let digits = sha256(&text).map(|byte| format!("{byte:02x}"));
        format!("{}.jsonl", digits.concat())
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(rename = "n")]
    name: String,
    /// 0: forgotten.
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "s")]
    stamp: Stamp,
}

/// One entry, as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) version: u64,
    pub(crate) stamp: Stamp,
}

/// What is remembered of one tree.
#[derive(Debug)]
pub(crate) struct Memory {
    known: HashMap<String, Known>,
    journal: BufWriter<File>,
    path: PathBuf,
}

/// The folder for what may be lost without harm.
pub(crate) fn state_folder(
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Result<PathBuf, MemoryError> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path("COFFER_STATE_DIR")
        .or_else(|| path("XDG_STATE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("coffer")))
        .or_else(|| path("HOME").map(|path| path.join(".local/state/coffer")))
        .ok_or(MemoryError::NoFolder)
}

impl Memory {
    /// What is remembered of this tree, for this process alone.
    pub(crate) fn open(state: &Path, identity: &Identity<'_>) -> Result<Self, MemoryError> {
        let folder = state.join("trees");
        let path = folder.join(identity.file_name());
        let failed = |source: io::Error| MemoryError::Io { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file =
            rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(|err| failed(err.into()))?;
        let file = File::from(file);
        lock(&file, &path)?;
        let (known, lines) = read(&file).map_err(failed)?;
        let is_cut = lines.is_cut;
        let mut memory = Self { known, journal: BufWriter::new(file), path: path.clone() };
        if is_cut || lines.count > 2 * memory.known.len() + DEAD_LINES_MAX {
            memory.write_anew()?;
        }
        Ok(memory)
    }

    /// What was remembered of an entry.
    pub(crate) fn get(&self, name: &str) -> Option<&Known> {
        self.known.get(name)
    }

    /// Everything that is remembered.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Known)> {
        self.known.iter().map(|(name, known)| (name.as_str(), known))
    }

    /// Remembers an entry, unless a change right after would not be seen.
    pub(crate) fn record(&mut self, name: &str, known: Known, now: Timestamp) -> Result<(), MemoryError> {
        if !known.stamp.is_settled(now) {
            return self.forget(name);
        }
        self.append(name, known.version, &known.stamp)?;
        self.known.insert(name.to_owned(), known);
        Ok(())
    }

    /// Forgets an entry.
    pub(crate) fn forget(&mut self, name: &str) -> Result<(), MemoryError> {
        match self.known.remove(name) {
            Some(known) => self.append(name, 0, &known.stamp),
            None => Ok(()),
        }
    }

    /// Gives what was recorded to the system: from then on it outlives this process.
    pub(crate) fn flush(&mut self) -> Result<(), MemoryError> {
        self.journal.flush().map_err(|source| MemoryError::Io { path: self.path.clone(), source })
    }

    fn append(&mut self, name: &str, version: u64, stamp: &Stamp) -> Result<(), MemoryError> {
        let failed = |source| MemoryError::Io { path: self.path.clone(), source };
        let line = Line { name: name.to_owned(), version, stamp: stamp.clone() };
        serde_json::to_writer(&mut self.journal, &line).map_err(|err| failed(err.into()))?;
        self.journal.write_all(b"\n").map_err(failed)
    }

    /// Writes a journal of what still counts, and takes the old one's place.
    fn write_anew(&mut self) -> Result<(), MemoryError> {
        let path = self.path.clone();
        let failed = |source: io::Error| MemoryError::Io { path: path.clone(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(Permissions::from_mode(0o600))
            .append(true)
            .tempfile_in(folder)
            .map_err(failed)?;
        lock(file.as_file(), &path)?;
        self.journal = BufWriter::new(file.reopen_appending().map_err(failed)?);
        let known = std::mem::take(&mut self.known);
        for (name, known) in &known {
            self.append(name, known.version, &known.stamp)?;
        }
        self.known = known;
        self.flush()?;
        file.persist(&path).map_err(|err| failed(err.error))?;
        Ok(())
    }
}

/// A second handle of the same open file, so that it stays locked.
trait ReopenAppending {
    fn reopen_appending(&self) -> io::Result<File>;
}

impl ReopenAppending for tempfile::NamedTempFile {
    fn reopen_appending(&self) -> io::Result<File> {
        self.as_file().try_clone()
    }
}

fn lock(file: &File, path: &Path) -> Result<(), MemoryError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(MemoryError::Busy),
        Err(TryLockError::Error(source)) => Err(MemoryError::Io { path: path.into(), source }),
    }
}

struct Lines {
    count: usize,
    /// The last one has no end, or one cannot be understood.
    is_cut: bool,
}

fn read(file: &File) -> io::Result<(HashMap<String, Known>, Lines)> {
    let mut known = HashMap::new();
    let mut lines = Lines { count: 0, is_cut: false };
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    while reader.read_until(b'\n', &mut text)? > 0 {
        lines.count += 1;
        match serde_json::from_slice::<Line>(&text) {
            Ok(line) if text.ends_with(b"\n") => {
                if line.version == 0 {
                    known.remove(&line.name);
                } else {
                    known.insert(line.name, Known { version: line.version, stamp: line.stamp });
                }
            }
            _ => lines.is_cut = true,
        }
        text.clear();
    }
    Ok((known, lines))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tempfile::TempDir;

    use super::*;

    const LATER: Timestamp = Timestamp::from_ms(i64::MAX / 2);

    fn open(home: &TempDir, tree: &str) -> Result<Memory, MemoryError> {
        let (kms, data, email) = ("http://k", "http://d", "ann@example.com");
        let identity = Identity { kms, data, email, owner: email, tree, folder: home.path() };
        Memory::open(home.path(), &identity)
    }

    fn known(home: &TempDir, version: u64) -> Known {
        let stamp = Stamp::of(&rustix::fs::lstat(home.path()).unwrap()).unwrap();
        Known { version, stamp }
    }

    #[test]
    fn what_was_recorded_is_there_again_and_what_was_cut_off_is_not() {
        let home = TempDir::new().unwrap();
        let mut memory = open(&home, "a").unwrap();
        for (name, version) in [("one", 1), ("two", 1), ("two", 2), ("three", 1)] {
            memory.record(name, known(&home, version), LATER).unwrap();
        }
        memory.forget("three").unwrap();
        memory.record("just now", known(&home, 1), Timestamp::from_ms(0)).unwrap();
        let path = memory.path.clone();
        drop(memory);
        File::options().append(true).open(&path).unwrap().write_all(b"{\"n\":\"cut").unwrap();
        for _ in 0..2 {
            let memory = open(&home, "a").unwrap();
            let mut found: Vec<_> = memory.all().map(|(name, known)| (name, known.version)).collect();
            found.sort_unstable();
            assert_eq!(found, [("one", 1), ("two", 2)]);
        }
        assert!(open(&home, "b").unwrap().get("one").is_none(), "each tree has its own");
    }

    #[test]
    fn only_one_at_a_time_is_at_work_on_a_tree() {
        let home = TempDir::new().unwrap();
        let first = open(&home, "a").unwrap();
        assert!(matches!(open(&home, "a"), Err(MemoryError::Busy)));
        drop(first);
        open(&home, "a").unwrap();
    }

    #[test]
    fn a_journal_of_lines_without_worth_is_written_anew_and_stays_locked() {
        let home = TempDir::new().unwrap();
        let mut memory = open(&home, "a").unwrap();
        for version in 1..=3_000 {
            memory.record("one", known(&home, version), LATER).unwrap();
        }
        drop(memory);
        let memory = open(&home, "a").unwrap();
        assert_eq!(std::fs::read_to_string(&memory.path).unwrap().lines().count(), 1);
        assert!(matches!(open(&home, "a"), Err(MemoryError::Busy)));
        assert_eq!(memory.get("one").unwrap().version, 3_000);
    }
}
