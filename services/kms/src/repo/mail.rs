//! Letters that wait to be sent, in one partition, ordered by when each is due.
//!
//! Taking a letter, and putting it off, is moving it to a later key; deleting the old one is guarded by
//! its version, so of several processes one succeeds. A letter expires with its code.

use coffer_api::AddressHash;
use coffer_auth::code::Purpose;
use coffer_core::{CodeId, EmailAddress, ExposeSecret, MailId, SecretString, Timestamp};
use coffer_store::records::{Outcome, Partition, Sealed, SealedCommit, Sort, SortRange, StoreError, Version};
use serde::{Deserialize, Serialize};

use super::tables::MAIL;

/// A letter in the queue.
#[derive(Debug)]
pub struct Mail {
    /// Its id, for logs.
    pub id: MailId,
    /// Where to.
    pub to: EmailAddress,
    /// The same address, blinded.
    pub account: AddressHash,
    /// What its code is for.
    pub purpose: Purpose,
    /// Which code it carries.
    pub code: CodeId,
    /// The code itself.
    pub digits: SecretString,
    /// When it was put in.
    pub queued_at: Timestamp,
    /// When its code expires, and the letter with it.
    pub expires_at: Timestamp,
    /// Deliveries that failed.
    pub attempts: u32,
}

/// A letter and where in the queue it stands.
#[derive(Debug)]
pub struct Queued {
    /// The letter.
    pub mail: Mail,
    sort: Sort,
    version: Version,
}

#[derive(Serialize, Deserialize)]
struct MailRecord {
    id: MailId,
    to: EmailAddress,
    account: AddressHash,
    purpose: Purpose,
    code: CodeId,
    digits: String,
    queued_at: Timestamp,
    expires_at: Timestamp,
    #[serde(default)]
    attempts: u32,
}

impl Drop for MailRecord {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.digits);
    }
}

impl From<&Mail> for MailRecord {
    fn from(mail: &Mail) -> Self {
        Self {
            id: mail.id,
            to: mail.to.clone(),
            account: mail.account,
            purpose: mail.purpose,
            code: mail.code,
            digits: mail.digits.expose_secret().to_owned(),
            queued_at: mail.queued_at,
            expires_at: mail.expires_at,
            attempts: mail.attempts,
        }
    }
}

impl From<&MailRecord> for Mail {
    fn from(record: &MailRecord) -> Self {
        Self {
            id: record.id,
            to: record.to.clone(),
            account: record.account,
            purpose: record.purpose,
            code: record.code,
            digits: record.digits.clone().into(),
            queued_at: record.queued_at,
            expires_at: record.expires_at,
            attempts: record.attempts,
        }
    }
}

/// The queue of all processes.
#[derive(Clone, Debug)]
pub struct MailRepo {
    store: Sealed,
}

fn partition() -> Partition {
    Partition::new(MAIL, "queue")
}

fn sort(due_at: Timestamp, id: MailId) -> Sort {
    Sort::of(due_ms(due_at)).and(id.as_bytes()).build()
}

fn due_ms(due_at: Timestamp) -> [u8; 8] {
    u64::try_from(due_at.as_ms()).unwrap_or(0).to_be_bytes()
}

impl MailRepo {
    /// The queue in `store`.
    pub fn new(store: Sealed) -> Self {
        Self { store }
    }

    /// Puts a letter in, due at `due_at`.
    pub async fn put(&self, mail: Mail, due_at: Timestamp) -> Result<Queued, StoreError> {
        let sort = sort(due_at, mail.id);
        let record = MailRecord::from(&mail);
        let commit = SealedCommit::new().put_as(&sort, &record, Some(mail.expires_at));
        match self.store.commit(&partition(), commit).await? {
            Outcome::Committed(committed) => Ok(Queued { mail, sort, version: committed.version }),
            Outcome::Refused { .. } => {
                Err(StoreError::Corrupt { what: "a commit without guards was refused".to_owned() })
            }
        }
    }

    /// At most `limit` letters that are due at `now`, the longest due first.
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Queued>, StoreError> {
        let until = Sort::of(due_ms(now.plus(std::time::Duration::from_millis(1)))).build();
        let all = SortRange::all();
        let range = SortRange { until: Some(until.as_bytes().to_vec().into()), ..all };
        let page = self.store.scan_as::<MailRecord>(&partition(), &range, limit).await?;
        let queued = page.items.into_iter().map(|record| Queued {
            mail: Mail::from(&record.value),
            sort: record.sort,
            version: record.version,
        });
        Ok(queued.collect())
    }

    /// Moves a letter to `due_at`; `None` if somebody else has taken or removed it.
    pub async fn postpone(&self, queued: Queued, due_at: Timestamp) -> Result<Option<Queued>, StoreError> {
        let sort = sort(due_at, queued.mail.id);
        if sort == queued.sort {
            return Ok(Some(queued));
        }
        let record = MailRecord::from(&queued.mail);
        let commit = SealedCommit::new()
            .at_version(&queued.sort, queued.version)
            .delete(&queued.sort)
            .put_as(&sort, &record, Some(queued.mail.expires_at));
        Ok(match self.store.commit(&partition(), commit).await? {
            Outcome::Committed(committed) => {
                Some(Queued { mail: queued.mail, sort, version: committed.version })
            }
            Outcome::Refused { .. } => None,
        })
    }

    /// Removes a letter; `false` if somebody else has taken or removed it.
    pub async fn remove(&self, queued: &Queued) -> Result<bool, StoreError> {
        let commit = SealedCommit::new().at_version(&queued.sort, queued.version).delete(&queued.sort);
        Ok(self.store.commit(&partition(), commit).await?.is_committed())
    }
}
