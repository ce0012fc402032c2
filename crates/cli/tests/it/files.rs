//! Storing and fetching classic envelopes, and what does not depend on the envelope.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::fake::{Fake, Request, Response, State};
use crate::run::Home;

/// The plaintext of these tests, findable in whatever leaks it.
fn plaintext(bytes: usize) -> Vec<u8> {
    b"findable-plaintext ".iter().copied().cycle().take(bytes).collect()
}

#[test]
fn a_file_comes_back_as_it_was() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    for (name, bytes) in [("empty", 0), ("報告 2026.bin", 100_001), ("block", 4096)] {
        home.write(name, &plaintext(bytes));
        home.run(&["put", "--classic", name]).expect(0);
        home.run(&["get", name, "back", "--force"]).expect(0);
        assert_eq!(fs::read(home.path("back")).unwrap(), plaintext(bytes), "{name}");
    }
}

#[test]
fn standard_input_and_output_take_the_place_of_files() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run(&["put", "--classic", "-"]).expect(2);
    home.run_with(&["put", "--classic", "-", "notes/a"], &plaintext(1000), &[]).expect(0);
    assert_eq!(home.run(&["get", "notes/a", "-"]).expect(0).stdout, plaintext(1000));
}

#[test]
fn the_servers_see_nothing_of_the_plaintext() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run_with(&["put", "--classic", "-", "a"], &plaintext(1000), &[]).expect(0);
    home.run(&["get", "a"]).expect(0);
    let found = |bytes: &[u8]| bytes.windows(18).any(|window| window == b"findable-plaintext");
    for request in &server.state().requests {
        assert!(!found(&request.raw), "{}", request.path);
        let data = request.body["encrypted_data"].as_str().unwrap_or_default();
        assert!(!found(&BASE64.decode(data).unwrap()), "{}", request.path);
    }
    let key_exports = server.count("/api/v1/file-keys/export");
    assert_eq!(key_exports, 0, "the private key stays at the KMS");
}

#[test]
fn a_stored_file_is_not_overwritten_and_not_even_read() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.write("a", b"first");
    home.run(&["put", "--classic", "a"]).expect(0);
    let uploads = server.count("/upload");
    let refused = home.run(&["put", "--classic", "a"]).expect(6);
    assert!(refused.stderr.contains("choose another name"), "{}", refused.stderr);
    assert_eq!(server.count("/upload"), uploads);
}

/// A fake whose first upload gets no answer, after `meanwhile` did what it does to the stored files.
fn losing_the_first_answer(meanwhile: impl Fn(&Request, &mut State) + Send + Sync + 'static) -> Fake {
    let uploads = AtomicUsize::new(0);
    Fake::start_with(move |request, state| {
        let first = request.path == "/upload" && uploads.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| {
            meanwhile(request, state);
            Response::HangUp
        })
    })
}

#[test]
fn an_upload_whose_answer_is_lost_is_tried_again_and_known_by_its_content() {
    for kept in [true, false] {
        let server = losing_the_first_answer(move |request, state| {
            if kept {
                state.files.insert("a".into(), request.body.clone());
            }
        });
        let home = Home::logged_in(&server);
        home.run_with(&["put", "--classic", "-", "a"], &plaintext(1000), &[]).expect(0);
        assert_eq!(server.count("/upload"), 2, "kept: {kept}");
        assert_eq!(home.run(&["get", "a", "-"]).expect(0).stdout, plaintext(1000), "kept: {kept}");
    }
}

#[test]
fn a_name_that_was_taken_meanwhile_is_no_success() {
    let server = losing_the_first_answer(|request, state| {
        let mut other = request.body.clone();
        other["encrypted_data"] = "b3RoZXI=".into();
        state.files.insert("a".into(), other);
    });
    let home = Home::logged_in(&server);
    home.run_with(&["put", "--classic", "-", "a"], &plaintext(1000), &[]).expect(6);
}

#[test]
fn a_local_file_is_not_overwritten_and_nothing_is_fetched_for_it() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run_with(&["put", "--classic", "-", "a"], &plaintext(10), &[]).expect(0);
    home.write("a", b"precious");
    let refused = home.run(&["get", "a"]).expect(6);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fs::read(home.path("a")).unwrap(), b"precious");
    assert_eq!(server.count("/download"), 0);
    home.run(&["get", "a", "--force"]).expect(0);
    assert_eq!(fs::read(home.path("a")).unwrap(), plaintext(10));
}

#[test]
fn a_damaged_file_leaves_nothing_behind() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run_with(&["put", "--classic", "-", "a"], &plaintext(10), &[]).expect(0);
    let before = home.entries();
    for (field, damage) in [("encrypted_data", "AAAA"), ("encrypted_data", ""), ("encrypted_aes_key", "AAAA")]
    {
        let whole = server.state().files["a"].clone();
        server.state().files.get_mut("a").unwrap()[field] = damage.into();
        let refused = home.run(&["get", "a"]).expect(9);
        assert!(refused.stderr.starts_with("error: a"), "{}", refused.stderr);
        server.state().files.insert("a".into(), whole);
    }
    assert_eq!(home.entries(), before);
}

#[test]
fn a_name_that_would_leave_the_folder_is_refused_before_any_request() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    let before = server.state().requests.len();
    for name in ["../a", "/etc/passwd", "a/../../b", ""] {
        home.run(&["get", name]).expect(2);
        home.run(&["put", "--classic", "password", name]).expect(2);
    }
    assert_eq!(server.state().requests.len(), before);
}

#[test]
fn a_listing_cannot_command_the_terminal() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    server.state().files.insert("a\u{1b}[31m".into(), serde_json::Value::Null);
    let listed = home.run(&["ls"]).expect(0);
    assert!(listed.text().contains("a\\u{1b}[31m"), "{}", listed.text());
    let listed = home.run(&["ls", "--json"]).expect(0);
    assert_eq!(listed.json()[0]["name"], "a\u{1b}[31m");
    assert_eq!(listed.json()[0]["owner"], "ann@example.com");
}

#[test]
fn a_listing_goes_through_all_pages() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    for name in ["a", "b", "c", "d", "e"] {
        server.state().files.insert(name.into(), serde_json::Value::Null);
    }
    let listed = home.run(&["ls", "--json"]).expect(0).json();
    let names: Vec<_> =
        listed.as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    assert_eq!(server.count("/api/v1/files"), 3);
}
