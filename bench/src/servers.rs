//! The processes under load: services from the release build, and a Redis server of the bench's own.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::BenchResult;

/// A process that ends with the bench.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Resident memory now, in MiB.
    pub(crate) fn resident_mib(&self) -> BenchResult<f64> {
        self.status_mib("VmRSS:")
    }

    /// The most that was resident since the start, or since [`forget_peak`](Self::forget_peak), in MiB.
    pub(crate) fn peak_mib(&self) -> BenchResult<f64> {
        self.status_mib("VmHWM:")
    }

    /// Lets the peak begin anew with what is resident now (`proc_pid_clear_refs(5)`).
    pub(crate) fn forget_peak(&self) -> BenchResult<()> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// Kills it and waits for its end.
    pub(crate) fn stop(&mut self) -> BenchResult<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn status_mib(&self, name: &str) -> BenchResult<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib =
            line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or_else(|| format!("no {name}"))?;
        Ok(kib.trim().parse::<f64>()? / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("bench: stopping {}: {error}", self.name);
        }
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> BenchResult<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until something listens on `port`.
fn await_port(port: u16, what: &str, log: Option<&Path>) -> BenchResult<()> {
    for _ in 0..300 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
    let log = log.and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
    Err(format!("{what} does not listen on port {port} within 30 s\n{log}").into())
}

/// What operators are given; figures on any other configuration would not be theirs.
const REDIS_CONF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/redis.conf");

/// Starts a Redis server as deployed, with an append-only file that is synced as `appendfsync` says.
pub(crate) fn start_redis(dir: &Path, appendfsync: &str) -> BenchResult<(Process, u16)> {
    let port = free_port()?;
    let dir = dir.join(format!("redis-{port}"));
    std::fs::create_dir_all(&dir)?;
    let child = Command::new("redis-server")
        .args([REDIS_CONF, "--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--appendfsync", appendfsync, "--dir"])
        .arg(&dir)
        .stdout(Stdio::null())
        .spawn()?;
    let process = Process { child, name: "redis-server".to_owned() };
    await_port(port, "redis-server", None)?;
    Ok((process, port))
}

/// The folder with the release build of the services: where this program itself is.
fn binaries() -> BenchResult<PathBuf> {
    Ok(std::env::current_exe()?.parent().ok_or("this program has no folder")?.to_owned())
}

/// Starts a service with settings in its environment and waits until it listens on `port`.
pub(crate) fn start_service(
    name: &str,
    arguments: &[&str],
    environment: &[(&str, String)],
    wait: (u16, &Path),
) -> BenchResult<Process> {
    let (port, dir) = wait;
    let log = dir.join(format!("{name}-{port}.log"));
    let child = Command::new(binaries()?.join(name))
        .args(arguments)
        .envs(environment.iter().map(|(key, value)| (key, value)))
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()
        .map_err(|error| format!("starting {name}: {error}"))?;
    let process = Process { child, name: name.to_owned() };
    await_port(port, name, Some(&log))?;
    Ok(process)
}

/// Starts the bare handlers.
pub(crate) fn start_bare(redis: Option<u16>) -> BenchResult<(Process, u16)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bare").args(redis.map(|port| port.to_string())).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or("the bare server has no output")?;
    let process = Process { child, name: "bare".to_owned() };
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let port = line.trim().strip_prefix("listening ").ok_or("the bare server did not start")?.parse()?;
    Ok((process, port))
}
