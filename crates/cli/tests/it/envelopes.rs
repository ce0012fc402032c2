//! Storing and fetching envelopes of version 1, also from a data service that lies.

use std::fs;

use coffer_core::{FileId, Random as _, SystemRandom};
use coffer_crypto::envelope::{Details, Options, PREFIX_BYTES, Recipient, Sealer};
use coffer_crypto::filekey::PublicKey;

use crate::fake::{Fake, Response};
use crate::run::Home;

/// The plaintext of these tests, findable in whatever leaks it.
fn plaintext(bytes: usize) -> Vec<u8> {
    b"findable-plaintext ".iter().copied().cycle().take(bytes).collect()
}

#[test]
fn a_file_of_any_length_comes_back_as_it_was() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    for (name, bytes) in [("empty", 0), ("報告 2026.bin", 100_001), ("a/b/c 50%?", 65_536), ("long", 3 << 20)]
    {
        home.write("source", &plaintext(bytes));
        home.run(&["put", "source", name]).expect(0);
        home.run(&["get", name, "back", "--force"]).expect(0);
        assert_eq!(fs::read(home.path("back")).unwrap(), plaintext(bytes), "{name}");
    }
    home.run_with(&["put", "-", "notes"], &plaintext(1000), &[]).expect(0);
    assert_eq!(home.run(&["get", "notes", "-"]).expect(0).stdout, plaintext(1000));
}

#[test]
fn nobody_sees_the_plaintext_and_the_key_stays_at_the_kms() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run_with(&["put", "-", "a"], &plaintext(200_000), &[]).expect(0);
    home.run(&["get", "a"]).expect(0);
    for request in &server.state().requests {
        assert!(!request.raw.windows(18).any(|window| window == b"findable-plaintext"), "{}", request.path);
    }
    assert_eq!(server.count("/api/v1/file-keys/export"), 0);
    assert_eq!(server.count("/api/v1/file-keys/unwrap"), 0);
}

#[test]
fn storing_again_makes_a_version_and_each_can_be_had() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run_with(&["put", "-", "a"], b"first", &[]).expect(0);
    let stored = home.run_with(&["--json", "put", "-", "a"], b"second", &[]).expect(0).json();
    assert_eq!((&stored["version"], &stored["size_bytes"]), (&2.into(), &6.into()));
    assert_eq!(home.run(&["get", "a", "-"]).expect(0).stdout, b"second");
    assert_eq!(home.run(&["get", "a", "-", "--version", "1"]).expect(0).stdout, b"first");
    home.run(&["get", "a", "-", "--version", "3"]).expect(5);
    home.run_with(&["put", "--no-replace", "-", "a"], b"third", &[]).expect(6);
    assert_eq!(server.state().native["a"].published, 2);
}

#[test]
fn a_version_that_its_writer_could_not_publish_is_published_by_its_first_reader() {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    home.run_with(&["put", "-", "a"], b"first", &[]).expect(0);
    server.state().native.get_mut("a").unwrap().published = 0;
    home.run(&["get", "a", "-"]).expect(0);
    assert_eq!(server.state().native["a"].published, 1);
}

/// A file of several frames, of which there are two versions, at a data service that then does `harm` to what it hands
/// out.
fn harmed(harm: impl Fn(&Fake)) -> String {
    let server = Fake::start();
    let home = Home::logged_in(&server);
    for bytes in [200_000, 300_000] {
        home.run_with(&["put", "-", "a"], &blocks(bytes), &[]).expect(0);
    }
    harm(&server);
    let before = home.entries();
    let refused = home.run(&["get", "a"]).expect(9);
    assert_eq!(home.entries(), before, "nothing is left behind");
    refused.stderr
}

/// Bytes that LZ4 does not shrink.
fn blocks(bytes: usize) -> Vec<u8> {
    let mut random = vec![0; bytes];
    SystemRandom.fill(&mut random);
    random
}

fn present(server: &Fake, change: impl FnOnce(&mut Vec<u8>)) {
    let mut state = server.state();
    let (_, mut envelope) = state.native.get_mut("a").unwrap().kept.last_entry().unwrap().remove_entry();
    change(&mut envelope);
    state.native.get_mut("a").unwrap().kept.insert(2, envelope);
}

/// Where the first frame begins: behind the prefix and the stanza section.
fn body(envelope: &[u8]) -> usize {
    let section = envelope[PREFIX_BYTES..PREFIX_BYTES + 4].try_into().unwrap();
    PREFIX_BYTES + 4 + u32::from_be_bytes(section) as usize
}

