//! Where the programs under test are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of a program of this workspace: `coffer`, `coffer-all`, `coffer-kms`, `coffer-data` or
/// `coffer-gateway`.
///
/// They are taken from the directory named by `COFFER_TESTS_BIN_DIR`, else built once, beside this test
/// and in its profile.
pub fn binary(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| match std::env::var_os("COFFER_TESTS_BIN_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => build(),
    });
    let path = directory.join(name);
    assert!(path.is_file(), "{} is missing: build it", path.display());
    path
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a running test knows its own path");
    let directory = test.parent().and_then(Path::parent).expect("tests lie in target/<profile>/deps");
    let target = directory.parent().expect("profiles lie in the target directory");
    let mut cargo = Command::new(env!("CARGO"));
    // The whole workspace, as the test itself was built: another choice would be built with other features.
    cargo.args(["build", "--quiet", "--workspace", "--bins", "--manifest-path"]);
    cargo.arg(workspace().join("Cargo.toml"));
    cargo.arg("--target-dir").arg(target);
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "building the programs under test: {status}");
    directory.to_owned()
}

/// The root of this repository.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the workspace")
}
