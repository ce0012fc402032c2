//! From one envelope to another: what arrives is opened as it is read.

use std::io::{self, Read};

use bytes::Bytes;
use coffer_client::ClientError;
use coffer_crypto::envelope::{ContentKey, Opener, Refusal};
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{self, Receiver};
use zeroize::Zeroizing;

use super::{Arriving, LateDetails, PIECES_AHEAD};

/// The plaintext of an envelope that arrives. It ends only if the envelope was whole.
pub(crate) struct Plaintext {
    /// Until its end.
    opener: Option<Opener>,
    pieces: Receiver<Result<Bytes, ClientError>>,
    opened: Zeroizing<Vec<u8>>,
    given: usize,
    details: LateDetails,
}

impl Arriving {
    /// Opens what arrives, for a thread that reads it. What the envelope tells of the file is known at its end.
    pub(crate) fn through(self, content: &ContentKey) -> Result<(Plaintext, LateDetails), Refusal> {
        let opener = Opener::new(&self.head, content)?;
        let (rest, mut arriving) = self.into_pieces();
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        tokio::spawn(async move {
            let mut next = Some(Ok(rest));
            while let Some(piece) = next {
                // If nobody reads any more, nothing more has to arrive.
                if sender.send(piece).await.is_err() {
                    break;
                }
                next = arriving.next().await;
            }
        });
        let details = LateDetails::default();
        let late = LateDetails::clone(&details);
        let plaintext = Zeroizing::new(Vec::new());
        Ok((Plaintext { opener: Some(opener), pieces, opened: plaintext, given: 0, details }, late))
    }
}

impl Plaintext {
    /// Opens the next piece; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.opened.clear();
        self.given = 0;
        let Some(mut opener) = self.opener.take() else { return Ok(false) };
        if let Some(piece) = self.pieces.blocking_recv() {
            opener.push(&piece.map_err(io::Error::other)?, &mut self.opened)?;
            self.opener = Some(opener);
            return Ok(true);
        }
        let last = opener.finish()?;
        // It is set here alone.
        let _ = self.details.set(last.details);
        Ok(false)
    }
}

impl Read for Plaintext {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.opened.len() {
            if !self.fill()? {
                return if self.details.get().is_some() { Ok(0) } else { Err(Refusal::Truncated.into()) };
            }
        }
        let rest = &self.opened[self.given..];
        let bytes = rest.len().min(out.len());
        out[..bytes].copy_from_slice(&rest[..bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}
