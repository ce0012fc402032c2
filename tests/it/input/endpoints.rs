//! Every endpoint that takes a body, with one that is good, and what its fields may hold.

use coffer_tests::{Stack, User, envelope};
use serde_json::{Value, json};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Email,
    FileName,
    /// A name whose emptiness has an answer of its own in the contract.
    UploadName,
    /// 1 to 72 bytes.
    Password,
    /// 10 characters to 72 bytes.
    NewPassword,
    Code,
    Base64,
    /// A list of base64 texts.
    Base64List,
    UserName,
}

/// How an endpoint tells what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `{"detail":[{"loc":["body", field], …}]}`
    Detail,
    /// A problem document with `errors`.
    Problem,
}

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) shape: Shape,
    pub(super) good: Value,
    pub(super) fields: Vec<(&'static str, Kind)>,
}

/// All of them, on one stack.
pub(super) fn all(stack: &Stack, caller: &User) -> Vec<Endpoint> {
    let mut endpoints = contract(stack);
    endpoints.extend(native(stack, caller));
    endpoints
}

fn contract(stack: &Stack) -> Vec<Endpoint> {
    let endpoint = |url: String, good: Value, fields: &[(&'static str, Kind)]| Endpoint {
        method: "POST",
        url,
        shape: Shape::Detail,
        good,
        fields: fields.to_vec(),
    };
    let kms = |path: &str, good, fields| endpoint(stack.kms_url(path), good, fields);
    let password = [("email", Kind::Email), ("password", Kind::Password)];
    let otp = [("email", Kind::Email), ("otp", Kind::Code)];
    let name = [("file_name", Kind::FileName)];
    let grant = [("file_name", Kind::FileName), ("friend_email", Kind::Email)];
    let upload = [
        ("file_name", Kind::UploadName),
        ("encrypted_data", Kind::Base64),
        ("encrypted_aes_key", Kind::Base64),
        ("encrypted_aes_initial_vector", Kind::Base64),
    ];
    let credentials = json!({ "email": "new@example.com", "password": "pw" });
    let proof = json!({ "email": "new@example.com", "otp": "123456" });
    vec![
        kms("/register", credentials.clone(), &password),
        kms("/verify_register", proof.clone(), &otp),
        kms("/login", credentials, &password),
        kms("/verify_login", proof, &otp),
        kms("/get_public_key", json!({ "file_name": "new" }), &name),
        kms("/get_private_key", json!({ "file_name": "new" }), &name),
        kms("/grant_access", json!({ "file_name": "new", "friend_email": "ben@example.com" }), &grant),
        endpoint(stack.data_url("/upload"), envelope("new", b"content"), &upload),
    ]
}

fn native(stack: &Stack, caller: &User) -> Vec<Endpoint> {
    let endpoint = |method: &'static str, path: &str, good: Value, fields: &[(&'static str, Kind)]| {
        Endpoint { method, url: stack.kms_url(path), shape: Shape::Problem, good, fields: fields.to_vec() }
    };
    let post = |path: &str, good, fields| endpoint("POST", path, good, fields);
    let email = "new@example.com";
    let code = [("email", Kind::Email), ("code", Kind::Code)];
    let named = [("name", Kind::FileName)];
    let granted = [("name", Kind::FileName), ("grantee_email", Kind::Email)];
    let proof = json!({ "email": email, "code": "123456" });
    let grant = json!({ "name": "new", "grantee_email": "ben@example.com" });
    vec![
        post(
            "/api/v1/registrations",
            json!({ "email": email, "password": "long enough", "user_name": "new" }),
            &[("email", Kind::Email), ("password", Kind::NewPassword), ("user_name", Kind::UserName)],
        ),
        post("/api/v1/registrations/verify", proof.clone(), &code),
        post("/api/v1/registrations/code", json!({ "email": email }), &code[..1]),
        post(
            "/api/v1/sessions",
            json!({ "email": email, "password": "pw" }),
            &[("email", Kind::Email), ("password", Kind::Password)],
        ),
        post("/api/v1/sessions/verify", proof, &code),
        post(
            "/api/v1/password",
            json!({ "current_password": caller.password, "new_password": "long enough" }),
            &[("current_password", Kind::Password), ("new_password", Kind::NewPassword)],
        ),
        post("/api/v1/password/reset", json!({ "email": email }), &code[..1]),
        post(
            "/api/v1/password/reset/verify",
            json!({ "email": email, "code": "123456", "new_password": "long enough" }),
            &[("email", Kind::Email), ("code", Kind::Code), ("new_password", Kind::NewPassword)],
        ),
        post("/api/v1/file-keys", json!({ "name": "new" }), &named),
        post("/api/v1/file-keys/export", json!({ "name": "new" }), &named),
        post(
            "/api/v1/file-keys/unwrap",
            json!({ "name": "new", "ciphertexts": ["AAAA"] }),
            &[("name", Kind::FileName), ("ciphertexts", Kind::Base64List)],
        ),
        post("/api/v1/grants", grant.clone(), &granted),
        post("/api/v1/grants/revoke", grant, &granted),
    ]
}

/// What no field of this kind may hold, beside the wrong types.
pub(super) fn bad_values(kind: Kind) -> Vec<Value> {
    let texts: Vec<String> = match kind {
        Kind::Email => {
            let long = format!("{}@example.com", "a".repeat(300));
            ["", "planted", "planted@", "@x", "a b@x.com", "a@x.com\r\nBcc: b@x.com"]
                .map(str::to_owned)
                .into_iter()
                .chain([long])
                .collect()
        }
        Kind::FileName => [path_like(), vec![String::new()]].concat(),
        Kind::UploadName => path_like(),
        Kind::Password => vec![String::new(), "planted".repeat(11)],
        Kind::NewPassword => vec![String::new(), "planted".to_owned(), "planted".repeat(11)],
        Kind::Code => vec![String::new(), "planted".repeat(20)],
        Kind::Base64 => ["?", "AAA", "A=AA", "AA AA", "AA\nAA", "é"].map(str::to_owned).to_vec(),
        Kind::Base64List => Vec::new(),
        Kind::UserName => vec![String::new(), "a b".to_owned(), "../x".to_owned(), "a".repeat(65)],
    };
    let mut values: Vec<Value> = texts.into_iter().map(Value::from).collect();
    if kind == Kind::Base64List {
        values.extend([json!([]), json!(["?"]), json!(vec!["AAAA"; 9]), json!([1])]);
    }
    values
}

fn path_like() -> Vec<String> {
    let mut names = ["/etc/passwd", "../x", "a/../b", ".", "..", "a//b", "a/", "a\\b", "a\0b", "a\nb"]
        .map(str::to_owned)
        .to_vec();
    names.push("n".repeat(1025));
    names
}
