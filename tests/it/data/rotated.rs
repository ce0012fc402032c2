//! What a rotation leaves behind: every kept version opens, for the new version of the key alone.

use coffer_api::ErrorCode;
use coffer_api::file_keys::{Covers, CreateFileKey, DestroyFileKey, RotateFileKey};
use coffer_client::FileAt;
use coffer_crypto::envelope::Head;
use coffer_tests::until;
use serde_json::Value;

use super::registered::{Person, noise};
use super::*;

fn rotate(name: &str) -> RotateFileKey {
    RotateFileKey { name: name.into(), if_version: None }
}

fn destroy(name: &str) -> DestroyFileKey {
    DestroyFileKey { name: name.into(), up_to: None, force: false }
}

/// Waits until everything that is kept is wrapped for the newest version of its key.
async fn moved(person: &Person, name: &str) {
    until("what is kept was moved", std::time::Duration::from_secs(20), || async {
        !person.kms.file_key_versions(name).await.expect("it is there").moving
    })
    .await;
}

#[tokio::test]
async fn every_kept_version_and_what_is_in_the_trash_opens_for_the_new_key_alone() {
    for stack in [Stack::all().start().await, Stack::separate().start().await] {
        let ann = Person::at(&stack, &stack.user("ann").await, 0);
        ann.kms.create_file_key(&CreateFileKey { name: "d".into(), covers: Covers::Folder }).await.unwrap();
        let small = b"small".to_vec();
        let large = noise(7, 300_000);
        for name in ["own", "d/a", "d/e/b"] {
            assert_eq!(ann.put(name, &small).await.unwrap(), 1);
            assert_eq!(ann.put(name, &large).await.unwrap(), 2);
        }
        ann.data.delete_file(FileAt::own("d/e/b")).await.unwrap();
        let before = ann.data.head_file(FileAt::own("own"), None).await.unwrap();
        for (key, names) in [("own", &["own"][..]), ("d", &["d/a", "d/e/b"])] {
            assert_eq!(ann.kms.rotate_file_key(&rotate(key)).await.unwrap().newest, 2);
            moved(&ann, key).await;
            for name in names {
                for (version, plaintext) in [(1, &small), (2, &large)] {
                    let read = ann.read(name, Some(version)).await.unwrap();
                    assert!(read.plaintext == *plaintext && read.key_version == 2, "{name} {version}");
                }
            }
        }
        let after = ann.data.head_file(FileAt::own("own"), None).await.unwrap();
        assert!(after.etag != before.etag && after.version == before.version, "its bytes are other ones");
        assert_eq!(ann.put("own", &small).await.unwrap(), 3);

        let left = ann.kms.destroy_file_key(&destroy("own")).await.unwrap();
        assert_eq!((left.oldest, left.newest), (2, 2));
        ann.kms.destroy_file_key(&destroy("d")).await.unwrap();
        ann.data.restore_file("d/e/b").await.unwrap();
        for (name, version, plaintext) in
            [("own", 1, &small), ("own", 2, &large), ("own", 3, &small), ("d/e/b", 2, &large)]
        {
            assert!(ann.read(name, Some(version)).await.unwrap().plaintext == *plaintext, "{name} {version}");
        }
        assert!(ann.read("d/e/b", None).await.unwrap().plaintext == large);
    }
}

#[tokio::test]
async fn old_stanzas_open_until_their_key_is_destroyed_and_nothing_that_needs_it_is_taken_in_then() {
    let stack = Stack::all().start().await;
    let user = stack.user("ann").await;
    let ann = Person::at(&stack, &user, 0);
    ann.put("f", b"one").await.unwrap();
    let (_, old) = get(&ann.data, "f", None).await.unwrap();
    let first = ann.key("f").await.unwrap();
    ann.kms.rotate_file_key(&rotate("f")).await.unwrap();
    moved(&ann, "f").await;
    ann.content_key("f", (1, true), &old).await.expect("a reader may have fetched it just before");
    // An upload that began before the rotation and ends after it.
    ann.put_for(&first, "f", b"two").await.unwrap();
    assert_eq!(ann.read("f", None).await.unwrap().key_version, 1);
    let left = ann.kms.destroy_file_key(&destroy("f")).await.unwrap();
    assert_eq!((left.oldest, left.newest), (2, 2));
    assert_eq!(ann.read("f", None).await.unwrap().key_version, 2, "it was moved before");
    let rolled_back = ann.content_key("f", (1, false), &old).await.unwrap_err();
    assert_eq!(rolled_back.code(), Some(ErrorCode::KeyVersionDestroyed));
    let late = ann.put_for(&first, "f", b"three").await.unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::KeyVersionDestroyed));
    let newest = DestroyFileKey { up_to: Some(2), ..destroy("f") };
    let refused = ann.kms.destroy_file_key(&newest).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::InvalidInput));
}

