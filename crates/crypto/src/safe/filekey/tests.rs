use std::sync::LazyLock;

use super::*;

static PAIR: LazyLock<FileKeyPair> = LazyLock::new(|| FileKeyPair::generate(RsaBits::Rsa2048));

#[test]
fn a_key_survives_each_of_its_forms() {
    let sealed = PublicKey::from_pem(&PAIR.public_key_pem_spki()).unwrap().seal_oaep_sha256(b"key").unwrap();
    let pkcs8 = SecretBytes::new(PAIR.private_key_pkcs8_der().expose().to_vec());
    let pkcs1_pem = PAIR.private_key_pkcs1_pem();
    assert!(pkcs1_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\nMII"), "{}", &pkcs1_pem[..40]);
    assert_eq!(*pkcs8_der_to_pkcs1_pem(pkcs8.expose()).unwrap(), *pkcs1_pem);
    for key in
        [PrivateKey::from_pkcs8_der(pkcs8.expose()).unwrap(), PrivateKey::from_pem(&pkcs1_pem).unwrap()]
    {
        assert_eq!(key.bits(), RsaBits::Rsa2048);
        assert_eq!(key.open_oaep_sha256(&sealed).unwrap().expose(), b"key");
        assert_eq!(key.public_key().to_pem(), PAIR.public_key_pem_spki());
        assert_eq!(key.to_pkcs8_der().expose(), pkcs8.expose());
    }
}

#[test]
fn every_size_is_made_as_asked() {
    for bits in [RsaBits::Rsa2048, RsaBits::Rsa3072] {
        let pair = FileKeyPair::generate(bits);
        assert_eq!((pair.private().bits(), pair.public().bits()), (bits, bits));
        let room = usize::from(bits.bits()) / 8 - OAEP_OVERHEAD_BYTES;
        let sealed = pair.public().seal_oaep_sha256(&vec![7; room]).unwrap();
        assert_eq!(pair.private().open_oaep_sha256(&sealed).unwrap().expose(), vec![7; room]);
        assert_eq!(pair.public().seal_oaep_sha256(&vec![7; room + 1]), Err(TooLong));
    }
}

#[test]
fn a_changed_ciphertext_is_refused_without_a_reason() {
    let sealed = PAIR.public().seal_oaep_sha256(b"key").unwrap();
    for position in [0, 1, 100, 255] {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert_eq!(PAIR.private().open_oaep_sha256(&changed).err(), Some(OaepRefused));
    }
    for wrong in [&sealed[..255], &[0; 256], &[0xff; 256], &[0; 257], &[]] {
        assert_eq!(PAIR.private().open_oaep_sha256(wrong).err(), Some(OaepRefused));
    }
}

#[test]
fn an_empty_plaintext_seals_and_opens() {
    let sealed = PAIR.public().seal_oaep_sha256(b"").unwrap();
    assert_eq!(PAIR.private().open_oaep_sha256(&sealed).unwrap().expose(), b"");
}

#[test]
fn what_is_no_key_is_refused() {
    let public = PAIR.public_key_pem_spki();
    for text in
        ["", "key", &public[..public.len() / 2], &public.replace("PUBLIC", "SECRET"), &"x".repeat(20_000)]
    {
        assert!(matches!(PublicKey::from_pem(text), Err(KeyFormatError::Pem)), "{text}");
        assert!(matches!(PrivateKey::from_pem(text), Err(KeyFormatError::Pem)), "{text}");
    }
    assert!(matches!(PrivateKey::from_pem(&public), Err(KeyFormatError::Pem)));
    assert!(matches!(PrivateKey::from_pkcs8_der(b"\x30\x00"), Err(KeyFormatError::Key)));
    assert!(matches!(PublicKey::from_spki_der(&[]), Err(KeyFormatError::Key)));
    assert!(matches!(pkcs8_der_to_pkcs1_pem(b"\x30\x00"), Err(KeyFormatError::Key)));
}

const RSA_2560: &str = "-----BEGIN PUBLIC KEY-----\n\
MIIBYjANBgkqhkiG9w0BAQEFAAOCAU8AMIIBSgKCAUEAogdje9sUpolFIPGjRE5B\n\
nwA0QfBhUp/s7DFAPW682zGojBO1IGN4MEQBtBe6ZUJO6uqPGW5TGJunXEoAt7xt\n\
ANFDl1ZfLDuytk/NaGvImDIZ8/zNDmvpG/OyGYKDmvz0DksKGhfFOkK0fl7oXzLA\n\
ZMsNAQ5zvIRaeeta422P2dHU/CCujX6vcUzIOW0ueDAg+fm+sIT9gKuUIppiDnhj\n\
yV6esxSKlFWqn/Ji6m7d+/kFfwKKUb+v/uObo6hFp7Y/QoKufxv8hihAcw1j7Tl4\n\
TYXOC1vP4MrspCxAI37NbuTzawba7vyVFi+9mQ55V4m5AJgUfj1XTMO/Joz9fi6V\n\
9WhM+SuBunMWeNP0okrTOviF8D6f9VSBdESLpfCJuPPOXzevGILzhY3rb9q3BOjU\n\
HFWw7txeHgDK47Y0s4jQ+XUCAwEAAQ==\n\
-----END PUBLIC KEY-----\n";

#[test]
fn a_key_of_another_size_is_refused() {
    assert!(matches!(PublicKey::from_pem(RSA_2560), Err(KeyFormatError::Size(2560))));
}

#[test]
fn debug_shows_nothing_of_a_key() {
    assert_eq!(format!("{:?}", *PAIR), "FileKeyPair(2048 bits, redacted)");
    assert_eq!(format!("{:?}", PAIR.private()), "PrivateKey(2048 bits, redacted)");
}
