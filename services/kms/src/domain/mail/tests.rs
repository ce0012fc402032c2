use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use coffer_api::AddressHash;
use coffer_auth::code::{OneTimeCode, Purpose};
use coffer_core::{Clock as _, CodeId, Timestamp};

use super::*;
use crate::domain::test_store::TestStore;
use crate::repo::address::{AddressChange, AddressRepo, Code, Requester};
use crate::repo::mail::MailRepo;
use crate::repo::tables::MAIL;

const ACCOUNT: AddressHash = AddressHash::from_bytes([7; 32]);

/// A mail server that does as it is told.
#[derive(Debug, Default)]
struct Server {
    refusal: Mutex<Option<bool>>,
    delivered: Mutex<usize>,
}

impl Server {
    /// Refuses from now on, for good or for now.
    fn refuse(&self, permanent: Option<bool>) {
        *self.refusal.lock().unwrap() = permanent;
    }

    fn delivered(&self) -> usize {
        *self.delivered.lock().unwrap()
    }
}

#[async_trait]
impl Transport for Server {
    async fn deliver(&self, _: Letter) -> Result<(), TransportError> {
        tokio::task::yield_now().await;
        if let Some(permanent) = *self.refusal.lock().unwrap() {
            return Err(TransportError { permanent, source: "refused by a test".into() });
        }
        *self.delivered.lock().unwrap() += 1;
        Ok(())
    }
}

struct Post {
    store: TestStore,
    server: Arc<Server>,
    outbox: Outbox,
    addresses: AddressRepo,
}

impl Post {
    fn new() -> Self {
        let store = TestStore::new();
        let repo = MailRepo::new(store.sealed.clone());
        let outbox = Outbox::new(repo, store.clock.clone(), store.random.clone());
        let addresses = AddressRepo::new(store.sealed.clone());
        Self { store, server: Arc::default(), outbox, addresses }
    }

    fn postman(&self) -> Postman {
        Postman {
            repo: MailRepo::new(self.store.sealed.clone()),
            addresses: self.addresses.clone(),
            transport: self.server.clone(),
            clock: self.store.clock.clone(),
            deliveries_max: 4,
        }
    }

    fn expires_at(&self) -> Timestamp {
        self.store.clock.now().plus(Duration::from_mins(10))
    }

    /// Puts a letter in the queue, with its code in the store if `outstanding`.
    async fn letter(&self, outstanding: bool) {
        let (id, expires_at) = (CodeId::make(self.store.clock.now(), &*self.store.random), self.expires_at());
        let digits = OneTimeCode::parse("123456").unwrap();
        let (to, purpose) = ("ann@example.com".parse().unwrap(), Purpose::LogIn);
        let mail = CodeMail { to, account: ACCOUNT, purpose, id, digits, expires_at };
        self.outbox.hold(mail).await.unwrap();
        if outstanding {
            let requester = Requester { address: [0; 32], device: None, trusted: true };
            let code = Code { id, purpose, stored: [0; 32], requester, expires_at, tries: [0; 3] };
            assert!(self.addresses.commit(&ACCOUNT, AddressChange::new().put_code(&code)).await.unwrap());
        }
    }

    async fn is_empty(&self) -> bool {
        self.store.dump(MAIL).await.is_empty()
    }
}

#[tokio::test]
async fn a_letter_leaves_once_its_code_is_outstanding_and_once_only() {
    let post = Post::new();
    post.letter(true).await;
    assert_eq!(post.postman().deliver_due().await.unwrap(), 1);
    assert_eq!(post.postman().deliver_due().await.unwrap(), 0);
    assert!(post.is_empty().await);
}

#[tokio::test]
async fn a_letter_whose_code_never_came_is_dropped() {
    let post = Post::new();
    post.letter(false).await;
    assert_eq!(post.postman().deliver_due().await.unwrap(), 0);
    assert!(!post.is_empty().await, "its code may still be coming");
    post.store.clock.advance(Duration::from_secs(5));
    assert_eq!(post.postman().deliver_due().await.unwrap(), 0);
    assert!(post.is_empty().await);
}

#[tokio::test]
async fn several_postmen_deliver_each_letter_once() {
    let post = Post::new();
    for _ in 0..3 {
        post.letter(true).await;
    }
    let (one, two, three) = (post.postman(), post.postman(), post.postman());
    let delivered = tokio::join!(one.deliver_due(), two.deliver_due(), three.deliver_due());
    assert_eq!(delivered.0.unwrap() + delivered.1.unwrap() + delivered.2.unwrap(), 3);
    assert_eq!(post.server.delivered(), 3);
}

#[tokio::test]
async fn a_refused_letter_is_tried_again_later_and_later() {
    let post = Post::new();
    post.letter(true).await;
    post.server.refuse(Some(false));
    for seconds in [1, 2, 4, 8] {
        assert_eq!(post.postman().deliver_due().await.unwrap(), 0);
        post.store.clock.advance(Duration::from_millis(seconds * 1000 - 1));
        post.server.refuse(None);
        assert_eq!(post.postman().deliver_due().await.unwrap(), 0, "not before {seconds} s");
        post.server.refuse(Some(false));
        post.store.clock.advance(Duration::from_millis(1));
    }
    post.server.refuse(None);
    assert_eq!(post.postman().deliver_due().await.unwrap(), 1);
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_dropped() {
    let post = Post::new();
    post.letter(true).await;
    post.server.refuse(Some(true));
    assert_eq!(post.postman().deliver_due().await.unwrap(), 0);
    assert!(post.is_empty().await);
}

#[tokio::test]
async fn a_letter_that_its_postman_died_with_is_delivered_by_another() {
    let post = Post::new();
    post.letter(true).await;
    let repo = MailRepo::new(post.store.sealed.clone());
    let taken = repo.due(post.store.clock.now(), 10).await.unwrap().remove(0);
    let lease = post.store.clock.now().plus(Duration::from_mins(2));
    repo.postpone(taken, lease).await.unwrap().expect("nobody else takes it");
    assert_eq!(post.postman().deliver_due().await.unwrap(), 0);
    post.store.clock.advance(Duration::from_mins(2));
    assert_eq!(post.postman().deliver_due().await.unwrap(), 1);
}

#[tokio::test]
async fn a_letter_ends_with_its_code() {
    let post = Post::new();
    post.letter(true).await;
    post.server.refuse(Some(false));
    post.postman().deliver_due().await.unwrap();
    post.store.clock.advance(Duration::from_mins(10));
    post.server.refuse(None);
    assert_eq!(post.postman().deliver_due().await.unwrap(), 0);
}