#[tokio::test]
async fn what_cannot_be_moved_keeps_its_key_unless_that_is_forced() {
    let stack = Stack::all().start().await;
    let user = stack.user("ann").await;
    let (ann, bob) = (Person::at(&stack, &user, 0), Person::at(&stack, &stack.user("bob").await, 0));
    ann.put("f", b"one").await.unwrap();
    // Stored as a version that is registered, but its stanzas were spoiled on the way.
    let (_, bytes) = get(&ann.data, "f", None).await.unwrap();
    let length = Head::length(bytes.first_chunk().unwrap()).unwrap();
    let mut spoiled = bytes.clone();
    spoiled[length - 40] ^= 1;
    let hash = coffer_api::PrefixHash::from_bytes(Head::parse(&bytes[..length]).unwrap().prefix.hash());
    let items = vec![coffer_api::file_versions::NewVersion { name: "f".into(), prefix_hash: hash }];
    let register = coffer_api::file_versions::RegisterVersions { owner: None, items };
    assert_eq!(ann.kms.register_versions(&register).await.unwrap().items[0].version, 2);
    put(&ann.data, "f", 2, &spoiled).await.unwrap();
    for stranger in [&bob] {
        let refused = stranger.kms.rotate_file_key(&rotate("f")).await.unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::PermissionDenied));
        let refused = stranger.kms.destroy_file_key(&destroy("f")).await.unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::PermissionDenied));
    }
    ann.kms.rotate_file_key(&rotate("f")).await.unwrap();
    moved(&ann, "f").await;
    let refused = ann.kms.destroy_file_key(&destroy("f")).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::KeyVersionInUse));
    assert_eq!(ann.read("f", Some(1)).await.unwrap().key_version, 2);
    let forced = DestroyFileKey { force: true, ..destroy("f") };
    assert_eq!(ann.kms.destroy_file_key(&forced).await.unwrap().oldest, 2);
    assert_eq!(ann.read("f", Some(1)).await.unwrap().plaintext, b"one");
}

#[tokio::test]
async fn a_classic_file_opens_with_the_key_that_is_handed_out_before_and_after() {
    let stack = Stack::all().start().await;
    let cli = stack.cli_user("ann").await;
    std::fs::write(cli.home.join("c"), b"classic").unwrap();
    cli.run(&["put", "--classic", "c"], b"").await.ok();
    let pem = |run: &str| std::fs::read_to_string(cli.home.join(run)).unwrap();
    cli.run(&["keys", "export", "c", "first"], b"").await.ok();
    let rotated = cli.run(&["--json", "keys", "rotate", "c"], b"").await.ok();
    let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    assert_eq!((&rotated["newest"], &rotated["moving"]), (&2.into(), &false.into()));
    cli.run(&["keys", "export", "c", "second"], b"").await.ok();
    assert!(pem("first") != pem("second"));
    assert_eq!(cli.run(&["get", "c", "-"], b"").await.ok().stdout, b"classic");
    cli.run(&["keys", "destroy", "c"], b"").await.ok();
    assert_eq!(cli.run(&["get", "--classic", "c", "-"], b"").await.ok().stdout, b"classic");
}

#[tokio::test]
async fn an_owner_sees_what_others_did_with_a_key() {
    let stack = Stack::all().start().await;
    let (ann, bob) = (stack.cli_user("ann").await, stack.cli_user("bob").await);
    std::fs::write(ann.home.join("f"), b"shared").unwrap();
    ann.run(&["put", "f"], b"").await.ok();
    ann.run(&["share", "f", "bob@example.com"], b"").await.ok();
    for _ in 0..2 {
        assert_eq!(bob.run(&["get", "f", "-"], b"").await.ok().stdout, b"shared");
    }
    bob.run(&["keys", "export", "f", "key"], b"").await.ok();
    ann.run(&["get", "f", "-"], b"").await.ok();
    ann.run(&["unshare", "f", "bob@example.com"], b"").await.ok();
    let uses = ann.run(&["--json", "keys", "uses", "f"], b"").await.ok();
    let uses: Value = serde_json::from_slice(&uses.stdout).unwrap();
    assert_eq!(uses.as_array().unwrap().len(), 1, "the owner's own are none: {uses}");
    let of_bob = &uses[0];
    assert_eq!(of_bob["user"], "bob@example.com");
    assert_eq!((&of_bob["unwraps"], &of_bob["exports"]), (&2.into(), &1.into()));
    assert_eq!((&of_bob["exported_version"], &of_bob["content_version"]), (&1.into(), &1.into()));
    let refused = bob.run(&["keys", "uses", "f"], b"").await;
    assert_eq!(refused.code, 4, "{refused:?}");
    let listed = ann.run(&["keys", "ls"], b"").await.ok();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("file    1"), "{listed:?}");
}

#[tokio::test]
async fn what_is_sealed_anew_has_another_content_key_and_is_the_same_otherwise() {
    let stack = Stack::all().start().await;
    let cli = stack.cli_user("ann").await;
    let content = noise(9, 1_200_000);
    std::fs::write(cli.home.join("f"), &content).unwrap();
    cli.run(&["put", "f"], b"").await.ok();
    cli.run(&["put", "f", "d/g"], b"").await.ok();
    for name in ["f", "d/g"] {
        cli.run(&["keys", "rotate", "--reencrypt", name], b"").await.ok();
        assert!(cli.run(&["get", name, "-"], b"").await.ok().stdout == content, "{name}");
        let versions = cli.run(&["--json", "versions", name], b"").await.ok();
        let versions: Value = serde_json::from_slice(&versions.stdout).unwrap();
        let etags: Vec<_> = versions["items"].as_array().unwrap().iter().map(|item| &item["etag"]).collect();
        assert!(etags.len() == 2 && etags[0] != etags[1], "{versions}");
        assert_eq!(versions["items"][0]["size_bytes"], versions["items"][1]["size_bytes"]);
    }
}
