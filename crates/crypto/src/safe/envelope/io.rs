//! Envelopes over `std::io`. A refusal comes as [`io::ErrorKind::InvalidData`] with the [`Refusal`] inside.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use coffer_core::Random;
use zeroize::Zeroizing;

use super::{
    ContentKey, Details, Head, IndexPage, LastPart, Opener, Options, Prefix, Ranges, Recipient, Refusal,
    Sealer,
};

const READ_BYTES: usize = 64 * 1024;

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::InvalidData, refusal)
    }
}

fn cut_short(err: io::Error) -> io::Error {
    if err.kind() == io::ErrorKind::UnexpectedEof { Refusal::Truncated.into() } else { err }
}

/// Reads the head of an envelope and leaves `source` at the first frame. With it the caller finds the
/// content key: by a private key, or by asking the KMS.
pub fn read_head(source: &mut impl Read) -> io::Result<Head> {
    let mut start = [0; Head::START_BYTES];
    source.read_exact(&mut start).map_err(cut_short)?;
    let mut bytes = start.to_vec();
    bytes.resize(Head::length(&start)?, 0);
    source.read_exact(&mut bytes[Head::START_BYTES..]).map_err(cut_short)?;
    Ok(Head::parse(&bytes)?)
}

/// Seals what is written to it. Nothing is an envelope before [`finish`](Self::finish).
pub struct Writer<W> {
    sink: W,
    sealer: Sealer,
    sealed: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// A writer that has made a content key and written the head.
    pub fn new(
        mut sink: W,
        random: &dyn Random,
        options: Options,
        recipients: &[Recipient<'_>],
    ) -> io::Result<Self> {
        let sealer = Sealer::new(random, options)?;
        sink.write_all(&sealer.head(recipients)?.to_bytes())?;
        Ok(Self { sink, sealer, sealed: Vec::new() })
    }

    /// The envelope's prefix.
    #[must_use]
    pub fn prefix(&self) -> &Prefix {
        self.sealer.prefix()
    }

    /// Writes the rest of the envelope and gives back what it was written to, not yet flushed.
    pub fn finish(mut self, details: Details, random: &dyn Random) -> io::Result<(W, LastPart)> {
        self.sealed.clear();
        let last = self.sealer.finish(details, random, &mut self.sealed)?;
        self.sink.write_all(&self.sealed)?;
        Ok((self.sink, last))
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        // A piece at a time bounds the buffer. If the sink fails midway the envelope is lost: the caller
        // cannot know how much of it was written.
        let piece = &plaintext[..plaintext.len().min(READ_BYTES)];
        self.sealed.clear();
        self.sealer.push(piece, &mut self.sealed)?;
        self.sink.write_all(&self.sealed)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Opens what is read through it. Its end, and only its end, says that the plaintext is whole.
pub struct Reader<R> {
    source: R,
    state: State,
    sealed: Vec<u8>,
    plaintext: Zeroizing<Vec<u8>>,
    given: usize,
}

enum State {
    Opening(Box<Opener>),
    Whole(LastPart),
    Refused(Refusal),
}

impl<R: Read> Reader<R> {
    /// A reader of the envelope whose head was read from `source`.
    pub fn new(source: R, head: &Head, content: &ContentKey) -> io::Result<Self> {
        Ok(Self {
            source,
            state: State::Opening(Box::new(Opener::new(head, content)?)),
            sealed: vec![0; READ_BYTES],
            plaintext: Zeroizing::new(Vec::with_capacity(2 * READ_BYTES)),
            given: 0,
        })
    }

    /// The last part, once the end was reached.
    #[must_use]
    pub fn last_part(&self) -> Option<&LastPart> {
        if let State::Whole(last) = &self.state { Some(last) } else { None }
    }

    /// Opens some more, or finds the end.
    fn fill(&mut self) -> io::Result<()> {
        self.plaintext.clear();
        self.given = 0;
        let bytes = self.source.read(&mut self.sealed)?;
        let state = std::mem::replace(&mut self.state, State::Refused(Refusal::Truncated));
        self.state = match state {
            State::Opening(mut opener) if bytes > 0 => {
                match opener.push(&self.sealed[..bytes], &mut self.plaintext) {
                    Ok(()) => State::Opening(opener),
                    Err(refusal) => State::Refused(refusal),
                }
            }
            State::Opening(opener) => opener.finish().map_or_else(State::Refused, State::Whole),
            settled => settled,
        };
        Ok(())
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.plaintext.len() && !out.is_empty() {
            match &self.state {
                State::Opening(_) => self.fill()?,
                State::Whole(_) => return Ok(0),
                State::Refused(refusal) => return Err((*refusal).into()),
            }
        }
        let rest = &self.plaintext[self.given..];
        let bytes = rest.len().min(out.len());
        out[..bytes].copy_from_slice(&rest[..bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}

/// Opens ranges of an envelope in something that can seek.
pub struct RangeReader<R> {
    source: R,
    ranges: Ranges,
    page: Option<(u64, IndexPage)>,
}

impl<R: Read + Seek> RangeReader<R> {
    /// A reader of the envelope that is the whole of `source` and has this head.
    pub fn new(mut source: R, head: &Head, content: &ContentKey) -> io::Result<Self> {
        let envelope_bytes = source.seek(SeekFrom::End(0))?;
        let start = envelope_bytes.saturating_sub(Ranges::END_BYTES as u64);
        let end = read_range(&mut source, &(start..envelope_bytes))?;
        let ranges = Ranges::new(head, content, envelope_bytes, &end)?;
        Ok(Self { source, ranges, page: None })
    }

    /// The last part, with the plaintext's size.
    #[must_use]
    pub fn last_part(&self) -> &LastPart {
        self.ranges.last_part()
    }

    /// Appends this range of the plaintext to `out`. After an error `out` holds what was opened before it.
    pub fn read(&mut self, plaintext: &Range<u64>, out: &mut Vec<u8>) -> io::Result<()> {
        let frame_bytes = self.ranges.frame_bytes() as u64;
        for number in self.ranges.frames_of(plaintext)? {
            let range = self.frame_range(number)?;
            let sealed = read_range(&mut self.source, &range)?;
            let mut frame = Zeroizing::new(Vec::new());
            self.ranges.open_frame(number, &sealed, &mut frame)?;
            let within = |position: u64| {
                let position = position.saturating_sub(number * frame_bytes).min(frame.len() as u64);
                usize::try_from(position).expect("a frame fits the memory")
            };
            out.extend_from_slice(&frame[within(plaintext.start)..within(plaintext.end)]);
        }
        Ok(())
    }

    fn frame_range(&mut self, frame: u64) -> io::Result<Range<u64>> {
        let number = self.ranges.page_of(frame);
        if self.page.as_ref().is_none_or(|(known, _)| *known != number) {
            let sealed = read_range(&mut self.source, &self.ranges.page_range(number))?;
            self.page = Some((number, self.ranges.open_page(number, &sealed)?));
        }
        let (_, page) = self.page.as_ref().expect("just read");
        Ok(page.frame_range(frame).ok_or(Refusal::IndexMismatch(number))?)
    }
}

fn read_range(source: &mut (impl Read + Seek), range: &Range<u64>) -> io::Result<Vec<u8>> {
    let bytes = usize::try_from(range.end - range.start).map_err(|_| Refusal::Truncated)?;
    source.seek(SeekFrom::Start(range.start))?;
    let mut read = vec![0; bytes];
    source.read_exact(&mut read).map_err(cut_short)?;
    Ok(read)
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "envelope::Writer({:?})", self.sealer)
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("envelope::Reader")
    }
}

impl<R> fmt::Debug for RangeReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "envelope::RangeReader({:?})", self.ranges)
    }
}
