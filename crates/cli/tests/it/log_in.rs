//! Logging in, and who may see the session that comes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::fake::{CODE, Fake, PASSWORD, Response, TOKEN};
use crate::run::Home;

#[test]
fn without_a_terminal_logging_in_takes_two_runs() {
    let server = Fake::start();
    let home = Home::new(&server);
    let first = home.run(&["login", "ann@example.com", "--password-file", "password"]).expect(8);
    assert!(first.stderr.contains("coffer login ann@example.com --code"), "{}", first.stderr);
    home.run(&["whoami"]).expect(3);
    home.run(&["login", "ann@example.com", "--code", CODE]).expect(0);
    assert!(home.run(&["whoami"]).expect(0).text().starts_with("ann@example.com (employee)"));
}

#[test]
fn a_password_may_come_from_standard_input() {
    let server = Fake::start();
    let home = Home::new(&server);
    let line = format!("{PASSWORD}\n");
    let login = ["login", "ann@example.com", "--password-file", "-"];
    home.run_with(&login, line.as_bytes(), &[]).expect(8);
    home.run_with(&login, b"wrong password\n", &[]).expect(3);
    home.run(&["login", "ann@example.com"]).expect(2);
}

#[test]
fn a_code_may_come_from_standard_input() {
    let server = Fake::start();
    let home = Home::new(&server);
    let login = ["login", "ann@example.com", "--code", "-"];
    home.run_with(&login, b"12345\n", &[]).expect(2);
    home.run_with(&login, b"", &[]).expect(2);
    home.run_with(&login, format!("{CODE}\n").as_bytes(), &[]).expect(0);
    home.run(&["whoami"]).expect(0);
    let both = ["password", "reset", "ann@example.com", "--code", "-", "--new-password-file", "-"];
    assert!(home.run(&both).expect(2).stderr.contains("not both"));
}

#[test]
fn a_session_is_kept_in_files_for_their_owner_alone_and_shown_nowhere() {
    let server = Fake::start();
    let home = Home::new(&server);
    for arguments in [&["login", "ann@example.com", "--code", CODE][..], &["whoami"], &["--json", "whoami"]] {
        let run = home.run(arguments).expect(0);
        assert!(!run.text().contains(TOKEN) && !run.stderr.contains(TOKEN), "{arguments:?}");
    }
    for file in home.settings() {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        assert!(!fs::read_to_string(&file).unwrap().contains(PASSWORD));
    }
}

#[test]
fn a_session_goes_to_no_other_server() {
    let (server, other) = (Fake::start(), Fake::start());
    let home = Home::logged_in(&server);
    home.run(&["whoami", "--kms", &other.url]).expect(3);
    home.run(&["ls", "--data", &other.url]).expect(3);
    home.run_with(&["ls"], b"", &[("COFFER_DATA_URL", &other.url)]).expect(3);
    assert!(other.state().requests.is_empty());
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Fake::start();
    let target = format!("{}/api/v1/me", other.url);
    let server = Fake::start_with(move |request, _| {
        let moved = Response::json(307, &serde_json::Value::Null).with("location", &target);
        (request.path == "/api/v1/me").then_some(moved)
    });
    Home::logged_in(&server).run(&["whoami"]).expect(1);
    assert!(other.state().requests.is_empty());
}

#[test]
fn a_file_with_a_session_that_others_can_read_is_not_used() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    for file in home.settings() {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let refused = home.run(&["whoami"]).expect(1);
    assert!(refused.stderr.contains("chmod 600"), "{}", refused.stderr);
}

#[test]
fn logging_out_forgets_the_session_also_when_the_server_is_gone() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run(&["logout"]).expect(0);
    home.run(&["whoami"]).expect(3);
    assert_eq!(server.count("/api/v1/sessions/current"), 1);
    home.run(&["logout"]).expect(0);

    let failing = Fake::start_with(|request, _| (request.method == "DELETE").then_some(Response::HangUp));
    let home = Home::logged_in(&failing);
    home.run(&["logout"]).expect(7);
    home.run(&["whoami"]).expect(3);
}

#[test]
fn a_recognised_device_says_so_at_the_next_log_in() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run(&["logout"]).expect(0);
    home.run(&["login", "ann@example.com", "--password-file", "password"]).expect(8);
    let state = server.state();
    assert_eq!(state.requests.last().unwrap().body["device"], "device-1");
}

#[test]
fn the_profile_remembers_its_servers_and_keeps_its_own_sessions() {
    let server = Fake::start();
    let home = Home::logged_in(&server).without_addresses();
    home.run(&["whoami"]).expect(0);
    home.run(&["ls"]).expect(0);
    home.run(&["whoami", "--profile", "work"]).expect(3);
    home.run(&["whoami", "--profile", "../default"]).expect(2);
}

#[test]
fn registering_takes_two_runs_too() {
    let server = Fake::start();
    let home = Home::new(&server);
    let first = home.run(&["register", "ann@example.com", "--password-file", "password"]).expect(8);
    assert!(first.stderr.contains("coffer register ann@example.com --code"), "{}", first.stderr);
    home.run(&["register", "ann@example.com", "--code", CODE]).expect(0);
    home.write("short", b"short\n");
    home.run(&["register", "ann@example.com", "--password-file", "short"]).expect(2);
    home.run(&["register", "not-an-address", "--password-file", "password"]).expect(2);
}
