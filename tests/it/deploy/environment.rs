//! Variables: all documented, all mapped, and together they are settings that the services accept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use coffer_tests::binary;

use super::{environment, folder, read, services, texts_within};

/// `NAME=value` lines, each with whether a comment stands right above it.
pub(super) fn example() -> BTreeMap<String, (String, bool)> {
    let text = read(".env.example");
    let mut commented = false;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        match line.split_once('=') {
            Some((name, value)) if !line.starts_with('#') => {
                found.insert(name.to_owned(), (value.to_owned(), commented));
                commented = false;
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
pub(super) fn filled(text: &str, values: &BTreeMap<String, (String, bool)>) -> String {
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
        assert!(used.contains(name) || name == "COMPOSE_PROJECT_NAME", "{name} does nothing");
    }
}

/// What a service says of its settings in compose.yaml, with these values of variables.
fn checked(name: &str, secrets: &Path, values: &BTreeMap<String, (String, bool)>) -> Output {
    let service = services().remove(name).expect("it is there");
    let environment = environment(&service).into_iter().map(|(key, value)| {
        (key, filled(&value, values).replace("/run/secrets", &secrets.to_string_lossy()))
    });
    let mut program = Command::new(binary(&format!("coffer-{name}")));
    program.arg("check-config").env_clear().envs(environment).output().expect("it runs")
}

#[test]
fn the_settings_of_each_service_are_accepted_by_it() {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    let secrets = super::secrets::make_in(place.path());
    for name in ["kms", "data", "gateway"] {
        let answer = checked(name, &secrets, &example());
        assert!(answer.status.success(), "{name}: {}", String::from_utf8_lossy(&answer.stderr));
    }
}

#[test]
fn values_that_mean_nothing_are_refused_by_name() {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    let secrets = super::secrets::make_in(place.path());
    for (variable, value, setting) in
        [("KEY_ROTATION_DAYS", "0", "keyring.rotation_days"), ("COFFER_LOG_LEVEL", "bogus", "log.level")]
    {
        let mut values = example();
        values.insert(variable.to_owned(), (value.to_owned(), true));
        let answer = checked("kms", &secrets, &values);
        let said = String::from_utf8_lossy(&answer.stderr);
        assert!(!answer.status.success() && said.contains(setting), "{variable}={value}: {said}");
    }
}

/// What in a text would show a secret to whoever sees a container's arguments or settings.
fn shown_secret(text: &str) -> Option<String> {
    let named =
        |name: &String| ["PASSWORD", "PASS", "SECRET", "TOKEN"].iter().any(|word| name.ends_with(word));
    if let Some(name) = used(text).into_iter().find(named) {
        return Some(name);
    }
    for url in text.split("://").skip(1) {
        let authority = url.split(['/', ' ', '"']).next().unwrap_or_default();
        if authority.contains('@') {
            return Some(authority.to_owned());
        }
    }
    // Given by the name of its file, or not at all.
    for word in ["requirepass", "masterauth", "REDISCLI_AUTH=", "--pass", "--password"] {
        for rest in text.split(word).skip(1) {
            let given = rest.trim_start_matches([' ', '%', 's', '\\', 'n', '\'', '"']);
            if !given.starts_with("$$(cat /run/secrets/") && !given.starts_with("-file ") {
                return Some(format!("{word}{rest}"));
            }
        }
    }
    None
}

#[test]
fn whoever_changes_nothing_has_the_safe_choices() {
    let example = example();
    for (name, value) in
        [("COFFER_EMAIL_OTP", "required"), ("SMTP_TLS", "starttls"), ("COFFER_CORS_ORIGINS", "")]
    {
        assert_eq!(example[name].0, value, "{name}");
    }
}

#[test]
fn secrets_in_addresses_and_arguments_are_seen() {
    for text in [
        "redis://:s3cret@keys-redis:6379/0",
        "redis-server --requirepass s3cret",
        "redis-cli --pass s3cret ping",
        "redis://:${REDIS_PASSWORD}@keys-redis",
    ] {
        assert!(shown_secret(text).is_some(), "{text}");
    }
    assert_eq!(shown_secret("redis://keys-redis:6379/0"), None);
}

#[test]
fn no_secret_is_shipped_or_given_by_the_environment() {
    for (name, (value, _)) in example() {
        let secret = ["PASSWORD", "SECRET", "PASS", "KEY"].iter().any(|word| name.ends_with(word));
        assert!(!secret || value.is_empty(), "{name} has a value");
    }
    for (service, settings) in services() {
        for (name, value) in environment(&settings) {
            let secret = ["PASSWORD", "SECRET", "ROOT_KEY", "TOKEN"].iter().any(|word| name.contains(word));
            assert!(!secret || name.ends_with("_FILE"), "{service}: {name} is {value}");
        }
        for text in texts_within(&settings) {
            assert_eq!(shown_secret(&text), None, "{service}: {text}");
        }
    }
    let ignored = std::fs::read_to_string(folder().join("../.gitignore")).expect("there is a .gitignore");
    for path in ["/deploy/secrets", "/deploy/.env"] {
        assert!(ignored.lines().any(|line| line == path), "{path} could be committed");
    }
}
