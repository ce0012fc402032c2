//! Every row about people of the key-value contract.

use std::time::Duration;

use coffer_tests::{Answer, Http, Stack, User, until};
use serde_json::{Value, json};

use super::stacks;
use crate::native::{administrator, set_role};

const PASSWORD: &str = "s3cret";

/// One gateway, as the original's clients call it.
struct Gateway<'a> {
    stack: &'a Stack,
    http: Http,
    codes: bool,
}

impl Gateway<'_> {
    async fn post(&self, path: &str, body: Value) -> Answer {
        self.http.post(&self.stack.gateway_url(path), body).await
    }

    async fn with_token(&self, method: &str, path: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.http.send_raw(method, &self.stack.gateway_url(path), &[("authorization", &bearer)], None).await
    }

    async fn outcome(&self, path: &str, body: Value) -> (bool, String) {
        let answer = self.post(path, body).await.expect_status(200).json();
        let keys: Vec<_> = answer.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(keys, ["message", "session_token", "success", "user"]);
        (answer["success"] == true, text(&answer["message"]).to_owned())
    }

    async fn register(&self, name: &str) {
        let email = format!("{name}@kv.example.com");
        let wish = json!({ "username": name, "email": email, "password": PASSWORD });
        let done = |message: &str| (true, message.to_owned());
        if !self.codes {
            assert_eq!(self.outcome("/register", wish).await, done("User registered successfully"));
            return;
        }
        let pending = "Registration pending: enter the code sent to your e-mail";
        assert_eq!(self.outcome("/register", wish).await, done(pending));
        let otp = self.stack.mailbox.code_after(&email, 0).await;
        let wrong = if otp == "999999" { "999998" } else { "999999" };
        let refused = self.outcome("/verify_register", json!({ "username": name, "otp": wrong })).await;
        assert_eq!(refused, (false, "Invalid or expired code".to_owned()));
        let verified = self.outcome("/verify_register", json!({ "username": name, "otp": otp })).await;
        assert_eq!(verified, done("User registered successfully"));
    }

    /// Registers and logs in; the token.
    async fn registered(&self, name: &str) -> String {
        self.register(name).await;
        let answer = self.log_in(name, &format!("{name}@kv.example.com"), PASSWORD).await;
        text(&answer["session_token"]).to_owned()
    }

    /// Logs in; the whole answer.
    async fn log_in(&self, name: &str, email: &str, password: &str) -> Value {
        let seen = self.stack.mailbox.messages(email).await.len();
        let answer = self.post("/login", json!({ "username": name, "password": password })).await;
        let answer = answer.expect_status(200).json();
        if !self.codes || answer["message"] != "otp_required" {
            return answer;
        }
        assert_eq!(answer["success"], false);
        let otp = self.stack.mailbox.code_after(email, seen).await;
        self.post("/verify_login", json!({ "username": name, "otp": otp })).await.expect_status(200).json()
    }
}

async fn pages(gateway: &Gateway<'_>) {
    for path in ["/", "/app"] {
        let (url, as_browsers) = (gateway.stack.gateway_url(path), [("accept", "text/html,*/*;q=0.8")]);
        let page = gateway.http.send_raw("GET", &url, &as_browsers, None).await.expect_status(200);
        assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{path}");
    }
    let about = gateway.http.get(&gateway.stack.gateway_url("/api")).await.expect_status(200).json();
    assert!(about["message"].is_string() && about["version"].is_string(), "{about}");
}

