//! The sealed last part: what is known of a file only once it ends, and what only its readers may know.
//!
//! ```text
//! plaintext bytes (8) ‖ frames (8) ‖ bytes of all frames (8) ‖ fields ‖ zeros up to a multiple of 256
//! field: tag (1) ‖ bytes (2) ‖ value; tags rise, 0 ends them; unknown ones are passed over
//! ```
//!
//! It is padded, so its length does not tell the length of a name. It is sealed under a key of its own
//! with a random nonce, so writing it anew does no harm.

use coffer_core::{FileName, Random, Timestamp};
use zeroize::Zeroizing;

use super::keys::Keys;
use super::{Refusal, take};
use crate::hazmat::{GCM_NONCE_BYTES, TAG_BYTES};

/// A media type, in bytes, at most.
pub const MEDIA_TYPE_BYTES_MAX: usize = 255;
/// Bytes that the length of the last part takes, at the very end.
pub(super) const LENGTH_BYTES: usize = 4;
/// The sealed last part, in bytes, at most.
pub(super) const SEALED_BYTES_MAX: usize = GCM_NONCE_BYTES + CONTENT_BYTES_MAX + TAG_BYTES;
const CONTENT_BYTES_MAX: usize = 4096;
const PADDING_BYTES: usize = 256;

const NAME: u8 = 1;
const MEDIA_TYPE: u8 = 2;
const MODIFIED_AT: u8 = 3;
const CREATED_AT: u8 = 4;
const MODE: u8 = 5;
const KIND: u8 = 6;
const MODIFIED_NANOS: u8 = 7;

/// The bits that a mode may have: permissions, and the three above them.
pub const MODE_MAX: u16 = 0o7777;
/// Nanoseconds of a millisecond.
const NANOS_END: u32 = 1_000_000;

/// What a plaintext stands for in a tree of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The content of a file.
    #[default]
    File,
    /// A folder; its plaintext is empty.
    Directory,
    /// A symbolic link; its plaintext is where it points.
    SymbolicLink,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::File => 1,
            Self::Directory => 2,
            Self::SymbolicLink => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::File, Self::Directory, Self::SymbolicLink].into_iter().find(|kind| kind.code() == code)
    }
}

/// What is told of a file besides its content; all of it optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Its name.
    pub name: Option<FileName>,
    /// Its media type (RFC 6838), printable ASCII, at most [`MEDIA_TYPE_BYTES_MAX`].
    pub media_type: Option<String>,
    /// When its content last changed.
    pub modified_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its permissions on a Unix, at most [`MODE_MAX`].
    pub mode: Option<u16>,
    /// What it is; a file if nothing is told.
    pub kind: Option<Kind>,
    /// How many nanoseconds after `modified_at` its content changed: fewer than a million.
    pub modified_nanos: Option<u32>,
}

/// The last part of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastPart {
    /// Size of the plaintext.
    pub plaintext_bytes: u64,
    /// How many frames there are.
    pub frames: u64,
    /// Size of all frames with their headers.
    pub body_bytes: u64,
    /// What else is told.
    pub details: Details,
}

impl LastPart {
    /// The last part as it stands in an envelope, its length at the end.
    pub(super) fn seal(&self, keys: &Keys, random: &dyn Random) -> Result<Vec<u8>, Refusal> {
        let mut content = Zeroizing::new(Vec::with_capacity(CONTENT_BYTES_MAX));
        self.encode(&mut content)?;
        let mut nonce = [0; GCM_NONCE_BYTES];
        random.fill(&mut nonce);
        let tag = keys.last_part.seal(&nonce, &keys.prefix_hash, &mut content);
        let bytes = u32::try_from(GCM_NONCE_BYTES + content.len() + TAG_BYTES).expect("a few KiB at most");
        Ok([&nonce[..], &content, &tag, &bytes.to_be_bytes()].concat())
    }