#[test]
fn a_data_service_that_truncates_is_caught() {
    for left_percent in [99, 50, 20] {
        let told = harmed(|server| {
            present(server, |envelope| envelope.truncate(envelope.len() * left_percent / 100));
        });
        assert!(told.contains("cut short"), "{told}");
    }
}

#[test]
fn a_data_service_that_reorders_or_changes_is_caught() {
    let told = harmed(|server| {
        present(server, |envelope| {
            let (first, sealed) = (body(envelope), 4 + 65_536 + 17);
            let (one, other) = envelope[first..].split_at_mut(sealed);
            one.swap_with_slice(&mut other[..sealed]);
        });
    });
    assert!(told.contains("frame 0 is not as it was sealed"), "{told}");
    let told = harmed(|server| {
        present(server, |envelope| {
            let place = body(envelope) + 100_000;
            envelope[place] ^= 1;
        });
    });
    assert!(told.contains("frame 1 is not as it was sealed"), "{told}");
    let told = harmed(|server| present(server, |envelope| envelope.extend([0; 5000])));
    assert!(told.contains("appended"), "{told}");
    let told = harmed(|server| {
        present(server, |envelope| {
            let end = body(envelope) - 1;
            envelope[end] ^= 1;
        });
    });
    assert!(told.contains("stanza section is not this envelope's"), "{told}");
}

#[test]
fn a_data_service_that_rolls_back_is_caught() {
    let told = harmed(|server| drop(server.state().native.get_mut("a").unwrap().kept.remove(&2)));
    assert!(told.contains("later version"), "{told}");
    let told = harmed(|server| {
        let first = server.state().native["a"].kept[&1].clone();
        present(server, |envelope| *envelope = first);
    });
    assert!(told.contains("not registered"), "under the number of the later one: {told}");
}

#[test]
fn a_data_service_that_swaps_or_forges_is_caught() {
    let told = harmed(|server| {
        let home = Home::logged_in(server);
        home.run_with(&["put", "-", "other"], b"another file", &[]).expect(0);
        let other = server.state().native["other"].kept[&1].clone();
        present(server, |envelope| *envelope = other);
    });
    assert!(told.contains("not registered"), "{told}");
    let told = harmed(|server| {
        let public = server.state().keys["a"].public_key_pem_spki();
        let forged = forge(&PublicKey::from_pem(&public).unwrap());
        present(server, |envelope| *envelope = forged);
    });
    assert!(told.contains("not registered"), "{told}");
    let told = harmed(|server| present(server, |envelope| *envelope = b"no envelope at all".repeat(10)));
    assert!(told.contains("not an envelope"), "{told}");
}

/// An envelope in order, for the right file key, by somebody who may not write.
fn forge(key: &PublicKey) -> Vec<u8> {
    let mut sealer = Sealer::new(&SystemRandom, Options::default()).unwrap();
    let file_key: FileId = "0190163d-8694-739b-aea5-966c26f8ad92".parse().unwrap();
    let mut envelope = sealer.head(&[Recipient { file_key, version: 1, key }]).unwrap().to_bytes();
    sealer.push(b"forged", &mut envelope).unwrap();
    sealer.finish(Details::default(), &SystemRandom, &mut envelope).unwrap();
    envelope
}

#[test]
fn a_version_that_was_asked_for_is_not_another() {
    let server = Fake::start_with(|request, state| {
        let asked = request.path == "/api/v1/files/a" && request.query.contains_key("version");
        asked.then(|| {
            let headers = vec![("etag", "\"2\"".to_owned()), ("coffer-file-version", "2".to_owned())];
            Response::Answer(200, headers, state.native["a"].kept[&2].clone())
        })
    });
    let home = Home::logged_in(&server);
    for text in ["first", "second"] {
        home.run_with(&["put", "-", "a"], text.as_bytes(), &[]).expect(0);
    }
    home.run(&["get", "a", "-", "--version", "1"]).expect(9);
}

#[test]
fn a_connection_that_breaks_leaves_nothing_behind() {
    let server = Fake::start_with(|request, state| {
        let broken = request.method == "GET" && request.path == "/api/v1/files/a";
        let headers = vec![("etag", "\"1\"".to_owned()), ("coffer-file-version", "1".to_owned())];
        broken.then(|| Response::BreakOff(headers, state.native["a"].kept[&1][..100_000].to_vec()))
    });
    let home = Home::logged_in(&server);
    home.run_with(&["put", "-", "a"], &blocks(200_000), &[]).expect(0);
    let before = home.entries();
    home.run(&["get", "a"]).expect(7);
    assert_eq!(home.entries(), before);
}
