//! Why an envelope is refused.

/// Why an envelope does not open, or cannot be written. One variant per reason, in the order in which a
/// reader meets them. Nothing here depends on the plaintext, so a reason may be shown to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first bytes are not an envelope's.
    #[error("not an envelope")]
    NotAnEnvelope,
    /// An envelope of another format version.
    #[error("an envelope of format version {0}; version 1 is known")]
    Version(u8),
    /// Another suite of algorithms.
    #[error("an envelope of the unknown suite {0:#06x}")]
    Suite(u16),
    /// Another compression.
    #[error("an envelope of the unknown compression {0}")]
    Compression(u8),
    /// The reserved byte is not zero.
    #[error("the envelope uses a reserved byte")]
    Reserved,
    /// The frame size is no power of two, or outside its limits.
    #[error("an envelope with frames of {0} bytes; 4096 to 1048576 and powers of two are known")]
    FrameSize(u32),
    /// The stanza section is longer than it may be, or not made of stanzas.
    #[error("the envelope's stanza section is malformed")]
    StanzaSection,
    /// There are too few or too many stanzas.
    #[error("an envelope has 1 to 16 stanzas, not {0}")]
    StanzaCount(usize),
    /// A stanza of an unknown kind.
    #[error("a stanza of the unknown kind {0}")]
    StanzaKind(u8),
    /// The file key's private half does not open the stanza.
    #[error("the stanza is not for this file key")]
    Stanza,
    /// The content key is not the one that the prefix commits to, or the prefix was changed.
    #[error("this is not the envelope's content key")]
    WrongKey,
    /// The stanza section was changed, or belongs to another envelope.
    #[error("the stanza section is not this envelope's")]
    StanzasChanged,
    /// A frame's length is outside its limits.
    #[error("frame {0} has an impossible length")]
    FrameLength(u64),
    /// A frame does not open: changed, moved, of another envelope, or with the wrong last-frame flag.
    #[error("frame {0} is not as it was sealed")]
    Frame(u64),
    /// A frame opens, but holds no known encoding, or more than a frame may.
    #[error("frame {0} does not decompress")]
    FrameEncoding(u64),
    /// A frame other than the last is not full, or an empty one ends a stream that is not empty.
    #[error("frame {0} is shorter than it must be")]
    FrameShort(u64),
    /// More frames than an envelope may have.
    #[error("an envelope has at most 16777216 frames")]
    TooManyFrames,
    /// A page of the index does not open.
    #[error("page {0} of the index is not as it was sealed")]
    Index(u64),
    /// The index opens, but tells other frame lengths than the frames have.
    #[error("page {0} of the index does not fit the frames")]
    IndexMismatch(u64),
    /// The last part does not open.
    #[error("the last part is not as it was sealed")]
    LastPart,
    /// The last part opens, but is malformed.
    #[error("the last part is malformed")]
    LastPartFormat,
    /// The last part opens, but tells other sizes than the envelope has.
    #[error("the last part does not fit the frames")]
    LastPartMismatch,
    /// There are fewer bytes than the envelope needs.
    #[error("the envelope is cut short")]
    Truncated,
    /// There are more bytes after the envelope's end.
    #[error("something was appended to the envelope")]
    Extended,
    /// A range was asked for that reaches beyond the plaintext.
    #[error("the range reaches beyond the end")]
    OutOfRange,
}
