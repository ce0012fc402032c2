//! compose.yaml: what containers may do, and that they come back.

use serde_json::{Value, json};

use super::{ours, read, services, texts, texts_within};

#[test]
fn ours_run_without_rights_on_a_file_system_that_they_cannot_write() {
    let ours = ours();
    assert!(ours.len() >= 6, "{:?}", ours.keys());
    for (name, service) in ours {
        assert_eq!(service["read_only"], json!(true), "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(service["privileged"].is_null() && service["cap_add"].is_null(), "{name}");
        // By number: what a name means is the image's business.
        let (user, of_its_image) = (&service["user"], !service["build"].is_null());
        let number = |id: &str| id.parse::<u32>().is_ok_and(|id| id > 0);
        let named = user.as_str().is_some_and(|user| user.split(':').all(number));
        assert!(named || (of_its_image && user.is_null()), "{name} runs as {user}");
    }
    let dockerfile = read("Dockerfile");
    let bases: Vec<_> = dockerfile.lines().filter(|line| line.starts_with("FROM gcr.io/")).collect();
    assert!(!bases.is_empty() && bases.iter().all(|base| base.contains(":nonroot")), "{bases:?}");
    assert!(!dockerfile.lines().any(|line| line.trim().starts_with("USER ")), "the user of the base is kept");
    // Every image is made of that base.
    for image in ["kms", "data", "gateway", "cli", "all"] {
        assert!(dockerfile.lines().any(|line| line == format!("FROM base AS {image}")), "{image}");
    }
}

#[test]
fn nobody_is_given_a_part_of_the_machine() {
    for (name, service) in services() {
        for setting in ["privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "volumes_from"] {
            assert!(service[setting].is_null(), "{name}: {setting} is {}", service[setting]);
        }
        let mounts = texts_within(&service["volumes"]);
        assert!(mounts.iter().all(|mount| !mount.starts_with('/') && !mount.contains("..")), "{mounts:?}");
        // A container that runs away is stopped before the machine is.
        assert!(service["pids_limit"].is_u64(), "{name} may start any number of processes");
        let limited = !service["mem_limit"].is_null()
            || texts_within(&service["command"]).join(" ").contains("--maxmemory");
        assert!(limited, "{name} may take all memory");
    }
}

#[test]
fn everything_starts_again_after_a_crash_though_it_was_sent_a_signal_before() {
    for (name, service) in services() {
        // `unless-stopped` takes a SIGHUP by hand for a wish that it end, and so does a service without a `stop_signal`.
        assert_eq!(service["restart"], json!("always"), "{name}");
        let stop = service["stop_signal"].as_str();
        assert!(stop.is_some_and(|signal| signal != "SIGHUP"), "{name}: {stop:?}");
    }
}

#[test]
fn a_stop_waits_longer_than_a_request_may_take() {
    let seconds = |value: &Value| -> u64 {
        let text = value.as_str().unwrap_or_default();
        text.strip_suffix('s').and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value}"))
    };
    let roll = read("roll");
    let waits = roll.split_once("--time ").and_then(|(_, rest)| rest.split_whitespace().next());
    let waits: u64 = waits.and_then(|text| text.parse().ok()).expect("roll says how long it waits");
    for name in ["kms", "data", "gateway"] {
        let service = &services()[name];
        let drain = &service["environment"][format!("COFFER_{}__HTTP__DRAIN_S", name.to_uppercase())];
        let needed = drain.as_u64().expect("it drains") + BODY_DEADLINE_S + STOP_AFTER_REQUESTS_S;
        let grace = seconds(&service["stop_grace_period"]);
        assert!(
            grace >= needed && waits >= needed,
            "{name}: {grace} s and {waits} s, but {needed} s are needed"
        );
    }
}

/// The default of `http.body_deadline_s`, and so of `http.shutdown_timeout_s`.
const BODY_DEADLINE_S: u64 = 60;
/// The internal listener, what services do at their end, and what the network has not taken yet.
const STOP_AFTER_REQUESTS_S: u64 = 30;
