//! The first administrator, and what administrators do.

use std::time::Duration;

use coffer_tests::{Stack, User, until};
use serde_json::{Value, json};

/// An administrator who is logged in.
pub(crate) async fn administrator(stack: &Stack) -> User {
    let admin = stack.user("admin").await;
    stack.make_administrator(&admin.email).await;
    let sid = stack.login(&admin.email, &admin.password).await;
    User { sid, ..admin }
}

async fn id_of(stack: &Stack, admin: &User, email: &str) -> String {
    // Not by `email=`: that finds addresses that were proven.
    let page = stack.surface().http.get_as(&admin.sid, &stack.kms_url("/api/v1/users")).await;
    let page = page.expect_status(200).json();
    let user = page["items"].as_array().and_then(|all| all.iter().find(|user| user["email"] == email));
    let user = user.unwrap_or_else(|| panic!("no {email} in {page}"));
    user["id"].as_str().expect("an id").to_owned()
}

/// Gives a user another role.
pub(crate) async fn set_role(stack: &Stack, admin: &User, (email, role): (&str, &str)) {
    let id = id_of(stack, admin, email).await;
    assert_eq!(change(stack, &admin.sid, &id, json!({ "role": role })).await, 200, "{email} {role}");
}

async fn change(stack: &Stack, sid: &str, id: &str, body: Value) -> u16 {
    let url = stack.kms_url(&format!("/api/v1/users/{id}"));
    stack.surface().http.send("PATCH", &url, Some(sid), Some(&body)).await.status
}

#[tokio::test]
async fn a_new_administrator_sets_a_password_by_the_command_that_is_printed() {
    let stack = Stack::all().start().await;
    let printed = stack.make_administrator("root@example.com").await;
    let (_, command) = printed.split_once(": coffer ").unwrap_or_else(|| panic!("{printed}"));
    let cli = stack.cli("root");
    let password = "a long new password";
    std::fs::write(cli.home.join("new"), password).expect("it can be written");
    let mut arguments: Vec<&str> = command.split_whitespace().collect();
    arguments.extend(["--new-password-file", "new"]);
    let code = stack.mailbox.code_after("root@example.com", 0).await;
    cli.run(&arguments, code.as_bytes()).await.ok();
    stack.login("root@example.com", password).await;
}

#[tokio::test]
async fn a_deactivated_user_is_out_everywhere_and_can_be_let_in_again() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let ann = stack.user("ann").await;
    surface.store(&ann.sid, "a", b"content").await;
    let admin = administrator(&stack).await;
    surface.download(&ann.sid, "a").await.expect_status(200);
    let id = id_of(&stack, &admin, &ann.email).await;
    assert_eq!(change(&stack, &admin.sid, &id, json!({ "active": false })).await, 200);
    surface.public_key(&ann.sid, "b").await.expect(200, 403, "invalid_session");
    until("the data service knows", Duration::from_secs(2), || async {
        surface.download(&ann.sid, "a").await.status == 401
    })
    .await;
    surface.login(&ann.email, &ann.password).await.expect(200, 401, "login_failed");
    assert_eq!(change(&stack, &admin.sid, &id, json!({ "active": true })).await, 200);
    let sid = stack.login(&ann.email, &ann.password).await;
    surface.download(&ann.sid, "a").await.expect(401, 401, "invalid_session");
    assert_eq!(surface.download(&sid, "a").await.expect_status(200).data(), b"content");
}

#[tokio::test]
async fn only_administrators_administer() {
    let stack = Stack::all().start().await;
    let ann = stack.user("ann").await;
    let admin = administrator(&stack).await;
    let http = stack.surface().http;
    for path in ["/api/v1/users", "/api/v1/events"] {
        http.get_as(&ann.sid, &stack.kms_url(path)).await.expect_status(403);
        http.get(&stack.kms_url(path)).await.expect_status(401);
        http.get_as(&admin.sid, &stack.kms_url(path)).await.expect_status(200);
    }
    let own = id_of(&stack, &admin, &ann.email).await;
    assert_eq!(change(&stack, &ann.sid, &own, json!({ "role": "admin" })).await, 403);
    let last = id_of(&stack, &admin, &admin.email).await;
    assert_eq!(change(&stack, &admin.sid, &last, json!({ "active": false })).await, 409);
}

#[tokio::test]
async fn security_events_survive_a_kill_and_name_what_happened() {
    let stack = Stack::all().start().await;
    let ann = stack.user("ann").await;
    stack.surface().store(&ann.sid, "a", b"content").await;
    stack.surface().private_key(&ann.sid, "a").await.expect(200, 200, "private_key_retrieved");
    stack.surface().login(&ann.email, "wrong").await.expect(200, 401, "login_failed");
    stack.restart(&stack.kms[0]).await;
    let admin = administrator(&stack).await;
    let page = stack.surface().http.get_as(&admin.sid, &stack.kms_url("/api/v1/events?limit=100")).await;
    let page = page.expect_status(200).json();
    let kinds: Vec<&str> =
        page["items"].as_array().expect("a list").iter().filter_map(|e| e["kind"].as_str()).collect();
    for kind in ["file_key_exported", "login_refused", "admin_created"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    assert!(!page.to_string().contains(&ann.sid), "events hold no tokens");
}
