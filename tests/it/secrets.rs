//! Secrets are planted, the whole journey is walked at the most talkative log level, and everything that
//! leaves a trace is searched for them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use coffer_tests::{Builder, Curl, SmtpServer, SmtpTls, Stack, until};
use serde_json::json;

/// What must not be found, and a word for it.
type Secrets = Vec<(&'static str, Vec<u8>)>;

const PASSWORD: &str = "planted-password-7c2e91";
const WRONG_PASSWORD: &str = "planted-wrong-password-03d4";
const NEW_PASSWORD: &str = "planted-new-password-b81f";
const CONTENT: &[u8] = b"planted-content-of-a-file-44aa17";
const ROOT_KEY: &[u8] = b"planted-root-key-of-32-bytes!!!!";

/// Walks the journey and its failures; gives every secret that came up, and every answer's body that may
/// hold none.
async fn walk(stack: &Stack) -> (Secrets, Vec<u8>) {
    let surface = stack.surface();
    let mut secrets: Secrets = vec![
        ("a password", PASSWORD.into()),
        ("a wrong password", WRONG_PASSWORD.into()),
        ("a new password", NEW_PASSWORD.into()),
        ("a file's content", CONTENT.into()),
    ];
    let mut told = Vec::new();
    let code = stack.register_code("planted-ann@example.com", PASSWORD).await;
    secrets.push(("a code", code.clone().into()));
    told.extend(surface.verify_register("planted-ann@example.com", "planted").await.body);
    surface.verify_register("planted-ann@example.com", &code).await.expect(200, 200, "registration_success");
    told.extend(surface.login("planted-ann@example.com", WRONG_PASSWORD).await.body);
    let code = stack.login_code("planted-ann@example.com", PASSWORD).await;
    secrets.push(("a code", code.clone().into()));
    let sid = surface.verify_login("planted-ann@example.com", &code).await.field("sid");
    secrets.push(("a session token", sid.clone().into()));

    let curl = Curl::new(&stack.directory().join("client"));
    let key = surface.public_key(&sid, "declared name").await.field("kms_public_key");
    let envelope = curl.seal("declared name", &key, CONTENT).await;
    let url = stack.data_url("/upload");
    surface.http.post_as(&sid, &url, envelope).await.expect(200, 200, "upload_success");
    surface.grant(&sid, "declared name", "planted-ben@example.com").await;
    let downloaded = surface.download(&sid, "declared name").await;
    let private = surface.private_key(&sid, "declared name").await.field("kms_private_key");
    assert_eq!(curl.open(&private, &downloaded.json()).await, CONTENT);
    let pem = STANDARD.decode(&private).expect("keys are base64");
    let pem = String::from_utf8(pem).expect("PEM is text");
    let line = pem.lines().nth(5).expect("a key has many lines").to_owned();
    secrets.push(("a private key", private[200..260].into()));
    secrets.push(("a private key", line.into()));

    let body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let changed = surface.http.post_as(&sid, &stack.kms_url("/api/v1/password"), body).await;
    assert!(changed.status < 300, "{changed}");
    let registration =
        json!({ "email": "planted-cid@example.com", "password": PASSWORD, "user_name": "planted-user-name" });
    surface.http.post(&stack.kms_url("/api/v1/registrations"), registration).await;

    // What is refused: nothing of it may come back.
    for (path, body) in [
        ("/register", json!({ "email": 1, "password": PASSWORD.repeat(5) })),
        ("/verify_login", json!({ "email": "planted", "otp": [PASSWORD] })),
        ("/api/v1/sessions", json!({ "email": "x", "password": WRONG_PASSWORD.repeat(5) })),
        (
            "/api/v1/password/reset/verify",
            json!({ "email": "x", "code": PASSWORD, "new_password": NEW_PASSWORD }),
        ),
    ] {
        let answer = surface.http.post(&stack.kms_url(path), body).await;
        assert!((400..500).contains(&answer.status), "{path}: {answer}");
        told.extend(answer.body);
    }
    for node in stack.kms.iter().chain(&stack.data) {
        for path in ["/metrics", "/readyz", "/healthz"] {
            let answer = surface.http.get(&format!("{}{path}", node.internal_url)).await;
            told.extend(answer.expect_status(200).body);
        }
    }
    (secrets, told)
}

/// What the services were given.
fn configured() -> Secrets {
    vec![
        ("the root key", ROOT_KEY.to_vec()),
        ("the root key", STANDARD.encode(ROOT_KEY).into()),
        ("the root key", hex::encode(ROOT_KEY).into()),
        ("the SMTP password", SmtpServer::PASSWORD.into()),
        ("an internal secret", Builder::DATA_SECRET.into()),
        ("an internal secret", Builder::GATEWAY_SECRET.into()),
    ]
}

/// Where a secret stands, in any common spelling. A code counts only where no other digits surround it,
/// and not as a fraction of a second.
fn position(haystack: &str, secret: &[u8]) -> Option<usize> {
    let is_code = secret.len() == 6 && secret.iter().all(u8::is_ascii_digit);
    let plain = String::from_utf8_lossy(secret).into_owned();
    if is_code {
        let of_number = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
        let byte = |index: usize| haystack.as_bytes().get(index);
        let alone = |at: &usize| !of_number(at.checked_sub(1).and_then(byte)) && !of_number(byte(at + 6));
        return haystack.match_indices(&plain).map(|(at, _)| at).find(alone);
    }
    let base64 = STANDARD.encode(secret).trim_end_matches('=').to_owned();
    let spellings = [plain, base64, URL_SAFE_NO_PAD.encode(secret), hex::encode(secret)];
    spellings.iter().find_map(|spelling| haystack.find(spelling))
}

fn assert_absent(secrets: &Secrets, place: &str, content: &[u8]) {
    // Every spelling is ASCII, which survives this.
    let content = String::from_utf8_lossy(content);
    for (word, secret) in secrets {
        if let Some(at) = position(&content, secret) {
            let around = &content.as_bytes()[at.saturating_sub(100)..content.len().min(at + 100)];
            panic!("{word} in {place}: …{}…", String::from_utf8_lossy(around));
        }
    }
}

/// What storage must not hold beside secrets: who the users are.
fn personal() -> Secrets {
    let found = ["planted-ann", "planted-ben", "planted-cid", "planted-user-name", "PLANTED-USER-NAME"];
    found.map(|name| ("a user's name or address", name.into())).to_vec()
}

async fn search(stack: &Stack, with_configured: bool) {
    let (mut secrets, told) = walk(stack).await;
    if with_configured {
        secrets.extend(configured());
    }
    assert_absent(&secrets, "an answer", &told);
    let logs = stack.logs();
    assert!(logs.contains("TRACE"), "the logs are as talkative as can be");
    assert_absent(&secrets, "a log", logs.as_bytes());
    assert_absent(&personal(), "a log", logs.as_bytes());
    for process in stack.processes() {
        assert_absent(&secrets, "a process's arguments", &process.command_line());
    }
    let storage = stack.storage();
    let holds_name = |content: &[u8]| String::from_utf8_lossy(content).contains("declared name");
    assert!(
        storage.iter().any(|(_, content)| holds_name(content)),
        "the search itself works: names of files are declared"
    );
    for (path, content) in &storage {
        let place = path.display().to_string();
        assert_absent(&personal(), &place, content);
        // Beside the storage of one machine lie its own keys, in files of their own.
        if !is_key_file(path) {
            assert_absent(&secrets, &place, content);
        }
    }
}

fn is_key_file(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let private = path.metadata().is_ok_and(|metadata| metadata.permissions().mode().trailing_zeros() >= 6);
    (name.contains("key") || name.contains("secret") || name.contains("credential")) && private
}

#[tokio::test]
async fn nothing_secret_is_in_logs_answers_arguments_or_sqlite() {
    let stack = Stack::all().set_both("LOG__LEVEL", "trace").start().await;
    search(&stack, false).await;
}

#[tokio::test]
async fn nothing_secret_is_in_logs_answers_arguments_or_redis() {
    let stack = Stack::separate()
        .set_both("LOG__LEVEL", "trace")
        .set("COFFER_KMS__KEYRING__ROOT_KEY", &STANDARD.encode(ROOT_KEY))
        .start()
        .await;
    search(&stack, true).await;
}

#[tokio::test]
async fn an_address_that_the_mail_server_repeats_in_its_refusal_is_in_no_log() {
    let smtp = Arc::new(SmtpServer::start(SmtpTls::Starttls).await);
    smtp.reject_recipients();
    let stack = Stack::all().smtp(smtp).set_both("LOG__LEVEL", "trace").start().await;
    let answer = stack.surface().register("planted-ann@example.com", PASSWORD).await;
    answer.expect(200, 200, "registration_pending");
    until("the refusal is logged", Duration::from_secs(20), || async {
        stack.logs().contains("a letter was not delivered")
    })
    .await;
    let logs = stack.logs();
    assert!(logs.contains("550 5.1.1"), "the log says why");
    assert_absent(&personal(), "a log", logs.as_bytes());
}
