//! A person who uses the gateway.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Answer, Events, Http, Stack, User};

/// Somebody with a session, as a client of one gateway.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// What sends the calls.
    pub http: Http,
    /// Base URL of the gateway.
    pub url: String,
    /// The session token.
    pub token: String,
    /// The address.
    pub email: String,
}

impl Stack {
    /// Registers `name` with the contract of the first gateway and logs in, by codes where the KMS asks for them.
    pub async fn keeper(&self, name: &str) -> Keeper {
        let (email, password) = (format!("{name}@example.com"), format!("pass-{name}-phrase"));
        let (http, url) = (Http::default(), self.gateway_url(""));
        let post = async |path: &str, body: Value| {
            http.post(&format!("{url}{path}"), body).await.expect_status(200).json()
        };
        let wish = json!({ "username": name, "email": email, "password": password });
        let seen = self.mailbox.messages(&email).await.len();
        let registered = post("/register", wish).await;
        assert_eq!(registered["success"], true, "{registered}");
        if registered["message"] != "User registered successfully" {
            let otp = self.mailbox.code_after(&email, seen).await;
            post("/verify_register", json!({ "username": name, "otp": otp })).await;
        }
        let seen = self.mailbox.messages(&email).await.len();
        let mut answer = post("/login", json!({ "username": name, "password": password })).await;
        if answer["message"] == "otp_required" {
            let otp = self.mailbox.code_after(&email, seen).await;
            answer = post("/verify_login", json!({ "username": name, "otp": otp })).await;
        }
        let token =
            answer["session_token"].as_str().unwrap_or_else(|| panic!("no session: {answer}")).to_owned();
        Keeper { http, url, token, email }
    }
}

impl Keeper {
    /// A user of the file contract at the first gateway of `stack`.
    pub fn of(user: &User, stack: &Stack) -> Self {
        let (email, token) = (user.email.clone(), user.sid.clone());
        Self { http: Http::default(), url: stack.gateway_url(""), token, email }
    }

    /// The same person at another gateway.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// Any call, without a body.
    pub async fn call(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, &[], None).await
    }

    /// Any call with a JSON body.
    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[], Some(body.to_string().into_bytes())).await
    }

    /// Any call with headers and a body.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [headers, &[("authorization", bearer.as_str())]].concat();
        self.http.send_raw(method, &format!("{}{path}", self.url), &headers, body).await
    }

    /// Any call, without a body, by a client that sends the path as it is written; gives the whole answer as text.
    pub async fn raw(&self, method: &str, path: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.expect("the gateway listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            self.token
        );
        stream.write_all(head.as_bytes()).await.expect("the head is accepted");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the answer ends");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Watches keys, with what is asked for in a query; refusals are answers.
    pub async fn watch(&self, query: &str, headers: &[(&str, &str)]) -> Result<Events, Answer> {
        let bearer = format!("Bearer {}", self.token);
        let headers = [headers, &[("authorization", bearer.as_str())]].concat();
        self.http.events(&format!("{}/api/v1/kv/watch?{query}", self.url), &headers).await
    }

    /// `POST /store`
    pub async fn store(&self, key: &str, value: Value) -> Answer {
        self.json("POST", "/store", &json!({ "key": key, "value": value })).await
    }
}
