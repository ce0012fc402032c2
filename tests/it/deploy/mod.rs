//! What operators are given: deploy/. No engine is needed; the images are not built here.

mod compose;
mod edge;
mod environment;
mod examples;
mod names;
mod rights;
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

/// Those that run in every installation, unlike the tools that operators switch on by a profile.
fn ours() -> BTreeMap<String, Value> {
    services().into_iter().filter(|(_, service)| service["profiles"].is_null()).collect()
}

/// What a service gets by its environment, which can be written as a map or as a list.
fn environment(service: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match &service["environment"] {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        Value::Array(list) => list
            .iter()
            .map(|line| {
                let line = text(line);
                let (name, value) = line.split_once('=').unwrap_or((&line, ""));
                (name.to_owned(), value.to_owned())
            })
            .collect(),
        Value::Null => BTreeMap::new(),
        other => panic!("an environment that is {other}"),
    }
}

/// A port that a service publishes.
#[derive(Debug)]
struct Port {
    /// On which addresses of the machine; all if nothing is said.
    on: String,
    inner: u16,
}

/// The published ports of a service, in the short form (`address:outer:inner`) or in the long one.
fn ports(service: &Value) -> Vec<Port> {
    let parsed = |port: &Value| match port {
        Value::Object(port) => Port {
            on: port.get("host_ip").and_then(Value::as_str).unwrap_or_default().to_owned(),
            inner: port["target"].as_u64().and_then(|inner| inner.try_into().ok()).expect("a port inside"),
        },
        port => {
            let text = port.as_str().map_or_else(|| port.to_string(), str::to_owned);
            let text = environment::filled(&text, &BTreeMap::new());
            let parts: Vec<_> = text.rsplitn(3, ':').collect();
            let inner = parts[0].trim_end_matches("/tcp").parse().expect("a port inside");
            Port { on: parts.get(2).copied().unwrap_or_default().to_owned(), inner }
        }
    };
    match &service["ports"] {
        Value::Null => Vec::new(),
        list => list.as_array().expect("a list of ports").iter().map(parsed).collect(),
    }
}

/// All texts in a value, however deep.
fn texts_within(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(texts_within).collect(),
        Value::Object(map) => map.values().flat_map(texts_within).collect(),
        _ => Vec::new(),
    }
}

/// The texts of a list; none if it is absent.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
