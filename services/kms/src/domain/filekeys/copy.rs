//! Registering a copy: content that is there under one name becomes the next version of another.
//!
//! Whoever may read the one and write the other could fetch the content and store it again; this is the same without the
//! content, and is recorded alike. What stands under the new name is wrapped for the key that the new name has, so grants on
//! the old one open nothing of it.

use coffer_core::{EmailAddress, FileName};
use coffer_crypto::envelope::{ContentKey, Prefix, Recipient, Stanza, StanzaSection};

use super::open::SealedContent;
use super::versions::{NewContent, OfOwner, Registered};
use super::{Caller, FileKeyError, FileKeys};

/// Content, and the name that it gets.
#[derive(Clone, Debug)]
pub struct CopyOrder<'a> {
    /// The content as the data service handed it out.
    pub from: OfOwner<'a, SealedContent>,
    /// Its prefix.
    pub prefix: &'a Prefix,
    /// The name that it gets.
    pub to: &'a FileName,
    /// Whose, if not the caller's own.
    pub to_owner: Option<&'a EmailAddress>,
}

/// A copy that was registered.
#[derive(Clone, Debug)]
pub struct Copied {
    /// As which version of what.
    pub registered: Registered,
    /// The stanzas that it has there.
    pub stanzas: Vec<u8>,
}

impl FileKeys {
    /// Registers a copy of what the caller may read, where he may write.
    pub async fn register_copy(
        &self,
        caller: &Caller,
        order: &CopyOrder<'_>,
    ) -> Result<Copied, FileKeyError> {
        let CopyOrder { from, prefix, to, to_owner } = order;
        // Whether he may write is found out first: nothing is opened in vain.
        let (space, file) = self.writable_one(caller, *to_owner, to).await?;
        let target = self.target(space, file).await?;
        let content = self.open_for_copy(caller, OfOwner { owner: from.owner, items: from.items }).await?;
        let broken = |_| FileKeyError::NotForThisKey(0);
        let content = ContentKey::from_bytes(content.expose()).map_err(broken)?;
        let recipient =
            Recipient { file_key: target.file.id, version: target.file.version, key: &target.public };
        let stanzas = vec![Stanza::wrap(&content, recipient)];
        // Refused unless the prefix commits to this content key.
        let stanzas = StanzaSection::seal(&content, prefix, stanzas).map_err(broken)?;
        let prefix_hash = from.items[0].prefix_hash;
        let items = [NewContent { name: (*to).clone(), prefix_hash }];
        let registered = self.register(caller, OfOwner { owner: *to_owner, items: &items }).await?;
        match registered.first() {
            Some(registered) if registered.file == target.file.id => {
                Ok(Copied { registered: *registered, stanzas: stanzas.as_bytes().to_vec() })
            }
            // The name has another key by now.
            _ => Err(FileKeyError::Conflict),
        }
    }

    async fn open_for_copy(
        &self,
        caller: &Caller,
        from: OfOwner<'_, SealedContent>,
    ) -> Result<coffer_core::SecretBytes, FileKeyError> {
        let mut opened = self.open_versions(caller, from).await?;
        opened.pop().map(|one| one.content_key).ok_or(FileKeyError::NotForThisKey(0))
    }
}
