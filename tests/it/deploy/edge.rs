//! haproxy.cfg: one that `HAProxy` takes, and that leads where compose.yaml says.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use coffer_api::Problem;
use coffer_api::problem::PROBLEM_JSON;
use serde_json::json;

use super::{ports, read, secrets, services, texts};

/// Sections by their kind and name, such as `backend kms`, with their lines.
fn sections() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in read("edge/haproxy.cfg").lines() {
        let words = line.split('#').next().unwrap_or_default().split_whitespace();
        let words = words.collect::<Vec<_>>().join(" ");
        if words.is_empty() || words.starts_with('.') {
            continue;
        }
        if line.starts_with(' ') {
            found.get_mut(&current).expect("a line belongs to a section").push(words);
        } else {
            found.insert(words.clone(), Vec::new());
            current = words;
        }
    }
    found
}

/// The sections of one kind, by their names.
fn of_kind(kind: &str) -> BTreeMap<String, Vec<String>> {
    let named = |(section, lines): (String, Vec<String>)| {
        Some((section.strip_prefix(&format!("{kind} "))?.to_owned(), lines))
    };
    sections().into_iter().filter_map(named).collect()
}

#[test]
fn the_configuration_is_one_that_haproxy_takes() {
    let place = tempfile::tempdir().expect("a folder");
    let certificate = secrets::make_in(place.path()).join("edge_certificate.pem");
    let text = read("edge/haproxy.cfg");
    let text = text.replace("/run/secrets/edge_certificate", &certificate.display().to_string());
    let file = place.path().join("haproxy.cfg");
    fs::write(&file, text).expect("it can be written");
    let checked = Command::new("/usr/sbin/haproxy").args(["-c", "-f"]).arg(&file).output();
    let checked = checked.expect("haproxy is installed, as scripts/test does");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && !said.contains("WARNING"), "{said}");
}

#[test]
fn every_way_leads_somewhere_and_every_end_is_reached() {
    let (frontends, backends) = (of_kind("frontend"), of_kind("backend"));
    let mut reached = Vec::new();
    for (name, lines) in &frontends {
        let Some(backend) = lines.iter().find_map(|line| line.strip_prefix("default_backend ")) else {
            assert!(lines.iter().any(|line| line.starts_with("monitor-uri")), "{name} leads nowhere");
            continue;
        };
        assert!(backends.contains_key(backend), "{name} leads to {backend}");
        reached.push(backend.to_owned());
    }
    for name in backends.keys() {
        assert!(reached.contains(name), "nothing leads to {name}");
    }
}

#[test]
fn the_world_reaches_the_public_listeners_and_nothing_else() {
    let frontends = of_kind("frontend");
    let leads = |name: &str| {
        frontends[name].iter().filter(|line| line.contains("_backend ")).cloned().collect::<Vec<_>>()
    };
    let mut published = Vec::new();
    for (name, lines) in &frontends {
        let port =
            lines.iter().find_map(|line| line.strip_prefix("bind :")?.split(' ').next()?.parse::<u16>().ok());
        if ports(&services()["edge"]).iter().any(|one| Some(one.inner) == port) {
            published.push((name.as_str(), leads(name)));
        }
    }
    let expected = [("data_tls", "data"), ("gateway_tls", "gateway"), ("kms_tls", "kms")];
    assert_eq!(published, expected.map(|(name, backend)| (name, vec![format!("default_backend {backend}")])));
    for section in ["frontend", "backend"] {
        for (name, lines) in of_kind(section) {
            assert!(
                !lines.iter().any(|line| line.starts_with("use-server") || line.contains(" unix@")),
                "{name}"
            );
        }
    }
}

#[test]
fn tls_is_what_is_taken_to_be_safe() {
    let global = sections().remove("global").expect("there is a global section");
    let of = |setting: &str| -> Vec<&str> {
        global.iter().filter_map(|line| line.strip_prefix(setting)?.strip_prefix(' ')).collect()
    };
    assert_eq!(of("ssl-default-bind-options"), ["ssl-min-ver TLSv1.2 no-tls-tickets"]);
    // With forward secrecy and authenticated encryption, as RFC 9325 asks for.
    let ciphers = of("ssl-default-bind-ciphers");
    let good = |cipher: &str| cipher.starts_with("ECDHE-") && cipher.contains("-GCM-");
    assert!(ciphers.len() == 1 && ciphers[0].split(':').all(good), "{ciphers:?}");
    for (name, lines) in of_kind("frontend") {
        for bind in lines.iter().filter(|line| line.contains(" ssl ")) {
            assert!(
                bind.ends_with(" ssl crt /run/secrets/edge_certificate alpn h2,http/1.1"),
                "{name}: {bind}"
            );
        }
    }
}

