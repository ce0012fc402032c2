//! `coffer cat`: writes a file, or a range of it, to standard output. Of a range only the frames that it touches are
//! fetched.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::str::FromStr;

use bytes::Bytes;
use coffer_client::{DataClient, FileAt};
use coffer_core::{EmailAddress, FileName};
use coffer_crypto::envelope::{ContentKey, Head, RangeReader};
use futures_util::TryStreamExt as _;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::CliError;
use crate::target::{Sink, Target};
use crate::transfer::{Named, Seen};

/// Plaintext that is in memory at once.
const CHUNK_BYTES: u64 = 1024 * 1024;
/// What goes on where the last request ended is fetched so many bytes at a time.
const AHEAD_BYTES: u64 = 1024 * 1024;

/// Arguments of `coffer cat`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    name: FileName,
    /// Which bytes: 0-1023 (both included), 1024- or -100 (the last); by default all
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    range: Option<Bounds>,
    /// Whose file, when several people's files of this name are within reach
    #[arg(long, value_name = "EMAIL")]
    owner: Option<EmailAddress>,
    /// Which version; by default the present one
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
}

/// Bytes of a file whose size is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bounds {
    /// From here on to there, if it goes so far.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

impl FromStr for Bounds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a range is FROM-TO, FROM- or -COUNT";
        let (from, to) = text.split_once('-').ok_or(WRONG)?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u64>().ok()).flatten().ok_or(WRONG)
        };
        match (from, to) {
            ("", count) => Ok(Self::Last(number(count)?)),
            (from, "") => Ok(Self::From(number(from)?, None)),
            (from, to) => {
                let (from, to) = (number(from)?, number(to)?);
                if from <= to { Ok(Self::From(from, Some(to))) } else { Err(WRONG) }
            }
        }
    }
}

impl Bounds {
    /// What it is of so many bytes.
    fn of(self, bytes: u64) -> Range<u64> {
        match self {
            Self::From(from, to) => from.min(bytes)..to.map_or(bytes, |to| to.saturating_add(1).min(bytes)),
            Self::Last(count) => bytes.saturating_sub(count)..bytes,
        }
    }
}

/// Writes a file.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    if app.output.json {
        return Err(CliError::JsonAndStdout);
    }
    let session = app.session()?;
    let named = Named { name: &args.name, owner: args.owner.as_ref(), version: args.version };
    let seen = named.see(&session).await?;
    let content = named.content_key(&session, &seen).await?;
    let Seen { told, head } = seen;
    let source = Source {
        data: session.data.clone(),
        name: args.name.as_str().to_owned(),
        owner: named.owner_text(),
        version: told.version,
        etag: told.etag,
        bytes: told.size_bytes,
        at: 0,
        fetched: (0, Bytes::new()),
        runtime: Handle::current(),
    };
    let bounds = args.range.unwrap_or(Bounds::From(0, None));
    let sink = Target::Stdout.open(false, std::sync::Arc::default())?;
    let written = tokio::task::spawn_blocking(move || write(source, (&head, &content), (bounds, sink)));
    written.await.map_err(CliError::task)?.map_err(|err| err.of(&args.name))
}

/// Why a range was not written.
enum Failed {
    Reading(io::Error),
    Writing(crate::target::TargetError),
}

impl Failed {
    fn of(self, name: &FileName) -> CliError {
        match self {
            Self::Writing(err) => err.into(),
            Self::Reading(err) => match err.downcast::<coffer_client::ClientError>() {
                Ok(err) => CliError::of_file(name, err),
                Err(err) => match err.downcast() {
                    Ok(refusal) => CliError::Envelope { name: name.clone(), refusal },
                    Err(_) => CliError::Damaged { name: name.clone() },
                },
            },
        }
    }
}

fn write(
    source: Source,
    (head, content): (&Head, &ContentKey),
    (bounds, mut sink): (Bounds, Sink),
) -> Result<(), Failed> {
    let mut reader = RangeReader::new(source, head, content).map_err(Failed::Reading)?;
    let Range { mut start, end } = bounds.of(reader.last_part().plaintext_bytes);
    let mut plaintext = Zeroizing::new(Vec::new());
    while start < end {
        let chunk = start..end.min(start + CHUNK_BYTES);
        plaintext.clear();
        reader.read(&chunk, &mut plaintext).map_err(Failed::Reading)?;
        sink.write(&plaintext).map_err(Failed::Writing)?;
        start = chunk.end;
    }
    sink.finish().map_err(Failed::Writing)
}

/// The bytes of an envelope at the data service: of the very one whose head was seen.
struct Source {
    data: DataClient,
    name: String,
    owner: Option<String>,
    version: u64,
    etag: String,
    bytes: u64,
    at: u64,
    /// What was fetched last, and where it begins.
    fetched: (u64, Bytes),
    runtime: Handle,
}

impl Source {
    fn fetch(&mut self, bytes: u64) -> io::Result<()> {
        let (begin, last) = &self.fetched;
        let goes_on = !last.is_empty() && begin + last.len() as u64 == self.at;
        let bytes = if goes_on { bytes.max(AHEAD_BYTES) } else { bytes };
        let range = self.at..self.bytes.min(self.at + bytes);
        let file =
            FileAt { owner: self.owner.as_deref(), if_match: Some(&self.etag), ..FileAt::own(&self.name) };
        let fetched = self.runtime.block_on(async {
            let download = self.data.get_file(file, Some(self.version), Some(range)).await?;
            let pieces: Vec<Bytes> = download.into_stream().try_collect().await?;
            Ok::<_, coffer_client::ClientError>(pieces.concat())
        });
        self.fetched = (self.at, fetched.map_err(io::Error::other)?.into());
        Ok(())
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.bytes || out.is_empty() {
            return Ok(0);
        }
        let within = |(begin, bytes): &(u64, Bytes), at: u64| {
            let skip = usize::try_from(at.checked_sub(*begin)?).ok()?;
            bytes.get(skip..).filter(|rest| !rest.is_empty()).map(|rest| (skip, rest.len()))
        };
        if within(&self.fetched, self.at).is_none() {
            self.fetch(out.len() as u64)?;
        }
        let (skip, length) = within(&self.fetched, self.at).ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = length.min(out.len());
        out[..bytes].copy_from_slice(&self.fetched.1[skip..skip + bytes]);
        self.at += bytes as u64;
        Ok(bytes)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_http_has_it_and_ends_with_the_file() {
        for (text, range) in
            [("0-9", 0..10), ("5-", 5..100), ("-3", 97..100), ("90-200", 90..100), ("200-", 100..100)]
        {
            assert_eq!(text.parse::<Bounds>().unwrap().of(100), range, "{text}");
        }
        for wrong in ["", "-", "5", "9-3", "a-b", "+1-2", "1-2-3"] {
            assert!(wrong.parse::<Bounds>().is_err(), "{wrong:?}");
        }
    }
}
