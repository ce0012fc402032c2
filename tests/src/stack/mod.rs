//! A running Coffer: one process, or several over one Redis.

mod builder;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

pub use builder::Builder;

use crate::{Cli, Http, Mailbox, Process, RedisServer, SmtpServer, until};

/// How long a service may take until it is ready; a debug build on a busy machine is slow.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// One service of a stack: where it listens, and the process that runs it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its process; in `coffer-all` the same for all services.
    pub process: Arc<Process>,
    /// Base URL of the public listener.
    pub url: String,
    /// Base URL of the internal listener.
    pub internal_url: String,
}

/// Running services with their storage and mail, gone when dropped.
#[derive(Debug)]
pub struct Stack {
    /// The KMS processes.
    pub kms: Vec<Node>,
    /// The data processes.
    pub data: Vec<Node>,
    /// The gateways.
    pub gateways: Vec<Node>,
    /// Where mail goes.
    pub mailbox: Mailbox,
    redis: Option<Arc<RedisServer>>,
    directory: TempDir,
}

impl Stack {
    /// `coffer-all` on embedded storage, with the development mailbox.
    pub fn all() -> Builder {
        Builder::all()
    }

    /// A KMS and a data service as processes of their own over one Redis, with mail over SMTP; and gateways, if
    /// asked for.
    pub fn separate() -> Builder {
        Builder::separate()
    }

    /// The URL of a path on the first KMS.
    pub fn kms_url(&self, path: &str) -> String {
        format!("{}{path}", self.kms[0].url)
    }

    /// The URL of a path on the first data service.
    pub fn data_url(&self, path: &str) -> String {
        format!("{}{path}", self.data[0].url)
    }

    /// The URL of a path on the first gateway.
    pub fn gateway_url(&self, path: &str) -> String {
        format!("{}{path}", self.gateways[0].url)
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.kms.iter().chain(&self.data).chain(&self.gateways)
    }

    /// The Redis server under separate services.
    pub fn redis(&self) -> &RedisServer {
        self.redis.as_ref().expect("only separate services run on Redis")
    }

    /// The SMTP server of separate services.
    pub fn smtp(&self) -> &SmtpServer {
        match &self.mailbox {
            Mailbox::Smtp(server) => server,
            Mailbox::Development(_) => panic!("this stack has the development mailbox"),
        }
    }

    /// The directory with every file of the services.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Every process of Coffer's own.
    pub fn processes(&self) -> Vec<Arc<Process>> {
        let mut processes: Vec<Arc<Process>> = Vec::new();
        for node in self.nodes() {
            if !processes.iter().any(|known| Arc::ptr_eq(known, &node.process)) {
                processes.push(Arc::clone(&node.process));
            }
        }
        processes
    }

    /// Waits until every node answers that it is ready.
    pub async fn ready(&self) {
        for node in self.nodes() {
            node.ready().await;
        }
    }

    /// Kills a process of Coffer and starts it again.
    pub async fn restart(&self, node: &Node) {
        node.process.kill();
        node.process.start();
        self.ready().await;
    }

    /// Makes an administrator of an address as an operator does; gives what was printed. Embedded storage admits one
    /// process, so there the stack is away meanwhile.
    pub async fn make_administrator(&self, email: &str) -> String {
        let process = &self.kms[0].process;
        let is_alone = self.redis.is_none();
        if is_alone {
            process.kill();
        }
        let output = process.run_beside(&["admin", "create", email]).await;
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{message}");
        if is_alone {
            process.start();
            self.ready().await;
        }
        String::from_utf8(output.stdout).expect("it prints text")
    }

    /// The command line with a home directory of its own, for this stack.
    pub fn cli(&self, home: &str) -> Cli {
        let mut servers =
            vec![("COFFER_KMS_URL", &*self.kms[0].url), ("COFFER_DATA_URL", &*self.data[0].url)];
        servers.extend(self.gateways.first().map(|gateway| ("COFFER_GATEWAY_URL", &*gateway.url)));
        Cli::new(&self.directory().join(home), &servers)
    }

    /// Everything that was logged by any process.
    pub fn logs(&self) -> String {
        self.processes().iter().map(|process| process.log()).collect()
    }

    /// Every file in which storage keeps anything.
    pub fn storage(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.redis.as_ref().map_or_else(|| files_below(&self.directory().join("data")), |redis| redis.dump())
    }
}

impl Node {
    /// Waits until it answers that it is ready.
    ///
    /// # Panics
    /// When its process ends before, with the last lines of its log.
    pub async fn ready(&self) {
        let http = Http::default();
        let url = format!("{}/readyz", self.internal_url);
        until(&format!("{url} answers 200"), READY_WITHIN, || async {
            assert!(self.process.runs(), "a service ended\n{}", self.process.last_words());
            http.try_send("GET", &url, &[], None).await.is_ok_and(|answer| answer.status == 200)
        })
        .await;
    }
}

impl Drop for Stack {
    /// A failing test shows what the services said.
    #[expect(clippy::print_stdout, reason = "the test runner shows it with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for process in self.processes() {
                println!("{}", process.last_words());
            }
        }
    }
}

/// Every file below a directory, with its content.
pub(crate) fn files_below(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if let Ok(content) = fs::read(&path) {
            found.push((path, content));
        }
    }
    found
}
