use coffer_core::{SeededRandom, SystemRandom};

use super::*;
use crate::root::RootKey;

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
const LATER: Timestamp = Timestamp::from_ms(1_900_000_000_000);

fn keyring() -> Keyring {
    Keyring::create(NOW, &SystemRandom)
}

fn wrapping(service: &str) -> WrappingKey {
    RootKey::from_bytes(&[1; 32]).unwrap().derive_wrapping_key(service)
}

#[test]
fn a_value_opens_only_at_its_place() {
    let keyring = keyring();
    let sealed = keyring.seal(&SystemRandom, b"table/a", b"value");
    assert_eq!(sealed.len(), 5 + SEALED_OVERHEAD_BYTES);
    assert_eq!(sealed_under(&sealed), Some(KeyId(1)));
    assert_eq!(keyring.open(b"table/a", &sealed).unwrap().expose(), b"value");
    assert_eq!(keyring.open(b"table/b", &sealed).err(), Some(OpenError::Refused));
    assert_eq!(Keyring::create(NOW, &SystemRandom).open(b"table/a", &sealed).err(), Some(OpenError::Refused));
}

#[test]
fn the_same_value_never_seals_to_the_same_bytes() {
    let keyring = keyring();
    let [a, b] = [0, 1].map(|_| keyring.seal(&SystemRandom, b"", b"value"));
    assert_ne!(a[4..28], b[4..28]);
    assert_ne!(a[28..], b[28..]);
}

#[test]
fn what_is_too_short_or_of_an_unknown_version_is_refused_as_such() {
    let keyring = keyring();
    let mut sealed = keyring.seal(&SystemRandom, b"", b"");
    assert_eq!(keyring.open(b"", &sealed[..SEALED_OVERHEAD_BYTES - 1]).err(), Some(OpenError::TooShort));
    sealed[3] = 9;
    assert_eq!(keyring.open(b"", &sealed).err(), Some(OpenError::UnknownKey(KeyId(9))));
}

#[test]
fn an_added_version_seals_only_once_activated_and_old_values_stay_open() {
    let keyring = keyring();
    let old = keyring.seal(&SystemRandom, b"", b"old");
    let second = keyring.add_version(LATER, &SystemRandom).unwrap();
    assert_eq!(sealed_under(&keyring.seal(&SystemRandom, b"", b"")), Some(KeyId(1)));
    keyring.activate(second).unwrap();
    assert_eq!(sealed_under(&keyring.seal(&SystemRandom, b"", b"")), Some(second));
    assert_eq!(keyring.open(b"", &old).unwrap().expose(), b"old");
    assert_eq!(keyring.activate(KeyId(1)), Err(KeyringError::Older(KeyId(1))));
    assert_eq!(keyring.activate(KeyId(3)), Err(KeyringError::Unknown(KeyId(3))));
    assert_eq!(keyring.active(), VersionInfo { id: second, created_at: LATER, active: true, sealings: 1 });
}

#[test]
fn a_destroyed_version_opens_nothing_and_its_number_is_not_used_again() {
    let keyring = keyring();
    let old = keyring.seal(&SystemRandom, b"", b"old");
    assert_eq!(keyring.destroy(KeyId(1)), Err(KeyringError::InUse(KeyId(1))));
    let second = keyring.add_version(LATER, &SystemRandom).unwrap();
    assert_eq!(keyring.destroy(second), Err(KeyringError::InUse(second)));
    keyring.activate(second).unwrap();
    keyring.destroy(KeyId(1)).unwrap();
    assert_eq!(keyring.open(b"", &old).err(), Some(OpenError::UnknownKey(KeyId(1))));
    assert_eq!(keyring.add_version(LATER, &SystemRandom), Ok(KeyId(3)));
}

#[test]
fn sealings_are_counted_and_reported_once() {
    let keyring = keyring();
    for _ in 0..3 {
        drop(keyring.seal(&SystemRandom, b"", b""));
    }
    assert_eq!(keyring.active().sealings, 3);
    assert_eq!(keyring.take_sealings(), (KeyId(1), 3));
    assert_eq!(keyring.take_sealings(), (KeyId(1), 0));
    drop(keyring.seal(&SystemRandom, b"", b""));
    assert_eq!(keyring.take_sealings(), (KeyId(1), 1));
}

