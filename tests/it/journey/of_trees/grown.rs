//! A folder like that of a kernel's sources, and what it looks like.

#![expect(clippy::unwrap_used, reason = "everything here is a test")]

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Names as people and programs give them.
const NAMES: [&str; 14] = [
    "Makefile",
    "ядро",
    "核心",
    "नाभिक",
    "نواة",
    "🦀 crate",
    "-rf",
    "50%41?#&=+",
    "it's \"quoted\"",
    "ends.",
    ".hidden",
    "..two",
    "e\u{301} is not \u{e9}",
    "~",
];
/// Many batches.
pub(super) const FILES: usize = 800;
const DEEP: usize = 40;

/// Makes the folder.
pub(super) fn grow(root: &Path) {
    let mut folders = vec![root.to_owned()];
    for (number, name) in NAMES.iter().enumerate() {
        let inner = root.join(name).join("drivers");
        fs::create_dir_all(inner.join("empty")).unwrap();
        folders.extend([root.join(name), inner.clone(), inner.join("empty")]);
        symlink(format!("../{number}"), root.join(name).join("dangling")).unwrap();
        symlink("drivers", root.join(name).join("to a folder")).unwrap();
    }
    symlink("/etc/passwd", root.join("absolute")).unwrap();
    symlink("../../../../etc/passwd", root.join("outside")).unwrap();
    let mut deep = root.to_owned();
    for level in 0..DEEP {
        deep.push(format!("level {level}"));
        folders.push(deep.clone());
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("deepest"), "found").unwrap();
    for number in 0..FILES {
        let (folder, name) = (NAMES[number % NAMES.len()], NAMES[number / NAMES.len() % NAMES.len()]);
        let path = root.join(folder).join("drivers").join(format!("{name}{number}"));
        let bytes = match number {
            7 => 3 << 20,
            8 => 300_000,
            _ if number % 10 == 0 => 0,
            _ => number * 7919 % 9000,
        };
        let content: Vec<u8> =
            (0..bytes).map(|at| u8::try_from(at * (number + 3) / 7 % 251).unwrap()).collect();
        fs::write(&path, content).unwrap();
        let mode = [0o644, 0o755, 0o600, 0o444, 0o4711][number % 5];
        set(&path, mode, number);
    }
    for (number, folder) in folders.iter().enumerate().rev() {
        set(folder, [0o755, 0o700, 0o1777, 0o2750, 0o555][number % 5], number);
    }
}

fn set(path: &Path, mode: u32, number: usize) {
    let since = Duration::new(1_000_000_000 + number as u64 * 86_401, 123_456_789);
    let before = Duration::new(number as u64 + 1, 1);
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if number % 50 == 3 { epoch - before } else { epoch + since };
    fs::set_permissions(path, Permissions::from_mode(mode | 0o200)).unwrap();
    File::open(path).unwrap().set_modified(time).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What can be told of an entry: mode, time, and content or target.
pub(super) type Look = BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)>;

/// Everything in a folder and the folder itself, but for the times of links' own modes.
pub(super) fn look(root: &Path) -> Look {
    let mut seen = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).unwrap()
        };
        let below = path.strip_prefix(root).unwrap().to_owned();
        seen.insert(below, (metadata.mode(), metadata.mtime(), metadata.mtime_nsec(), content));
    }
    seen
}

/// Fails unless two folders look the same, and says where they do not.
#[track_caller]
pub(super) fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (look(one), look(other));
    let tell = |entry: Option<&(u32, i64, i64, Vec<u8>)>| {
        entry.map(|(mode, seconds, nanos, content)| {
            format!("{mode:o} {seconds}.{nanos} {} bytes", content.len())
        })
    };
    for path in one.keys().chain(other.keys()) {
        let (here, there) = (one.get(path), other.get(path));
        assert!(here == there, "{}: {:?} and {:?}", path.display(), tell(here), tell(there));
    }
}

/// Makes everything removable again.
pub(super) fn release(root: &Path) {
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}
