//! Copies and moves on the servers: what is under the new name opens with its key, and content goes when its last name has.

use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_api::file_keys::{DestroyFileKey, RotateFileKey};
use coffer_client::FileAt;
use coffer_tests::until;
use serde_json::Value;

use super::registered::{Person, noise};
use super::*;

#[tokio::test]
async fn a_copy_has_the_content_and_the_key_of_its_own_name() {
    for stack in [Stack::all().start().await, Stack::separate().start().await] {
        let ann = Person::at(&stack, &stack.user("ann").await, 0);
        let (small, large) = (b"small".to_vec(), noise(1, 2_000_000));
        ann.put("a", &small).await.unwrap();
        ann.put("a", &large).await.unwrap();
        assert_eq!(ann.copy(("a", None, None), "b/c").await.unwrap(), 1);
        assert_eq!(ann.copy(("a", None, Some(1)), "b/c").await.unwrap(), 2);
        assert_eq!(ann.copy(("a", None, Some(1)), "a").await.unwrap(), 3, "an earlier version comes back");
        for (name, version, plaintext) in
            [("b/c", 1, &large), ("b/c", 2, &small), ("a", 2, &large), ("a", 3, &small)]
        {
            assert!(ann.read(name, Some(version)).await.unwrap().plaintext == *plaintext, "{name} {version}");
        }
        // Each has a key of its own: that of the one goes, and the other opens as before.
        let key = RotateFileKey { name: "a".into(), if_version: None };
        ann.kms.rotate_file_key(&key).await.unwrap();
        until("the heads were moved", Duration::from_secs(20), || async {
            !ann.kms.file_key_versions("a").await.expect("it is there").moving
        })
        .await;
        let destroy = DestroyFileKey { name: "a".into(), up_to: None, force: false };
        ann.kms.destroy_file_key(&destroy).await.unwrap();
        ann.data.delete_file(FileAt::own("a")).await.unwrap();
        assert!(ann.read("b/c", Some(1)).await.unwrap().plaintext == large);
        assert_eq!(ann.read("b/c", None).await.unwrap().key_version, 1);
    }
}

#[tokio::test]
async fn what_is_shared_is_copied_to_one_s_own_files_by_who_may_read_it_and_stays_there() {
    let stack = Stack::all().start().await;
    let (ann, bob) = (stack.user("ann").await, stack.user("bob").await);
    let (owner, friend) = (Person::at(&stack, &ann, 0), Person::at(&stack, &bob, 0));
    for (name, bytes) in [("small", 100), ("large", 1_500_000)] {
        owner.put(name, &noise(5, bytes)).await.unwrap();
        let refused = friend.copy((name, Some(&ann.email), None), "mine").await.unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::AccessDenied));
        stack.surface().grant(&ann.sid, name, &bob.email).await.expect(200, 200, "grant_success");
        friend.copy((name, Some(&ann.email), None), &format!("my {name}")).await.unwrap();
        stack.surface().revoke(&ann.sid, name, &bob.email).await;
        assert!(friend.read(&format!("my {name}"), None).await.unwrap().plaintext == noise(5, bytes));
        owner.data.delete_file(FileAt::own(name)).await.unwrap();
        assert!(friend.read(&format!("my {name}"), None).await.unwrap().plaintext == noise(5, bytes));
    }
}

#[tokio::test]
async fn content_lives_as_long_as_any_of_its_names_and_no_longer() {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let blobs = folder.path().join("blobs");
    let stack = Stack::separate()
        .set("COFFER_DATA__STORAGE__BLOBS", &format!("file://{}", blobs.display()))
        .set("COFFER_DATA__FILES__TRASH_DAYS", "0")
        .set("COFFER_DATA__FILES__VERSIONS_MAX", "0")
        .start()
        .await;
    let ann = Person::at(&stack, &stack.user("ann").await, 0);
    let plaintext = noise(3, 3_000_000);
    ann.put("a", &plaintext).await.unwrap();
    assert_eq!(blobs_in(&blobs), 1);
    ann.copy(("a", None, None), "b").await.unwrap();
    assert_eq!(ann.rename("a", "c").await.unwrap(), 1);
    assert_eq!(blobs_in(&blobs), 1, "nothing was copied");
    assert_eq!(ann.read("a", None).await.unwrap_err().code(), Some(ErrorCode::FileNotFound));
    ann.data.delete_file(FileAt::own("b")).await.unwrap();
    assert!(ann.read("c", None).await.unwrap().plaintext == plaintext);
    assert_eq!(ann.put("a", b"again").await.unwrap(), 2, "its versions go on");
}

#[tokio::test]
async fn the_command_line_copies_moves_deletes_and_restores_on_the_servers() {
    let stack = Stack::all().start().await;
    let cli = stack.cli_user("ann").await;
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_be_bytes).collect();
    std::fs::write(cli.home.join("a"), b"first").unwrap();
    cli.run(&["put", "a"], b"").await.ok();
    std::fs::write(cli.home.join("a"), &content).unwrap();
    cli.run(&["put", "a"], b"").await.ok();
    let out = async |arguments: &[&str]| cli.run(arguments, b"").await.ok().stdout;

    assert!(out(&["cat", "a"]).await == content);
    for (range, of) in [("0-9", 0..10), ("65530-65540", 65_530..65_541), ("1199990-", 1_199_990..1_200_000)] {
        assert_eq!(out(&["cat", "a", "--range", range]).await, content[of], "{range}");
    }
    assert_eq!(out(&["cat", "a", "--range=-3"]).await, content[content.len() - 3..]);
    assert_eq!(out(&["cat", "a", "--version", "1", "--range", "1-2"]).await, b"ir");

    out(&["cp", "a", "b"]).await;
    assert_eq!(cli.run(&["cp", "--no-replace", "a", "b"], b"").await.code, 6);
    out(&["mv", "a", "folder/c"]).await;
    assert_eq!(cli.run(&["cat", "a"], b"").await.code, 5);
    assert!(out(&["cat", "folder/c"]).await == content && out(&["cat", "b"]).await == content);
    out(&["rm", "b", "folder/c"]).await;
    assert_eq!(cli.run(&["cat", "b"], b"").await.code, 5);
    out(&["restore", "a"]).await;
    out(&["restore", "a", "--version", "1"]).await;
    assert_eq!(out(&["cat", "a"]).await, b"first");
    let versions: Value = serde_json::from_slice(&out(&["--json", "versions", "a"]).await).unwrap();
    let versions: Vec<_> =
        versions["items"].as_array().unwrap().iter().map(|item| item["version"].clone()).collect();
    assert_eq!(versions, [3, 2, 1]);
    assert_eq!(cli.run(&["mv", "none", "d"], b"").await.code, 5);
}
