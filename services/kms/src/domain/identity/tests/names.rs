//! Registering and logging in by name, with and without proof of the address.

use coffer_api::internal::users::Login;
use coffer_core::{Clock as _, ExposeSecret as _};

use super::house::{ANN, House, PASSWORD, email, password, wrong};
use crate::config::EmailOtp;
use crate::domain::identity::{
    Client, IdentityError, LogInOutcome, NamedWish, OpenedSession, Registered, Surface, UserChange,
};
use crate::repo::user::Profile;

/// A client of the contract that knows people by name.
fn at(address: &str) -> Client {
    Client { surface: Surface::Names, ..super::house::at(address) }
}

fn open_house() -> House {
    House::with(|auth, _| auth.email_otp = EmailOtp::Optional)
}

fn wish(name: &str, to: &str) -> NamedWish {
    NamedWish { user_name: name.parse().unwrap(), email: email(to), password: password(PASSWORD) }
}

fn login(text: &str) -> Login {
    text.parse().unwrap()
}

impl House {
    async fn register_named(&self, name: &str, to: &str, from: &str) -> Result<Registered, IdentityError> {
        self.identity.register_named(wish(name, to), &at(from)).await
    }

    /// A user who registered by name without proof.
    async fn unproved(&self, name: &str, to: &str) -> Profile {
        match self.register_named(name, to, "192.0.2.1").await.unwrap() {
            Registered::Made(user) => *user,
            Registered::Pending(_) => panic!("no code is needed"),
        }
    }

    async fn log_in_named(&self, name: &str) -> Result<LogInOutcome, IdentityError> {
        self.identity.log_in_named(&login(name), password(PASSWORD), &at("192.0.2.1")).await
    }

    async fn opened(&self, name: &str) -> OpenedSession {
        match self.log_in_named(name).await.unwrap() {
            LogInOutcome::Opened(opened) => *opened,
            LogInOutcome::CodeSent(_) => panic!("no code is needed"),
        }
    }
}

#[tokio::test]
async fn a_registration_by_name_is_completed_by_the_name_and_its_code() {
    let house = House::new();
    let client = at("192.0.2.1");
    assert!(matches!(house.register_named("Ann", ANN, "192.0.2.1").await, Ok(Registered::Pending(_))));
    let code = house.code(ANN).await;
    let verify =
        async |code: &str| house.identity.verify_named_registration(&login("ann"), code, &client).await;
    assert!(matches!(verify(wrong(&code)).await, Err(IdentityError::OtpFailed)));
    let user = verify(&code).await.unwrap();
    assert_eq!((user.user_name.unwrap().as_str(), user.verified), ("Ann", true));
    assert!(matches!(house.log_in_named("ANN").await, Ok(LogInOutcome::CodeSent(_))));
    let code = house.code(ANN).await;
    let opened = house.identity.verify_log_in_named(&login("ann"), &code, &client).await.unwrap();
    assert!(house.is_live(&opened).await);
    assert!(opened.device.is_none(), "this surface knows no devices");
    assert_eq!(house.identity.last_log_in(user.id).await.unwrap(), Some(house.store.clock.now()));
}

#[tokio::test]
async fn of_several_who_wish_for_a_name_each_completes_his_own_registration() {
    let house = House::new();
    for (to, from) in [(ANN, "192.0.2.1"), ("bob@example.com", "192.0.2.2")] {
        house.register_named("sam", to, from).await.unwrap();
    }
    let code = house.code(ANN).await;
    let user =
        house.identity.verify_named_registration(&login("sam"), &code, &at("192.0.2.1")).await.unwrap();
    assert_eq!(user.email.as_str(), ANN);
    let code = house.code("bob@example.com").await;
    let second = house.identity.verify_named_registration(&login("sam"), &code, &at("192.0.2.2")).await;
    assert!(matches!(second, Err(IdentityError::UserNameTaken)));
}

#[tokio::test]
async fn without_codes_a_name_and_an_address_are_taken_at_once() {
    let house = open_house();
    let user = house.unproved("ann", ANN).await;
    assert!(!user.verified);
    assert!(house.is_live(&house.opened("ann").await).await);
    let taken = house.register_named("ANN", "other@example.com", "192.0.2.1").await;
    assert!(matches!(taken, Err(IdentityError::UserNameTaken)));
    let taken = house.register_named("other", ANN, "192.0.2.1").await;
    assert!(matches!(taken, Err(IdentityError::UserExists)));
    assert!(
        house.codes(ANN).await.is_empty(),
        "nobody sends mail to an address that is not asked to prove anything"
    );
}

#[tokio::test]
async fn a_claim_without_proof_yields_to_whoever_proves_the_address() {
    let house = open_house();
    let squatter = house.unproved("squatter", ANN).await;
    let owner = house.user(ANN).await;
    assert_ne!(owner.id, squatter.id);
    assert_eq!(house.identity.owner_of(&email(ANN)).await.unwrap(), Some(owner.id));
    let opened = house.opened("squatter").await;
    let live = house.identity.check_session(opened.token.expose_secret()).await.unwrap().unwrap();
    assert_ne!(
        live.address_hash,
        house.identity.blind(&email(ANN)),
        "what is granted to the address is not his"
    );
}

#[tokio::test]
async fn the_first_code_that_is_entered_proves_the_address() {
    let house = open_house();
    let user = house.unproved("ann", ANN).await;
    let strict = House::on(house.store.clone(), house.store.sealed.clone(), |_, _| {});
    let client = at("192.0.2.1");
    assert!(matches!(strict.log_in_named("ann").await, Ok(LogInOutcome::CodeSent(_))));
    let code = strict.code(ANN).await;
    let opened = strict.identity.verify_log_in_named(&login("ann"), &code, &client).await.unwrap();
    assert!(opened.user.verified);
    assert_eq!(strict.identity.owner_of(&email(ANN)).await.unwrap(), Some(user.id));
    strict.session(ANN, &client).await;
}

#[tokio::test]
async fn only_the_right_password_learns_that_a_user_was_shut_out() {
    let house = open_house();
    let user = house.unproved("ann", ANN).await;
    let change = UserChange { active: Some(false), ..UserChange::default() };
    house.identity.administer((user.id, user.id), change, &at("192.0.2.9").origin).await.unwrap();
    assert!(matches!(house.log_in_named("ann").await, Err(IdentityError::Deactivated)));
    let guess = house.identity.log_in_named(&login("ann"), password("a guess at it"), &at("192.0.2.1")).await;
    assert!(matches!(guess, Err(IdentityError::LogInFailed)));
}

#[tokio::test]
async fn tries_by_name_and_by_address_count_together_and_for_unknown_names_as_well() {
    let house = House::new();
    let client = at("198.51.100.7");
    house.register_named("ann", ANN, "192.0.2.1").await.unwrap();
    let code = house.code(ANN).await;
    house.identity.verify_named_registration(&login("ann"), &code, &at("192.0.2.1")).await.unwrap();
    for name in ["ann", "nobody"] {
        for _ in 0..10 {
            let guess = house.identity.log_in_named(&login(name), password("a guess at it"), &client).await;
            assert!(matches!(guess, Err(IdentityError::LogInFailed)), "{name}");
        }
        let beyond = house.identity.log_in_named(&login(name), password(PASSWORD), &client).await;
        assert!(matches!(beyond, Err(IdentityError::RateLimited { .. })), "{name}");
    }
    let by_address = house.identity.log_in(&email(ANN), password(PASSWORD), &client).await;
    assert!(matches!(by_address, Err(IdentityError::RateLimited { .. })));
}
