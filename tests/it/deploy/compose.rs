//! compose.yaml and the edge: who is reachable, and with what rights.

use serde_json::{Value, json};

use super::{compose, folder, read, services, texts};

/// What Coffer's own images and its stores are; the rest are tools that operators switch on.
const OURS: &[&str] = &["kms", "data", "gateway", "edge", "keys-redis", "data-redis"];

#[test]
fn nothing_but_the_edge_publishes_a_port() {
    for (name, service) in services() {
        assert!(service["network_mode"].is_null(), "{name} has a network of its own");
        if name != "edge" {
            assert!(service["ports"].is_null(), "{name} publishes {}", service["ports"]);
        }
    }
}

#[test]
fn the_edge_publishes_tls_to_all_and_tools_to_this_machine_alone() {
    let configuration = read("edge/haproxy.cfg");
    let edge = &services()["edge"];
    let ports = texts(&edge["ports"]);
    assert!(ports.len() >= 3, "{ports:?}");
    for port in ports {
        let (_, inner) = port.rsplit_once(':').expect("a port inside");
        let bind = configuration
            .lines()
            .map(str::trim)
            .find(|line| line.split_whitespace().nth(1) == Some(&format!(":{inner}")))
            .unwrap_or_else(|| panic!("nothing listens on {inner}"));
        assert!(
            port.starts_with("127.0.0.1:") || bind.contains(" ssl crt "),
            "{port} is open without TLS: {bind}"
        );
    }
}

#[test]
fn the_edge_never_publishes_what_is_internal() {
    let edge = &services()["edge"];
    for inner in ["3000", "3001", "4000", "4001", "8001"] {
        let published = texts(&edge["ports"]).iter().any(|port| port.ends_with(&format!(":{inner}")));
        assert!(!published, "{inner} is published");
    }
}

#[test]
fn ours_run_without_rights_on_a_file_system_that_they_cannot_write() {
    let services = services();
    for name in OURS {
        let service = &services[*name];
        assert_eq!(service["read_only"], json!(true), "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(service["privileged"].is_null() && service["cap_add"].is_null(), "{name}");
        let own_image = !service["build"].is_null();
        let user = service["user"].as_str().unwrap_or_default();
        assert!(own_image || (!user.is_empty() && !user.starts_with('0')), "{name} runs as root");
    }
    let dockerfile = read("Dockerfile");
    let bases: Vec<_> = dockerfile.lines().filter(|line| line.starts_with("FROM gcr.io/")).collect();
    assert!(!bases.is_empty() && bases.iter().all(|base| base.contains(":nonroot")), "{bases:?}");
}

#[test]
fn stores_are_reached_by_those_who_need_them_and_reach_nobody() {
    let (compose, services) = (compose(), services());
    let members = |network: &str| -> Vec<&str> {
        let member = |(name, service): (&'static str, &Value)| {
            texts(&service["networks"]).contains(&network).then_some(name)
        };
        OURS.iter().filter_map(|name| member((name, &services[*name]))).collect()
    };
    for network in ["keys", "data"] {
        assert_eq!(compose["networks"][network]["internal"], json!(true), "{network}");
    }
    assert_eq!(members("keys"), ["kms", "keys-redis"]);
    assert_eq!(members("data"), ["data", "gateway", "data-redis"]);
}

#[test]
fn the_start_is_ordered_by_health() {
    let services = services();
    let waits =
        |name: &str, on: &str| services[name]["depends_on"][on]["condition"] == json!("service_healthy");
    assert!(waits("kms", "keys-redis") && waits("data", "data-redis") && waits("gateway", "data-redis"));
    assert!(waits("data", "kms") && waits("gateway", "kms"));
    for name in ["keys-redis", "data-redis"] {
        assert!(services[name]["healthcheck"]["test"].is_array(), "{name}");
    }
    let dockerfile = read("Dockerfile");
    for program in ["coffer-kms", "coffer-data", "coffer-gateway"] {
        assert!(dockerfile.contains(&format!("CMD [\"{program}\", \"healthcheck\"]")), "{program}");
    }
}

#[test]
fn the_stores_keep_what_they_promise() {
    let configuration = read("redis.conf");
    for line in ["appendonly yes", "maxmemory-policy noeviction"] {
        assert!(configuration.lines().any(|found| found == line), "{line}");
    }
    assert!(!configuration.contains("requirepass"), "a password is shipped");
    let services = services();
    for (name, sync) in [("keys-redis", "always"), ("data-redis", "everysec")] {
        let command = texts(&services[name]["command"]).join(" ");
        assert!(
            command.contains(&format!("--appendfsync {sync}")) && command.contains("requirepass"),
            "{name}"
        );
    }
}

#[test]
fn what_is_mounted_exists() {
    for (name, service) in services() {
        for volume in texts(&service["volumes"]) {
            let Some((source, _)) = volume.split_once(':') else { panic!("{name}: {volume}") };
            if source.starts_with('.') {
                assert!(folder().join(source).exists(), "{name}: {source}");
            } else {
                assert!(
                    compose()["volumes"].as_object().is_some_and(|all| all.contains_key(source)),
                    "{name}: {source}"
                );
            }
        }
    }
}
