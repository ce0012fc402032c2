//! How failures look to people and to programs.

use coffer_api::ErrorCode;
use serde_json::{Value, json};

use crate::fake::{Fake, Response, problem};
use crate::run::{Ended, Home};

/// `coffer whoami` where the KMS answers with `code`.
fn whoami(code: ErrorCode, arguments: &[&str]) -> Ended {
    let server = Fake::start_with(move |request, _| {
        (request.path == "/api/v1/me").then(|| problem(code).with("retry-after", "42"))
    });
    Home::logged_in(&server).run(&[&["whoami"], arguments].concat())
}

#[test]
fn every_refusal_has_its_exit_code() {
    for (code, exit) in [
        (ErrorCode::InvalidSession, 3),
        (ErrorCode::AccessDenied, 4),
        (ErrorCode::PermissionDenied, 4),
        (ErrorCode::SecondFactorRequired, 4),
        (ErrorCode::FileNotFound, 5),
        (ErrorCode::UserNotFound, 5),
        (ErrorCode::FileExists, 6),
        (ErrorCode::Unavailable, 7),
        (ErrorCode::RateLimited, 10),
        (ErrorCode::InvalidInput, 2),
        (ErrorCode::UnwrapFailed, 9),
        (ErrorCode::Internal, 1),
    ] {
        whoami(code, &[]).expect(exit);
    }
}

#[test]
fn who_has_to_wait_is_told_how_long() {
    for code in [ErrorCode::RateLimited, ErrorCode::Unavailable] {
        let refused = whoami(code, &[]);
        assert!(refused.stderr.contains("try again in 42 s"), "{}", refused.stderr);
    }
}

#[test]
fn who_registers_twice_is_told_every_way_on() {
    let server = Fake::start_with(|request, _| {
        (request.path == "/api/v1/registrations").then(|| problem(ErrorCode::UserExists))
    });
    let home = Home::new(&server);
    let refused = home.run(&["register", "ann@example.com", "--password-file", "password"]).expect(6);
    for way in
        ["register ann@example.com --resend", "login ann@example.com", "password reset ann@example.com"]
    {
        assert!(refused.stderr.contains(&format!("coffer {way}")), "{}", refused.stderr);
    }
}

#[test]
fn a_file_that_is_too_large_for_the_server_is_told_how_much_fits() {
    let server = Fake::start_with(|request, _| {
        let refusal = json!({ "code": 413, "message": "body_too_large" });
        (request.path == "/upload").then(|| Response::json(413, &refusal))
    });
    let home = Home::logged_in(&server);
    let refused = home.run_with(&["put", "--classic", "-", "a"], b"x", &[]).expect(2);
    assert!(refused.stderr.contains("47 MiB"), "{}", refused.stderr);
}

#[test]
fn an_ended_session_says_how_to_log_in() {
    assert!(whoami(ErrorCode::InvalidSession, &[]).stderr.contains("coffer login"));
    let server = Fake::start();
    assert!(Home::new(&server).run(&["ls"]).expect(3).stderr.contains("coffer login"));
}

#[test]
fn with_json_a_failure_is_one_line_on_standard_error_and_output_stays_empty() {
    let refused = whoami(ErrorCode::RateLimited, &["--json"]).expect(10);
    assert!(refused.stdout.is_empty());
    assert_eq!(refused.stderr.lines().count(), 1);
    let failure: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(failure["error"], "rate_limited");
    assert_eq!(failure["exit"], 10);
    assert_eq!(failure["code"], "rate_limited");
    assert_eq!(failure["retry_after_s"], 42);
}

#[test]
fn with_json_a_wrong_command_line_is_one_line_too() {
    let server = Fake::start();
    let home = Home::new(&server);
    for arguments in [&["--json", "put"][..], &["--json", "get", "../a"], &["nonsense", "--json"]] {
        let refused = home.run(arguments).expect(2);
        let failure: Value = serde_json::from_str(&refused.stderr).unwrap();
        assert_eq!(failure["error"], "usage", "{arguments:?}");
        assert!(refused.stdout.is_empty());
    }
}

#[test]
fn with_json_output_is_one_document() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    let stored = home.run_with(&["--json", "put", "-", "a"], b"x", &[]).expect(0);
    assert_eq!((&stored.json()["name"], &stored.json()["size_bytes"]), (&"a".into(), &1.into()));
    assert!(stored.stderr.is_empty(), "{}", stored.stderr);
    assert_eq!(home.run(&["--json", "get", "a"]).expect(0).json()["path"], "a");
    assert_eq!(home.run(&["--json", "share", "a", "bob@example.com"]).expect(0).json()["permission"], "read");
    home.run(&["--json", "get", "a", "-"]).expect(2);
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let server = Fake::start();
    let home = Home::new(&server);
    let login = ["--kms", "http://127.0.0.1:1", "login", "ann@example.com", "--password-file", "password"];
    let refused = home.run(&login).expect(7);
    let said = "error: cannot reach http://127.0.0.1:1: Connection refused (os error 111)\nhint: ";
    assert!(refused.stderr.starts_with(said), "{}", refused.stderr);
}

#[test]
fn an_expiry_that_makes_no_sense_is_refused_before_any_request() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    for expiry in ["yesterday", "2020-01-01", "0d"] {
        home.run(&["share", "a", "bob@example.com", "--expires", expiry]).expect(2);
    }
    assert_eq!(server.count("/api/v1/grants"), 0);
    home.run(&["share", "a", "bob@example.com", "--write", "--expires", "7d"]).expect(0);
    let state = server.state();
    assert_eq!(state.requests.last().unwrap().body["permission"], "write");
    assert!(state.requests.last().unwrap().body["expires_at"].is_string());
}

#[test]
fn a_completion_script_needs_no_settings() {
    let server = Fake::start();
    let home = Home::new(&server);
    for shell in ["bash", "zsh", "fish"] {
        assert!(home.run(&["completions", shell]).expect(0).text().contains("unshare"), "{shell}");
    }
    assert!(!home.path("config").exists());
}
