//! README.md says where the variables of the source systems went.

use std::collections::BTreeMap;

use super::environment::example;
use super::{compose, read};

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

/// The rows of the table: names, and what became of them.
fn table() -> BTreeMap<String, String> {
    let text = read("README.md");
    let (_, part) = text.split_once("## Variable names of the source systems").expect("the section");
    let part = part.split("\n## ").next().unwrap_or_default();
    let mut found = BTreeMap::new();
    for row in part.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        for name in cells[0].split(',').map(|name| name.trim().trim_matches('`')) {
            assert!(found.insert(name.to_owned(), cells[1].to_owned()).is_none(), "{name} twice");
        }
    }
    found
}

#[test]
fn the_table_names_every_variable_of_the_source_systems() {
    let (table, set) = (table(), example());
    for name in KNOWN_BEFORE {
        let went = table.get(*name).unwrap_or_else(|| panic!("{name} is not in the table"));
        let stays = went.starts_with("the same");
        assert_eq!(stays, set.contains_key(*name), "{name}: {went}");
    }
    assert_eq!(table.len(), KNOWN_BEFORE.len(), "{:?}", table.keys());
}

#[test]
fn the_table_leads_to_what_there_is() {
    let compose = compose();
    let given = read("compose.yaml") + &read(".env.example");
    for (name, went) in table() {
        assert!(!went.is_empty(), "{name}");
        for word in went.split('`').skip(1).step_by(2) {
            if let Some(secret) = word.strip_prefix("secrets/") {
                assert!(!compose["secrets"][secret].is_null(), "{name}: there is no {word}");
            } else if let Some(setting) = word.strip_prefix("COFFER_<SERVICE>__") {
                assert!(given.contains(setting), "{name}: there is no {word}");
            } else if word.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                assert!(given.contains(word), "{name}: there is no {word}");
            }
        }
    }
}
