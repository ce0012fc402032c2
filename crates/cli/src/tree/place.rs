//! A tree on this machine that is being written: nothing of it lands outside its folder.
//!
//! Who stores a tree chooses names and the targets of links, and may be somebody else. So every name is walked segment by
//! segment from the open folder of the tree, and no segment may be a symbolic link: neither one that was there, nor one
//! that the tree brought. Links are made after all files, and are never followed.
//!
//! A file is written under a name of its own in [`PARTS`] and renamed when it is whole, with its mode and time. What a
//! killed process left there is removed by the next.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use coffer_crypto::envelope::Details;
use rustix::fs::{self as sys, AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::stamp::modified;
use super::{PARTS, Stamp};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// The mode of a file that tells none.
const MODE_DEFAULT: u16 = 0o600;
const COMPARE_BYTES: usize = 64 * 1024;

/// Why an entry is not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("something else is there already; --force replaces it")]
    Exists,
    #[error("a folder is there")]
    Folder,
    #[error("a name of the tree leads through what is no folder")]
    Through,
    #[error("this name is used for files that are still being written")]
    Reserved,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Errno> for PlaceError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::LOOP | Errno::NOTDIR => Self::Through,
            errno => Self::Io(errno.into()),
        }
    }
}

/// What may be replaced.
#[derive(Clone, Debug)]
pub(crate) enum Replace {
    /// Nothing but what is the same.
    Nothing,
    /// What still is as it was then.
    If(Stamp),
    /// All but folders.
    All,
}

/// The folder of a tree.
#[derive(Debug)]
pub(crate) struct Tree {
    root: OwnedFd,
    parts: Arc<OwnedFd>,
    next: AtomicU64,
    /// Which bits of modes count.
    modes: u16,
    /// Folders that were made writable, and the modes that they had.
    loosened: Mutex<Vec<(String, u32)>>,
}

/// Something that is being written. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Part {
    file: Option<File>,
    name: String,
    parts: Arc<OwnedFd>,
}

impl Part {
    /// Writes what comes next.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It has its own name by now, or nobody misses it.
        let _ = sys::unlinkat(&self.parts, &*self.name, AtFlags::empty());
    }
}