#[test]
fn what_the_world_sends_says_where_it_comes_from_and_answers_ask_for_tls() {
    for (name, lines) in of_kind("frontend") {
        if !lines.iter().any(|line| line.contains(" ssl ")) {
            continue;
        }
        // Set, not added: whoever sends such a header himself must not be believed.
        for line in [
            "http-request set-header X-Forwarded-For %[src]",
            "http-request set-header X-Forwarded-Proto https",
        ] {
            assert!(lines.iter().any(|found| found == line), "{name}: {line}");
        }
        let forwarded = lines.iter().filter(|line| line.to_lowercase().contains("forwarded")).count();
        assert_eq!(forwarded, 2, "{name} says more of where a request comes from");
        // After all responses: those of the edge itself as well.
        let asked =
            |line: &String| line.starts_with("http-after-response set-header Strict-Transport-Security ");
        assert!(lines.iter().any(asked), "{name}");
    }
}

#[test]
fn the_answers_of_the_edge_itself_are_problem_documents_of_known_codes() {
    let defaults = sections().remove("defaults").expect("there are defaults");
    let mut answered = Vec::new();
    for line in defaults.iter().filter_map(|line| line.strip_prefix("http-error status ")) {
        let (status, rest) = line.split_once(' ').expect("a status");
        assert!(rest.starts_with(&format!("content-type {PROBLEM_JSON} string '")), "{line}");
        let (body, headers) =
            rest.split_once('\'').and_then(|(_, rest)| rest.split_once('\'')).expect("a body");
        let problem: Problem = serde_json::from_str(body).expect("a problem document");
        let code = problem.error_code().unwrap_or_else(|| panic!("no such code: {}", problem.code));
        assert_eq!((problem.status.to_string(), &*problem.title), (status.to_owned(), code.title()));
        assert_eq!(problem.kind, Problem::of(code).kind);
        assert_eq!(headers.contains("hdr Retry-After "), ["503", "504"].contains(&status), "{line}");
        answered.push(status.to_owned());
    }
    assert_eq!(answered, ["400", "408", "502", "503", "504"]);
}

#[test]
fn small_bodies_are_awaited_so_that_a_refusal_arrives() {
    let defaults = sections().remove("defaults").expect("there are defaults");
    assert!(defaults.iter().any(|line| line == "option http-buffer-request"));
}

#[test]
fn replicas_are_asked_whether_they_are_ready_where_they_say_so() {
    let services = services();
    for (backend, service, public, internal) in [
        ("kms", "kms", 3000, 3001),
        ("kms_internal", "kms", 3001, 3001),
        ("data", "data", 4000, 4001),
        ("data_internal", "data", 4001, 4001),
        ("gateway", "gateway", 8000, 8001),
    ] {
        assert!(services.contains_key(service), "{service}");
        let lines = &of_kind("backend")[backend];
        assert!(lines.iter().any(|line| line == "option httpchk GET /readyz"), "{backend}");
        // A body must not be sent twice.
        assert!(
            lines.iter().any(|line| line == "http-request disable-l7-retry unless METH_GET"),
            "{backend}"
        );
        let server = lines.iter().find_map(|line| line.strip_prefix("server-template "));
        let server = server.unwrap_or_else(|| panic!("{backend} has no replicas"));
        assert!(server.contains(&format!(" {service}:{public}")), "{backend}: {server}");
        assert!(public == internal || server.ends_with(&format!(" port {internal}")), "{backend}: {server}");
    }
}

#[test]
fn the_edge_says_that_it_is_healthy_to_its_own_container_alone() {
    let lines = &of_kind("frontend")["health"];
    let port = lines.iter().find_map(|line| line.strip_prefix("bind 127.0.0.1:")).expect("on loopback");
    let edge = &services()["edge"];
    let check = texts(&edge["healthcheck"]["test"]).join(" ");
    assert!(check.contains(&format!("/dev/tcp/127.0.0.1/{port}")) && check.contains("/healthz"), "{check}");
    assert!(ports(edge).iter().all(|published| published.inner.to_string() != port));
    for name in ["data", "gateway"] {
        assert_eq!(services()[name]["depends_on"]["edge"]["condition"], json!("service_healthy"), "{name}");
    }
}
