//! Stanzas: the content key, wrapped for versions of a file key. They can be replaced without touching a
//! frame, and only by someone who has the content key.
//!
//! ```text
//! bytes that follow (4) ‖ count (1) ‖ count × stanza ‖ HMAC-SHA256 (32)
//! stanza: kind 1 (1) ‖ file key id (16) ‖ version (4) ‖ wrapped bytes (2) ‖ RSA-OAEP of the content key
//! ```

use coffer_core::FileId;

use super::keys::Keys;
use super::{ContentKey, PREFIX_BYTES, Prefix, Refusal, take};
use crate::filekey::{PrivateKey, PublicKey};
use crate::safe::equal::equal;

/// Stanzas of one envelope, at most.
pub const STANZAS_MAX: usize = 16;
const LENGTH_BYTES: usize = 4;
const MAC_BYTES: usize = 32;
const RSA_OAEP_SHA256: u8 = 1;
/// RSA-4096.
const WRAPPED_BYTES_MAX: usize = 512;
const STANZA_BYTES_MAX: usize = 1 + 16 + 4 + 2 + WRAPPED_BYTES_MAX;
const SECTION_BYTES_MAX: usize = 1 + STANZAS_MAX * STANZA_BYTES_MAX + MAC_BYTES;

/// One version of a file key that an envelope is sealed for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The file key.
    pub file_key: FileId,
    /// Its version.
    pub version: u32,
    /// The public half of that version.
    pub key: &'a PublicKey,
}

/// The content key, wrapped for one version of a file key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    /// The file key.
    pub file_key: FileId,
    /// Its version.
    pub version: u32,
    /// RSA-OAEP-SHA256 of the content key, as long as the key's modulus.
    pub wrapped: Vec<u8>,
}

impl Stanza {
    /// Wraps `content` for a recipient.
    #[must_use]
    pub fn wrap(content: &ContentKey, recipient: Recipient<'_>) -> Self {
        let wrapped = recipient.key.seal_oaep_sha256(content.expose()).expect("32 bytes fit every file key");
        Self { file_key: recipient.file_key, version: recipient.version, wrapped }
    }

    /// Unwraps the content key with the private half of the stanza's file key version.
    pub fn unwrap(&self, key: &PrivateKey) -> Result<ContentKey, Refusal> {
        ContentKey::from_bytes(key.open_oaep_sha256(&self.wrapped).map_err(|_| Refusal::Stanza)?.expose())
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let bytes = u16::try_from(self.wrapped.len()).ok().filter(|&n| (n as usize) <= WRAPPED_BYTES_MAX);
        out.push(RSA_OAEP_SHA256);
        out.extend_from_slice(self.file_key.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&bytes.ok_or(Refusal::StanzaSection)?.to_be_bytes());
        out.extend_from_slice(&self.wrapped);
        Ok(())
    }

    fn read(rest: &mut &[u8]) -> Result<Self, Refusal> {
        let [kind] = *take::<1>(rest).ok_or(Refusal::StanzaSection)?;
        if kind != RSA_OAEP_SHA256 {
            return Err(Refusal::StanzaKind(kind));
        }
        Self::read_fields(rest).ok_or(Refusal::StanzaSection)
    }

    fn read_fields(rest: &mut &[u8]) -> Option<Self> {
        let file_key = FileId::from_bytes(*take(rest)?);
        let version = u32::from_be_bytes(*take(rest)?);
        let bytes = usize::from(u16::from_be_bytes(*take(rest)?));
        let (wrapped, left) = rest.split_at_checked(bytes).filter(|_| bytes <= WRAPPED_BYTES_MAX)?;
        *rest = left;
        Some(Self { file_key, version, wrapped: wrapped.to_vec() })
    }
}

/// The stanza section of one envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StanzaSection {
    stanzas: Vec<Stanza>,
    bytes: Vec<u8>,
}

impl StanzaSection {
    /// A section of these stanzas for the envelope with this prefix and content key.
    pub fn seal(content: &ContentKey, prefix: &Prefix, stanzas: Vec<Stanza>) -> Result<Self, Refusal> {
        Self::seal_with(&Keys::derive(content, prefix)?, stanzas)
    }

