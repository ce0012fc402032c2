//! As much of HTTP/1.1 as the fake needs: a thread for each connection, bodies with a length.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::Value;

/// A request as the fake saw it.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// What stood after `Authorization: Bearer`.
    pub(crate) token: Option<String>,
    /// Headers by their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// The JSON body, or null.
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) raw: Vec<u8>,
}

/// What the fake answers.
pub(crate) enum Response {
    /// Status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Announces more than this and closes the connection in the middle of it.
    BreakOff(Vec<(&'static str, String)>, Vec<u8>),
    /// Closes the connection without an answer.
    HangUp,
}

impl Response {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        Self::Answer(status, vec![("content-type", "application/json".into())], body)
    }

    /// The same answer with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// Listens on a free port and answers until the process ends; gives the address.
pub(super) fn serve(handle: impl Fn(Request) -> Response + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (connection, handle) = (connection.unwrap(), Arc::clone(&handle));
            // A client that goes away in the middle ends its connection and nothing else.
            thread::spawn(move || converse(connection, &*handle));
        }
    });
    url
}

fn converse(connection: TcpStream, handle: &dyn Fn(Request) -> Response) -> Option<()> {
    let mut writer = connection.try_clone().ok()?;
    let mut reader = BufReader::new(connection);
    loop {
        let request = read(&mut reader)?;
        let (status, headers, body) = match handle(request) {
            Response::Answer(status, headers, body) => (status, headers, body),
            Response::BreakOff(headers, body) => {
                let head = head(200, &headers, body.len() + 1);
                writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body)).ok()?;
                return None;
            }
            Response::HangUp => return None,
        };
        writer.write_all(head(status, &headers, body.len()).as_bytes()).ok()?;
        writer.write_all(&body).ok()?;
    }
}

fn head(status: u16, headers: &[(&str, String)], length: usize) -> String {
    let mut head = format!("HTTP/1.1 {status} Test\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head + "\r\n"
}

fn line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    Some(line.trim_end().to_owned())
}

fn read_bytes(reader: &mut BufReader<TcpStream>, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// A body without a length (RFC 9112, section 7.1).
fn read_chunks(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&line(reader)?, 16).ok()?;
        body.extend(read_bytes(reader, length)?);
        line(reader)?;
        if length == 0 {
            return Some(body);
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = line(reader)?;
    let mut parts = first.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let header = line(reader)?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let raw = if headers.contains_key("transfer-encoding") {
        read_chunks(reader)?
    } else {
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        read_bytes(reader, length)?
    };
    let url = url::Url::parse(&format!("http://fake{target}")).ok()?;
    Some(Request {
        method,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        token: headers
            .get("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::to_owned),
        headers,
        body: serde_json::from_slice(&raw).unwrap_or(Value::Null),
        raw,
    })
}
