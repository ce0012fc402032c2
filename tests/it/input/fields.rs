//! One field wrong at a time.

use coffer_tests::{Answer, Stack};
use serde_json::{Value, json};

use super::endpoints::{Endpoint, Kind, Shape, all, bad_values};

/// The fields that an answer complains about.
fn named(answer: &Answer, shape: Shape) -> Vec<String> {
    let json = answer.json();
    let (list, field) = match shape {
        Shape::Detail => ("detail", "loc"),
        Shape::Problem => ("errors", "field"),
    };
    let entries = json[list].as_array().unwrap_or_else(|| panic!("no {list}: {answer}"));
    let name = |entry: &Value| match &entry[field] {
        Value::Array(path) => path.get(1).and_then(Value::as_str).unwrap_or_default().to_owned(),
        Value::String(path) => path.split(['.', '[']).next().unwrap_or_default().to_owned(),
        other => panic!("{other}: {answer}"),
    };
    entries.iter().map(name).collect()
}

fn variants(endpoint: &Endpoint) -> Vec<(&'static str, Value)> {
    let mut variants = Vec::new();
    for &(field, kind) in &endpoint.fields {
        if kind != Kind::UserName {
            let mut absent = endpoint.good.clone();
            absent.as_object_mut().expect("bodies are objects").remove(field);
            variants.push((field, absent));
        }
        let mut values = vec![json!(1), json!(true), json!({ "a": 1 })];
        if kind != Kind::UserName {
            values.push(Value::Null);
        }
        if kind != Kind::Base64List {
            values.push(json!(["a"]));
        }
        values.extend(bad_values(kind));
        for value in values {
            let mut bad = endpoint.good.clone();
            bad[field] = value;
            variants.push((field, bad));
        }
    }
    variants
}

#[tokio::test]
async fn a_bad_field_is_named_and_nothing_is_stored() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let mut wrong = Vec::new();
    for endpoint in all(&stack, &ann) {
        for (field, body) in variants(&endpoint) {
            let answer = surface.http.send(endpoint.method, &endpoint.url, Some(&ann.sid), Some(&body)).await;
            let what = || format!("{} {} with {body:.200}: {answer}", endpoint.method, endpoint.url);
            if answer.status != 422 && answer.status != 400 {
                wrong.push(what());
            } else if !named(&answer, endpoint.shape).iter().any(|name| name == field) {
                wrong.push(format!("{field} is not named: {}", what()));
            }
            let secret = matches!(field, "password" | "otp" | "code" | "new_password" | "current_password");
            assert!(!secret || !answer.text().contains("planted"), "a secret is echoed: {}", what());
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));

    assert!(surface.list(&ann.sid).await.is_empty());
    surface.private_key(&ann.sid, "new").await.expect(200, 400, "access_denied");
    surface.register("new@example.com", "pw").await.expect(200, 200, "registration_pending");
    let sent = stack.mailbox.messages("new@example.com").await.len();
    assert!(sent <= 1, "only the good registration sends mail, not {sent}");
    stack.login(&ann.email, &ann.password).await;
}

#[tokio::test]
async fn a_bad_query_parameter_is_named() {
    let stack = Stack::all().start().await;
    let ann = stack.user("ann").await;
    let surface = stack.surface();
    for name in ["%2Fetc%2Fpasswd", "..%2Fx", "a%00b", "a%0Ab", "", &"n".repeat(1025)] {
        let url = stack.data_url(&format!("/download?file_name={name}"));
        let answer = surface.http.get_as(&ann.sid, &url).await.expect_status(422);
        assert_eq!(named(&answer, Shape::Detail), ["file_name"], "{name}");
    }
    for query in ["file_name=%FF", "file_name=%C3%28", "file_name=a&file_name=b"] {
        let answer = surface.http.get_as(&ann.sid, &stack.data_url(&format!("/download?{query}"))).await;
        assert_eq!(named(&answer.expect_status(422), Shape::Detail), ["file_name"], "{query}");
    }
    let mut wrong = Vec::new();
    for field in ["limit=x", "limit=-1", "limit=0", "limit=1001", "cursor=%00", "cursor=%FF", "unknown=1"] {
        for url in [
            stack.kms_url("/api/v1/file-keys"),
            stack.kms_url("/api/v1/shared"),
            stack.data_url("/api/v1/files"),
        ] {
            let answer = surface.http.get_as(&ann.sid, &format!("{url}?{field}")).await;
            let name = field.split('=').next().expect("a name");
            if answer.status != 422 || !named(&answer, Shape::Problem).iter().any(|named| named == name) {
                wrong.push(format!("{url}?{field}: {answer}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_text_that_is_no_unicode_is_named_by_its_field() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let headers = [("sid", ann.sid.as_str())];
    for endpoint in all(&stack, &ann) {
        for &(field, kind) in &endpoint.fields {
            if kind == Kind::Base64List {
                continue;
            }
            for text in [&b"\xff"[..], b"\\ud800"] {
                let mut body = endpoint.good.clone();
                body[field] = "here".into();
                let body = body.to_string();
                let (before, after) = body.split_once("here").expect("the field is there");
                let body = [before.as_bytes(), text, after.as_bytes()].concat();
                let answer =
                    surface.http.send_raw(endpoint.method, &endpoint.url, &headers, Some(body)).await;
                let answer = answer.expect_status(422);
                assert_eq!(named(&answer, endpoint.shape), [field], "{}: {answer}", endpoint.url);
            }
        }
    }
}

#[tokio::test]
async fn what_is_none_of_the_known_names_is_named_by_its_field() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    let grants = stack.kms_url("/api/v1/grants");
    for wrong in [json!(1), Value::Null, json!(["read"]), json!({ "read": null }), json!("all")] {
        let grant = json!({ "name": "new", "grantee_email": "ben@example.com", "permission": wrong });
        let answer = surface.http.post_as(&ann.sid, &grants, grant).await.expect_status(422);
        assert_eq!(named(&answer, Shape::Problem), ["permission"], "{wrong}");
    }
}
