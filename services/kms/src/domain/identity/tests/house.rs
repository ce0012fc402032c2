//! A KMS's identity with everything around it, without HTTP.

use std::sync::Arc;
use std::time::Duration;

use coffer_auth::password::{Hasher, HasherSettings, Password};
use coffer_core::{EmailAddress, ExposeSecret as _, Random, SecretString};
use coffer_crypto::root::RootKey;
use coffer_store::records::Sealed;

use crate::config::{AuthSettings, LimitSettings};
use crate::domain::events::{EventFilter, EventParts, Events, Origin};
use crate::domain::feed::Feed;
use crate::domain::identity::{Client, Identity, IdentityParts, LogInOutcome, OpenedSession, Surface, Wish};
use crate::domain::mail::{DevMailbox, Outbox, Postman};
use crate::domain::test_store::TestStore;
use crate::repo::address::AddressRepo;
use crate::repo::mail::MailRepo;
use crate::repo::user::Profile;

pub(super) const ANN: &str = "ann@example.com";
pub(super) const PASSWORD: &str = "correct horse battery";

/// One process, on a store that others may share.
pub(super) struct House {
    pub(super) store: TestStore,
    pub(super) identity: Arc<Identity>,
    pub(super) mailbox: Arc<DevMailbox>,
    pub(super) postman: Postman,
    pub(super) events: Arc<Events>,
    pub(super) feed: Arc<Feed>,
}

/// A native client at a network address.
pub(super) fn at(address: &str) -> Client {
    let address = Some(address.parse().expect("a test's address"));
    Client::new(Origin { address, request_id: None }, Surface::Native)
}

pub(super) fn email(text: &str) -> EmailAddress {
    text.parse().expect("a test's address")
}

pub(super) fn password(text: &str) -> Password {
    Password::new(SecretString::from(text)).expect("a test's password")
}

/// A code that is not `code`.
pub(super) fn wrong(code: &str) -> &'static str {
    if code == "999999" { "999998" } else { "999999" }
}

impl House {
    pub(super) fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut AuthSettings, &mut LimitSettings)) -> Self {
        let store = TestStore::new();
        Self::on(store.clone(), store.sealed.clone(), change)
    }

    /// Another process on the same store.
    pub(super) fn replica(&self) -> Self {
        Self::on(self.store.clone(), self.store.sealed.clone(), |_, _| {})
    }

    /// A process on `sealed`, by the clock of `store`.
    pub(super) fn on(
        store: TestStore,
        sealed: Sealed,
        change: impl FnOnce(&mut AuthSettings, &mut LimitSettings),
    ) -> Self {
        let mut auth = AuthSettings { bcrypt_cost: 4, ..AuthSettings::default() };
        let mut limits = LimitSettings::default();
        change(&mut auth, &mut limits);
        let random: Arc<dyn Random> = store.random.clone();
        let hashing = HasherSettings { cost: auth.bcrypt_cost, threads: 1, queue_jobs_max: 64 };
        let events = Arc::new(Events::start(EventParts {
            store: sealed.clone(),
            clock: store.clock.clone(),
            random: store.random.clone(),
            retention: Duration::from_hours(24),
        }));
        let feed = Arc::new(Feed::start(sealed.clone(), store.clock.clone()));
        let mailbox = Arc::new(DevMailbox::new(store.clock.clone()));
        let postman = Postman {
            repo: MailRepo::new(sealed.clone()),
            addresses: AddressRepo::new(sealed.clone()),
            transport: mailbox.clone(),
            clock: store.clock.clone(),
            deliveries_max: 4,
        };
        let index = RootKey::from_bytes(&[5; 32]).expect("32 bytes are a root key").derive_index_key();
        let identity = Arc::new(Identity::new(IdentityParts {
            store: sealed.clone(),
            clock: store.clock.clone(),
            random: Arc::clone(&random),
            index: Arc::new(index),
            hasher: Hasher::start(hashing, Arc::clone(&random)).expect("cost 4 is accepted"),
            events: Arc::clone(&events),
            feed: Arc::clone(&feed),
            outbox: Outbox::new(MailRepo::new(sealed), store.clock.clone(), random),
            auth,
            limits,
        }));
        Self { store, identity, mailbox, postman, events, feed }
    }

    /// Moves the clock.
    pub(super) fn wait(&self, time: Duration) {
        self.store.clock.advance(time);
    }

    /// Delivers what is due and returns the code of every letter to `to`, oldest first.
    pub(super) async fn codes(&self, to: &str) -> Vec<String> {
        self.postman.deliver_due().await.expect("memory does not fail");
        let letters = self.mailbox.letters().into_iter().filter(|letter| letter.to == to);
        let code = |text: &str| {
            let (_, rest) = text.split_once("Your verification code is: ").expect("a code in the letter");
            rest[..6].to_owned()
        };
        letters.map(|letter| code(&letter.text)).collect()
    }

    /// The newest code that was sent to `to`.
    pub(super) async fn code(&self, to: &str) -> String {
        self.codes(to).await.pop().expect("a letter has arrived")
    }

    pub(super) fn wish(to: &str) -> Wish {
        Wish { email: email(to), password: password(PASSWORD), user_name: None }
    }

    /// A user who registered from 192.0.2.1 and did not log in yet.
    pub(super) async fn user(&self, to: &str) -> Profile {
        let client = at("192.0.2.1");
        self.identity.register(Self::wish(to), &client).await.expect("registering");
        let code = self.code(to).await;
        self.identity.verify_registration(&email(to), &code, &client).await.expect("verifying")
    }

    /// The first step of logging in.
    pub(super) async fn ask_code(&self, to: &str, client: &Client) -> String {
        let outcome = self.identity.log_in(&email(to), password(PASSWORD), client).await;
        assert!(matches!(outcome.expect("logging in"), LogInOutcome::CodeSent(_)));
        self.code(to).await
    }

    /// Both steps of logging in.
    pub(super) async fn session(&self, to: &str, client: &Client) -> OpenedSession {
        let code = self.ask_code(to, client).await;
        self.identity.verify_log_in(&email(to), &code, client).await.expect("the code")
    }

    pub(super) async fn is_live(&self, opened: &OpenedSession) -> bool {
        self.identity.check_session(opened.token.expose_secret()).await.expect("checking").is_some()
    }

    /// The kinds of the newest events, newest first.
    pub(super) async fn event_kinds(&self) -> Vec<String> {
        let page = self.events.page(&EventFilter::default(), None, 100).await.expect("events");
        page.items.into_iter().map(|event| event.kind).collect()
    }
}
