use coffer_core::SecretBytes;
use coffer_crypto::filekey::PrivateKey;

use super::super::{Caller, FileKeyError};
use super::world::{World, email, name, order, read, wrap};
use crate::domain::recent::REMEMBERED;
use crate::repo::tables::{FILES, POOL};

#[tokio::test]
async fn an_exported_key_and_an_unwrap_open_what_the_public_key_sealed() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let public = process.keys.create(&ann, &file).await.unwrap().public_pem;
    process.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    let sealed = [b"content key".as_slice(), b"vector"].map(|text| wrap(&public, text));

    let exported = process.keys.export(&bob, read(&file)).await.unwrap();
    let pem = std::str::from_utf8(exported.private_pem.expose()).unwrap();
    assert!(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    let opened = PrivateKey::from_pem(pem).unwrap().open_oaep_sha256(&sealed[0]).unwrap();
    assert_eq!(opened.expose(), b"content key");

    for _ in 0..2 {
        let opened = process.keys.unwrap(&bob, read(&file), sealed.to_vec()).await.unwrap();
        let opened: Vec<_> = opened.iter().map(SecretBytes::expose).collect();
        assert_eq!(opened, [b"content key".as_slice(), b"vector"]);
    }
    let events = process.kinds().await;
    assert_eq!(events[..3], ["file_key_unwrapped", "file_key_unwrapped", "file_key_exported"]);
}

#[tokio::test]
async fn a_key_at_hand_does_not_open_for_who_was_revoked() {
    let world = World::new();
    let (one, other, file) = (world.process(), world.process(), name("a"));
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let public = one.keys.create(&ann, &file).await.unwrap().public_pem;
    one.keys.grant(&ann, &order(&file, "bob")).await.unwrap();
    let sealed = vec![wrap(&public, b"content key")];
    one.keys.unwrap(&bob, read(&file), sealed.clone()).await.unwrap();
    other.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
    world.store.clock.advance(REMEMBERED);
    let refused = one.keys.unwrap(&bob, read(&file), sealed.clone()).await;
    assert!(matches!(refused, Err(FileKeyError::AccessDenied)));
    assert!(one.kinds().await.contains(&"file_key_refused".to_owned()));
    one.keys.unwrap(&ann, read(&file), sealed).await.unwrap();
}

#[tokio::test]
async fn what_was_not_sealed_for_the_key_is_refused_and_over_long_text_too() {
    let world = World::new();
    let (process, ann) = (world.process(), world.user("ann").await);
    let public = process.keys.create(&ann, &name("a")).await.unwrap().public_pem;
    let good = wrap(&public, b"x");
    let mut changed = good.clone();
    changed[100] ^= 1;
    for wrong in [changed, [good.as_slice(), b"\0"].concat(), vec![0; 1 << 20], Vec::new()] {
        let both = vec![good.clone(), wrong];
        let refused = process.keys.unwrap(&ann, read(&name("a")), both).await;
        assert!(matches!(refused, Err(FileKeyError::NotForThisKey(1))));
    }
}

#[tokio::test]
async fn releasing_and_granting_need_a_second_factor_and_making_does_not() {
    let world = World::new();
    let (process, file) = (world.process(), name("a"));
    let ann = Caller { second_factor: false, ..world.user("ann").await };
    process.keys.create(&ann, &file).await.unwrap();
    process.keys.show(&ann, read(&file)).await.unwrap();
    assert!(matches!(process.keys.export(&ann, read(&file)).await, Err(FileKeyError::SecondFactor)));
    let unwrapped = process.keys.unwrap(&ann, read(&file), vec![vec![0; 256]]).await;
    assert!(matches!(unwrapped, Err(FileKeyError::SecondFactor)));
    assert!(matches!(process.keys.grant(&ann, &order(&file, "bob")).await, Err(FileKeyError::SecondFactor)));
    process.keys.revoke(&ann, &file, &email("bob")).await.unwrap();
}

#[tokio::test]
async fn a_private_half_is_nowhere_in_the_store_in_plain() {
    let world = World::new();
    let (process, ann, file) = (world.process(), world.user("ann").await, name("a"));
    let public = process.keys.create(&ann, &file).await.unwrap().public_pem;
    let exported = process.keys.export(&ann, read(&file)).await.unwrap();
    let key = PrivateKey::from_pem(std::str::from_utf8(exported.private_pem.expose()).unwrap()).unwrap();
    let der = key.to_pkcs8_der();
    // A dump escapes bytes in the same way.
    let middle = format!("{:?}", bytes::Bytes::copy_from_slice(&der.expose()[200..230]));
    let middle = &middle[2..middle.len() - 1];
    for table in [FILES, POOL] {
        let dump = world.store.dump(table).await;
        assert!(!dump.contains(middle) && !dump.contains(&public[30..60]));
    }
    assert!(world.store.dump(FILES).await.contains("Bytes"), "there was something to look at");
}
