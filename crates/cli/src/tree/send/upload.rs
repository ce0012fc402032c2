//! One entry on its way up.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use coffer_api::ErrorCode;
use coffer_api::file_keys::{FileKey, ShowFileKey};
use coffer_api::file_versions::RegisteredVersion;
use coffer_client::{ClientError, FileAt};
use coffer_core::{FileId, FileName};
use coffer_crypto::envelope::{Kind, Recipient};
use coffer_crypto::filekey::PublicKey;
use futures_util::stream;
use rustix::fs::{Mode, OFlags, fstat};
use zeroize::Zeroizing;

use super::Sending;
use crate::error::CliError;
use crate::transfer::{Sealing, Source};
use crate::tree::plan::locked;
use crate::tree::tally::whole;
use crate::tree::walk::Entry;
use crate::tree::{SMALL_BYTES_MAX, Stamp, is_final};

/// An entry that was uploaded.
pub(super) struct Sent {
    pub(super) version: u64,
    pub(super) stamp: Stamp,
    pub(super) bytes: u64,
}

/// Why an entry was not uploaded.
pub(super) enum Failed {
    /// It is left out, and the others go on.
    Left(String),
    /// It may be tried again.
    Again(ClientError),
    /// Nothing goes on.
    Final(CliError),
}

impl From<io::Error> for Failed {
    fn from(err: io::Error) -> Self {
        Self::Left(whole(&err))
    }
}

/// A file key, as much of it as seals.
pub(super) struct Key {
    id: FileId,
    version: u32,
    public: PublicKey,
}

/// The tree's key, and the keys of folders and files in it that have one of their own.
pub(super) struct Keys(Mutex<HashMap<FileId, Arc<Key>>>);

impl Keys {
    pub(super) fn new(tree: &FileKey) -> Result<Self, CliError> {
        let keys = Self(Mutex::default());
        keys.add(tree)?;
        Ok(keys)
    }

    fn add(&self, key: &FileKey) -> Result<Arc<Key>, CliError> {
        let public = PublicKey::from_pem(&key.public_key_pem).map_err(CliError::PublicKey)?;
        let key = Arc::new(Key { id: key.file_id, version: key.version, public });
        locked(&self.0).insert(key.id, Arc::clone(&key));
        Ok(key)
    }
}

impl Key {
    fn recipient(&self) -> Recipient<'_> {
        Recipient { file_key: self.id, version: self.version, key: &self.public }
    }
}

impl Sending<'_> {
    /// Uploads an entry as the version that was registered for it.
    pub(super) async fn upload(
        &self,
        entry: &Entry,
        sealing: Sealing,
        registered: RegisteredVersion,
    ) -> Result<Sent, Failed> {
        let _turn = self.turns.acquire().await.map_err(|err| Failed::Left(err.to_string()))?;
        let key = self.key(registered.file_id, &entry.name).await?;
        let file = FileAt { owner: self.place.owner(), ..FileAt::own(entry.name.as_str()) };
        let data = &self.place.session.data;
        let refused = |err: ClientError| match err.code() {
            _ if err.is_unavailable() => Failed::Again(err),
            Some(ErrorCode::Conflict) => Failed::Again(err),
            _ if is_final(&err) => Failed::Final(CliError::of_file(&entry.name, err)),
            _ => Failed::Left(whole(&err)),
        };
        if entry.stamp.kind() == Kind::File && entry.stamp.size > SMALL_BYTES_MAX {
            let (reader, stamp) = Watched::open(entry.path.clone())?;
            let bytes = stamp.size;
            let source = Source {
                reader: Box::new(reader),
                bytes: Some(bytes),
                details: Arc::new(OnceLock::from(stamp.details(&entry.name))),
            };
            let started = sealing.start(key.recipient(), source, self.progress.part());
            let (stream, sealed) = started.map_err(|refusal| Failed::Left(whole(&refusal)))?;
            let stored = data.put_file(file, registered.version, (None, stream)).await;
            match sealed.await {
                Ok(Err(err)) if err.kind() != io::ErrorKind::BrokenPipe => return Err(err.into()),
                Ok(_) => {}
                Err(err) => return Err(Failed::Final(CliError::task(err))),
            }
            stored.map_err(refused)?;
            return Ok(Sent { version: registered.version, stamp, bytes });
        }
        let (path, name) = (entry.path.clone(), entry.name.clone());
        let work = tokio::task::spawn_blocking(move || seal_small(path, &name, sealing, &key));
        let (envelope, stamp) = work.await.map_err(|err| Failed::Final(CliError::task(err)))??;
        let length = envelope.len() as u64;
        let body = stream::iter([Ok::<_, io::Error>(Bytes::from(envelope))]);
        data.put_file(file, registered.version, (Some(length), body)).await.map_err(refused)?;
        self.progress.add(stamp.size);
        Ok(Sent { version: registered.version, bytes: stamp.size, stamp })
    }

    /// The key that a name was registered for.
    async fn key(&self, id: FileId, name: &FileName) -> Result<Arc<Key>, Failed> {
        if let Some(key) = locked(&self.keys.0).get(&id) {
            return Ok(Arc::clone(key));
        }
        let show = ShowFileKey { name: name.to_string(), owner: Some(self.place.whose().to_owned()) };
        let key = self.place.session.kms.show_file_key(&show).await;
        let key = key.map_err(|err| {
            if err.is_unavailable() {
                Failed::Again(err)
            } else {
                Failed::Final(CliError::of_file(name, err))
            }
        })?;
        self.keys.add(&key).map_err(Failed::Final)
    }
}

