//! What the system tells of an entry: as long as it tells the same, the entry has not changed.
//!
//! As git's index does, it has the inode and the time of the last change of either content or entry, which a program cannot
//! set. A change within the clock's step after a look at the entry leaves everything as it was, so what has only just
//! changed is not [settled](Stamp::is_settled) and is not remembered.

use coffer_core::{FileName, Timestamp};
use coffer_crypto::envelope::{Details, Kind};
use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};

/// Longer than the step of any clock that has more than whole seconds.
const STEP_MS: i64 = 100;
/// Where times are whole seconds, the step is one or two.
const COARSE_STEP_MS: i64 = 2_000;
const NANOS_PER_MS: i128 = 1_000_000;

/// An entry as the system tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    #[serde(rename = "k")]
    code: u8,
    #[serde(rename = "p")]
    pub(crate) mode: u16,
    /// Bytes; 0 of folders.
    #[serde(rename = "b")]
    pub(crate) size: u64,
    /// When the content changed: seconds, nanoseconds.
    #[serde(rename = "m")]
    pub(crate) modified: (i64, u32),
    #[serde(rename = "c")]
    changed: (i64, u32),
    #[serde(rename = "i")]
    inode: u64,
}

impl Stamp {
    /// What is told of a file, a folder or a symbolic link; nothing of what else there may be.
    pub(crate) fn of(stat: &Stat) -> Option<Self> {
        let code = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => 1,
            FileType::Directory => 2,
            FileType::Symlink => 3,
            _ => return None,
        };
        let nanos = |nanos: u64| u32::try_from(nanos).unwrap_or(0);
        Some(Self {
            code,
            mode: u16::try_from(stat.st_mode & 0o7777).unwrap_or(0),
            size: if code == 2 { 0 } else { u64::try_from(stat.st_size).unwrap_or(0) },
            modified: (stat.st_mtime, nanos(stat.st_mtime_nsec)),
            changed: (stat.st_ctime, nanos(stat.st_ctime_nsec)),
            inode: stat.st_ino,
        })
    }

    /// What it is.
    pub(crate) fn kind(&self) -> Kind {
        match self.code {
            2 => Kind::Directory,
            3 => Kind::SymbolicLink,
            _ => Kind::File,
        }
    }

    /// Whether a later change would be seen.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        let step = if self.modified.1 == 0 && self.changed.1 == 0 { COARSE_STEP_MS } else { STEP_MS };
        let latest = self.modified.max(self.changed);
        i128::from(now.as_ms() - step) > nanos_of(latest) / NANOS_PER_MS
    }

    /// What an envelope tells of it.
    pub(crate) fn details(&self, name: &FileName) -> Details {
        let nanos = nanos_of(self.modified);
        Details {
            name: Some(name.clone()),
            modified_at: i64::try_from(nanos.div_euclid(NANOS_PER_MS)).ok().map(Timestamp::from_ms),
            modified_nanos: u32::try_from(nanos.rem_euclid(NANOS_PER_MS)).ok(),
            mode: Some(self.mode),
            kind: Some(self.kind()),
            ..Details::default()
        }
    }
}

fn nanos_of((seconds, nanos): (i64, u32)) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}

/// When the content changed, as an envelope tells it: seconds, nanoseconds.
pub(super) fn modified(details: &Details) -> Option<(i64, u32)> {
    let nanos = i128::from(details.modified_at?.as_ms()) * NANOS_PER_MS
        + i128::from(details.modified_nanos.unwrap_or(0));
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    Some((seconds, u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(modified: (i64, u32), changed: (i64, u32)) -> Stamp {
        Stamp { code: 1, mode: 0o644, size: 1, modified, changed, inode: 1 }
    }

    #[test]
    fn times_come_back_to_the_nanosecond_also_from_before_1970() {
        let name: FileName = "a".parse().unwrap();
        for time in [(0, 0), (1_800_000_000, 123_456_789), (-1, 999_999_999), (-5, 1)] {
            assert_eq!(modified(&stamp(time, time).details(&name)), Some(time));
        }
        assert_eq!(modified(&Details::default()), None);
    }

    #[test]
    fn what_changed_just_now_is_not_settled() {
        let now = Timestamp::from_ms(1_000_000);
        assert!(!stamp((999, 950_000_000), (0, 1)).is_settled(now));
        assert!(!stamp((0, 1), (999, 950_000_000)).is_settled(now));
        assert!(stamp((999, 850_000_000), (0, 1)).is_settled(now));
        assert!(!stamp((999, 0), (999, 0)).is_settled(now), "times in whole seconds");
        assert!(!stamp((2_000, 1), (0, 1)).is_settled(now), "a time to come");
    }
}
