//! What operators are given: deploy/. No engine is needed; the images are not built here.

mod compose;
mod edge;
mod environment;
mod examples;
mod secrets;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the workspace").join("deploy")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn compose() -> Value {
    serde_saphyr::from_str(&read("compose.yaml")).expect("compose.yaml is YAML")
}

/// The services of compose.yaml, by name.
fn services() -> BTreeMap<String, Value> {
    let compose = compose();
    let services = compose["services"].as_object().expect("there are services");
    services.iter().map(|(name, service)| (name.clone(), service.clone())).collect()
}

/// The texts of a list; none if it is absent.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