#[test]
fn a_keyring_survives_wrapping() {
    let keyring = keyring();
    let second = keyring.add_version(LATER, &SystemRandom).unwrap();
    keyring.activate(second).unwrap();
    let sealed = keyring.seal(&SystemRandom, b"here", b"value");
    let wrapped = keyring.wrap(&wrapping("data"), &SystemRandom);
    let opened = Keyring::unwrap(&wrapping("data"), &wrapped).unwrap();
    assert_eq!(opened.open(b"here", &sealed).unwrap().expose(), b"value");
    let times: Vec<_> = opened.versions().iter().map(|v| (v.id, v.created_at, v.active)).collect();
    assert_eq!(times, [(KeyId(1), NOW, false), (second, LATER, true)]);
}

#[test]
fn a_wrapped_keyring_opens_for_its_service_and_root_key_alone() {
    let wrapped = keyring().wrap(&wrapping("data"), &SystemRandom);
    assert_eq!(Keyring::unwrap(&wrapping("kms"), &wrapped).err(), Some(UnwrapError::Refused));
    let other_root = RootKey::from_bytes(&[2; 32]).unwrap().derive_wrapping_key("data");
    assert_eq!(Keyring::unwrap(&other_root, &wrapped).err(), Some(UnwrapError::Refused));
}

#[test]
fn a_wrapped_keyring_with_any_bit_changed_is_refused() {
    let wrapped = keyring().wrap(&wrapping("data"), &SystemRandom);
    for position in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[position] ^= 0x10;
        assert!(Keyring::unwrap(&wrapping("data"), &changed).is_err(), "byte {position}");
    }
    for end in 0..wrapped.len() {
        assert!(Keyring::unwrap(&wrapping("data"), &wrapped[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn wrapping_keeps_the_keys_out_of_sight() {
    let random = SeededRandom::new(5);
    let keyring = Keyring::create(NOW, &random);
    let mut key = [0; 32];
    SeededRandom::new(5).fill(&mut key);
    let wrapped = keyring.wrap(&wrapping("data"), &random);
    assert!(!wrapped.windows(8).any(|window| key.windows(8).any(|part| part == window)));
    assert_eq!(format!("{keyring:?}"), "Keyring { active: KeyId(1), versions: 1, .. }");
}

#[test]
fn a_handed_over_keyring_opens_with_the_service_s_secret_alone() {
    let (secret, other) = ([3; 32], [4; 32]);
    let keyring = keyring();
    let sealed = keyring.seal(&SystemRandom, b"", b"value");
    let [first, second] = [0, 1].map(|_| handover_seal(&keyring, &secret, "data", &SystemRandom).unwrap());
    assert_ne!(first, second);
    let opened = handover_open(&secret, "data", &first).unwrap();
    assert_eq!(opened.open(b"", &sealed).unwrap().expose(), b"value");
    for (secret, service) in [(&other, "data"), (&secret, "gateway")] {
        let refused = Some(HandoverError::Unwrap(UnwrapError::Refused));
        assert_eq!(handover_open(secret, service, &first).err(), refused);
    }
    let weak = handover_seal(&keyring, &secret[..31], "data", &SystemRandom);
    assert_eq!(weak.err(), Some(HandoverError::WeakSecret));
}

#[test]
fn a_later_state_is_adopted_and_an_earlier_or_another_one_is_not() {
    let kms = keyring();
    let service = Keyring::unwrap(&wrapping("data"), &kms.wrap(&wrapping("data"), &SystemRandom)).unwrap();
    drop(service.seal(&SystemRandom, b"", b""));
    let second = kms.add_version(LATER, &SystemRandom).unwrap();
    service.adopt(&kms).unwrap();
    assert_eq!(service.take_sealings(), (KeyId(1), 1), "the count survives");
    kms.activate(second).unwrap();
    let early = Keyring::unwrap(&wrapping("data"), &service.wrap(&wrapping("data"), &SystemRandom)).unwrap();
    service.adopt(&kms).unwrap();
    assert_eq!(service.active().id, second);
    assert_eq!(service.adopt(&early), Err(KeyringError::Older(KeyId(1))));
    let foreign = keyring();
    let third = foreign.add_version(LATER, &SystemRandom).unwrap();
    foreign.activate(third).unwrap();
    assert_eq!(service.adopt(&foreign), Err(KeyringError::Conflict(KeyId(1))));
}
