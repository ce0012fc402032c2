//! Places in the changes of a name space, as they are told to whoever follows.

use std::fmt;
use std::str::FromStr;

use coffer_core::SecretKey;
use coffer_crypto::space::SpaceKeys;

use super::ConfigsError;
use crate::domain::kv;

/// Tells name spaces apart for those who have opened them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpaceTag([u8; 8]);

impl SpaceTag {
    pub(super) fn of(space: &SpaceKeys, pepper: &SecretKey) -> Self {
        let blinded = space.blind(pepper, "position", "");
        Self(*blinded.first_chunk().expect("16 bytes begin with 8"))
    }
}

/// A place in the changes of a name space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The place.
    pub(super) place: kv::Position,
    /// The name space; none for the beginning of one that was not there yet.
    pub(super) space: Option<SpaceTag>,
}

/// Its text form is that of the place, and behind `.` the tag of the name space.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)?;
        self.space.map_or(Ok(()), |tag| write!(f, ".{}", hex::encode(tag.0)))
    }
}

impl FromStr for Position {
    type Err = ConfigsError;

    fn from_str(text: &str) -> Result<Self, ConfigsError> {
        let (place, tag) = text.split_once('.').map_or((text, None), |(place, tag)| (place, Some(tag)));
        let place = place.parse().map_err(|_| ConfigsError::Position)?;
        let tag_in = |text: &str| {
            let mut tag = [0; 8];
            hex::decode_to_slice(text, &mut tag).map_err(|_| ConfigsError::Position)?;
            Ok::<_, ConfigsError>(SpaceTag(tag))
        };
        Ok(Self { place, space: tag.map(tag_in).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::Timestamp;

    use super::*;

    #[test]
    fn a_position_survives_its_text_form() {
        let seen_at = Some(Timestamp::from_ms(12));
        for (text, seen_at, space) in [
            ("7.0102030405060708", None, Some(SpaceTag([1, 2, 3, 4, 5, 6, 7, 8]))),
            ("7-12.00000000000000ff", seen_at, Some(SpaceTag([0, 0, 0, 0, 0, 0, 0, 255]))),
            ("7-12", seen_at, None),
        ] {
            let position: Position = text.parse().unwrap();
            assert_eq!(position, Position { place: kv::Position { revision: 7, seen_at }, space });
            assert_eq!(position.to_string(), text);
        }
        for wrong in
            ["", ".", "7.", "7.01", "7.010203040506070809", "7.x102030405060708", ".0102030405060708"]
        {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
