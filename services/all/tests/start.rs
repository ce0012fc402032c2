//! Starting the program on a directory: empty, known, in use, and without its root key.

#![expect(clippy::unwrap_used, reason = "what these helpers need is the test's premise")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// The program on `data_dir`, on ports that nobody else has, with nothing else of this environment.
fn program(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coffer-all"));
    command.arg("--data-dir").arg(data_dir).env_clear();
    for service in ["KMS", "DATA", "GATEWAY"] {
        command.env(format!("COFFER_{service}__HTTP__BIND"), "127.0.0.1:0");
        command.env(format!("COFFER_{service}__HTTP__INTERNAL_BIND"), "127.0.0.1:0");
    }
    command.env("COFFER_KMS__AUTH__BCRYPT_COST", "4").env("COFFER_KMS__FILES__POOL_PAIRS", "1");
    command
}

struct Running {
    process: Child,
    log: BufReader<ChildStderr>,
}

impl Running {
    /// Starts it and waits until all services are ready.
    fn start(data_dir: &Path) -> Self {
        let mut process = program(data_dir).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut running = Self { process, log };
        let mut internal = Vec::new();
        while internal.len() < 3 {
            let mut line = String::new();
            assert!(running.log.read_line(&mut line).unwrap() > 0, "it ended before it listened");
            if line.contains("listener=\"internal\"") {
                let address = line.split("address=").nth(1).unwrap();
                internal.push(address.split_whitespace().next().unwrap().to_owned());
            }
        }
        for address in &internal {
            until_ready(address);
        }
        running
    }

    /// Asks it to stop, and says what it printed for people.
    fn stop(mut self) -> String {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
        let mut printed = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        printed
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already when the test stopped it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn until_ready(address: &str) {
    for _ in 0..500 {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if answer.starts_with("HTTP/1.1 200") {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("{address} does not become ready");
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_empty_directory_is_filled_once_and_then_reused() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("coffer");
    let printed = Running::start(&data_dir).stop();
    assert_eq!(printed, "", "what is for people goes to terminals only");
    let secrets =
        || ["root.key", "data.secret", "gateway.secret"].map(|name| fs::read(data_dir.join(name)).unwrap());
    let before = secrets();
    Running::start(&data_dir).stop();
    assert_eq!(secrets(), before);
}

#[test]
fn a_second_process_on_the_same_directory_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let second = program(folder.path()).output().unwrap();
    assert!(refused(&second).contains("another coffer-all uses"));
    running.stop();
}

#[test]
fn a_lost_root_key_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    Running::start(folder.path()).stop();
    fs::remove_file(folder.path().join("root.key")).unwrap();
    let output = program(folder.path()).output().unwrap();
    assert!(refused(&output).contains("root.key is missing"));
    assert!(!folder.path().join("root.key").exists());
}

#[test]
fn a_mistake_in_the_settings_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    let output = command.arg("check-config").env("COFFER_DATA__STORAGE__RECORD", "memory:").output().unwrap();
    assert!(refused(&output).contains("COFFER_DATA__STORAGE__RECORD"));
    let output = program(folder.path()).arg("check-config").output().unwrap();
    assert!(output.status.success());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made by looking");
}
