//! The Python that `scripts/test` prepares: the other side of every protocol and format.

use std::path::PathBuf;

use crate::binaries::workspace;

/// The interpreter with the packages of `scripts/requirements.txt`.
pub fn python() -> PathBuf {
    let python = workspace().join(".tools/venv/bin/python");
    assert!(python.exists(), "{} is missing: run scripts/test once", python.display());
    python
}

/// One of the scripts in `tests/python`.
pub fn python_script(name: &str) -> PathBuf {
    workspace().join("tests/python").join(name)
}
