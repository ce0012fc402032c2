//! What holds for every plaintext, place and change.

use std::sync::LazyLock;

use coffer_core::{SecretKey, SystemRandom, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::classic::{self, ContentKey};
use crate::filekey::{FileKeyPair, RsaBits};
use crate::keyring::{Keyring, SEALED_OVERHEAD_BYTES, handover_open, handover_seal};
use crate::mac;
use crate::stream::{Part, StreamKey};

static KEYRING: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::create(Timestamp::from_ms(1_800_000_000_000), &SystemRandom));
static PAIR: LazyLock<FileKeyPair> = LazyLock::new(|| FileKeyPair::generate(RsaBits::Rsa2048));

/// `bytes` with one bit changed, `at` being taken modulo its size.
fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at % (bytes.len() * 8);
    bytes[at / 8] ^= 1 << (at % 8);
    bytes
}

fn stream_key() -> StreamKey {
    StreamKey::new(&SecretKey::init_with(|key| key.fill(1)))
}

proptest! {
    #[test]
    fn a_sealed_value_opens_again(aad in vec(any::<u8>(), 0..100), plaintext in vec(any::<u8>(), 0..5000)) {
        let sealed = KEYRING.seal(&SystemRandom, &aad, &plaintext);
        prop_assert_eq!(sealed.len(), plaintext.len() + SEALED_OVERHEAD_BYTES);
        let opened = KEYRING.open(&aad, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &plaintext[..]);
    }

    #[test]
    fn a_sealed_value_with_any_bit_changed_is_refused(plaintext in vec(any::<u8>(), 0..200), at: usize) {
        let sealed = KEYRING.seal(&SystemRandom, b"place", &plaintext);
        prop_assert!(KEYRING.open(b"place", &flipped(&sealed, at)).is_err());
    }

    #[test]
    fn a_cut_or_extended_value_is_refused(plaintext in vec(any::<u8>(), 0..200), cut: usize, extra: u8) {
        let mut sealed = KEYRING.seal(&SystemRandom, b"place", &plaintext);
        prop_assert!(KEYRING.open(b"place", &sealed[..cut % sealed.len()]).is_err());
        sealed.push(extra);
        prop_assert!(KEYRING.open(b"place", &sealed).is_err());
    }

    #[test]
    fn a_value_is_refused_at_every_other_place(
        aad in vec(any::<u8>(), 0..50),
        other in vec(any::<u8>(), 0..50),
        plaintext in vec(any::<u8>(), 0..50),
    ) {
        prop_assume!(aad != other);
        let sealed = KEYRING.seal(&SystemRandom, &aad, &plaintext);
        prop_assert!(KEYRING.open(&other, &sealed).is_err());
    }

    #[test]
    fn no_bytes_make_opening_panic(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(KEYRING.open(b"", &bytes).is_err());
        prop_assert!(handover_open(&[0; 32], "data", &bytes).is_err());
        prop_assert!(PAIR.private().open_oaep_sha256(&bytes).is_err());
    }

    #[test]
    fn a_handed_over_keyring_with_any_bit_changed_is_refused(at: usize) {
        let handed = handover_seal(&KEYRING, &[7; 32], "data", &SystemRandom).unwrap();
        prop_assert!(handover_open(&[7; 32], "data", &handed).is_ok());
        prop_assert!(handover_open(&[7; 32], "data", &flipped(&handed, at)).is_err());
    }

    #[test]
    fn a_part_opens_as_itself_alone(
        plaintext in vec(any::<u8>(), 0..300),
        index: u64,
        other: u64,
        last: bool,
        at: usize,
    ) {
        let part = Part { index, last };
        let mut sealed = plaintext.clone();
        stream_key().seal_part(part, b"aad", &mut sealed);
        let open = |part, aad: &[u8], bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            stream_key().open_part(part, aad, &mut bytes).map(|()| bytes)
        };
        prop_assert_eq!(open(part, b"aad", &sealed), Ok(plaintext));
        prop_assert!(open(part, b"aad", &flipped(&sealed, at)).is_err());
        prop_assert!(open(part, b"bad", &sealed).is_err());
        let (flagged, moved) = (Part { last: !last, ..part }, Part { index: other, ..part });
        prop_assert!(open(flagged, b"aad", &sealed).is_err());
        prop_assert!(moved == part || open(moved, b"aad", &sealed).is_err());
    }

    #[test]
    fn a_classic_envelope_opens_again(plaintext in vec(any::<u8>(), 0..3000)) {
        let envelope = classic::seal(&SystemRandom, PAIR.public(), &plaintext);
        let opened = classic::open(PAIR.private(), &envelope).unwrap();
        prop_assert_eq!(opened.expose(), &plaintext[..]);
    }

    #[test]
    fn a_changed_wrapped_key_is_refused(at: usize) {
        let wrapped = PAIR.public().seal_oaep_sha256(&[7; 32]).unwrap();
        prop_assert!(PAIR.private().open_oaep_sha256(&flipped(&wrapped, at)).is_err());
    }

    #[test]
    fn no_data_make_a_classic_envelope_panic(data in vec(any::<u8>(), 0..200)) {
        let content = ContentKey::from_bytes(&[1; 32], &[2; 16]).unwrap();
        // It authenticates nothing, so some of these do open; only whole blocks can.
        prop_assert!(content.open(&data).is_err() || data.len().is_multiple_of(16));
    }

    #[test]
    fn a_code_is_of_its_key_and_parts_alone(
        parts in vec(vec(any::<u8>(), 0..20), 0..4),
        other in vec(vec(any::<u8>(), 0..20), 0..4),
    ) {
        let key = SecretKey::init_with(|key| key.fill(9));
        let code = |parts: &[Vec<u8>]| {
            mac::mac(&key, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        prop_assert_eq!(code(&parts) == code(&other), parts == other);
    }
}
