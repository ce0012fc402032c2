//! A real `redis-server`, durable as production's is, that can be killed.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Process, free_port, until};

/// How a server is configured.
#[derive(Clone, Copy, Debug)]
pub struct RedisOptions {
    /// `appendonly`
    pub append_only: bool,
    /// `appendfsync`
    pub append_fsync: &'static str,
    /// `maxmemory-policy`
    pub eviction: &'static str,
    /// `requirepass`
    pub password: Option<&'static str>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self { append_only: true, append_fsync: "always", eviction: "noeviction", password: None }
    }
}

/// A `redis-server` on a free loopback port with its files in a temporary directory.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    port: u16,
    password: Option<&'static str>,
    directory: TempDir,
}

impl RedisServer {
    /// A server whose every acknowledged write is on disk.
    pub async fn start() -> Self {
        Self::start_with(RedisOptions::default()).await
    }

    /// A server with other settings.
    pub async fn start_with(options: RedisOptions) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let port = free_port();
        let append_only = if options.append_only { "yes" } else { "no" };
        let password =
            options.password.map(|password| format!("requirepass {password}\n")).unwrap_or_default();
        let configuration = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\nsave \"\"\nappendonly {append_only}\nappendfsync {}\n\
             maxmemory-policy {}\ndatabases 4\n{password}",
            directory.path().display(),
            options.append_fsync,
            options.eviction,
        );
        let file = directory.path().join("redis.conf");
        fs::write(&file, configuration).expect("the configuration can be written");
        let process = Process::new("redis-server", directory.path().join("redis.log")).args([file]);
        let server = Self { process, port, password: options.password, directory };
        server.restart().await;
        server
    }

    /// Starts it again after a [`RedisServer::kill`], and waits until it answers.
    pub async fn restart(&self) {
        self.process.start();
        until("redis-server answers", Duration::from_secs(20), || async {
            assert!(self.process.runs(), "redis-server ended\n{}", self.process.last_words());
            self.command("PING").is_some_and(|answer| answer.starts_with("+PONG"))
        })
        .await;
    }

    /// Kills it with SIGKILL.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// The storage URL of one of its four databases.
    pub fn url(&self, database: u8) -> String {
        let credentials = self.password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{credentials}127.0.0.1:{}/{database}", self.port)
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Sends one inline command and returns the start of the answer.
    pub fn command(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        if let Some(password) = self.password {
            write!(stream, "AUTH {password}\r\n").ok()?;
            let mut ok = [0; 5];
            stream.read_exact(&mut ok).ok()?;
        }
        write!(stream, "{command}\r\n").ok()?;
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Every file in which it keeps data: its append-only files and a dump made now.
    pub fn dump(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.command("SAVE");
        crate::stack::files_below(self.directory.path())
    }
}
