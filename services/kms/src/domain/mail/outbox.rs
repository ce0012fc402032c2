//! The end of the queue where letters go in.

use std::sync::Arc;

use coffer_core::{Clock, MailId, Random};
use coffer_store::records::StoreError;
use tokio::sync::Notify;

use super::letter::CodeMail;
use crate::repo::mail::{Mail, MailRepo, Queued};

/// Takes letters, for any number of postmen.
#[derive(Clone, Debug)]
pub struct Outbox {
    repo: MailRepo,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    wake: Arc<Notify>,
}

impl Outbox {
    /// An outbox on `repo`.
    pub fn new(repo: MailRepo, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { repo, clock, random, wake: Arc::new(Notify::new()) }
    }

    /// Puts a letter in the queue. It leaves once its code is in the store; if that never happens, it is
    /// dropped.
    pub async fn hold(&self, mail: CodeMail) -> Result<Queued, StoreError> {
        let now = self.clock.now();
        let mail = Mail {
            id: MailId::make(now, &*self.random),
            to: mail.to,
            account: mail.account,
            purpose: mail.purpose,
            code: mail.id,
            digits: mail.digits.expose().to_owned().into(),
            queued_at: now,
            expires_at: mail.expires_at,
            attempts: 0,
        };
        self.repo.put(mail, now).await
    }

    /// Takes a letter out again, if no postman has it.
    pub async fn withdraw(&self, queued: Queued) -> Result<(), StoreError> {
        self.repo.remove(&queued).await.map(drop)
    }

    /// Tells the postman of this process that there is something to do.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until somebody calls [`wake`](Self::wake).
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}
