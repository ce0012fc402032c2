//! Envelope v1: how a file is sealed. `proto-docs/envelope.md` gives every byte, with test vectors.
//!
//! ```text
//! prefix (96 bytes, immutable) ‖ stanza section (replaceable) ‖ frames ‖ index ‖ last part
//! ```
//!
//! A random content key seals the file in frames of 64 KiB; stanzas wrap that key for versions of a file
//! key. The prefix commits to the content key, and its hash is associated data of every frame, so nothing
//! can be taken from one envelope to another. A counter and a last-frame flag in each nonce refuse what
//! was cut off, moved or appended. An index lets any range be read alone.
//!
//! The core works on byte slices and does no I/O: [`Sealer`] and [`Opener`] are pushed to, [`Ranges`] says
//! which bytes it wants. [`Writer`], [`Reader`] and [`RangeReader`] put them over `std::io`.
//!
//! Not here: who may have a content key (the KMS decides), and where the bytes are kept.

mod details;
#[cfg(fuzzing)]
pub mod fuzzing;
mod index;
mod io;
mod keys;
mod opener;
mod prefix;
mod ranges;
mod refusal;
mod sealer;
mod stanza;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use details::{Details, Kind, LastPart, MEDIA_TYPE_BYTES_MAX, MODE_MAX};
pub use io::{RangeReader, Reader, Writer, read_head};
pub use keys::ContentKey;
pub use opener::Opener;
pub use prefix::{Compression, FRAME_BYTES_DEFAULT, Options, PREFIX_BYTES, Prefix};
pub use ranges::{IndexPage, Ranges};
pub use refusal::Refusal;
pub use sealer::Sealer;
pub use stanza::{Head, Recipient, STANZAS_MAX, Stanza, StanzaSection};

/// Frames of one envelope, at most: with frames of 64 KiB, 1 TiB of plaintext.
pub const FRAMES_MAX: u64 = 1 << 24;

/// Bytes of a frame before its ciphertext: the last-frame flag in the top bit, the sealed length below.
const FRAME_HEADER_BYTES: usize = 4;
const LAST_FRAME: u32 = 1 << 31;
/// A sealed frame is its plaintext, one byte that names the encoding, and the tag.
const FRAME_OVERHEAD_BYTES: usize =
    coffer_compression::FRAME_OVERHEAD_BYTES + crate::stream::PART_OVERHEAD_BYTES;

/// Takes the first `N` bytes off `rest`.
fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(taken)
}
