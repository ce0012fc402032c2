//! Browsers that work with keys by a cookie: their own pages may, others' may not.

use std::time::Duration;

use coffer_tests::{Answer, Http, Stack};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::both;

const VALUE: &str = "/api/v1/kv/value?key=a";

/// A browser with the cookie of a session.
struct Browser {
    http: Http,
    url: String,
    cookie: String,
}

impl Browser {
    /// A browser with the session of `ann`: a cookie holds the same token as a header does.
    async fn of(stack: &Stack) -> (Self, coffer_tests::Keeper) {
        let ann = stack.keeper("ann").await;
        let (url, cookie) = (stack.gateway_url(""), format!("__Host-coffer={}", ann.token));
        (Self { http: Http::default(), url, cookie }, ann)
    }

    async fn send(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let headers = [headers, &[("cookie", self.cookie.as_str())]].concat();
        let body = body.map(|body| body.to_string().into_bytes());
        self.http.send_raw(method, &format!("{}{path}", self.url), &headers, body).await
    }
}

fn changes() -> Vec<(&'static str, &'static str, Option<Value>)> {
    let put = json!({ "op": "put", "key": "b", "value": 1 });
    let grant = json!({ "prefix": "", "email": "evil@example.com" });
    vec![
        ("PUT", VALUE, Some(json!("evil"))),
        ("DELETE", VALUE, None),
        ("POST", "/api/v1/kv/batch", Some(json!({ "operations": [put] }))),
        ("POST", "/api/v1/kv/copy", Some(json!({ "from": "a", "to": "b" }))),
        ("POST", "/api/v1/kv/move", Some(json!({ "from": "a", "to": "b" }))),
        ("POST", "/api/v1/kv/restore", Some(json!({ "key": "a", "version": 1 }))),
        ("POST", "/api/v1/kv/trash/restore", Some(json!({ "key": "gone" }))),
        ("DELETE", "/api/v1/kv/trash?key=gone", None),
        ("POST", "/api/v1/kv/grants", Some(grant.clone())),
        ("POST", "/api/v1/kv/grants/revoke", Some(grant)),
    ]
}

#[tokio::test]
async fn keys_are_changed_by_a_cookie_from_our_own_pages_only() {
    for stack in both().await {
        let (browser, ann) = Browser::of(&stack).await;
        ann.store("a", json!("kept")).await.expect_status(200);
        ann.store("gone", json!(1)).await.expect_status(200);
        ann.call("DELETE", "/delete/gone").await.expect_status(200);
        let before = ann.call("GET", "/api/v1/kv/changes").await.expect_status(200).field("position");
        let own = browser.url.clone();
        let (csrf, origin) = (("coffer-csrf", "1"), ("origin", own.as_str()));
        let evil = ("origin", "https://evil.example");
        for (method, path, body) in changes() {
            for headers in [
                &[][..],
                &[origin],
                &[csrf],
                &[evil, csrf],
                &[origin, csrf, ("sec-fetch-site", "cross-site")],
            ] {
                let refused = browser.send((method, path), headers, body.clone()).await.expect_status(403);
                assert_eq!(refused.field("code"), "cross_site_request", "{method} {path} {headers:?}");
            }
        }
        let path = format!("/api/v1/kv/changes?after={before}");
        assert_eq!(ann.call("GET", &path).await.expect_status(200).json()["items"], json!([]));
        assert_eq!(ann.call("GET", "/api/v1/kv/grants").await.expect_status(200).json()["items"], json!([]));
        // The source systems' surface knows no cookies, from whichever page.
        for (method, path) in
            [("POST", "/store"), ("GET", "/retrieve/a"), ("DELETE", "/delete/a"), ("GET", "/keys")]
        {
            let body = (method == "POST").then(|| json!({ "key": "a", "value": "evil" }));
            let refused = browser.send((method, path), &[origin, csrf], body).await.expect_status(401);
            assert_eq!(refused.json(), json!({ "detail": "Not authenticated" }));
        }
        let put = browser.send(("PUT", VALUE), &[origin, csrf], Some(json!("own"))).await;
        assert_eq!(put.expect_status(200).json()["version"], 2);
        // Reading changes nothing, so it needs no proof of where it comes from; the browser keeps the answer
        // from pages of others.
        let read = browser.send(("GET", VALUE), &[], None).await.expect_status(200);
        assert_eq!((read.json(), read.header("access-control-allow-origin")), (json!("own"), None));
    }
}

#[tokio::test]
async fn a_browser_watches_by_its_cookie_comes_back_by_itself_and_is_cut_when_it_logs_out() {
    for stack in both().await {
        let (browser, ann) = Browser::of(&stack).await;
        let url = format!("{}/api/v1/kv/watch?prefix=a", browser.url);
        let cookie = ("cookie", browser.cookie.as_str());
        let mut watch = browser.http.events(&url, &[cookie]).await.expect("the watch opens");
        for key in ["a1", "b", "a2"] {
            ann.store(key, json!(1)).await.expect_status(200);
        }
        let put = |key: &str| (key.to_owned(), "put".to_owned());
        assert_eq!(watch.changes(1).await, [put("a1")]);
        let last = watch.position().expect("every change has one").to_owned();
        drop(watch);
        ann.store("a3", json!(1)).await.expect_status(200);
        let back = [cookie, ("last-event-id", last.as_str())];
        let mut watch = browser.http.events(&url, &back).await.expect("the watch resumes");
        assert_eq!(watch.changes(2).await, [put("a2"), put("a3")]);
        let own = browser.url.clone();
        let headers = [("origin", own.as_str()), ("coffer-csrf", "1")];
        let out = browser.send(("DELETE", "/api/v1/sessions/current"), &headers, None).await;
        out.expect_status(204);
        let asked = Instant::now();
        assert_eq!(watch.end().await.as_deref(), Some("invalid_session"));
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        let refused = browser.http.events(&url, &back).await.expect_err("the session is over");
        assert_eq!(refused.status, 401);
    }
}
