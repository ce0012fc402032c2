//! A small HTTP/1.1 client for bursts of a known count, and for setting the scene.

use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::BenchResult;
use crate::load::{Load, SID};

/// One request, with a JSON body if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    /// A header that says who asks.
    header: Option<(&'static str, String)>,
    body: String,
}

impl Request {
    /// A POST of `body`.
    pub(crate) fn post(path: &str, sid: Option<&str>, body: &serde_json::Value) -> Self {
        Self::new("POST", path, sid).with_body(body)
    }

    /// A GET of `path`.
    pub(crate) fn get(path: &str, sid: Option<&str>) -> Self {
        Self::new("GET", path, sid)
    }

    /// A request without a body, of somebody who has a session or not.
    fn new(method: &'static str, path: &str, sid: Option<&str>) -> Self {
        let header = sid.map(|sid| (SID, sid.to_owned()));
        Self { method, path: path.to_owned(), header, body: String::new() }
    }

    /// A request with `header` in place of a session.
    pub(crate) fn by(method: &'static str, path: &str, header: (&'static str, &str)) -> Self {
        Self { header: Some((header.0, header.1.to_owned())), ..Self::new(method, path, None) }
    }

    /// The same with a body.
    pub(crate) fn with_body(self, body: &serde_json::Value) -> Self {
        Self { body: body.to_string(), ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let header = self.header.as_ref();
        let header = header.map_or_else(String::new, |(name, value)| format!("{name}: {value}\r\n"));
        format!(
            "{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\r\n{}",
            self.method,
            self.path,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(port: u16) -> BenchResult<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    async fn send(&mut self, request: &Request) -> BenchResult<Vec<u8>> {
        self.0.write_all(&request.bytes()).await?;
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let status: u16 = line.split(' ').nth(1).ok_or("no status line")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).await?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        if !(200..300).contains(&status) {
            return Err(
                format!("{} answered {status}: {}", request.path, String::from_utf8_lossy(&body)).into()
            );
        }
        Ok(body)
    }
}

/// Sends one request and reads its JSON answer.
pub(crate) async fn ask(port: u16, request: &Request) -> BenchResult<serde_json::Value> {
    Ok(serde_json::from_slice(&Connection::open(port).await?.send(request).await?)?)
}

/// Sends every request once over `connections` connections. Each answer must contain `expected`.
#[expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]
pub(crate) async fn burst(
    port: u16,
    requests: Vec<Request>,
    connections: usize,
    expected: &'static str,
) -> BenchResult<Load> {
    let count = requests.len();
    let mut shares = vec![Vec::new(); connections];
    for (i, request) in requests.into_iter().enumerate() {
        shares[i % connections].push(request);
    }
    let start = Instant::now();
    let tasks = shares.into_iter().map(|share| {
        tokio::spawn(async move {
            let mut times = Vec::new();
            let mut connection = Connection::open(port).await.map_err(|error| error.to_string())?;
            for request in &share {
                let sent = Instant::now();
                let body = connection.send(request).await.map_err(|error| error.to_string())?;
                times.push(sent.elapsed());
                if !String::from_utf8_lossy(&body).contains(expected) {
                    return Err(format!("not {expected}: {}", String::from_utf8_lossy(&body)));
                }
            }
            Ok(times)
        })
    });
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    for task in tasks.collect::<Vec<_>>() {
        times.extend(task.await??);
    }
    let elapsed = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let p99 = times.get(count * 99 / 100).or(times.last()).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
    let per_second = count as f64 / elapsed;
    Ok(Load { per_second, p99_ms: p99.as_secs_f64() * 1000.0 })
}

/// The text at `path`.
pub(crate) async fn text(port: u16, path: &str) -> BenchResult<String> {
    Ok(String::from_utf8(Connection::open(port).await?.send(&Request::get(path, None)).await?)?)
}