async fn rows(gateway: &Gateway<'_>) {
    pages(gateway).await;
    gateway.register("ann").await;
    let refused = (false, "Username or email already exists".to_owned());
    for (name, email) in [("ANN", "other@kv.example.com"), ("other", "ann@kv.example.com")] {
        let wish = json!({ "username": name, "email": email, "password": PASSWORD });
        assert_eq!(gateway.outcome("/register", wish).await, refused, "{name} {email}");
    }
    for (name, password) in [("ann", "wrong"), ("nobody", PASSWORD), ("no name at all", PASSWORD)] {
        let refused = gateway.outcome("/login", json!({ "username": name, "password": password })).await;
        assert_eq!(refused, (false, "Invalid credentials".to_owned()), "{name}");
    }
    let answer = gateway.log_in("ann", "ann@kv.example.com", PASSWORD).await;
    assert_eq!((&answer["success"], &answer["message"]), (&json!(true), &json!("Login successful")));
    let user = &answer["user"];
    let expected =
        json!({ "id": user["id"], "username": "ann", "email": "ann@kv.example.com", "role": "user" });
    assert_eq!(user, &expected);
    assert!(user["id"].is_u64());
    let token = text(&answer["session_token"]);

    let me = gateway.with_token("GET", "/me", token).await.expect_status(200).json();
    assert_eq!((&me["user"]["user_id"], &me["user"]["username"]), (&user["id"], &json!("ann")));
    is_a_moment(&me["user"]["expires_at"], "2026-01-01 00:00:00.000000".len());
    let refused = gateway.with_token("GET", "/users", token).await.expect_status(403).json();
    assert_eq!(refused, json!({ "detail": "Admin access required" }));

    let out = gateway.with_token("POST", "/logout", token).await.expect_status(200).json();
    assert_eq!(out, json!({ "success": true, "message": "Logged out successfully" }));
    for (method, path) in [("GET", "/me"), ("GET", "/users"), ("POST", "/logout")] {
        let answer = gateway.with_token(method, path, token).await.expect_status(401);
        assert_eq!(answer.json(), json!({ "detail": "Invalid or expired session" }), "{path}");
        let answer = gateway.http.send(method, &gateway.stack.gateway_url(path), None, None).await;
        assert_eq!(answer.expect_status(401).json(), json!({ "detail": "Not authenticated" }), "{path}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn is_a_moment(value: &Value, length: usize) {
    let text = text(value);
    assert_eq!((text.len(), &text[4..5], &text[10..11], &text[13..14]), (length, "-", " ", ":"), "{text}");
}

#[tokio::test]
async fn people_register_log_in_and_out_by_name_on_every_storage_with_codes_and_without() {
    for (builder, codes) in stacks() {
        let stack = builder.start().await;
        rows(&Gateway { stack: &stack, http: Http::default(), codes }).await;
    }
}

#[tokio::test]
async fn administrators_see_users_and_whoever_is_shut_out_is_told_so() {
    for (builder, codes) in stacks() {
        let stack = builder.start().await;
        let gateway = Gateway { stack: &stack, http: Http::default(), codes };
        gateway.register("ann").await;
        // Nobody is there from the beginning, and no password is known beforehand.
        for name in ["admin", "root", "administrator"] {
            let out = gateway.outcome("/login", json!({ "username": name, "password": name })).await;
            assert_eq!(out, (false, "Invalid credentials".to_owned()));
        }
        let admin = administrator(&stack).await;
        roles(&gateway, &admin).await;
        let users = gateway.with_token("GET", "/users", &admin.sid).await.expect_status(200).json();
        let users = users["users"].as_array().unwrap();
        let ann = users.iter().find(|user| user["username"] == "ann").unwrap();
        assert_eq!((&ann["last_login"], &ann["is_active"]), (&Value::Null, &json!(true)));
        let root = users.iter().find(|user| user["email"] == admin.email.as_str()).unwrap();
        assert_eq!((&root["role"], &root["username"]), (&json!("admin"), &json!(admin.email)));
        for moment in [&ann["created_at"], &root["last_login"]] {
            is_a_moment(moment, "2026-01-01 00:00:00".len());
        }
        let (of, page) = (stack.kms_url("/api/v1/users"), &gateway.http);
        let listed = page.get_as(&admin.sid, &of).await.expect_status(200).json();
        let ann = listed["items"].as_array().unwrap().iter().find(|user| user["user_name"] == "ann").unwrap();
        let url = format!("{of}/{}", ann["id"].as_str().unwrap());
        page.send("PATCH", &url, Some(&admin.sid), Some(&json!({ "active": false })))
            .await
            .expect_status(200);
        let out = gateway.outcome("/login", json!({ "username": "ann", "password": PASSWORD })).await;
        assert_eq!(out, (false, "Account is deactivated".to_owned()));
        let out = gateway.outcome("/login", json!({ "username": "ann", "password": "wrong" })).await;
        assert_eq!(out, (false, "Invalid credentials".to_owned()));
    }
}

/// Which roles are told for which, and who may see users.
async fn roles(gateway: &Gateway<'_>, admin: &User) {
    let stack = gateway.stack;
    let bob = gateway.registered("bob").await;
    for (role, told, may_see) in [
        ("contractor", "user", false),
        ("employee", "user", false),
        ("supervisor", "manager", true),
        ("admin", "admin", true),
    ] {
        set_role(stack, admin, ("bob@kv.example.com", role)).await;
        let status = if may_see { 200 } else { 403 };
        until("the role is in force", Duration::from_secs(2), || async {
            gateway.with_token("GET", "/users", &bob).await.status == status
        })
        .await;
        let me = gateway.with_token("GET", "/me", &bob).await.expect_status(200).json();
        assert_eq!(me["user"]["role"], told, "{role}");
        let users = gateway.with_token("GET", "/users", &admin.sid).await.expect_status(200).json();
        let users = users["users"].as_array().expect("a list");
        let listed = users.iter().find(|user| user["username"] == "bob").expect("bob is among them");
        assert_eq!(listed["role"], told, "{role}");
        let seven = ["created_at", "email", "id", "is_active", "last_login", "role", "username"];
        assert!(listed.as_object().expect("an object").keys().eq(seven.iter()), "{listed}");
        is_a_moment(&listed["last_login"], "2026-01-01 00:00:00".len());
    }
}

#[tokio::test]
async fn what_is_not_valid_is_said_field_by_field_and_secrets_are_not_repeated() {
    let stack = Stack::all().start().await;
    let gateway = Gateway { stack: &stack, http: Http::default(), codes: true };
    let body = json!({ "username": "a b", "email": "nobody", "password": "planted".repeat(20) });
    let answer = gateway.post("/register", body).await.expect_status(422);
    let detail = answer.json()["detail"].clone();
    let loc: Vec<_> = detail.as_array().unwrap().iter().map(|error| error["loc"][1].clone()).collect();
    assert_eq!(loc, ["username", "email", "password"]);
    assert!(!answer.text().contains("planted"), "{answer}");
    let answer = gateway.post("/login", json!({ "username": "ann" })).await.expect_status(422).json();
    assert_eq!(
        (&answer["detail"][0]["type"], &answer["detail"][0]["msg"]),
        (&json!("missing"), &json!("Field required"))
    );
    let answer = gateway.http.get(&stack.gateway_url("/login")).await.expect_status(405);
    assert_eq!(answer.json(), json!({ "detail": "Method Not Allowed" }));
}

#[tokio::test]
async fn guessing_is_limited_by_the_address_that_the_gateway_saw() {
    let stack = Stack::all().default_limits().start().await;
    let guess = async |address: &str, spoofed: &[(&str, &str)]| {
        let body = json!({ "username": "nobody", "password": "a guess" }).to_string().into_bytes();
        let http = Http::from_address(address.parse().unwrap());
        let answer = http.send_raw("POST", &stack.gateway_url("/login"), spoofed, Some(body)).await;
        let retry = answer.header("retry-after").is_some();
        (answer.expect_status(200).json()["message"].as_str().unwrap().to_owned(), retry)
    };
    let refused = ("Too many attempts. Try again later".to_owned(), true);
    for number in 0..60 {
        let spoofed = format!("203.0.113.{number}");
        let headers = [("coffer-client-address", spoofed.as_str()), ("x-forwarded-for", spoofed.as_str())];
        guess("127.0.0.5", &headers).await;
    }
    assert_eq!(guess("127.0.0.5", &[("x-forwarded-for", "203.0.113.99")]).await, refused);
    // The same on what is passed on, where the gateway vouches for the address in a header.
    let sessions = |address: &str| {
        let http = Http::from_address(address.parse().unwrap());
        let url = stack.gateway_url("/api/v1/sessions");
        async move { http.post(&url, json!({ "email": "x@example.com", "password": "a guess" })).await.status }
    };
    assert_eq!(sessions("127.0.0.5").await, 429);
    // Who asks the KMS itself cannot claim to be the gateway.
    let http = Http::from_address("127.0.0.5".parse().unwrap());
    let claims = [("coffer-client-address", "203.0.113.200"), ("coffer-service-token", "no token of ours")];
    let body = json!({ "email": "x@example.com", "password": "a guess" }).to_string().into_bytes();
    let url = stack.kms_url("/api/v1/sessions");
    http.send_raw("POST", &url, &claims, Some(body)).await.expect_status(429);
    assert_eq!(sessions("127.0.0.6").await, 401);
}
