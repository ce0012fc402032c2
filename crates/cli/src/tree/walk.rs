//! The entries of a folder on this machine, and what of it cannot be stored.

use std::io;
use std::path::{Path, PathBuf};

use coffer_core::FileName;
use rustix::fs::lstat;

use super::{PARTS, Stamp};

/// An entry that can be stored.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    /// Its name in the store.
    pub(crate) name: FileName,
    pub(crate) stamp: Stamp,
}

/// An entry that cannot be stored, and why.
#[derive(Debug)]
pub(crate) struct Odd {
    pub(crate) path: PathBuf,
    pub(crate) why: String,
}

/// What is in a folder.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// By name, folders before what is in them.
    pub(crate) entries: Vec<Entry>,
    pub(crate) odd: Vec<Odd>,
    /// A folder could not be read: what is in it is not known.
    pub(crate) is_partial: bool,
}

/// Looks at everything in `root`, which is stored as `tree`. No symbolic link is followed.
pub(crate) fn walk(root: &Path, tree: &FileName) -> io::Result<Walked> {
    let mut walked = Walked::default();
    let stamp = Stamp::of(&rustix::fs::stat(root)?).ok_or(io::ErrorKind::NotADirectory)?;
    let mut folders = vec![(root.to_owned(), tree.clone())];
    walked.entries.push(Entry { path: root.to_owned(), name: tree.clone(), stamp });
    while let Some((folder, name)) = folders.pop() {
        let read = std::fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut names: Vec<_> = match read {
            Ok(entries) => entries.into_iter().map(|entry| entry.file_name()).collect(),
            Err(err) if folder == root => return Err(err),
            Err(err) => {
                walked.is_partial = true;
                walked.odd.push(Odd { path: folder, why: err.to_string() });
                continue;
            }
        };
        if folder == root {
            names.retain(|name| name != PARTS);
        }
        names.sort();
        for last in names {
            let path = folder.join(&last);
            match entry(&path, last.to_str(), &name) {
                Ok(entry) => {
                    if entry.stamp.kind() == coffer_crypto::envelope::Kind::Directory {
                        folders.push((path, entry.name.clone()));
                    }
                    walked.entries.push(entry);
                }
                // It went between two looks.
                Err(Why::Gone) => {}
                Err(Why::Odd(why)) => walked.odd.push(Odd { path, why }),
            }
        }
    }
    walked.entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(walked)
}

enum Why {
    Gone,
    Odd(String),
}

fn entry(path: &Path, last: Option<&str>, folder: &FileName) -> Result<Entry, Why> {
    let last = last.ok_or_else(|| Why::Odd("its name is no UTF-8".into()))?;
    let name = format!("{folder}/{last}")
        .parse()
        .map_err(|err: coffer_core::FileNameError| Why::Odd(err.to_string()))?;
    let stat = match lstat(path) {
        Ok(stat) => stat,
        Err(rustix::io::Errno::NOENT) => return Err(Why::Gone),
        Err(err) => return Err(Why::Odd(io::Error::from(err).to_string())),
    };
    let neither = || Why::Odd("it is no file, folder or symbolic link".into());
    Ok(Entry { path: path.to_owned(), name, stamp: Stamp::of(&stat).ok_or_else(neither)? })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn everything_is_named_and_what_cannot_be_stored_is_said() {
        let home = TempDir::new().unwrap();
        let root = home.path().join("root");
        std::fs::create_dir_all(root.join("a/empty")).unwrap();
        std::fs::create_dir(root.join(PARTS)).unwrap();
        std::fs::write(root.join("a/報告"), "x").unwrap();
        std::fs::write(root.join("a/back\\slash"), "x").unwrap();
        std::fs::write(root.join(OsStr::from_bytes(b"\xff")), "x").unwrap();
        symlink(home.path(), root.join("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        let walked = walk(&root, &"tree".parse().unwrap()).unwrap();
        let names: Vec<_> = walked.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["tree", "tree/a", "tree/a/empty", "tree/a/報告", "tree/link"]);
        assert_eq!(walked.odd.len(), 3, "{:?}", walked.odd);
        assert!(!walked.is_partial);
    }
}
