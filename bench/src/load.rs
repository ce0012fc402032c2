//! Load from `wrk` and `redis-benchmark`, and from this program where a count is wanted.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BenchResult;

/// The header with a session.
pub(crate) const SID: &str = "sid";

/// A script of ours for `wrk`.
pub(crate) fn lua_script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lua").join(name)
}

/// What a load showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Answers per second.
    pub(crate) per_second: f64,
    /// The 99th percentile of latency, in milliseconds.
    pub(crate) p99_ms: f64,
}

/// How a load is put on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrk<'a> {
    /// The address that is asked.
    pub(crate) url: &'a str,
    /// Open connections.
    pub(crate) connections: u32,
    /// How long, in seconds.
    pub(crate) seconds: u32,
    /// A Lua script that makes the requests, and what it is told.
    pub(crate) script: Option<(&'a Path, &'a [&'a str])>,
    /// A header that says who asks, such as [`SID`], and what it holds.
    pub(crate) header: Option<(&'a str, &'a str)>,
}

impl Wrk<'_> {
    /// Runs the load. Any answer but a 2xx fails the bench: a fast refusal is no figure.
    pub(crate) fn run(self) -> BenchResult<Load> {
        let mut command = Command::new("wrk");
        command.args(["-t", "1", "-c", &self.connections.to_string(), "-d", &format!("{}s", self.seconds)]);
        command.args(["--latency", "--timeout", "10s"]);
        if let Some((name, value)) = self.header {
            command.args(["-H", &format!("{name}: {value}")]);
        }
        if let Some((script, _)) = self.script {
            command.arg("-s").arg(script);
        }
        command.arg(self.url);
        if let Some((_, arguments)) = self.script {
            command.arg("--").args(arguments);
        }
        let output = command.output().map_err(|error| format!("wrk: {error} (apt-get install wrk)"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors") {
            return Err(format!(
                "load on {} failed:\n{text}{}",
                self.url,
                String::from_utf8_lossy(&output.stderr)
            )
            .into());
        }
        let field = |name: &str| {
            let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(name));
            line.map(str::trim).ok_or_else(|| format!("wrk printed no {name}:\n{text}"))
        };
        Ok(Load { per_second: field("Requests/sec:")?.parse()?, p99_ms: milliseconds(field("99%")?)? })
    }
}

fn milliseconds(text: &str) -> BenchResult<f64> {
    let factors = [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)];
    for (unit, factor) in factors {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * factor);
        }
    }
    Err(format!("not a duration: {text}").into())
}

/// `redis-benchmark` with values of `bytes`: commands per second. What is read was written before.
pub(crate) fn redis_benchmark(port: u16, command: &str, bytes: usize, connections: u32) -> BenchResult<f64> {
    if command == "get" {
        redis_benchmark(port, "set", bytes, connections)?;
    }
    // Few large values, so that neither memory nor the append-only file grows by gigabytes.
    let (requests, names) = if bytes > 100_000 { ("1000", "16") } else { ("200000", "10000") };
    let output = Command::new("redis-benchmark")
        .args([
            "-p",
            &port.to_string(),
            "-t",
            command,
            "-d",
            &bytes.to_string(),
            "-c",
            &connections.to_string(),
        ])
        .args(["-n", requests, "-r", names, "--csv"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("\"{command}\"")));
    let figure = line.and_then(|line| line.split(',').nth(1)).map(|field| field.trim_matches('"'));
    Ok(figure.ok_or_else(|| format!("redis-benchmark printed no figure:\n{text}"))?.parse()?)
}
