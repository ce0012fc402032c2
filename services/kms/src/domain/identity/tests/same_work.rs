//! What must not be told by how long an answer takes: the same store operations, in the same order, for
//! an address with an account and one without.

use coffer_core::ExposeSecret as _;
use coffer_store::testing::CallKind;

use super::house::email;
use super::*;

/// The store operations since this was last asked: what was done to which table, however long the values are.
fn work(house: &House) -> Vec<(&'static str, CallKind)> {
    let sized = |kind| match kind {
        CallKind::Commit { operations, .. } => CallKind::Commit { operations, value_bytes: 0 },
        other => other,
    };
    house.store.records.take().0.into_iter().map(|call| (call.table.name(), sized(call.kind))).collect()
}

#[tokio::test]
async fn a_login_for_an_unknown_account_does_the_same_work() {
    let house = House::new();
    house.user(ANN).await;
    let mut logs = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        work(&house);
        house
            .identity
            .log_in(&email(to), password("wrong horse battery"), &at("192.0.2.7"))
            .await
            .unwrap_err();
        logs.push(work(&house));
    }
    assert_eq!(logs[0], logs[1]);
    assert!(logs[0].len() > 5, "{logs:?}");
}

#[tokio::test]
async fn trying_a_code_of_an_unknown_account_does_the_same_work() {
    let house = House::new();
    house.user(ANN).await;
    house.ask_code(ANN, &at("192.0.2.1")).await;
    let mut logs = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        work(&house);
        house.identity.verify_log_in(&email(to), "12345", &at("192.0.2.7")).await.unwrap_err();
        logs.push(work(&house));
    }
    assert_eq!(logs[0], logs[1]);
}

#[tokio::test]
async fn a_reset_code_of_an_unknown_account_does_the_same_work() {
    let house = House::new();
    house.user(ANN).await;
    house.identity.send_reset_code(&email(ANN), &at("192.0.2.1")).await.unwrap();
    let mut logs = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        work(&house);
        let code = (&email(to), "12345");
        house.identity.reset_password(code, password(PASSWORD), &at("192.0.2.7")).await.unwrap_err();
        logs.push(work(&house));
    }
    assert_eq!(logs[0], logs[1]);
}

#[tokio::test]
async fn what_is_remembered_of_a_session_shortens_no_way_to_another() {
    let house = House::new();
    house.user(ANN).await;
    let opened = house.session(ANN, &at("192.0.2.1")).await;
    let mut logs = Vec::new();
    for to in [ANN, "nobody@example.com"] {
        house.identity.lately_live(opened.token.expose_secret()).await.unwrap().unwrap();
        work(&house);
        let asked =
            house.identity.log_in(&email(to), password("wrong horse battery"), &at("192.0.2.7")).await;
        let tried = house.identity.verify_log_in(&email(to), "12345", &at("192.0.2.7")).await;
        assert!(asked.is_err() && tried.is_err());
        logs.push(work(&house));
    }
    assert_eq!(logs[0], logs[1]);
}
