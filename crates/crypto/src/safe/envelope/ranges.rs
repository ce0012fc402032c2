//! Opening ranges of an envelope alone: which bytes are needed, and what they hold.
//!
//! Made from the head and the end; then each range needs a page of the index and the frames that it
//! touches. The last part tells sizes that were verified, so a range is as trustworthy as the whole.

use std::fmt;
use std::ops::Range;

use super::details::{LENGTH_BYTES, SEALED_BYTES_MAX};
use super::index::{self, PAGE_FRAMES, Page};
use super::keys::Keys;
use super::opener::{Frame, parse_header};
use super::{ContentKey, FRAMES_MAX, Head, LastPart, Refusal};

/// Where things stand in one envelope.
pub struct Ranges {
    keys: Keys,
    frame_bytes: usize,
    head_bytes: u64,
    last: LastPart,
}

/// One opened page of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPage {
    first: u64,
    /// Where each of the page's frames begins in the envelope, and where the last one ends.
    bounds: Vec<u64>,
}

impl Ranges {
    /// How many bytes of the end [`new`](Self::new) wants; of a shorter envelope all of them.
    pub const END_BYTES: usize = SEALED_BYTES_MAX + LENGTH_BYTES;

    /// From the head of an envelope, its content key, its size, and its last
    /// [`END_BYTES`](Self::END_BYTES) bytes.
    pub fn new(head: &Head, content: &ContentKey, envelope_bytes: u64, end: &[u8]) -> Result<Self, Refusal> {
        let keys = head.verify(content)?;
        let (sealed, length) = end.split_last_chunk::<LENGTH_BYTES>().ok_or(Refusal::Truncated)?;
        let length = u32::from_be_bytes(*length) as usize;
        let start = sealed.len().checked_sub(length).ok_or(Refusal::Truncated)?;
        let last = LastPart::open(&keys, &sealed[start..])?;
        let frame_bytes = head.prefix.frame_bytes();
        let frames = last.plaintext_bytes.div_ceil(frame_bytes as u64).max(1);
        if last.frames != frames || frames > FRAMES_MAX {
            return Err(Refusal::LastPartMismatch);
        }
        let head_bytes = (super::PREFIX_BYTES + head.stanzas.as_bytes().len()) as u64;
        let end_bytes = (length + LENGTH_BYTES) as u64;
        let expected = last.body_bytes.checked_add(head_bytes + index::index_bytes(frames) + end_bytes);
        match expected.ok_or(Refusal::LastPartMismatch)?.cmp(&envelope_bytes) {
            std::cmp::Ordering::Greater => Err(Refusal::Truncated),
            std::cmp::Ordering::Less => Err(Refusal::Extended),
            std::cmp::Ordering::Equal => Ok(Self { keys, frame_bytes, head_bytes, last }),
        }
    }

    /// The last part, with the plaintext's size.
    #[must_use]
    pub fn last_part(&self) -> &LastPart {
        &self.last
    }

    /// Plaintext bytes of every frame but the last.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    /// The frames that hold this range of the plaintext; none for an empty range.
    pub fn frames_of(&self, plaintext: &Range<u64>) -> Result<Range<u64>, Refusal> {
        if plaintext.end > self.last.plaintext_bytes || plaintext.start > plaintext.end {
            return Err(Refusal::OutOfRange);
        }
        let frame_bytes = self.frame_bytes as u64;
        let first = plaintext.start / frame_bytes;
        if plaintext.is_empty() {
            return Ok(first..first);
        }
        Ok(first..plaintext.end.div_ceil(frame_bytes))
    }

    /// The page of the index that tells of a frame.
    #[must_use]
    pub fn page_of(&self, frame: u64) -> u64 {
        frame / PAGE_FRAMES
    }

    /// Where a page stands in the envelope.
    #[must_use]
    pub fn page_range(&self, page: u64) -> Range<u64> {
        let before = index::index_bytes(page * PAGE_FRAMES);
        let start = self.head_bytes + self.last.body_bytes + before;
        start..start + index::page_bytes(self.last.frames, page)
    }

    /// Opens a page of the index.
    pub fn open_page(&self, page: u64, sealed: &[u8]) -> Result<IndexPage, Refusal> {
        let Page { offset, lengths } = Page::open(&self.keys, page, self.last.frames, sealed)?;
        let mismatch = Refusal::IndexMismatch(page);
        let mut end = self.head_bytes.checked_add(offset).ok_or(mismatch)?;
        let mut bounds = vec![end];
        for length in lengths {
            end = end.checked_add(index::frame_bytes(length)).ok_or(mismatch)?;
            bounds.push(end);
        }
        if end > self.head_bytes + self.last.body_bytes {
            return Err(mismatch);
        }
        Ok(IndexPage { first: page * PAGE_FRAMES, bounds })
    }

    /// Opens a frame, given as the bytes that [`IndexPage::frame_range`] tells, and appends its plaintext
    /// to `out`.
    pub fn open_frame(&self, number: u64, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let (header, sealed) = bytes.split_first_chunk().ok_or(Refusal::FrameLength(number))?;
        let (length, last) = parse_header(*header, self.frame_bytes).ok_or(Refusal::FrameLength(number))?;
        if length != sealed.len() || last != (number + 1 == self.last.frames) {
            return Err(Refusal::Frame(number));
        }
        let mut sealed = zeroize::Zeroizing::new(sealed.to_vec());
        let frame = Frame { number, last, bytes_max: self.frame_bytes };
        let at = out.len();
        let bytes = frame.open(&self.keys, &mut sealed, out)? as u64;
        let before = number * self.frame_bytes as u64;
        if last && before + bytes != self.last.plaintext_bytes {
            out.truncate(at);
            return Err(Refusal::LastPartMismatch);
        }
        Ok(())
    }
}

impl IndexPage {
    /// Where a frame of this page stands in the envelope, its header included; `None` for a frame of
    /// another page.
    #[must_use]
    pub fn frame_range(&self, frame: u64) -> Option<Range<u64>> {
        let at = usize::try_from(frame.checked_sub(self.first)?).ok()?;
        let end = *self.bounds.get(at + 1)?;
        Some(self.bounds[at]..end)
    }
}

impl fmt::Debug for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ranges({} frames, redacted)", self.last.frames)
    }
}
