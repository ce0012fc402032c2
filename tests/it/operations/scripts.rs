//! What the scripts say.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

#[test]
fn what_is_missing_to_build_and_run_is_named_before_anything_is_done() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    symlink("/usr/bin/dirname", directory.path().join("dirname")).expect("the directory is new");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/up");
    let run = Command::new("/bin/bash")
        .arg(script)
        .arg("--data-dir")
        .arg(directory.path().join("data"))
        .env_clear()
        .env("PATH", directory.path())
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    for needed in ["Rust", "a C compiler", "curl"] {
        assert!(said.contains(&format!("scripts/up needs {needed}")), "{said}");
    }
    assert!(!directory.path().join("data").exists(), "nothing was made");
}
