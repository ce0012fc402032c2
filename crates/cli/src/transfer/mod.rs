//! Files on their way: sealed as they are read, opened as they arrive, in constant memory either way.
//!
//! The network is asynchronous, files and ciphers are not: each transfer has a thread that seals or opens, and a short
//! queue between it and the network, which makes the faster of the two wait.

mod heads;
mod open;
mod seal;
mod through;

pub(crate) use heads::{Named, Seen};
pub(crate) use open::{Arriving, OpenError, Opening, Pieces};
pub(crate) use seal::{LateDetails, Sealing, Source};

/// Pieces in the queue between network and thread.
const PIECES_AHEAD: usize = 4;
