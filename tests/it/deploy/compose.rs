//! compose.yaml and the edge: who is reachable, and in which order they start.

use serde_json::json;

use super::environment::{example, filled};
use super::{Port, compose, environment, folder, ports, read, services, texts};

#[test]
fn nothing_but_the_edge_is_reached_from_other_machines() {
    for (name, service) in services() {
        assert!(service["network_mode"].is_null(), "{name} has a network of its own");
        let tool = !service["profiles"].is_null();
        for port in ports(&service) {
            assert!(name == "edge" || (tool && port.on == "127.0.0.1"), "{name} publishes {port:?}");
        }
    }
}

#[test]
fn the_edge_publishes_tls_alone_and_by_ipv4_unless_told_otherwise() {
    let configuration = read("edge/haproxy.cfg");
    let published = ports(&services()["edge"]);
    assert_eq!(published.len(), 3, "{published:?}");
    for Port { on, inner } in published {
        // All clients by IPv6 would come from one address.
        assert_eq!(on, "0.0.0.0", "{inner}");
        let bind = configuration
            .lines()
            .map(str::trim)
            .find(|line| line.split_whitespace().nth(1) == Some(&format!(":{inner}")))
            .unwrap_or_else(|| panic!("nothing listens on {inner}"));
        assert!(bind.contains(" ssl crt "), "{inner} is open without TLS: {bind}");
    }
}

#[test]
fn the_fixed_network_lies_outside_of_what_the_engine_gives_away() {
    let subnet = compose()["networks"]["front"]["ipam"]["config"][0]["subnet"].clone();
    let subnet = subnet.as_str().expect("a subnet").to_owned();
    let texts = [filled(&subnet, &example()), filled(&subnet, &std::collections::BTreeMap::new())];
    assert_eq!(texts[0], texts[1], ".env.example and compose.yaml agree");
    let address = texts[0].split_once('/').expect("a length").0;
    let address: std::net::Ipv4Addr = address.parse().expect("an address");
    // The engine's `default-address-pools` are 172.17.0.0 to 172.31.255.255 and 192.168.0.0/16.
    assert_eq!(address.octets()[0], 10, "{address}");
}

#[test]
fn stores_are_reached_by_those_who_need_them_and_reach_nobody() {
    let (compose, services) = (compose(), services());
    let members = |network: &str| -> Vec<&str> {
        let member = |(name, service)| texts(service).contains(&network).then_some(name);
        services
            .iter()
            .map(|(name, service)| (name.as_str(), &service["networks"]))
            .filter_map(member)
            .collect()
    };
    for network in ["keys", "data"] {
        assert_eq!(compose["networks"][network]["internal"], json!(true), "{network}");
    }
    assert_eq!(members("keys"), ["keys-redis", "kms"]);
    assert_eq!(members("data"), ["data", "data-redis", "gateway", "redis-commander"]);
    // Where the services trust what comes from the edge, nobody else is but who sends mail on.
    assert_eq!(members("front"), ["data", "edge", "gateway", "kms", "mail"]);
}

#[test]
fn the_start_is_ordered_by_health() {
    let services = services();
    let waits =
        |name: &str, on: &str| services[name]["depends_on"][on]["condition"] == json!("service_healthy");
    assert!(waits("kms", "keys-redis") && waits("data", "data-redis") && waits("gateway", "data-redis"));
    assert!(waits("data", "kms") && waits("gateway", "kms"));
    for name in ["keys-redis", "data-redis", "edge"] {
        let check = &services[name]["healthcheck"];
        assert!(check["test"].is_array() && check["disable"].is_null(), "{name}");
    }
    for name in ["kms", "data", "gateway"] {
        assert!(services[name]["healthcheck"].is_null(), "{name} has the check of its image");
    }
    let dockerfile = read("Dockerfile");
    for program in ["coffer-kms", "coffer-data", "coffer-gateway"] {
        assert!(dockerfile.contains(&format!("CMD [\"{program}\", \"healthcheck\"]")), "{program}");
    }
}

/// What a setting of redis.conf is: of several lines, Redis takes the last.
fn redis(setting: &str) -> Option<String> {
    let of = |line: &str| line.strip_prefix(setting)?.strip_prefix(' ').map(str::to_owned);
    read("redis.conf").lines().filter_map(of).next_back()
}

#[test]
fn the_stores_keep_what_they_promise() {
    for (setting, value) in [
        ("appendonly", "yes"),
        ("maxmemory-policy", "noeviction"),
        ("no-appendfsync-on-rewrite", "no"),
        ("save", "\"\""),
    ] {
        assert_eq!(redis(setting).as_deref(), Some(value), "{setting}");
    }
    for setting in ["requirepass", "appendfsync", "include", "replicaof"] {
        assert_eq!(redis(setting), None, "{setting}");
    }
    let services = services();
    for (name, sync) in [("keys-redis", "always"), ("data-redis", "everysec")] {
        let command = texts(&services[name]["command"]).join(" ");
        let (before, server) = command.split_once("exec redis-server ").expect("it starts a server");
        assert!(before.contains("requirepass"), "{name}");
        // The whole of it: the last of several settings would count.
        let expected =
            format!("/run/redis/redis.conf --appendfsync {sync} --maxmemory ${{REDIS_MAXMEMORY:-0}}");
        assert_eq!(server.trim(), expected, "{name}");
    }
}

#[test]
fn nothing_is_said_that_compose_does_not_know() {
    const KNOWN: [&str; 26] = [
        "build",
        "cap_drop",
        "command",
        "depends_on",
        "entrypoint",
        "environment",
        "healthcheck",
        "image",
        "logging",
        "mem_limit",
        "networks",
        "pids_limit",
        "ports",
        "profiles",
        "read_only",
        "restart",
        "scale",
        "secrets",
        "security_opt",
        "stop_grace_period",
        "stop_signal",
        "tmpfs",
        "user",
        "volumes",
        "init",
        "sysctls",
    ];
    for (name, service) in services() {
        for setting in service.as_object().expect("settings").keys() {
            assert!(KNOWN.contains(&setting.as_str()) || setting == "<<", "{name}: {setting}");
        }
    }
}

#[test]
fn only_the_edge_is_believed_about_addresses() {
    for name in ["kms", "data", "gateway"] {
        let given = environment(&services()[name]);
        let trusted = &given[&format!("COFFER_{}__HTTP__TRUSTED_PROXIES", name.to_uppercase())];
        assert_eq!(trusted, "${COFFER_SUBNET:-10.213.64.0/24}", "{name}");
    }
    let subnet = &compose()["networks"]["front"]["ipam"]["config"][0]["subnet"];
    assert_eq!(subnet, &json!("${COFFER_SUBNET:-10.213.64.0/24}"));
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
