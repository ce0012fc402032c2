//! Sealing a plaintext that comes in pieces.

use std::fmt;

use coffer_core::Random;
use zeroize::Zeroizing;

use super::index::Page;
use super::keys::Keys;
use super::{
    Compression, ContentKey, Details, FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES, FRAMES_MAX, Head, LAST_FRAME,
    LastPart, Options, Prefix, Recipient, Refusal, Stanza, StanzaSection,
};
use crate::stream::Part;

/// Seals one plaintext into one envelope. What it writes depends only on what it was made with and on the
/// plaintext, not on how the plaintext was cut into pieces.
pub struct Sealer {
    content: ContentKey,
    prefix: Prefix,
    keys: Keys,
    /// The plaintext of the frame that comes next. A full frame stays here until more follows, because
    /// only then it is known not to be the last.
    pending: Zeroizing<Vec<u8>>,
    lengths: Vec<u32>,
    plaintext_bytes: u64,
}

impl Sealer {
    /// A sealer with a new content key, id and salt.
    pub fn new(random: &dyn Random, options: Options) -> Result<Self, Refusal> {
        let content = ContentKey::make(random);
        let (prefix, keys) = Prefix::make(random, options, &content)?;
        let pending = Zeroizing::new(Vec::with_capacity(prefix.frame_bytes()));
        Ok(Self { content, prefix, keys, pending, lengths: Vec::new(), plaintext_bytes: 0 })
    }

    /// The prefix: register its [hash](Prefix::hash) at the KMS before anything is sent.
    #[must_use]
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The head of the envelope, sealed for these file keys. It comes first.
    pub fn head(&self, recipients: &[Recipient<'_>]) -> Result<Head, Refusal> {
        let stanzas = recipients.iter().map(|recipient| Stanza::wrap(&self.content, *recipient)).collect();
        self.head_of(stanzas)
    }

    #[cfg(test)]
    pub(super) fn content_key(&self) -> &ContentKey {
        &self.content
    }

    pub(super) fn head_of(&self, stanzas: Vec<Stanza>) -> Result<Head, Refusal> {
        let stanzas = StanzaSection::seal_with(&self.keys, stanzas)?;
        Ok(Head { prefix: self.prefix.clone(), stanzas })
    }

    /// Takes the next piece of the plaintext and appends the frames that it completes to `out`.
    pub fn push(&mut self, mut plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let frame_bytes = self.prefix.frame_bytes();
        while !plaintext.is_empty() {
            if self.pending.len() == frame_bytes {
                self.seal_pending(false, out)?;
            } else if self.pending.is_empty() && plaintext.len() > frame_bytes {
                let (frame, rest) = plaintext.split_at(frame_bytes);
                self.seal_frame(frame, false, out)?;
                plaintext = rest;
            } else {
                let room = frame_bytes - self.pending.len();
                let (piece, rest) = plaintext.split_at(room.min(plaintext.len()));
                self.pending.extend_from_slice(piece);
                plaintext = rest;
            }
        }
        Ok(())
    }

    /// Ends the plaintext: appends the last frame, the index and the last part to `out`.
    pub fn finish(
        mut self,
        details: Details,
        random: &dyn Random,
        out: &mut Vec<u8>,
    ) -> Result<LastPart, Refusal> {
        self.seal_pending(true, out)?;
        let frames = self.lengths.len() as u64;
        let mut body_bytes = 0;
        let mut next = Some(Page::first(&self.lengths));
        let mut number = 0;
        while let Some(page) = next {
            out.extend_from_slice(&page.seal(&self.keys, number, frames));
            body_bytes = page.end();
            next = page.next(number, &self.lengths);
            number += 1;
        }
        let last = LastPart { plaintext_bytes: self.plaintext_bytes, frames, body_bytes, details };
        out.extend_from_slice(&last.seal(&self.keys, random)?);
        Ok(last)
    }

    fn seal_pending(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut pending = std::mem::take(&mut self.pending);
        let outcome = self.seal_frame(&pending, last, out);
        pending.clear();
        self.pending = pending;
        outcome
    }

    fn seal_frame(&mut self, plaintext: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let index = self.lengths.len() as u64;
        if index == FRAMES_MAX {
            return Err(Refusal::TooManyFrames);
        }
        let at = out.len();
        let content = at + FRAME_HEADER_BYTES;
        // Room for the worst case of LZ4 at once, so that no plaintext is left behind by moving.
        out.reserve(FRAME_HEADER_BYTES + FRAME_OVERHEAD_BYTES + plaintext.len() + plaintext.len() / 8 + 64);
        out.extend_from_slice(&[0; FRAME_HEADER_BYTES]);
        match self.prefix.options().compression {
            Compression::None => coffer_compression::store_frame(plaintext, out),
            Compression::Lz4 => coffer_compression::compress_frame(plaintext, out),
        }
        self.keys.frames.seal_part_from(content, Part { index, last }, &self.keys.prefix_hash, out);
        let length = u32::try_from(out.len() - content).expect("a frame has at most 1 MiB and a little");
        let header = if last { length | LAST_FRAME } else { length };
        out[at..content].copy_from_slice(&header.to_be_bytes());
        self.lengths.push(length);
        self.plaintext_bytes += plaintext.len() as u64;
        Ok(())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({} frames, redacted)", self.lengths.len())
    }
}
