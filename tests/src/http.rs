//! A minimal HTTP client: what was sent is plain to see in the test, what came back is kept whole.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::Events;

/// Whoever is in front of the services may close an idle connection sooner than they do. One that is used again just then is lost with what was sent,
/// and a large body cannot be sent twice.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// An HTTP client with one source address.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    tolerant: bool,
}

/// A response, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status; 0 if a tolerant client got no answer.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Default for Http {
    fn default() -> Self {
        Self::from_address(Ipv4Addr::LOCALHOST)
    }
}

impl Http {
    /// A client whose connections come from `address`, any of 127.0.0.0/8.
    pub fn from_address(address: Ipv4Addr) -> Self {
        Self::with_timeout(address, Duration::from_mins(1))
    }

    /// One that waits for an answer as long as a busy machine may take for work of the lowest priority.
    pub fn patient(address: Ipv4Addr) -> Self {
        Self::with_timeout(address, Duration::from_mins(10))
    }

    fn with_timeout(address: Ipv4Addr, timeout: Duration) -> Self {
        let client = Client::builder()
            .local_address(IpAddr::V4(address))
            .timeout(timeout)
            .pool_idle_timeout(IDLE_MAX)
            .no_proxy()
            .build()
            .expect("the client's settings are valid");
        Self { client, tolerant: false }
    }

    /// A client for servers that may be killed: a call without an answer gives status 0.
    pub fn tolerant() -> Self {
        Self { tolerant: true, ..Self::default() }
    }

    /// Sends a request; `json` is its body.
    pub async fn send(&self, method: &str, url: &str, sid: Option<&str>, json: Option<&Value>) -> Answer {
        let headers: Vec<_> = sid.map(|sid| ("sid", sid)).into_iter().collect();
        let body = json.map(|json| json.to_string().into_bytes());
        self.send_raw(method, url, &headers, body).await
    }

    /// Sends any body and headers. A body goes as JSON unless the headers say otherwise.
    pub async fn send_raw(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        match self.try_send(method, url, headers, body).await {
            Ok(answer) => answer,
            Err(_) if self.tolerant => Answer { status: 0, headers: Vec::new(), body: Vec::new() },
            Err(err) => panic!("{method} {url}: {err:?}"),
        }
    }

    /// Like [`Http::send_raw`], for when the server may be down.
    pub async fn try_send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let method = Method::from_bytes(method.as_bytes()).expect("the method is valid");
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        read(request.send().await?).await
    }

    /// Server-sent events, or the refusal.
    pub async fn events(&self, url: &str, headers: &[(&str, &str)]) -> Result<Events, Answer> {
        let mut request = self.client.get(url).timeout(Duration::from_mins(10));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap_or_else(|err| panic!("{url}: {err:?}"));
        if response.status().as_u16() == 200 {
            return Ok(Events::new(response));
        }
        Err(read(response).await.expect("a refusal has an end"))
    }

    /// POST with a JSON body.
    pub async fn post(&self, url: &str, json: Value) -> Answer {
        self.send("POST", url, None, Some(&json)).await
    }

    /// POST with a JSON body in a session.
    pub async fn post_as(&self, sid: &str, url: &str, json: Value) -> Answer {
        self.send("POST", url, Some(sid), Some(&json)).await
    }

    /// GET.
    pub async fn get(&self, url: &str) -> Answer {
        self.send("GET", url, None, None).await
    }

    /// GET in a session.
    pub async fn get_as(&self, sid: &str, url: &str) -> Answer {
        self.send("GET", url, Some(sid), None).await
    }
}

async fn read(response: Response) -> Result<Answer, reqwest::Error> {
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: response.bytes().await?.to_vec(),
    })
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|err| panic!("not JSON ({err}): {self}"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A text field of the body.
    pub fn field(&self, name: &str) -> String {
        let json = self.json();
        json[name].as_str().unwrap_or_else(|| panic!("no {name}: {self}")).to_owned()
    }

    /// `code` of the body, as the file contract has it.
    pub fn code(&self) -> Option<u64> {
        serde_json::from_slice::<Value>(&self.body).ok()?.get("code")?.as_u64()
    }

    /// `message` of the body, as the file contract has it.
    pub fn message(&self) -> Option<String> {
        Some(serde_json::from_slice::<Value>(&self.body).ok()?.get("message")?.as_str()?.to_owned())
    }

    /// Fails unless HTTP status, `code` and `message` are these.
    #[track_caller]
    pub fn expect(self, status: u16, code: u64, message: &str) -> Self {
        let is = (self.status, self.code(), self.message());
        assert_eq!(is, (status, Some(code), Some(message.to_owned())), "{self}");
        self
    }

    /// Fails unless the HTTP status is this.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start: String = self.text().chars().take(500).collect();
        write!(f, "{} {:?} {start}", self.status, self.header("content-type").unwrap_or_default())
    }
}
