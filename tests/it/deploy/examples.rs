//! Example settings, and the programs that operators are given.

use std::fs;
use std::process::Command;

use coffer_tests::binary;

use super::{folder, read, secrets, services};

#[test]
fn each_example_is_accepted_by_its_service() {
    let place = tempfile::tempdir().expect("a folder");
    let made = secrets::make_in(place.path());
    for service in ["kms", "data", "gateway"] {
        let text = read(&format!("examples/{service}.toml"));
        assert!(text.contains("/etc/coffer/secrets/"), "{service}: secrets are files");
        let file = place.path().join(format!("{service}.toml"));
        fs::write(&file, text.replace("/etc/coffer/secrets", &made.to_string_lossy()))
            .expect("it is written");
        let answer = Command::new(binary(&format!("coffer-{service}")))
            .arg("--config")
            .arg(&file)
            .arg("check-config")
            .env_clear()
            .output()
            .expect("it runs");
        assert!(answer.status.success(), "{service}: {}", String::from_utf8_lossy(&answer.stderr));
    }
}

#[test]
fn the_programs_of_operators_say_what_they_do() {
    for (program, word) in [("roll", "one after the other"), ("check", "journeys")] {
        let said = Command::new(folder().join(program))
            .arg("--help")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("it runs");
        assert!(said.status.success(), "{program}: {}", String::from_utf8_lossy(&said.stderr));
        assert!(String::from_utf8_lossy(&said.stdout).contains(word), "{program}");
    }
}

#[test]
fn every_image_has_a_version() {
    for (name, service) in services() {
        let image = service["image"].as_str().unwrap_or_else(|| panic!("{name} has no image"));
        let version = image.rsplit_once(':').map(|(_, version)| version).unwrap_or_default();
        assert!(!version.is_empty() && version != "latest", "{name}: {image}");
    }
    for line in read("Dockerfile").lines().filter(|line| line.starts_with("FROM ") && line.contains('/')) {
        assert!(line.contains(':') && !line.contains(":latest"), "{line}");
    }
}