    /// Opens the last part, given without its length.
    pub(super) fn open(keys: &Keys, sealed: &[u8]) -> Result<Self, Refusal> {
        let (nonce, rest) = sealed.split_first_chunk().ok_or(Refusal::LastPart)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(Refusal::LastPart)?;
        let mut content = Zeroizing::new(ciphertext.to_vec());
        keys.last_part.open(nonce, &keys.prefix_hash, &mut content, tag).map_err(|_| Refusal::LastPart)?;
        Self::decode(&content).ok_or(Refusal::LastPartFormat)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        for size in [self.plaintext_bytes, self.frames, self.body_bytes] {
            out.extend_from_slice(&size.to_be_bytes());
        }
        let Details { name, media_type, modified_at, created_at, mode, kind, modified_nanos } = &self.details;
        let mut field = |tag, value: Option<&[u8]>| {
            if let Some(value) = value {
                let bytes = u16::try_from(value.len()).expect("names and media types are short");
                out.push(tag);
                out.extend_from_slice(&bytes.to_be_bytes());
                out.extend_from_slice(value);
            }
        };
        let fits = media_type.as_deref().is_none_or(is_media_type)
            && mode.is_none_or(|mode| mode <= MODE_MAX)
            && modified_nanos.is_none_or(|nanos| nanos < NANOS_END);
        if !fits {
            return Err(Refusal::LastPartFormat);
        }
        let ms = |time: &Option<Timestamp>| time.map(|time| time.as_ms().to_be_bytes());
        field(NAME, name.as_ref().map(|name| name.as_str().as_bytes()));
        field(MEDIA_TYPE, media_type.as_ref().map(String::as_bytes));
        field(MODIFIED_AT, ms(modified_at).as_ref().map(|ms| &ms[..]));
        field(CREATED_AT, ms(created_at).as_ref().map(|ms| &ms[..]));
        field(MODE, mode.map(u16::to_be_bytes).as_ref().map(|mode| &mode[..]));
        field(KIND, kind.map(|kind| [kind.code()]).as_ref().map(|kind| &kind[..]));
        field(MODIFIED_NANOS, modified_nanos.map(u32::to_be_bytes).as_ref().map(|nanos| &nanos[..]));
        out.resize(out.len().next_multiple_of(PADDING_BYTES), 0);
        Ok(())
    }

    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        if content.len() > CONTENT_BYTES_MAX || !content.len().is_multiple_of(PADDING_BYTES) {
            return None;
        }
        let mut rest = content;
        let [plaintext_bytes, frames, body_bytes] = [take(&mut rest)?, take(&mut rest)?, take(&mut rest)?];
        let mut details = Details::default();
        let mut last_tag = 0;
        while let Some((&tag, mut field)) = rest.split_first().filter(|(tag, _)| **tag != 0) {
            let bytes = usize::from(u16::from_be_bytes(*take(&mut field)?));
            let (value, left) = field.split_at_checked(bytes)?;
            if tag <= last_tag {
                return None;
            }
            details.set(tag, value)?;
            (last_tag, rest) = (tag, left);
        }
        // Whatever remains is padding: less than one step of it, all zero.
        let padding = rest.len() < PADDING_BYTES && rest.iter().all(|byte| *byte == 0);
        padding.then_some(Self {
            plaintext_bytes: u64::from_be_bytes(*plaintext_bytes),
            frames: u64::from_be_bytes(*frames),
            body_bytes: u64::from_be_bytes(*body_bytes),
            details,
        })
    }
}

impl Details {
    fn set(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        let text = || std::str::from_utf8(value).ok();
        let time = || Some(Timestamp::from_ms(i64::from_be_bytes(value.try_into().ok()?)));
        match tag {
            NAME => self.name = Some(text()?.parse().ok()?),
            MEDIA_TYPE => self.media_type = Some(text().filter(|text| is_media_type(text))?.to_owned()),
            MODIFIED_AT => self.modified_at = Some(time()?),
            CREATED_AT => self.created_at = Some(time()?),
            MODE => {
                let mode = u16::from_be_bytes(value.try_into().ok()?);
                self.mode = Some(Some(mode).filter(|mode| *mode <= MODE_MAX)?);
            }
            KIND => {
                let [code] = value.try_into().ok()?;
                self.kind = Some(Kind::of(code)?);
            }
            MODIFIED_NANOS => {
                let nanos = u32::from_be_bytes(value.try_into().ok()?);
                self.modified_nanos = Some(Some(nanos).filter(|nanos| *nanos < NANOS_END)?);
            }
            _ => {}
        }
        Some(())
    }
}

fn is_media_type(text: &str) -> bool {
    !text.is_empty() && text.len() <= MEDIA_TYPE_BYTES_MAX && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}
