//! A Redis server of a test's own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io, thread};

use rustix::process::{Pid, Signal, kill_process};

/// A shell that starts the server once per line it reads. When its input ends, because the test is over or
/// was itself killed, it takes the server and its folder away: no test leaves a process behind.
const KEEPER: &str = r#"
while read -r _; do redis-server "$@" >>log 2>&1 & pid=$!; echo $pid; done
kill -9 $pid 2>/dev/null; wait; cd /; rm -rf -- "$COFFER_TEST_REDIS_DIR"
"#;
const POLL: Duration = Duration::from_millis(10);
const POLLS_MAX: u32 = 1000;

/// A `redis-server` on a free loopback port with a folder of its own, append-only file on and no eviction. It
/// ends when this value is dropped, or when the process ends, however it ends.
pub struct RedisServer {
    port: u16,
    dir: PathBuf,
    keeper: Mutex<Keeper>,
}

struct Keeper {
    shell: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    server: Pid,
}

impl RedisServer {
    /// Starts a server that syncs its file before every answer (`appendfsync always`).
    ///
    /// # Panics
    /// If there is no `redis-server` on the path or it does not start: a test cannot go on.
    pub fn start() -> Self {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// Starts a server with these settings besides those that keep it apart and private.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_with(settings: &[&str]) -> Self {
        // Between our probing a port and the server taking it, another process may; then try another.
        let mut tries = 0;
        loop {
            match Self::try_start(settings) {
                Ok(server) => return server,
                Err(err) if tries == 5 => panic!("redis-server does not start: {err}"),
                Err(_) => tries += 1,
            }
        }
    }

    fn try_start(settings: &[&str]) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("coffer-redis-{}-{number}", std::process::id()));
        std::fs::create_dir(&dir)?;
        let port_text = port.to_string();
        let private =
            ["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--maxmemory-policy", "noeviction"];
        let mut shell = Command::new("sh")
            .args(["-c", KEEPER, "redis-keeper"])
            .args(private)
            .args(settings)
            .current_dir(&dir)
            .env("COFFER_TEST_REDIS_DIR", &dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("the output is piped"));
        let keeper = Keeper { shell, commands, answers, server: Pid::INIT };
        let server = Self { port, dir, keeper: Mutex::new(keeper) };
        server.launch()?;
        Ok(server)
    }

    fn launch(&self) -> io::Result<()> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(keeper.commands.as_mut().expect("the keeper runs"), "start")?;
        let mut line = String::new();
        keeper.answers.read_line(&mut line)?;
        let pid = line.trim().parse().ok().and_then(Pid::from_raw);
        keeper.server = pid.ok_or_else(|| io::Error::other("the keeper names no process"))?;
        for _ in 0..POLLS_MAX {
            if self.answers() {
                return Ok(());
            }
            if kill_process(keeper.server, Signal::CONT).is_err() {
                break;
            }
            thread::sleep(POLL);
        }
        Err(io::Error::other("no answer from redis-server"))
    }

    /// Whether the server is up, has loaded its file and is the one we started.
    fn answers(&self) -> bool {
        let ask = || -> io::Result<String> {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"CONFIG GET dir\r\nPING\r\nQUIT\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let dir = self.dir.to_string_lossy();
        ask().is_ok_and(|answer| answer.contains("+PONG") && answer.contains(&*dir))
    }

    /// The server's URL, to which a query may be added.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The loopback port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds its files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Kills the server at once (SIGKILL), as a crash would.
    pub fn kill(&self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = kill_process(keeper.server, Signal::KILL);
        // The port must be free before a restart; the server is gone when nothing listens.
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        while TcpStream::connect_timeout(&address, POLL).is_ok() {
            thread::sleep(POLL);
        }
    }

    /// Starts the server again, on the same port and files.
    ///
    /// # Panics
    /// If it does not come back.
    pub fn restart(&self) {
        self.launch().expect("redis-server starts again");
    }

    /// Stops the server from answering without closing its connections, until [`resume`](Self::resume).
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen server go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        kill_process(keeper.server, signal).expect("the server runs");
    }

    /// Every byte that the server has on disk.
    ///
    /// # Panics
    /// If its files cannot be read.
    pub fn dump(&self) -> Vec<u8> {
        fn read(folder: &Path, dump: &mut Vec<u8>) -> io::Result<()> {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() { read(&path, dump)? } else { dump.extend(std::fs::read(path)?) }
            }
            Ok(())
        }
        let mut dump = Vec::new();
        read(&self.dir, &mut dump).expect("the server's files can be read");
        dump
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisServer({})", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        keeper.commands = None;
        let _ = keeper.shell.wait();
    }
}