    pub(super) fn seal_with(keys: &Keys, stanzas: Vec<Stanza>) -> Result<Self, Refusal> {
        let mut content = vec![check_count(stanzas.len())?];
        for stanza in &stanzas {
            stanza.write(&mut content)?;
        }
        let mac = keys.stanzas.mac(&[&keys.prefix_hash, &content]);
        let bytes = u32::try_from(content.len() + MAC_BYTES).expect("16 stanzas are short").to_be_bytes();
        Ok(Self { stanzas, bytes: [&bytes[..], &content, &mac].concat() })
    }

    /// Reads a section, its length included. Only [`Opener::new`](super::Opener::new) or
    /// [`verify`](Self::verify) tell whether it is genuine.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let (length, section) = bytes.split_first_chunk().ok_or(Refusal::Truncated)?;
        if section.len() != section_bytes(*length)? {
            return Err(Refusal::StanzaSection);
        }
        let (content, _) = section.split_last_chunk::<MAC_BYTES>().ok_or(Refusal::StanzaSection)?;
        let (&count, mut rest) = content.split_first().ok_or(Refusal::StanzaSection)?;
        check_count(usize::from(count))?;
        let stanzas = (0..count).map(|_| Stanza::read(&mut rest)).collect::<Result<Vec<_>, _>>()?;
        if !rest.is_empty() {
            return Err(Refusal::StanzaSection);
        }
        Ok(Self { stanzas, bytes: bytes.to_vec() })
    }

    /// The stanzas.
    #[must_use]
    pub fn stanzas(&self) -> &[Stanza] {
        &self.stanzas
    }

    /// The section's bytes, its length included.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Refuses a section that was not sealed for this envelope with its content key.
    pub fn verify(&self, content: &ContentKey, prefix: &Prefix) -> Result<(), Refusal> {
        self.verify_with(&Keys::derive(content, prefix)?)
    }

    pub(super) fn verify_with(&self, keys: &Keys) -> Result<(), Refusal> {
        let (content, mac) =
            self.bytes[LENGTH_BYTES..].split_last_chunk::<MAC_BYTES>().expect("checked when it was read");
        let expected = keys.stanzas.mac(&[&keys.prefix_hash, content]);
        if equal(&expected, mac) { Ok(()) } else { Err(Refusal::StanzasChanged) }
    }
}

/// What stands before the frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The prefix.
    pub prefix: Prefix,
    /// The stanza section.
    pub stanzas: StanzaSection,
}

impl Head {
    /// How many bytes of an envelope tell the length of its head.
    pub const START_BYTES: usize = PREFIX_BYTES + LENGTH_BYTES;

    /// The length of a head that begins with these bytes.
    pub fn length(start: &[u8; Self::START_BYTES]) -> Result<usize, Refusal> {
        let (prefix, length) = start.split_first_chunk().expect("the start is longer than the prefix");
        Prefix::parse(prefix)?;
        let length = length.try_into().expect("the start ends with the section's length");
        Ok(Self::START_BYTES + section_bytes(length)?)
    }

    /// Reads a whole head. Only [`Opener::new`](super::Opener::new) tells whether it is genuine.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let (prefix, section) = bytes.split_first_chunk().ok_or(Refusal::Truncated)?;
        Ok(Self { prefix: Prefix::parse(prefix)?, stanzas: StanzaSection::parse(section)? })
    }

    /// The bytes of the head.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.prefix.as_bytes()[..], self.stanzas.as_bytes()].concat()
    }

    /// The keys, if both the prefix and the stanzas are genuine.
    pub(super) fn verify(&self, content: &ContentKey) -> Result<Keys, Refusal> {
        let keys = Keys::derive(content, &self.prefix)?;
        self.stanzas.verify_with(&keys)?;
        Ok(keys)
    }
}

fn section_bytes(length: [u8; LENGTH_BYTES]) -> Result<usize, Refusal> {
    let bytes = u32::from_be_bytes(length) as usize;
    if bytes <= SECTION_BYTES_MAX { Ok(bytes) } else { Err(Refusal::StanzaSection) }
}

fn check_count(count: usize) -> Result<u8, Refusal> {
    u8::try_from(count).ok().filter(|_| (1..=STANZAS_MAX).contains(&count)).ok_or(Refusal::StanzaCount(count))
}
