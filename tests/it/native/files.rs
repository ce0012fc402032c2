//! File keys, unwrapping, grants with an end, and paged lists.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_tests::{Curl, Stack, until};
use serde_json::{Value, json};

#[tokio::test]
async fn a_wrapped_content_key_is_opened_without_handing_out_the_private_key() {
    let stack = Stack::all().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    let key = surface.public_key(&ann.sid, "a").await.field("kms_public_key");
    let curl = Curl::new(&stack.directory().join("client"));
    let envelope = curl.seal("a", &key, b"content").await;
    surface.http.post_as(&ann.sid, &stack.data_url("/upload"), envelope.clone()).await.expect_status(200);
    let wrapped = [&envelope["encrypted_aes_key"], &envelope["encrypted_aes_initial_vector"]];
    let url = stack.kms_url("/api/v1/file-keys/unwrap");
    let unwrap = async |sid: &str, ciphertexts: Value| {
        surface.http.post_as(sid, &url, json!({ "name": "a", "ciphertexts": ciphertexts })).await
    };
    let opened = unwrap(&ann.sid, json!(wrapped)).await.expect_status(200).json();
    let length =
        |index: usize| BASE64.decode(opened["plaintexts"][index].as_str().expect("a text")).map(|b| b.len());
    assert_eq!((length(0), length(1)), (Ok(32), Ok(16)));
    let refused = unwrap(&ben.sid, json!(wrapped)).await;
    assert!(matches!(refused.status, 403 | 404), "{refused}");
    let damaged = unwrap(&ann.sid, json!([BASE64.encode([7; 256])])).await;
    assert_eq!((damaged.status, damaged.field("code").as_str()), (422, "unwrap_failed"));
}

#[tokio::test]
async fn a_grant_with_an_end_ends() {
    let stack = Stack::all().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    surface.store(&ann.sid, "a", b"content").await;
    let end = now_plus(3);
    let body = json!({ "name": "a", "grantee_email": ben.email, "expires_at": end });
    let granted = surface.http.post_as(&ann.sid, &stack.kms_url("/api/v1/grants"), body).await;
    assert!(granted.status < 300, "{granted}");
    surface.download(&ben.sid, "a").await.expect_status(200);
    until("the grant is over", Duration::from_secs(6), || async {
        surface.download(&ben.sid, "a").await.status == 403
    })
    .await;
    surface.private_key(&ben.sid, "a").await.expect(200, 400, "access_denied");
}

/// RFC 3339 in UTC, by `date`.
fn now_plus(seconds: u32) -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "-d", &format!("+{seconds} seconds"), "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .expect("date runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn lists_come_in_pages_that_join_without_gaps() {
    let stack = Stack::all().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    let mut expected = Vec::new();
    for number in 0..25 {
        let name = format!("file {number:02}");
        surface.store(&ann.sid, &name, b"x").await;
        surface.grant(&ann.sid, &name, &ben.email).await.expect(200, 200, "grant_success");
        expected.push(name);
    }
    let read = async |sid: &str, url: &str| {
        let (mut names, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let mut page = parse(url);
            page.query_pairs_mut().append_pair("limit", "10");
            if let Some(cursor) = &cursor {
                page.query_pairs_mut().append_pair("cursor", cursor);
            }
            let json = surface.http.get_as(sid, page.as_str()).await.expect_status(200).json();
            let items = json["items"].as_array().expect("a list").clone();
            assert!(items.len() <= 10);
            let name = |item: &Value| {
                let name = item.get("file_name").or(item.get("name")).and_then(Value::as_str);
                name.unwrap_or_else(|| panic!("no name: {item}")).to_owned()
            };
            names.extend(items.iter().map(name));
            pages += 1;
            cursor = json["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                names.sort();
                return (names, pages);
            }
        }
    };
    let own = read(&ann.sid, &stack.data_url("/api/v1/files")).await;
    assert!(own.0 == expected && own.1 >= 3, "{own:?}");
    let keys = read(&ann.sid, &stack.kms_url("/api/v1/file-keys")).await;
    assert!(keys.0 == expected && keys.1 >= 3, "{keys:?}");
    let shared = read(&ben.sid, &stack.kms_url("/api/v1/shared")).await;
    assert!(shared.0 == expected && shared.1 >= 3, "{shared:?}");
}

fn parse(url: &str) -> reqwest::Url {
    reqwest::Url::parse(url).expect("the URL is valid")
}
