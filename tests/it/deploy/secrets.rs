//! make-secrets: once, whole, and for nobody else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{compose, folder, services, texts};

/// Runs a copy of the script in `place`; the secrets' folder.
pub(super) fn make_in(place: &Path) -> PathBuf {
    let script = place.join("make-secrets");
    fs::copy(folder().join("make-secrets"), &script).expect("the script can be copied");
    let answer = Command::new(&script).arg("coffer.example.com").output().expect("it runs");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    place.join("secrets")
}

fn contents(secrets: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(secrets).expect("the folder is there");
    files
        .map(|file| {
            let file = file.expect("it can be listed");
            (file.file_name().to_string_lossy().into_owned(), fs::read(file.path()).expect("it can be read"))
        })
        .collect()
}

#[test]
fn secrets_are_made_once_and_are_different_everywhere() {
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let secrets = make_in(one.path());
    let first = contents(&secrets);
    make_in(one.path());
    assert_eq!(contents(&secrets), first, "a second run changes nothing");
    for (name, content) in contents(&make_in(other.path())) {
        assert_ne!(first[&name], content, "{name} is the same in two installations");
    }
}

#[test]
fn others_on_the_machine_are_kept_out_and_containers_are_not() {
    let place = tempfile::tempdir().expect("a folder");
    let secrets = make_in(place.path());
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&secrets), 0o700);
    for name in contents(&secrets).keys() {
        assert_eq!(mode(&secrets.join(name)), 0o444, "{name}");
    }
}

#[test]
fn each_secret_is_made_declared_and_used() {
    let place = tempfile::tempdir().expect("a folder");
    let made = contents(&make_in(place.path()));
    let compose = compose();
    let declared = compose["secrets"].as_object().expect("there are secrets");
    let mut used = std::collections::BTreeSet::new();
    for (name, service) in services() {
        for secret in texts(&service["secrets"]) {
            assert!(declared.contains_key(secret), "{name}: {secret}");
            used.insert(secret.to_owned());
        }
    }
    for (name, secret) in declared {
        let file = secret["file"].as_str().and_then(|file| file.strip_prefix("./secrets/")).expect("a file");
        assert!(made.contains_key(file), "{file} is not made");
        assert!(used.contains(name), "{name} is not used");
    }
    assert_eq!(declared.len(), made.len(), "{:?}", made.keys());
}

#[test]
fn the_certificate_is_that_of_a_server_and_of_no_authority() {
    let place = tempfile::tempdir().expect("a folder");
    let certificate = make_in(place.path()).join("edge_certificate.pem");
    let shown = Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(certificate).output();
    let shown = String::from_utf8(shown.expect("openssl runs").stdout).expect("it prints text");
    // Clients that trust exactly this certificate refuse an authority's as a server's.
    assert!(shown.contains("CA:FALSE") && !shown.contains("CA:TRUE"), "{shown}");
    assert!(shown.contains("DNS:coffer.example.com") && shown.contains("DNS:edge"), "{shown}");
}

#[test]
fn a_host_name_that_is_none_is_refused() {
    let place = tempfile::tempdir().expect("a folder");
    fs::copy(folder().join("make-secrets"), place.path().join("make-secrets"))
        .expect("the script can be copied");
    let answer = Command::new(place.path().join("make-secrets")).arg("a/b").output().expect("it runs");
    assert_eq!(answer.status.code(), Some(2));
    assert!(!place.path().join("secrets").exists());
}

#[test]
fn what_openssl_says_is_shown_when_it_fails() {
    let place = tempfile::tempdir().expect("a folder");
    fs::copy(folder().join("make-secrets"), place.path().join("make-secrets"))
        .expect("the script can be copied");
    // Taken for a name, and too long for one.
    let answer =
        Command::new(place.path().join("make-secrets")).arg("a".repeat(300)).output().expect("it runs");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(!answer.status.success() && said.contains("too long"), "{said}");
    assert!(!place.path().join("secrets/edge_certificate.pem").exists());
}

#[test]
fn the_mail_server_of_the_example_is_complained_of() {
    let place = tempfile::tempdir().expect("a folder");
    let said = || {
        let answer = Command::new(place.path().join("make-secrets")).output().expect("it runs");
        assert!(answer.status.success());
        String::from_utf8_lossy(&answer.stderr).into_owned()
    };
    fs::copy(folder().join("make-secrets"), place.path().join("make-secrets"))
        .expect("the script can be copied");
    fs::copy(folder().join(".env.example"), place.path().join(".env")).expect("it can be copied");
    assert!(said().contains("SMTP_SERVER"));
    fs::write(place.path().join(".env"), "SMTP_SERVER=mail.example.org\n").expect("it is written");
    assert!(!said().contains("SMTP_SERVER"));
}
