//! Places in the changes of a space, as they are told to whoever follows.

use std::fmt;
use std::str::FromStr;

use coffer_core::Timestamp;

use super::KvError;

/// A place in the changes of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Everything up to this revision has been seen.
    pub revision: u64,
    /// When that was so, if there may be no change at this very revision.
    pub seen_at: Option<Timestamp>,
}

/// Its text form is the revision, and behind `-` the milliseconds of when that was so.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.revision)?;
        self.seen_at.map_or(Ok(()), |at| write!(f, "-{}", at.as_ms()))
    }
}

impl FromStr for Position {
    type Err = KvError;

    fn from_str(text: &str) -> Result<Self, KvError> {
        let number = |text: &str| text.parse::<u64>().map_err(|_| KvError::Position);
        let (revision, seen_at) = match text.split_once('-') {
            Some((revision, at)) => (number(revision)?, Some(number(at)?)),
            None => (number(text)?, None),
        };
        let moment = |ms: u64| i64::try_from(ms).map(Timestamp::from_ms).map_err(|_| KvError::Position);
        Ok(Self { revision, seen_at: seen_at.map(moment).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_text_form() {
        for (text, revision, at) in [("7", 7, None), ("7-12", 7, Some(Timestamp::from_ms(12)))] {
            let position: Position = text.parse().unwrap();
            assert_eq!(position, Position { revision, seen_at: at });
            assert_eq!(position.to_string(), text);
        }
        for wrong in ["", "-", "7-", "-7", "x", "7-12-3", "99999999999999999999"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
