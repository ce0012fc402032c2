//! LZ4 with a bounded output: a frame of plaintext becomes a frame of bytes that says how to get it back.
//!
//! A frame is one byte and then the content: 0 and the plaintext as it is, or 1 and an LZ4 block. A
//! plaintext that would not shrink is stored, so a frame is never more than one byte longer than its
//! plaintext. Opening names the most bytes that it may give, and never takes more memory than that: a few
//! hostile bytes cannot ask for gigabytes.
//!
//! Compress before sealing, and only what one party wrote: the length of a compressed frame says
//! something of its content, and whoever can mix text of theirs with a secret can find the secret out.
//!
//! Not here: LZ4's own framing with its checksums. What Coffer compresses it also seals, and a seal
//! detects every change; and the block API gives each frame alone, which range reads need.

/// How much longer than its plaintext a frame can be, in bytes.
pub const FRAME_OVERHEAD_BYTES: usize = 1;

const STORED: u8 = 0;
const LZ4: u8 = 1;
/// An LZ4 block cannot expand further: each byte of it says at most 255 more bytes of a match.
const EXPANSION_MAX: usize = 255;

/// Why a frame does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is empty; it lacks even its first byte.
    #[error("a frame is at least one byte")]
    Empty,
    /// The first byte names no encoding that is known here.
    #[error("unknown encoding {0} of a frame")]
    Encoding(u8),
    /// The plaintext is longer than the caller takes.
    #[error("the frame holds more than {bytes_max} bytes")]
    TooLong {
        /// What the caller takes.
        bytes_max: usize,
    },
    /// The LZ4 block is damaged.
    #[error("the frame is not a whole LZ4 block")]
    Damaged,
}

/// Appends the frame of `plaintext` to `out`, compressed where that makes it shorter.
pub fn compress_frame(plaintext: &[u8], out: &mut Vec<u8>) {
    let at = out.len();
    let content = at + FRAME_OVERHEAD_BYTES;
    // The compressor wants room for the worst case before it begins.
    let block_bytes_max = lz4_flex::block::get_maximum_output_size(plaintext.len());
    out.resize(content + block_bytes_max, 0);
    let block_bytes = lz4_flex::block::compress_into(plaintext, &mut out[content..])
        .expect("there is room for the worst case");
    if block_bytes < plaintext.len() {
        out[at] = LZ4;
        out.truncate(content + block_bytes);
    } else {
        out.truncate(at);
        store_frame(plaintext, out);
    }
}

/// Appends the frame of `plaintext` to `out`, stored as it is.
pub fn store_frame(plaintext: &[u8], out: &mut Vec<u8>) {
    out.push(STORED);
    out.extend_from_slice(plaintext);
}

/// Appends the plaintext of `frame`, at most `bytes_max` bytes, to `out`, and says how many there were. A
/// secret plaintext is the caller's to wipe; after an error `out` is as it was.
pub fn decompress_bounded(frame: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<usize, FrameError> {
    let (&encoding, content) = frame.split_first().ok_or(FrameError::Empty)?;
    match encoding {
        STORED if content.len() > bytes_max => Err(FrameError::TooLong { bytes_max }),
        STORED => {
            out.extend_from_slice(content);
            Ok(content.len())
        }
        LZ4 => decompress_block(content, bytes_max, out),
        other => Err(FrameError::Encoding(other)),
    }
}

fn decompress_block(block: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<usize, FrameError> {
    use lz4_flex::block::DecompressError;
    let at = out.len();
    out.resize(at + bytes_max.min(block.len().saturating_mul(EXPANSION_MAX)), 0);
    let outcome = lz4_flex::block::decompress_into(block, &mut out[at..]);
    out.truncate(at + outcome.as_ref().copied().unwrap_or(0));
    outcome.map_err(|err| match err {
        DecompressError::OutputTooSmall { .. } => FrameError::TooLong { bytes_max },
        _ => FrameError::Damaged,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compressed(plaintext: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        compress_frame(plaintext, &mut frame);
        frame
    }

    fn opened(frame: &[u8], bytes_max: usize) -> Result<Vec<u8>, FrameError> {
        let mut out = b"before".to_vec();
        let bytes = decompress_bounded(frame, bytes_max, &mut out);
        assert_eq!((&out[..6], out.len() - 6), (&b"before"[..], bytes.unwrap_or(0)));
        bytes.map(|_| out.split_off(6))
    }

    #[test]
    fn text_shrinks_and_noise_is_stored() {
        let text = b"the same words again and again, ".repeat(100);
        let frame = compressed(&text);
        assert!(frame.len() < text.len() / 10 && frame[0] == LZ4);
        assert_eq!(opened(&frame, text.len()), Ok(text));
        let noise: Vec<u8> = (0u32..500).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
        let frame = compressed(&noise);
        assert_eq!((frame[0], frame.len()), (STORED, noise.len() + FRAME_OVERHEAD_BYTES));
        let mut stored = Vec::new();
        store_frame(&noise, &mut stored);
        assert_eq!(frame, stored);
        assert_eq!(opened(&frame, noise.len()), Ok(noise));
    }

    #[test]
    fn the_empty_plaintext_is_stored() {
        assert_eq!(compressed(b""), [STORED]);
        assert_eq!(opened(&[STORED], 0), Ok(Vec::new()));
    }

    #[test]
    fn a_frame_over_the_bound_is_refused_and_one_at_the_bound_is_not() {
        for plaintext in [vec![7; 100_000], b"abc".to_vec()] {
            let frame = compressed(&plaintext);
            let bytes_max = plaintext.len() - 1;
            assert_eq!(opened(&frame, bytes_max), Err(FrameError::TooLong { bytes_max }));
            assert_eq!(opened(&frame, plaintext.len()).map(|p| p.len()), Ok(plaintext.len()));
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert_eq!(opened(&[], 9), Err(FrameError::Empty));
        assert_eq!(opened(&[2, 0, 0], 9), Err(FrameError::Encoding(2)));
        assert_eq!(opened(&[LZ4], 9), Err(FrameError::Damaged));
        assert_eq!(opened(&[LZ4, 0xf0], 9), Err(FrameError::Damaged));
    }

    proptest! {
        #[test]
        fn every_plaintext_survives(plaintext in proptest::collection::vec(0u8..4, 0..4000)) {
            let frame = compressed(&plaintext);
            prop_assert!(frame.len() <= plaintext.len() + FRAME_OVERHEAD_BYTES);
            prop_assert_eq!(opened(&frame, plaintext.len()), Ok(plaintext));
        }

        #[test]
        fn no_bytes_give_more_than_the_bound(mut frame in proptest::collection::vec(any::<u8>(), 1..300)) {
            frame[0] = LZ4;
            if let Ok(plaintext) = opened(&frame, 1000) {
                prop_assert!(plaintext.len() <= 1000);
            }
        }
    }
}
