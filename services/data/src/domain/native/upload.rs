//! An envelope that arrives: its head is looked at as soon as it is there, the rest goes on part by part.

use coffer_api::grants::Permission;
use coffer_core::limits::INLINE_BYTES_MAX;
use coffer_core::{BlobId, SecretKey, Timestamp};
use coffer_crypto::envelope::{Head, Refusal};
use coffer_store::records::StoreError;
use futures_util::{Stream, StreamExt as _};
use serde_bytes::Bytes;

use super::publish::{Arrived, Place, PutOrder, Stored, check, keys_of};
use crate::domain::access::Resolved;
use crate::domain::content::Writing;
use crate::domain::files::{Files, given_up};
use crate::domain::library::{Caller, Library, LibraryError, Wanted};
use crate::domain::turns::Reader;
use crate::repo::{BlobRef, Content};

/// An upload gives so many signs of life in the time after which it would be given up.
const SIGNS_OF_LIFE: u32 = 12;

impl Library {
    /// Whose space `wanted` means to somebody who wants to write there. Another owner's never by chance: only if he is
    /// named.
    pub(super) async fn writable(
        &self,
        caller: &Caller,
        wanted: Wanted<'_>,
    ) -> Result<coffer_core::UserId, LibraryError> {
        // With one name space for all, anybody could take away what is somebody else's.
        let Caller::User(principal) = caller else { return Err(LibraryError::Denied) };
        if wanted.owner.is_none() {
            return Ok(caller.space());
        }
        match self.resolve(principal, wanted, Permission::Write).await? {
            Resolved::In(space) => Ok(space),
            Resolved::NotFound | Resolved::Denied => Err(LibraryError::Denied),
        }
    }

    /// Stores the envelope that `pieces` are. Large ones take one of the turns of uploads.
    pub(crate) async fn put<S, B, E>(
        &self,
        (caller, sender): (&Caller, Reader),
        order: &PutOrder<'_>,
        pieces: S,
    ) -> Result<Stored, LibraryError>
    where
        S: Stream<Item = Result<B, E>> + Unpin,
        B: AsRef<[u8]>,
    {
        let files = self.files()?;
        let place = Place { space: self.writable(caller, order.wanted).await?, name: order.wanted.name };
        // Before the body is read, so that a long one is not sent in vain.
        check(&files.repo.state(place.space, place.name).await?, order)?;
        let mut body = Body { pieces, ahead: Vec::new() };
        let head = body.head().await?;
        body.fill(INLINE_BYTES_MAX + 1).await?;
        if body.ahead.is_empty() {
            return Err(LibraryError::NotAnEnvelope(Refusal::Truncated));
        }
        if body.ahead.len() <= INLINE_BYTES_MAX {
            let content = Content::Inline(Bytes::new(&body.ahead));
            let arrived = Arrived { head: &head, content, content_bytes: body.ahead.len() as u64 };
            return files.publish(place, order, &arrived).await;
        }
        // As above, now that the head is here.
        let (_, fences) = files.repo.state_and_fences(place.space, place.name, &keys_of(&head)).await?;
        if !fences.admit(&head) {
            return Err(LibraryError::KeyDestroyed);
        }
        let _turn = self.uploads.take(sender).await.ok_or(LibraryError::Busy)?;
        files.put_large(place, order, (&head, body)).await
    }
}

/// A body, of which some has arrived.
struct Body<S> {
    pieces: S,
    ahead: Vec<u8>,
}

impl<S, B, E> Body<S>
where
    S: Stream<Item = Result<B, E>> + Unpin,
    B: AsRef<[u8]>,
{
    async fn next(&mut self) -> Result<Option<B>, LibraryError> {
        self.pieces.next().await.transpose().map_err(|_| LibraryError::Interrupted)
    }

    /// Reads until there are so many bytes, or no more.
    async fn fill(&mut self, bytes: usize) -> Result<(), LibraryError> {
        while self.ahead.len() < bytes {
            let Some(piece) = self.next().await? else { break };
            self.ahead.extend_from_slice(piece.as_ref());
        }
        Ok(())
    }

    /// Takes the head off.
    async fn head(&mut self) -> Result<Head, LibraryError> {
        let truncated = || LibraryError::NotAnEnvelope(Refusal::Truncated);
        self.fill(Head::START_BYTES).await?;
        let start = self.ahead.first_chunk().ok_or_else(truncated)?;
        let length = Head::length(start).map_err(LibraryError::NotAnEnvelope)?;
        self.fill(length).await?;
        let head = self.ahead.get(..length).ok_or_else(truncated)?;
        let head = Head::parse(head).map_err(LibraryError::NotAnEnvelope)?;
        self.ahead.drain(..length);
        Ok(head)
    }
}

/// A blob on its way, and when it last gave a sign of life.
struct Large {
    id: BlobId,
    key: SecretKey,
    writing: Writing,
    alive_at: Timestamp,
}

impl Files {
    async fn put_large<S, B, E>(
        &self,
        place: Place<'_>,
        order: &PutOrder<'_>,
        (head, body): (&Head, Body<S>),
    ) -> Result<Stored, LibraryError>
    where
        S: Stream<Item = Result<B, E>> + Unpin,
        B: AsRef<[u8]>,
    {
        let id = BlobId::make(self.clock.now(), &*self.random);
        let (writing, key) = Writing::begin(id, self.blobs.clone(), &*self.random);
        let mut large = Large { id, key, writing, alive_at: self.clock.now() };
        self.stage(id, place.space, place.name).await?;
        let outcome = match self.write(place, &mut large, body).await {
            Ok((content_bytes, parts)) => {
                let blob = BlobRef { id, key: Bytes::new(large.key.expose()), parts };
                let arrived = Arrived { head, content: Content::Blob(blob), content_bytes };
                self.publish(place, order, &arrived).await
            }
            Err(error) => Err(error),
        };
        match &outcome {
            Ok(_) => self.unstage(id).await,
            // It may have been published; the collector will see.
            Err(LibraryError::Store(StoreError::OutcomeUnknown { .. })) => {}
            Err(_) => {
                // What is still being written would come back after the blob was deleted.
                large.writing.settle().await;
                self.discard(id).await;
            }
        }
        outcome
    }

    async fn write<S, B, E>(
        &self,
        place: Place<'_>,
        large: &mut Large,
        mut body: Body<S>,
    ) -> Result<(u64, u32), LibraryError>
    where
        S: Stream<Item = Result<B, E>> + Unpin,
        B: AsRef<[u8]>,
    {
        large.writing.push(&std::mem::take(&mut body.ahead)).await?;
        loop {
            let piece = tokio::select! {
                piece = body.next() => piece?,
                outcome = large.writing.progress() => {
                    outcome?;
                    continue;
                }
            };
            let Some(piece) = piece else { break };
            large.writing.push(piece.as_ref()).await?;
            self.give_sign_of_life(place, large).await?;
        }
        let written = large.writing.finish().await?;
        self.give_sign_of_life(place, large).await?;
        Ok(written)
    }

    /// Says that the upload goes on, if it has not been said for a while. After too long a while it does not go on: it
    /// may have been given up, and that is not remembered for ever.
    async fn give_sign_of_life(&self, place: Place<'_>, large: &mut Large) -> Result<(), StoreError> {
        let now = self.clock.now();
        if now.since(large.alive_at) >= self.keeping.collect_after {
            return Err(given_up());
        }
        if now.since(large.alive_at) >= self.keeping.collect_after / SIGNS_OF_LIFE {
            self.stage(large.id, place.space, place.name).await?;
            large.alive_at = now;
        }
        Ok(())
    }
}
