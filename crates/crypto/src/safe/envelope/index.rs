//! The index: the sealed length of every frame, in pages, so that a reader of one range needs one page.
//!
//! ```text
//! page: offset of its first frame from the first frame of all (8) ‖ up to 1,024 sealed lengths (4 each)
//! ```
//!
//! All pages but the last are full, so where a page stands follows from the number of frames.

use super::keys::Keys;
use super::{FRAME_HEADER_BYTES, Refusal, take};
use crate::stream::{PART_OVERHEAD_BYTES, Part};

/// Frames of a full page.
pub(super) const PAGE_FRAMES: u64 = 1024;
const PAGE_FRAMES_LEN: usize = 1024;
const OFFSET_BYTES: usize = 8;
const LENGTH_BYTES: usize = 4;

/// The content of one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Where its first frame stands, counted from the first frame of all.
    pub(super) offset: u64,
    /// The sealed length of each of its frames, without its header.
    pub(super) lengths: Vec<u32>,
}

/// How many pages an envelope with this many frames has.
pub(super) fn pages(frames: u64) -> u64 {
    frames.div_ceil(PAGE_FRAMES)
}

/// How many frames page `page` holds.
pub(super) fn page_frames(frames: u64, page: u64) -> u64 {
    frames.saturating_sub(page * PAGE_FRAMES).min(PAGE_FRAMES)
}

/// Sealed bytes of page `page`.
pub(super) fn page_bytes(frames: u64, page: u64) -> u64 {
    let overhead = OFFSET_BYTES + PART_OVERHEAD_BYTES;
    overhead as u64 + page_frames(frames, page) * LENGTH_BYTES as u64
}

/// Sealed bytes of all pages.
pub(super) fn index_bytes(frames: u64) -> u64 {
    let overhead = OFFSET_BYTES + PART_OVERHEAD_BYTES;
    pages(frames) * overhead as u64 + frames * LENGTH_BYTES as u64
}

/// Bytes of a frame with its header.
pub(super) fn frame_bytes(sealed_length: u32) -> u64 {
    FRAME_HEADER_BYTES as u64 + u64::from(sealed_length)
}

impl Page {
    /// The first page over frames of these sealed lengths.
    pub(super) fn first(lengths: &[u32]) -> Self {
        Self::beginning(0, lengths)
    }

    /// The page after this one, if there are frames for it; this one is number `page`.
    pub(super) fn next(&self, page: u64, lengths: &[u32]) -> Option<Self> {
        let before = usize::try_from((page + 1) * PAGE_FRAMES).ok()?;
        lengths.get(before..).filter(|rest| !rest.is_empty()).map(|rest| Self::beginning(self.end(), rest))
    }

    fn beginning(offset: u64, lengths: &[u32]) -> Self {
        Self { offset, lengths: lengths.iter().take(PAGE_FRAMES_LEN).copied().collect() }
    }

    /// Where its last frame ends.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.lengths.iter().map(|&length| frame_bytes(length)).sum::<u64>()
    }

    /// Seals the page, which is number `page` of an envelope with this many frames.
    pub(super) fn seal(&self, keys: &Keys, page: u64, frames: u64) -> Vec<u8> {
        let mut bytes = self.encode();
        keys.index.seal_part(part(page, frames), &keys.prefix_hash, &mut bytes);
        bytes
    }

    /// Opens page `page` of an envelope with this many frames.
    pub(super) fn open(keys: &Keys, page: u64, frames: u64, sealed: &[u8]) -> Result<Self, Refusal> {
        let mut bytes = sealed.to_vec();
        let opened = keys.index.open_part(part(page, frames), &keys.prefix_hash, &mut bytes);
        opened.map_err(|_| Refusal::Index(page))?;
        Self::decode(&bytes, page_frames(frames, page)).ok_or(Refusal::Index(page))
    }

    /// The content of the page, with room for its tag.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes =
            Vec::with_capacity(OFFSET_BYTES + self.lengths.len() * LENGTH_BYTES + PART_OVERHEAD_BYTES);
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        for length in &self.lengths {
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        bytes
    }

    /// Reads the content of a page over so many frames.
    pub(super) fn decode(mut content: &[u8], frames: u64) -> Option<Self> {
        let offset = take(&mut content)?;
        let (lengths, excess) = content.as_chunks::<LENGTH_BYTES>();
        if !excess.is_empty() || lengths.len() as u64 != frames {
            return None;
        }
        let lengths = lengths.iter().map(|length| u32::from_be_bytes(*length)).collect();
        Some(Self { offset: u64::from_be_bytes(*offset), lengths })
    }
}

fn part(page: u64, frames: u64) -> Part {
    Part { index: page, last: page + 1 == pages(frames) }
}
