//! A mail sink: takes every message and keeps the newest code for each address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::BenchResult;

/// A running mail sink on a free loopback port.
#[derive(Clone, Debug)]
pub(crate) struct MailSink {
    /// The port it listens on.
    pub(crate) port: u16,
    codes: Arc<Mutex<HashMap<String, String>>>,
}

impl MailSink {
    /// Starts a sink on the current runtime.
    pub(crate) async fn start() -> BenchResult<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self { port: listener.local_addr()?.port(), codes: Arc::default() };
        let codes = Arc::clone(&sink.codes);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let codes = Arc::clone(&codes);
                tokio::spawn(async move {
                    if let Err(error) = talk(stream, &codes).await {
                        eprintln!("mail sink: {error}");
                    }
                });
            }
        });
        Ok(sink)
    }

    /// The newest code for `address`, once it arrives.
    pub(crate) async fn code_for(&self, address: &str) -> BenchResult<String> {
        for _ in 0..200 {
            if let Some(code) = self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(address) {
                return Ok(code);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("no code arrived for {address} within 10 s").into())
    }
}

async fn talk(stream: TcpStream, codes: &Mutex<HashMap<String, String>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut recipient = String::new();
    let mut in_data = false;
    write.write_all(b"220 sink\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        if in_data {
            if let Some((_, code)) = line.split_once("verification code is: ") {
                let code = code.trim().to_owned();
                codes.lock().unwrap_or_else(PoisonError::into_inner).insert(recipient.clone(), code);
            }
            if line == "." {
                in_data = false;
                write.write_all(b"250 kept\r\n").await?;
            }
            continue;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "RCPT" => {
                let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                recipient = address.map(|(address, _)| address.to_owned()).unwrap_or_default();
                b"250 ok\r\n"
            }
            "DATA" => {
                in_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}
