//! Browsers: cookies that no script reads, pages of others, and what every answer says to a browser.

use coffer_tests::{Answer, Http, Stack};
use serde_json::json;

const EMAIL: &str = "ann@example.com";
const PASSWORD: &str = "a long password of ann";

/// Our own page, as a browser speaks for it.
fn own(stack: &Stack) -> Vec<(&'static str, String)> {
    vec![
        ("origin", stack.gateways[0].url.clone()),
        ("sec-fetch-site", "same-origin".to_owned()),
        ("coffer-csrf", "1".to_owned()),
    ]
}

async fn send(
    stack: &Stack,
    (method, path): (&str, &str),
    headers: &[(&'static str, String)],
    body: Option<serde_json::Value>,
) -> Answer {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = body.map(|body| body.to_string().into_bytes());
    Http::default().send_raw(method, &stack.gateway_url(path), &headers, body).await
}

fn cookies(answer: &Answer) -> Vec<String> {
    let lines = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    lines.map(|(_, line)| line.clone()).collect()
}

/// Logs in by password and code; the cookie to send from then on.
async fn log_in(stack: &Stack) -> String {
    let mut headers = own(stack);
    headers.push(("coffer-session", "cookie".to_owned()));
    let seen = stack.mailbox.messages(EMAIL).await.len();
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let asked = send(stack, ("POST", "/api/v1/sessions"), &headers, Some(body)).await.expect_status(200);
    assert_eq!(asked.field("status"), "otp_required");
    let code = stack.mailbox.code_after(EMAIL, seen).await;
    let body = json!({ "email": EMAIL, "code": code });
    let opened = send(stack, ("POST", "/api/v1/sessions/verify"), &headers, Some(body)).await;
    let opened = opened.expect_status(201);
    let json = opened.json();
    assert_eq!(json["user"]["email"], EMAIL);
    assert!(json.get("token").is_none() && json.get("device").is_none(), "no script sees a token");
    let session = cookies(&opened).into_iter().find(|line| line.starts_with("__Host-coffer="));
    let session = session.expect("a cookie with the session");
    for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(session.contains(part), "{session}");
    }
    let pair = session.split(';').next();
    pair.expect("a text has a first part").to_owned()
}

#[tokio::test]
async fn a_browser_works_by_a_cookie_that_other_pages_cannot_use() {
    let stack = Stack::separate().gateways(1).start().await;
    stack.register(EMAIL, PASSWORD).await;
    let cookie = ("cookie", log_in(&stack).await);
    let read =
        send(&stack, ("GET", "/api/v1/me"), std::slice::from_ref(&cookie), None).await.expect_status(200);
    assert_eq!(read.json()["user"]["email"], EMAIL);
    let contract = send(&stack, ("GET", "/me"), std::slice::from_ref(&cookie), None).await.expect_status(401);
    assert_eq!(
        contract.json(),
        json!({ "detail": "Not authenticated" }),
        "cookies are for the native surface"
    );

    let key = json!({ "name": "report" });
    let make = async |headers: &[(&'static str, String)]| {
        let mut headers = headers.to_vec();
        headers.push(cookie.clone());
        send(&stack, ("POST", "/api/v1/file-keys"), &headers, Some(key.clone())).await
    };
    let evil = ("origin", "https://evil.example".to_owned());
    let csrf = ("coffer-csrf", "1".to_owned());
    let own_origin = own(&stack)[0].clone();
    for headers in [vec![], vec![own_origin], vec![csrf.clone()], vec![evil, csrf]] {
        assert_eq!(make(&headers).await.expect_status(403).field("code"), "cross_site_request");
    }
    make(&own(&stack)).await.expect_status(200);

    let mut headers = own(&stack);
    headers.push(cookie.clone());
    let out = send(&stack, ("DELETE", "/api/v1/sessions/current"), &headers, None).await.expect_status(204);
    assert!(cookies(&out)[0].contains("Max-Age=0"));
    send(&stack, ("GET", "/api/v1/me"), &[cookie], None).await.expect_status(401);
}

#[tokio::test]
async fn a_cookie_is_not_given_to_a_page_of_another_origin() {
    let stack = Stack::all().set("COFFER_KMS__AUTH__EMAIL_OTP", "optional").start().await;
    stack.register(EMAIL, PASSWORD).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let ask = ("coffer-session", "cookie".to_owned());
    let evil = [ask.clone(), ("origin", "https://evil.example".to_owned()), ("coffer-csrf", "1".to_owned())];
    send(&stack, ("POST", "/api/v1/sessions"), &evil, Some(body.clone())).await.expect_status(403);
    let mut headers = own(&stack);
    headers.push(ask);
    let opened = send(&stack, ("POST", "/api/v1/sessions"), &headers, Some(body.clone())).await;
    let opened = opened.expect_status(200);
    assert_eq!(opened.field("status"), "logged_in");
    assert!(opened.json().get("token").is_none());
    assert_eq!(cookies(&opened).len(), 2, "the session and the device");
    // Who does not ask for a cookie gets the token, as on the KMS.
    let plain = send(&stack, ("POST", "/api/v1/sessions"), &[], Some(body)).await.expect_status(200);
    assert!(plain.json()["token"].is_string() && cookies(&plain).is_empty());
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful_and_the_page_says_what_there_is() {
    let stack = Stack::all().set("COFFER_GATEWAY__HTTP__CORS_ORIGINS", "https://app.example").start().await;
    for path in ["/", "/app", "/api", "/api/v1/me", "/nothing", "/docs/"] {
        let answer = Http::default().get(&stack.gateway_url(path)).await;
        let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{path}"));
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
    let as_browsers = [("accept", "text/html,*/*;q=0.8")];
    let page = Http::default().send_raw("GET", &stack.gateway_url("/"), &as_browsers, None).await;
    let page = page.expect_status(200).text();
    assert!(page.contains("/docs/") && page.contains("no web application"));
    let origin = |origin: &'static str| [("origin", origin)];
    let url = stack.gateway_url("/api");
    let ours = Http::default().send_raw("GET", &url, &origin("https://app.example"), None).await;
    assert_eq!(ours.header("access-control-allow-origin"), Some("https://app.example"));
    let other = Http::default().send_raw("GET", &url, &origin("https://evil.example"), None).await;
    assert_eq!(other.header("access-control-allow-origin"), None);

    // Before a page of another origin stores anything, its browser asks.
    for (from, is_ours) in [("https://app.example", true), ("https://evil.example", false)] {
        let ask = [
            ("origin", from),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        let told = Http::default().send_raw("OPTIONS", &stack.gateway_url("/store"), &ask, None).await;
        assert_eq!(told.header("access-control-allow-origin").is_some(), is_ours, "{from}");
        let names = told.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
        assert_eq!(names.contains("authorization") && names.contains("content-type"), is_ours, "{names}");
    }
}
