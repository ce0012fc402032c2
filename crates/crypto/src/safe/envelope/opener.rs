//! Opening an envelope that comes in pieces.

use std::fmt;

use zeroize::Zeroizing;

use super::details::{LENGTH_BYTES, SEALED_BYTES_MAX};
use super::index::{self, Page};
use super::keys::Keys;
use super::{
    ContentKey, FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES, FRAMES_MAX, Head, LAST_FRAME, LastPart, Refusal,
};
use crate::stream::Part;

/// Opens one envelope from the byte after its head on.
///
/// Every frame is verified before its plaintext is given out. **That the plaintext is whole is known only
/// once [`finish`](Self::finish) has said so**: write to a temporary place and rename it then. After a
/// refusal everything that follows is refused alike.
pub struct Opener {
    keys: Keys,
    frame_bytes: usize,
    stage: Stage,
    /// The item that is coming in: a frame's header, a frame, a page, the last part.
    pending: Zeroizing<Vec<u8>>,
    lengths: Vec<u32>,
    plaintext_bytes: u64,
}

enum Stage {
    Header,
    Frame { bytes: usize, last: bool },
    Index { number: u64, expected: Page },
    LastPart,
    Refused(Refusal),
}

impl Opener {
    /// An opener for the envelope with this head; refused unless `content` is its content key and the
    /// stanzas belong to it.
    pub fn new(head: &Head, content: &ContentKey) -> Result<Self, Refusal> {
        Ok(Self {
            keys: head.verify(content)?,
            frame_bytes: head.prefix.frame_bytes(),
            stage: Stage::Header,
            pending: Zeroizing::new(Vec::with_capacity(head.prefix.frame_bytes() + FRAME_OVERHEAD_BYTES)),
            lengths: Vec::new(),
            plaintext_bytes: 0,
        })
    }

    /// Takes the next bytes of the envelope and appends the plaintext of the frames that they complete
    /// to `out`.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            let missing = self.item_bytes()? - self.pending.len();
            let (piece, rest) = bytes.split_at(missing.min(bytes.len()));
            self.pending.extend_from_slice(piece);
            bytes = rest;
            if piece.len() == missing
                && let Err(refusal) = self.take_item(out)
            {
                self.stage = Stage::Refused(refusal);
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Ends the envelope. Only now is it known that nothing is missing and nothing was added.
    pub fn finish(self) -> Result<LastPart, Refusal> {
        match self.stage {
            Stage::LastPart => {}
            Stage::Refused(refusal) => return Err(refusal),
            _ => return Err(Refusal::Truncated),
        }
        let (sealed, length) = self.pending.split_last_chunk::<LENGTH_BYTES>().ok_or(Refusal::Truncated)?;
        match sealed.len().cmp(&(u32::from_be_bytes(*length) as usize)) {
            std::cmp::Ordering::Less => return Err(Refusal::Truncated),
            std::cmp::Ordering::Greater => return Err(Refusal::Extended),
            std::cmp::Ordering::Equal => {}
        }
        let last = LastPart::open(&self.keys, sealed)?;
        let body_bytes = self.lengths.iter().map(|&length| index::frame_bytes(length)).sum::<u64>();
        let fits = last.plaintext_bytes == self.plaintext_bytes
            && last.frames == self.lengths.len() as u64
            && last.body_bytes == body_bytes;
        if fits { Ok(last) } else { Err(Refusal::LastPartMismatch) }
    }

    /// How many bytes the item has that is coming in.
    fn item_bytes(&self) -> Result<usize, Refusal> {
        match &self.stage {
            Stage::Header => Ok(FRAME_HEADER_BYTES),
            Stage::Frame { bytes, .. } => Ok(*bytes),
            Stage::Index { number, .. } => {
                let bytes = index::page_bytes(self.lengths.len() as u64, *number);
                Ok(usize::try_from(bytes).expect("a page has 16 KiB and a little"))
            }
            // One byte more than there may be.
            Stage::LastPart => Ok(SEALED_BYTES_MAX + LENGTH_BYTES + 1),
            Stage::Refused(refusal) => Err(*refusal),
        }
    }

    fn take_item(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.stage, Stage::Header) {
            Stage::Header => self.take_header()?,
            Stage::Frame { last, .. } => self.take_frame(last, out)?,
            Stage::Index { number, expected } => self.take_page(number, &expected)?,
            Stage::LastPart => return Err(Refusal::Extended),
            Stage::Refused(refusal) => return Err(refusal),
        }
        self.pending.clear();
        Ok(())
    }

    fn take_header(&mut self) -> Result<(), Refusal> {
        let number = self.lengths.len() as u64;
        if number == FRAMES_MAX {
            return Err(Refusal::TooManyFrames);
        }
        let header = self.pending.first_chunk().expect("the header is complete");
        let (bytes, last) = parse_header(*header, self.frame_bytes).ok_or(Refusal::FrameLength(number))?;
        self.stage = Stage::Frame { bytes, last };
        Ok(())
    }

    fn take_frame(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let number = self.lengths.len() as u64;
        let length = u32::try_from(self.pending.len()).expect("frames are short");
        let frame = Frame { number, last, bytes_max: self.frame_bytes };
        self.plaintext_bytes += frame.open(&self.keys, &mut self.pending, out)? as u64;
        self.lengths.push(length);
        if last {
            self.stage = Stage::Index { number: 0, expected: Page::first(&self.lengths) };
        }
        Ok(())
    }

    fn take_page(&mut self, number: u64, expected: &Page) -> Result<(), Refusal> {
        let page = Page::open(&self.keys, number, self.lengths.len() as u64, &self.pending)?;
        if page != *expected {
            return Err(Refusal::IndexMismatch(number));
        }
        self.stage = match page.next(number, &self.lengths) {
            Some(expected) => Stage::Index { number: number + 1, expected },
            None => Stage::LastPart,
        };
        Ok(())
    }
}

/// The sealed length that a frame's header tells and whether the frame is the last, if that is possible.
pub(super) fn parse_header(header: [u8; FRAME_HEADER_BYTES], frame_bytes: usize) -> Option<(usize, bool)> {
    let header = u32::from_be_bytes(header);
    let bytes = (header & !LAST_FRAME) as usize;
    let possible = (FRAME_OVERHEAD_BYTES..=FRAME_OVERHEAD_BYTES + frame_bytes).contains(&bytes);
    possible.then_some((bytes, header & LAST_FRAME != 0))
}

/// Which frame, and how long it may be.
pub(super) struct Frame {
    pub(super) number: u64,
    pub(super) last: bool,
    pub(super) bytes_max: usize,
}

impl Frame {
    /// Opens the frame in place and appends its plaintext to `out`; says how long it was.
    pub(super) fn open(
        &self,
        keys: &Keys,
        sealed: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<usize, Refusal> {
        let Self { number, last, bytes_max } = *self;
        let part = Part { index: number, last };
        keys.frames.open_part(part, &keys.prefix_hash, sealed).map_err(|_| Refusal::Frame(number))?;
        let at = out.len();
        let bytes = coffer_compression::decompress_bounded(sealed, bytes_max, out)
            .map_err(|_| Refusal::FrameEncoding(number))?;
        let is_full_enough = if last { bytes > 0 || number == 0 } else { bytes == bytes_max };
        if !is_full_enough {
            out.truncate(at);
            return Err(Refusal::FrameShort(number));
        }
        Ok(bytes)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({} frames, redacted)", self.lengths.len())
    }
}
