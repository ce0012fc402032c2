//! Ids: each its own type, with one text form in URLs, JSON and logs (a hyphenated UUID version 7).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Random, Timestamp};

/// A text that is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id: expected a hyphenated UUID")]
pub struct IdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id (RFC 9562 version 7): sorts by creation time, 74 bits of it random.
            pub fn make(now: Timestamp, random: &dyn Random) -> Self {
                let mut bytes = [0; 10];
                random.fill(&mut bytes);
                let ms = u64::try_from(now.as_ms()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid())
            }

            /// The id with these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The id's sixteen bytes, big-endian: they sort like the ids.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                // Only the form that Display writes: one id has one text.
                if text.len() != 36 { return Err(IdError); }
                Uuid::try_parse(text).map(Self).map_err(|_| IdError)
            }
        }
    )+};
}

ids! {
    /// A user, on every surface.
    UserId;
    /// A file and the file key that covers it.
    FileId;
    /// A blob in the blob store.
    BlobId;
    /// A one-time code.
    CodeId;
    /// A security event.
    EventId;
    /// A message in the mail queue.
    MailId;
    /// A device that a user has logged in from.
    DeviceId;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn an_id_survives_its_text_and_json_form() {
        let id = UserId::make(Timestamp::from_ms(1_700_000_000_000), &SeededRandom::new(7));
        assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<UserId>(&json).unwrap(), id);
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let random = SeededRandom::new(7);
        let early = FileId::make(Timestamp::from_ms(1_000), &random);
        let late = FileId::make(Timestamp::from_ms(2_000), &random);
        assert!(early < late && early.as_bytes() < late.as_bytes());
    }

    #[test]
    fn other_uuid_spellings_are_refused() {
        assert!("{0190163d-8694-739b-aea5-966c26f8ad91}".parse::<UserId>().is_err());
        assert!("0190163d8694739baea5966c26f8ad91".parse::<UserId>().is_err());
    }
}
