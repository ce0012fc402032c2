//! Variables: all documented, all mapped, and together they are settings that the services accept.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use coffer_tests::binary;

use super::{folder, read, services};

/// Names that users of the source systems know.
const KNOWN_BEFORE: &[&str] = &[
    "SMTP_SERVER",
    "SMTP_PORT",
    "SENDER_EMAIL",
    "SENDER_PASS",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_DB",
    "REDIS_URL",
    "REDIS_PASSWORD",
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "DATABASE_URL",
    "MASTER_ENCRYPTION_PASSWORD",
    "KEY_ROTATION_DAYS",
    "KEY_STORE_PATH",
    "KV_STORE_PASSWORD",
    "KV_BACKEND",
    "JWT_SECRET_KEY",
    "SECRET_KEY",
];

/// `NAME=value` lines, each with whether a comment stands above it.
fn example() -> BTreeMap<String, (String, bool)> {
    let text = read(".env.example");
    let mut commented = false;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        match line.split_once('=') {
            Some((name, value)) if !line.starts_with('#') => {
                found.insert(name.to_owned(), (value.to_owned(), commented));
            }
            _ => commented = line.starts_with('#'),
        }
    }
    found
}

/// Names of `${NAME…}` in a text.
fn used(text: &str) -> BTreeSet<String> {
    let name =
        |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    text.split("${").skip(1).map(name).collect()
}

/// `text` with its variables filled in: `${NAME}`, `${NAME:-otherwise}`, `${NAME:?complaint}`.
fn filled(text: &str, values: &BTreeMap<String, (String, bool)>) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (inside, after) = rest.split_once('}').expect("a variable ends");
    let name = inside.split(':').next().unwrap_or_default();
    let value = values.get(name).map(|(value, _)| value.clone()).unwrap_or_default();
    let otherwise = inside.split_once(":-").map(|(_, otherwise)| otherwise.to_owned()).unwrap_or_default();
    let value = if value.is_empty() { otherwise } else { value };
    format!("{before}{value}{}", filled(after, values))
}

#[test]
fn every_variable_is_documented_and_used() {
    let (example, used) = (example(), used(&read("compose.yaml")));
    for name in &used {
        let (_, commented) = example.get(name).unwrap_or_else(|| panic!("{name} is not in .env.example"));
        assert!(commented, "nothing is said of {name}");
    }
    for name in example.keys() {
        assert!(used.contains(name), "{name} does nothing");
    }
}

#[test]
fn every_name_of_the_source_systems_is_mapped() {
    let text = read(".env.example");
    let set = example();
    let mut moved = BTreeSet::new();
    let mut waiting = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# ")) {
        let (names, to) = line.split_once("->").map_or((line, None), |(names, to)| (names, Some(to)));
        waiting.extend(names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
        if let Some(to) = to {
            assert!(!to.trim().is_empty(), "{line}");
            moved.extend(waiting.drain(..));
        } else if !line.ends_with(',') {
            waiting.clear();
        }
    }
    for name in KNOWN_BEFORE {
        assert!(set.contains_key(*name) || moved.contains(*name), "{name} is not mapped");
    }
}

#[test]
fn the_settings_of_each_service_are_accepted_by_it() {
    let secrets = tempfile::tempdir().expect("a temporary directory can be made");
    let made = super::secrets::make_in(secrets.path());
    let values = example();
    for (name, program) in [("kms", "coffer-kms"), ("data", "coffer-data"), ("gateway", "coffer-gateway")] {
        let service = services().remove(name).expect("it is there");
        let environment = service["environment"].as_object().expect("it has an environment").clone();
        let environment = environment.into_iter().map(|(key, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key, filled(&value, &values).replace("/run/secrets", &made.to_string_lossy()))
        });
        let answer = Command::new(binary(program)).arg("check-config").env_clear().envs(environment).output();
        let answer = answer.expect("it runs");
        assert!(answer.status.success(), "{name}: {}", String::from_utf8_lossy(&answer.stderr));
    }
}

#[test]
fn no_secret_is_shipped_or_given_by_the_environment() {
    for (name, (value, _)) in example() {
        let secret = ["PASSWORD", "SECRET", "PASS", "KEY"].iter().any(|word| name.ends_with(word));
        assert!(!secret || value.is_empty(), "{name} has a value");
    }
    for (service, settings) in services() {
        for (name, value) in settings["environment"].as_object().cloned().unwrap_or_default() {
            let secret = ["PASSWORD", "SECRET", "ROOT_KEY"].iter().any(|word| name.ends_with(word));
            assert!(!secret, "{service}: {name} is {value}");
        }
    }
    let ignored = std::fs::read_to_string(folder().join("../.gitignore")).expect("there is a .gitignore");
    for path in ["/deploy/secrets", "/deploy/.env"] {
        assert!(ignored.lines().any(|line| line == path), "{path} could be committed");
    }
}
