//! Who may come: user keys, API keys, sessions; and how many new user keys.

use coffer_tests::{Http, Stack};
use serde_json::json;

use super::{Holder, wide};

const CALLS: [(&str, &str); 6] = [
    ("POST", "/configs"),
    ("GET", "/configs"),
    ("GET", "/configs/a"),
    ("PUT", "/configs/a"),
    ("DELETE", "/configs/a"),
    ("POST", "/configs/rekey"),
];

#[tokio::test]
async fn nothing_is_done_without_a_user_key_nor_with_a_short_one() {
    let stack = wide(Stack::all()).start().await;
    let http = Http::default();
    for (method, path) in CALLS {
        let url = stack.gateway_url(path);
        let body = || (method != "GET").then(|| b"{\"key\":\"a\",\"value\":1}".to_vec());
        let without = http.send_raw(method, &url, &[], body()).await.expect_status(422).json();
        assert_eq!(
            without["detail"][0],
            json!({ "type": "missing", "loc": ["header", "x-user-key"], "msg": "Field required", "input": null }),
            "{method} {path}"
        );
        let short =
            http.send_raw(method, &url, &[("x-user-key", "7-chars")], body()).await.expect_status(401);
        let said = "x-user-key header missing or too short (minimum 8 characters)";
        assert_eq!(short.json(), json!({ "detail": said }), "{method} {path}");
        let twice = [("x-user-key", "planted key 1"), ("x-user-key", "planted key 2")];
        let refused = http.send_raw(method, &url, &twice, body()).await.expect_status(422);
        assert!(!refused.text().contains("planted"), "{refused}");
    }
}

#[tokio::test]
async fn an_api_key_is_asked_for_where_the_deployment_says_so_and_a_session_where_it_says_that() {
    let keys = "planted-api-key-number-1,planted-api-key-number-2";
    let stack = wide(Stack::all())
        .set("COFFER_GATEWAY__CONFIGS__ACCESS", "api_key")
        .set("COFFER_GATEWAY__CONFIGS__API_KEYS", keys)
        .start()
        .await;
    let (http, url) = (Http::default(), stack.gateway_url("/configs"));
    let user_key = ("x-user-key", "the key of ann");
    for api_key in ["planted-api-key-number-1", "planted-api-key-number-2"] {
        http.send_raw("GET", &url, &[user_key, ("X-API-Key", api_key)], None).await.expect_status(200);
    }
    for headers in [&[user_key][..], &[user_key, ("X-API-Key", "planted-api-key-number-3")]] {
        let refused = http.send_raw("GET", &url, headers, None).await.expect_status(403);
        assert!(refused.json()["detail"].is_string(), "{refused}");
    }
    assert!(!stack.logs().contains("planted-api-key"));

    let stack = wide(Stack::all())
        .set("COFFER_GATEWAY__CONFIGS__ACCESS", "session")
        .set("COFFER_KMS__AUTH__EMAIL_OTP", "optional")
        .start()
        .await;
    let (ann, url) = (stack.keeper("ann").await, stack.gateway_url("/configs"));
    http.send_raw("GET", &url, &[user_key], None).await.expect_status(401);
    let bad = ("sid", "A".repeat(43));
    http.send_raw("GET", &url, &[user_key, (bad.0, &bad.1)], None).await.expect_status(401);
    ann.send("GET", "/configs", &[user_key], None).await.expect_status(200);
}

#[tokio::test]
async fn an_address_brings_so_many_new_user_keys_a_minute_and_known_ones_are_served_meanwhile() {
    let stack = Stack::all()
        .set("COFFER_GATEWAY__CONFIGS__DERIVATIONS_PER_ADDRESS_PER_MINUTE_MAX", "3")
        .start()
        .await;
    let known = Holder::new(&stack, "a known user key");
    known.json("POST", "/configs", &json!({ "key": "a", "value": 1 })).await.expect_status(201);
    for number in 0..2 {
        Holder::new(&stack, &format!("user key {number}")).call("GET", "/configs").await.expect_status(200);
    }
    for number in 2..10 {
        let refused = Holder::new(&stack, &format!("user key {number}")).call("GET", "/configs").await;
        let refused = refused.expect_status(429);
        let wait_s: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=61).contains(&wait_s) && refused.json()["detail"].is_string(), "{refused}");
        known.call("GET", "/configs/a").await.expect_status(200);
    }
    let elsewhere = Http::from_address(std::net::Ipv4Addr::new(127, 0, 0, 9));
    let other = Holder { http: elsewhere, ..Holder::new(&stack, "user key of another address") };
    other.call("GET", "/configs").await.expect_status(200);
}

#[tokio::test]
async fn a_weak_user_key_is_advised_on_and_a_full_name_space_says_so() {
    let stack = wide(Stack::all()).set("COFFER_GATEWAY__CONFIGS__SPACE_BYTES_MAX", "600").start().await;
    let weak = Holder::new(&stack, "password");
    let made = weak.json("POST", "/configs", &json!({ "key": "a", "value": 1 })).await.expect_status(201);
    assert!(made.header("coffer-key-advice").is_some_and(|advice| !advice.contains("password")));
    let weak_too = Holder::new(&stack, "passwords");
    let native =
        weak_too.send("PUT", "/api/v1/configs/value?key=a", Some(b"2".to_vec())).await.expect_status(200);
    let text = b"{\"coffer_configs\":1,\"configs\":{}}".to_vec();
    let import = weak_too.send("POST", "/api/v1/configs/import", Some(text)).await.expect_status(200);
    for answer in [native, import] {
        let advice = answer.field("key_advice");
        assert!(advice.contains("16 random") && !advice.contains("passwords"), "{answer}");
    }
    let strong = Holder::new(&stack, "correct horse battery staple");
    assert!(strong.call("GET", "/configs").await.expect_status(200).header("coffer-key-advice").is_none());
    weak.json("POST", "/configs", &json!({ "key": "b", "value": 1 })).await.expect_status(201);
    let full = weak.json("POST", "/configs", &json!({ "key": "c", "value": 1 })).await.expect_status(507);
    assert_eq!(full.json(), json!({ "detail": "this name space is full" }));
    strong.json("POST", "/configs", &json!({ "key": "c", "value": 1 })).await.expect_status(201);
}
