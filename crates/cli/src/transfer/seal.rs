//! Sealing: from a file to the stream of its envelope.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use coffer_client::Report;
use coffer_core::Random;
use coffer_crypto::envelope::{Details, Options, Recipient, Refusal, Sealer};
use futures_util::Stream;
use futures_util::stream;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::PIECES_AHEAD;

/// How much is read at once.
const READ_BYTES: usize = 512 * 1024;

/// Where the plaintext comes from.
pub(crate) struct Source {
    pub(crate) reader: Box<dyn Read + Send>,
    /// Its size, where that is known.
    pub(crate) bytes: Option<u64>,
    /// What the envelope tells of it besides: known at the end of the plaintext at the latest.
    pub(crate) details: LateDetails,
}

/// What is told of a file once it is known.
pub(crate) type LateDetails = Arc<OnceLock<Details>>;

/// An envelope that is about to be made. Nothing of the plaintext is read before it is sent.
pub(crate) struct Sealing {
    sealer: Sealer,
    random: Arc<dyn Random>,
}

/// What became of the plaintext.
pub(crate) type Sealed = JoinHandle<Result<u64, io::Error>>;

impl Sealing {
    /// With a new content key, which seals this one plaintext.
    pub(crate) fn new(random: Arc<dyn Random>) -> Result<Self, Refusal> {
        Ok(Self { sealer: Sealer::new(&*random, Options::default())?, random })
    }

    /// The hash by which the KMS is to know this content.
    pub(crate) fn prefix_hash(&self) -> [u8; 32] {
        self.sealer.prefix().hash()
    }

    /// Seals a plaintext that is in memory.
    pub(crate) fn seal(
        self,
        recipient: Recipient<'_>,
        plaintext: &[u8],
        details: Details,
    ) -> Result<Vec<u8>, Refusal> {
        let Self { mut sealer, random } = self;
        let mut envelope = sealer.head(&[recipient])?.to_bytes();
        sealer.push(plaintext, &mut envelope)?;
        sealer.finish(details, &*random, &mut envelope)?;
        Ok(envelope)
    }

    /// Starts to read and seal; the stream is the envelope. The task tells the plaintext's size, or why reading it
    /// failed, which the stream's end alone does not tell.
    pub(crate) fn start(
        self,
        recipient: Recipient<'_>,
        source: Source,
        report: Report,
    ) -> Result<(impl Stream<Item = io::Result<Bytes>> + Send + 'static, Sealed), Refusal> {
        let head = self.sealer.head(&[recipient])?.to_bytes();
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        let pieces = Pieces { sender, report, total: source.bytes };
        let task = tokio::task::spawn_blocking(move || pieces.send_all(self, head, source));
        Ok((into_stream(receiver), task))
    }
}

fn into_stream(receiver: Receiver<io::Result<Bytes>>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
}

/// The pieces of an envelope, as they are made.
struct Pieces {
    sender: Sender<io::Result<Bytes>>,
    report: Report,
    total: Option<u64>,
}

impl Pieces {
    /// Seals everything. What fails ends the stream with an error, so that no server takes it for whole.
    fn send_all(self, sealing: Sealing, head: Vec<u8>, source: Source) -> io::Result<u64> {
        let sent = self.try_send_all(sealing, head, source);
        if let Err(err) = &sent {
            // Nobody listens any more if it was the upload that failed.
            let _ = self.sender.blocking_send(Err(err.kind().into()));
        }
        sent
    }

    fn try_send_all(&self, sealing: Sealing, head: Vec<u8>, source: Source) -> io::Result<u64> {
        let Sealing { mut sealer, random } = sealing;
        let Source { mut reader, details, .. } = source;
        self.send(head)?;
        let mut plaintext = Zeroizing::new(vec![0; READ_BYTES]);
        let mut done = 0;
        loop {
            let read = match reader.read(&mut plaintext) {
                Ok(0) => break,
                Ok(read) => read,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            };
            let mut sealed = Vec::with_capacity(READ_BYTES + READ_BYTES / 64);
            sealer.push(&plaintext[..read], &mut sealed)?;
            done += read as u64;
            (self.report)(done, self.total.unwrap_or(done).max(done));
            self.send(sealed)?;
        }
        let mut sealed = Vec::new();
        sealer.finish(details.get().cloned().unwrap_or_default(), &*random, &mut sealed)?;
        self.send(sealed)?;
        Ok(done)
    }

    fn send(&self, piece: Vec<u8>) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        let nobody = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.blocking_send(Ok(piece.into())).map_err(nobody)
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::{FileId, SystemRandom};
    use coffer_crypto::envelope::{Reader, read_head};
    use coffer_crypto::filekey::{FileKeyPair, PrivateKey, PublicKey, RsaBits};
    use futures_util::TryStreamExt as _;

    use super::*;

    fn source(reader: impl Read + Send + 'static) -> Source {
        Source { reader: Box::new(reader), bytes: None, details: LateDetails::default() }
    }

    async fn seal(source: Source) -> (io::Result<Vec<Bytes>>, io::Result<u64>, PrivateKey) {
        let pair = FileKeyPair::generate(RsaBits::Rsa2048);
        let public = PublicKey::from_pem(&pair.public_key_pem_spki()).unwrap();
        let private = PrivateKey::from_pkcs8_der(pair.private_key_pkcs8_der().expose()).unwrap();
        let sealing = Sealing::new(Arc::new(SystemRandom)).unwrap();
        let recipient = Recipient { file_key: FileId::from_bytes([1; 16]), version: 1, key: &public };
        let (stream, task) = sealing.start(recipient, source, Arc::new(|_, _| {})).unwrap();
        let pieces = stream.try_collect().await;
        (pieces, task.await.unwrap(), private)
    }

    #[tokio::test]
    async fn what_is_read_is_one_envelope_however_it_comes() {
        let plaintext: Vec<u8> = (0..=250).cycle().take(1_500_000).collect();
        let (pieces, bytes, private) = seal(source(io::Cursor::new(plaintext.clone()))).await;
        let envelope = pieces.unwrap().concat();
        assert_eq!(bytes.unwrap(), plaintext.len() as u64);
        let mut rest = &envelope[..];
        let head = read_head(&mut rest).unwrap();
        let content = head.stanzas.stanzas()[0].unwrap(&private).unwrap();
        let mut opened = Vec::new();
        Reader::new(rest, &head, &content).unwrap().read_to_end(&mut opened).unwrap();
        assert!(opened == plaintext);
    }

    #[tokio::test]
    async fn what_cannot_be_read_to_its_end_ends_the_stream_with_an_error() {
        struct Broken(u32);
        impl Read for Broken {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 3 { Err(io::Error::other("the disk is gone")) } else { Ok(out.len()) }
            }
        }
        let (pieces, bytes, _) = seal(source(Broken(0))).await;
        assert!(pieces.is_err(), "the upload breaks off");
        assert_eq!(bytes.unwrap_err().to_string(), "the disk is gone");
    }
}
