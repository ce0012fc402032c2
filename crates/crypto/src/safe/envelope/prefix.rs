//! The immutable first bytes of an envelope.
//!
//! | Offset | Bytes | Content |
//! |---|---|---|
//! | 0 | 8 | `COFFER`, 0, format version 1 |
//! | 8 | 2 | suite, 1 |
//! | 10 | 1 | compression: 0 none, 1 LZ4 |
//! | 11 | 1 | reserved, 0 |
//! | 12 | 4 | plaintext bytes of a frame |
//! | 16 | 16 | envelope id, random |
//! | 32 | 32 | salt of the key derivation, random |
//! | 64 | 32 | key commitment |

use coffer_core::Random;

use super::keys::{ContentKey, Keys};
use super::{Refusal, take};
use crate::hazmat;

/// Bytes of the prefix.
pub const PREFIX_BYTES: usize = 96;
/// Plaintext bytes of a frame, unless [`Options`] say otherwise.
pub const FRAME_BYTES_DEFAULT: u32 = 64 * 1024;
pub(super) const KEYED_BYTES: usize = 64;
const SALT_AT: std::ops::Range<usize> = 32..64;
const MAGIC: &[u8; 7] = b"COFFER\0";
const VERSION: u8 = 1;
/// RSA-OAEP-SHA256 stanzas, HKDF-SHA256, AES-256-GCM frames, HMAC-SHA256 over the stanzas.
const SUITE: u16 = 1;
const FRAME_BYTES: std::ops::RangeInclusive<u32> = 4096..=1024 * 1024;

/// Whether frames are compressed before they are sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Never; the sealed sizes tell nothing but the plaintext's size.
    None,
    /// LZ4 where it shrinks a frame. Sealed sizes then tell how compressible each frame is.
    #[default]
    Lz4,
}

/// How a new envelope is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether frames are compressed.
    pub compression: Compression,
    /// Plaintext bytes of a frame: a power of two, 4,096 to 1,048,576.
    pub frame_bytes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { compression: Compression::default(), frame_bytes: FRAME_BYTES_DEFAULT }
    }
}

/// The prefix of one envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; PREFIX_BYTES],
    options: Options,
}

impl Prefix {
    /// A prefix with a new id and salt, committing to `content`.
    pub(super) fn make(
        random: &dyn Random,
        options: Options,
        content: &ContentKey,
    ) -> Result<(Self, Keys), Refusal> {
        check_frame_bytes(options.frame_bytes)?;
        let mut bytes = [0; PREFIX_BYTES];
        bytes[..7].copy_from_slice(MAGIC);
        bytes[7] = VERSION;
        bytes[8..10].copy_from_slice(&SUITE.to_be_bytes());
        bytes[10] = u8::from(options.compression == Compression::Lz4);
        bytes[12..16].copy_from_slice(&options.frame_bytes.to_be_bytes());
        random.fill(&mut bytes[16..KEYED_BYTES]);
        let mut prefix = Self { bytes, options };
        let commitment = Keys::commitment(content, &prefix);
        prefix.bytes[KEYED_BYTES..].copy_from_slice(&commitment);
        let keys = Keys::derive(content, &prefix)?;
        Ok((prefix, keys))
    }

    /// Reads a prefix. Only the content key tells whether it is genuine.
    pub fn parse(bytes: &[u8; PREFIX_BYTES]) -> Result<Self, Refusal> {
        let mut rest = &bytes[..];
        let mut take_checked = || -> Option<_> {
            let magic = take::<7>(&mut rest)?;
            let [version] = *take::<1>(&mut rest)?;
            let suite = u16::from_be_bytes(*take(&mut rest)?);
            let [compression, reserved] = *take::<2>(&mut rest)?;
            Some((magic, version, suite, compression, reserved, u32::from_be_bytes(*take(&mut rest)?)))
        };
        let (magic, version, suite, compression, reserved, frame_bytes) =
            take_checked().expect("the prefix has all these fields");
        if magic != MAGIC {
            return Err(Refusal::NotAnEnvelope);
        }
        if version != VERSION {
            return Err(Refusal::Version(version));
        }
        if suite != SUITE {
            return Err(Refusal::Suite(suite));
        }
        let compression = match compression {
            0 => Compression::None,
            1 => Compression::Lz4,
            other => return Err(Refusal::Compression(other)),
        };
        if reserved != 0 {
            return Err(Refusal::Reserved);
        }
        check_frame_bytes(frame_bytes)?;
        Ok(Self { bytes: *bytes, options: Options { compression, frame_bytes } })
    }

    /// The bytes of the prefix.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; PREFIX_BYTES] {
        &self.bytes
    }

    /// SHA-256 of the prefix: associated data of everything sealed below it, and what a client registers at
    /// the KMS before it uploads, so that nobody can put another envelope in this one's place.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        hazmat::sha256(&[&self.bytes])
    }

    /// How the envelope was made.
    #[must_use]
    pub const fn options(&self) -> Options {
        self.options
    }

    /// Plaintext bytes of every frame but the last.
    pub(super) fn frame_bytes(&self) -> usize {
        self.options.frame_bytes as usize
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.bytes[SALT_AT]
    }

    /// Everything but the commitment: what the keys are derived for.
    pub(super) fn keyed(&self) -> &[u8] {
        &self.bytes[..KEYED_BYTES]
    }

    pub(super) fn commitment(&self) -> &[u8] {
        &self.bytes[KEYED_BYTES..]
    }
}

fn check_frame_bytes(bytes: u32) -> Result<(), Refusal> {
    if bytes.is_power_of_two() && FRAME_BYTES.contains(&bytes) {
        Ok(())
    } else {
        Err(Refusal::FrameSize(bytes))
    }
}