fn seal_small(
    path: PathBuf,
    name: &FileName,
    sealing: Sealing,
    key: &Key,
) -> Result<(Vec<u8>, Stamp), Failed> {
    let lstat =
        || Stamp::of(&rustix::fs::lstat(&path)?).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData));
    let before = lstat()?;
    let (plaintext, stamp) = match before.kind() {
        Kind::File => {
            let (mut reader, stamp) = Watched::open(path)?;
            // Room for all of it at once: growing would leave copies behind.
            let room = usize::try_from(stamp.size + 1).unwrap_or(0);
            let mut plaintext = Zeroizing::new(Vec::with_capacity(room));
            reader.read_to_end(&mut plaintext)?;
            (plaintext, stamp)
        }
        Kind::Directory => (Zeroizing::new(Vec::new()), before),
        Kind::SymbolicLink => {
            let target = rustix::fs::readlink(&path, Vec::new()).map_err(io::Error::from)?;
            if lstat()? != before {
                return Err(changed().into());
            }
            (Zeroizing::new(target.into_bytes()), before)
        }
    };
    let sealed = sealing.seal(key.recipient(), &plaintext, stamp.details(name));
    Ok((sealed.map_err(|refusal| Failed::Left(whole(&refusal)))?, stamp))
}

fn changed() -> io::Error {
    io::Error::other("it changed while it was read")
}

/// A file that must stay as it is until it has been read.
struct Watched {
    file: File,
    stamp: Stamp,
    done: u64,
}

impl Watched {
    fn open(path: PathBuf) -> io::Result<(Self, Stamp)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let stamp =
            Stamp::of(&fstat(&file)?).filter(|stamp| stamp.kind() == Kind::File).ok_or_else(changed)?;
        Ok((Self { file, stamp: stamp.clone(), done: 0 }, stamp))
    }
}

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(out)?;
        self.done += read as u64;
        let is_over = read == 0 && !out.is_empty();
        if self.done > self.stamp.size
            || (is_over
                && (self.done != self.stamp.size
                    || Stamp::of(&fstat(&self.file)?).as_ref() != Some(&self.stamp)))
        {
            return Err(changed());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_noticed() {
        let home = tempfile::TempDir::new().unwrap();
        let path = home.path().join("a");
        std::fs::write(&path, vec![1; 1000]).unwrap();
        let read = |change: &dyn Fn()| {
            let (mut reader, _) = Watched::open(path.clone()).unwrap();
            let mut some = [0; 500];
            reader.read_exact(&mut some).unwrap();
            change();
            reader.read_to_end(&mut Vec::new())
        };
        assert_eq!(read(&|| {}).unwrap(), 500);
        assert!(
            read(&|| File::options().append(true).open(&path).unwrap().write_all(b"more").unwrap()).is_err()
        );
        assert!(read(&|| File::options().write(true).open(&path).unwrap().set_len(600).unwrap()).is_err());
        let older = std::time::SystemTime::UNIX_EPOCH;
        assert!(read(&|| File::open(&path).unwrap().set_modified(older).unwrap()).is_err());
    }
}
