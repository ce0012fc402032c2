//! What is served where.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_tests::{Http, Process, Stack, any_ports, binary, until_some};
use serde_json::json;

const INTERNAL: &[(&str, &str)] = &[
    ("POST", "/internal/v1/keyring"),
    ("POST", "/internal/v1/sessions/check"),
    ("POST", "/internal/v1/sessions/touch"),
    ("POST", "/internal/v1/access/resolve"),
    ("POST", "/internal/v1/access/shared"),
    ("POST", "/internal/v1/feed"),
    ("POST", "/internal/v1/users/register"),
    ("POST", "/internal/v1/users/login"),
    ("POST", "/internal/v1/users/me"),
    ("POST", "/internal/v1/users/list"),
    ("POST", "/internal/v1/addresses/owner"),
    ("POST", "/internal/v1/files/exists"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/dev/mailbox"),
];

#[tokio::test]
async fn nothing_internal_is_served_in_public() {
    let stack = Stack::all().start().await;
    let http = Http::default();
    for node in [&stack.kms[0], &stack.data[0], &stack.gateways[0]] {
        for (method, path) in INTERNAL {
            for spelling in [(*path).to_owned(), path.replacen('/', "//", 1), format!("/x/..{path}")] {
                let url = format!("{}{spelling}", node.url);
                let answer = http.send(method, &url, None, Some(&json!({}))).await;
                assert!(matches!(answer.status, 404 | 405), "{url}: {answer}");
            }
        }
    }
}

/// A token for this path that is right in everything but its signature.
#[expect(clippy::disallowed_methods, reason = "a token is only good at the time that its service has")]
fn forged(path: &str) -> String {
    let (issuer, audience) = if path.contains("/files/") { ("kms", "data") } else { ("data", "kms") };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs();
    let header = json!({ "typ": "JWT", "alg": "HS256" });
    let claims =
        json!({ "iss": issuer, "aud": audience, "iat": now, "exp": now + 60, "jti": "0".repeat(32) });
    let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.{}", encode(header), encode(claims), URL_SAFE_NO_PAD.encode([7; 32]))
}

#[tokio::test]
async fn the_internal_listener_asks_services_for_their_token() {
    let stack = Stack::all().start().await;
    let http = Http::default();
    let ann = stack.user("ann").await;
    // {"alg":"none"} {"iss":"data","aud":"kms","exp":4102444800,"jti":"x"}
    let unsigned =
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJkYXRhIiwiYXVkIjoia21zIiwiZXhwIjo0MTAyNDQ0ODAwLCJqdGkiOiJ4In0.";
    for node in [&stack.kms[0], &stack.data[0]] {
        for (method, path) in INTERNAL.iter().filter(|(_, path)| path.starts_with("/internal")) {
            let forged = forged(path);
            for token in ["", "nonsense", unsigned, &forged, &ann.sid] {
                let bearer = format!("Bearer {token}");
                let headers =
                    if token.is_empty() { vec![] } else { vec![("authorization", bearer.as_str())] };
                let url = format!("{}{path}", node.internal_url);
                let answer = http.send_raw(method, &url, &headers, Some(b"{}".to_vec())).await;
                assert!(matches!(answer.status, 401 | 404), "{url} with {token:?}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn each_public_listener_describes_itself() {
    let stack = Stack::all().start().await;
    let http = Http::default();
    let described =
        [(&stack.kms[0], "/verify_login"), (&stack.data[0], "/upload"), (&stack.gateways[0], "/me")];
    for (node, path) in described {
        let document = http.get(&format!("{}/openapi.json", node.url)).await.expect_status(200).json();
        assert!(document["paths"][path].is_object(), "{path} is described");
        assert!(!document.to_string().contains("/internal/"), "nothing internal is described");
        let page = http.get(&format!("{}/docs/", node.url)).await;
        assert!(page.status == 200 && page.text().contains("<html"), "{page}");
    }
}

#[tokio::test]
async fn port_zero_picks_one_and_the_log_names_it() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let process = Process::new(binary("coffer-all"), directory.path().join("log"))
        .args(["--data-dir".as_ref(), directory.path().join("data").as_os_str()])
        .envs(&any_ports());
    process.start();
    let address = until_some("the log names the KMS's address", Duration::from_secs(30), || async {
        assert!(process.runs(), "{}", process.last_words());
        let log = process.log();
        let line = log.lines().find(|line| {
            line.contains("listening") && line.contains("service=kms") && line.contains("listener=\"public\"")
        })?;
        let (_, rest) = line.split_once("address=")?;
        Some(rest.split_whitespace().next()?.to_owned())
    })
    .await;
    let answer = Http::default().get(&format!("http://{address}/openapi.json")).await;
    assert_eq!(answer.status, 200, "{answer}");
}

#[tokio::test]
async fn a_stopped_service_finishes_and_ends_well() {
    let stack = Stack::all().start().await;
    let ann = stack.user("ann").await;
    stack.surface().store(&ann.sid, "a", b"content").await;
    let process = &stack.kms[0].process;
    let status = process.stop(Duration::from_secs(15)).await;
    assert!(status.success(), "{status}\n{}", process.last_words());
    process.start();
    stack.ready().await;
    assert_eq!(stack.surface().download(&ann.sid, "a").await.expect_status(200).data(), b"content");
}

#[tokio::test]
async fn health_tells_what_is_out_of_reach() {
    let stack = Stack::separate().start().await;
    let http = Http::default();
    let status = async |node: usize, path: &str| {
        let base = [&stack.kms[0], &stack.data[0]][node].internal_url.clone();
        http.get(&format!("{base}{path}")).await
    };
    stack.redis().kill();
    for node in [0, 1] {
        coffer_tests::until("readyz says no", Duration::from_secs(10), || async {
            status(node, "/readyz").await.status == 503
        })
        .await;
        assert_eq!(status(node, "/healthz").await.status, 200, "it runs all the same");
    }
    let answer = stack.surface().login("ann@example.com", "pw").await;
    assert_eq!(answer.status, 503, "{answer}");
    stack.redis().restart().await;
    stack.ready().await;
    stack.user("ann").await;
}