impl Tree {
    /// The tree in this folder, which is made if it is not there. Only bits in `modes` are set on what is written.
    pub(crate) fn open(folder: &Path, modes: u16) -> io::Result<Self> {
        match std::fs::create_dir(folder) {
            Err(err) if err.kind() != io::ErrorKind::AlreadyExists => return Err(err),
            _ => {}
        }
        let root = sys::open(folder, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
        match sys::mkdirat(&root, PARTS, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(err) => return Err(err.into()),
        }
        let parts = Arc::new(sys::openat(&root, PARTS, FOLDER, Mode::empty())?);
        for left in sys::Dir::read_from(&*parts)? {
            // What is no file is none of ours, and makes no difference.
            let _ = sys::unlinkat(&parts, left?.file_name(), AtFlags::empty());
        }
        let (next, loosened) = (AtomicU64::new(0), Mutex::default());
        Ok(Self { root, parts, next, modes, loosened })
    }

    fn new_part(&self) -> Part {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Part { file: None, name: number.to_string(), parts: Arc::clone(&self.parts) }
    }

    /// Begins to write a file.
    pub(crate) fn begin(&self) -> io::Result<Part> {
        let mut part = self.new_part();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        part.file = Some(sys::openat(&self.parts, &*part.name, flags, Mode::RUSR | Mode::WUSR)?.into());
        Ok(part)
    }

    /// Begins to make a symbolic link.
    pub(crate) fn begin_link(&self, target: &[u8]) -> io::Result<Part> {
        let part = self.new_part();
        sys::symlinkat(target, &self.parts, &*part.name)?;
        Ok(part)
    }

    /// Gives what was written its mode, time and name.
    pub(crate) fn finish(
        &self,
        part: &Part,
        (below, details): (&str, &Details),
        replace: &Replace,
    ) -> Result<Stamp, PlaceError> {
        let (parent, last) = split(below)?;
        let times = times(details);
        match &part.file {
            Some(file) => {
                sys::fchmod(file, self.mode(details, MODE_DEFAULT))?;
                sys::futimens(file, &times)?;
            }
            None => sys::utimensat(&self.parts, &*part.name, &times, AtFlags::SYMLINK_NOFOLLOW)?,
        }
        let folder = self.folder(parent, true)?;
        match self.rename(part, (&folder, parent, last)) {
            Ok(()) => {}
            Err(Errno::EXIST) => self.meet(part, (&folder, last), (details, replace))?,
            Err(err) => return Err(err.into()),
        }
        stamp_in(&folder, last)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound).into())
    }

    fn rename(&self, part: &Part, (folder, parent, last): (&OwnedFd, &str, &str)) -> Result<(), Errno> {
        let once = || sys::renameat_with(&self.parts, &*part.name, folder, last, RenameFlags::NOREPLACE);
        match once() {
            Err(Errno::ACCESS) => {
                self.loosen(folder, parent)?;
                once()
            }
            // Not every file system has it: then a second name refuses what is there.
            Err(Errno::INVAL | Errno::NOSYS) => {
                sys::linkat(&self.parts, &*part.name, folder, last, AtFlags::empty())
            }
            outcome => outcome,
        }
    }

    /// Something of this name is there.
    fn meet(
        &self,
        part: &Part,
        (folder, last): (&OwnedFd, &str),
        (details, replace): (&Details, &Replace),
    ) -> Result<(), PlaceError> {
        let Some(there) = stamp_in(folder, last)? else { return Err(PlaceError::Exists) };
        if there.kind() == coffer_crypto::envelope::Kind::Directory {
            return Err(PlaceError::Folder);
        }
        let may_replace = match replace {
            Replace::Nothing => false,
            Replace::If(stamp) => *stamp == there,
            Replace::All => true,
        };
        if may_replace {
            return Ok(sys::renameat(&self.parts, &*part.name, folder, last)?);
        }
        if !self.is_same(part, folder, last)? {
            return Err(PlaceError::Exists);
        }
        if part.file.is_some() {
            let file = sys::openat(folder, last, READ, Mode::empty())?;
            sys::fchmod(&file, self.mode(details, MODE_DEFAULT))?;
            sys::futimens(&file, &times(details))?;
        }
        Ok(())
    }

    /// Whether the same is there as what was written.
    fn is_same(&self, part: &Part, folder: &OwnedFd, last: &str) -> io::Result<bool> {
        if part.file.is_none() {
            let there = sys::readlinkat(folder, last, Vec::new());
            return Ok(there == sys::readlinkat(&self.parts, &*part.name, Vec::new()));
        }
        let open =
            |folder: &OwnedFd, name: &str| sys::openat(folder, name, READ, Mode::empty()).map(File::from);
        let (mut written, Ok(mut there)) = (open(&self.parts, &part.name)?, open(folder, last)) else {
            return Ok(false);
        };
        let (of_written, of_there) = (written.metadata()?, there.metadata()?);
        if !of_there.is_file() || of_written.len() != of_there.len() {
            return Ok(false);
        }
        let (mut one, mut other) = (vec![0; COMPARE_BYTES], vec![0; COMPARE_BYTES]);
        loop {
            let read = written.read(&mut one)?;
            if read == 0 {
                return Ok(true);
            }
            match there.read_exact(&mut other[..read]) {
                Ok(()) if one[..read] == other[..read] => {}
                Ok(()) => return Ok(false),
                Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                Err(err) => return Err(err),
            }
        }
    }

    /// Makes a folder, if it is not there.
    pub(crate) fn make_folder(&self, below: &str) -> Result<(), PlaceError> {
        if below == PARTS || below.starts_with(&format!("{PARTS}/")) {
            return Err(PlaceError::Reserved);
        }
        self.folder(below, true).map(drop)
    }

    /// Gives a folder its mode and time, once nothing in it changes any more.
    pub(crate) fn finish_folder(&self, below: &str, details: &Details) -> Result<Stamp, PlaceError> {
        let folder = self.folder(below, false)?;
        let there = Stamp::of(&sys::fstat(&folder)?).ok_or(PlaceError::Through)?;
        let mode = self.mode(details, there.mode);
        if u32::from(there.mode) != mode.as_raw_mode() {
            sys::fchmod(&folder, mode)?;
        }
        if modified(details).is_some_and(|time| time != there.modified) {
            sys::futimens(&folder, &times(details))?;
        }
        Stamp::of(&sys::fstat(&folder)?).ok_or(PlaceError::Through)
    }

    /// What is there; nothing if there is nothing, or no way to it.
    pub(crate) fn stamp(&self, below: &str) -> Option<Stamp> {
        if below.is_empty() {
            return Stamp::of(&sys::fstat(&self.root).ok()?);
        }
        let (parent, last) = split(below).ok()?;
        stamp_in(&self.folder(parent, false).ok()?, last).ok()?
    }

    /// Removes what is there, if it is still that. A folder goes if it is empty.
    pub(crate) fn remove(&self, below: &str, stamp: &Stamp) -> Result<bool, PlaceError> {
        let (parent, last) = split(below)?;
        let folder = self.folder(parent, false)?;
        let Some(there) = stamp_in(&folder, last)? else { return Ok(true) };
        let is_folder = there.kind() == coffer_crypto::envelope::Kind::Directory;
        // What is in a folder changes its times.
        if there != *stamp && !(is_folder && stamp.kind() == there.kind()) {
            return Ok(false);
        }
        let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match sys::unlinkat(&folder, last, flags) {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(err) => Err(err.into()),
        }
    }

    /// Makes all that was written outlive a power cut.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(sys::syncfs(&self.root)?)
    }

    /// Ends: folders get back the modes that they had to lose.
    pub(crate) fn close(&self) {
        let loosened =
            std::mem::take(&mut *self.loosened.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for (below, mode) in loosened {
            if let Ok(folder) = self.folder(&below, false) {
                let _ = sys::fchmod(&folder, Mode::from_raw_mode(mode));
            }
        }
        let _ = sys::unlinkat(&self.root, PARTS, AtFlags::REMOVEDIR);
    }

    fn folder(&self, below: &str, make: bool) -> Result<OwnedFd, PlaceError> {
        let mut at = self.root.try_clone()?;
        let mut done = String::new();
        for segment in below.split('/').filter(|segment| !segment.is_empty()) {
            let open = |at: &OwnedFd| sys::openat(at, segment, FOLDER, Mode::empty());
            let next = match open(&at) {
                Err(Errno::NOENT) if make => {
                    let make = || sys::mkdirat(&at, segment, Mode::RWXU);
                    match make() {
                        Err(Errno::ACCESS) => {
                            self.loosen(&at, &done)?;
                            make()?;
                        }
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(err) => return Err(err.into()),
                    }
                    open(&at)?
                }
                outcome => outcome?,
            };
            at = next;
            done = if done.is_empty() { segment.to_owned() } else { format!("{done}/{segment}") };
        }
        Ok(at)
    }

    /// Makes a folder writable for as long as the tree is written.
    fn loosen(&self, folder: &OwnedFd, below: &str) -> Result<(), Errno> {
        let mode = sys::fstat(folder)?.st_mode & 0o7777;
        sys::fchmod(folder, Mode::from_raw_mode(mode | 0o700))?;
        let mut loosened = self.loosened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        loosened.push((below.to_owned(), mode));
        Ok(())
    }

    fn mode(&self, details: &Details, default: u16) -> Mode {
        let mode = details.mode.map_or(default, |mode| mode & self.modes);
        Mode::from_raw_mode(mode.into())
    }
}

const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The folder that a name is in, and its last segment.
fn split(below: &str) -> Result<(&str, &str), PlaceError> {
    let (parent, last) = below.rsplit_once('/').unwrap_or(("", below));
    let first = below.split('/').next().unwrap_or_default();
    if last.is_empty() || first == PARTS { Err(PlaceError::Reserved) } else { Ok((parent, last)) }
}

fn stamp_in(folder: &OwnedFd, last: &str) -> Result<Option<Stamp>, PlaceError> {
    match sys::statat(folder, last, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Stamp::of(&stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(err) => Err(err.into()),
    }
}

fn times(details: &Details) -> Timestamps {
    let omit = Timespec { tv_sec: 0, tv_nsec: sys::UTIME_OMIT };
    let last_modification = match modified(details) {
        Some((seconds, nanos)) => Timespec { tv_sec: seconds, tv_nsec: nanos.into() },
        None => omit,
    };
    Timestamps { last_access: omit, last_modification }
}

#[cfg(test)]
mod tests;
