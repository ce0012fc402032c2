//! Both engines against published vectors and against each other.

use super::*;

macro_rules! both_engines {
    ($(#[doc = $source:literal] fn $name:ident($engine:ident) $body:block)+) => {
        #[cfg(feature = "aws-lc")]
        mod with_aws_lc {
            use super::*;
            $(#[test] fn $name() { use crate::hazmat::aws_lc as $engine; $body })+
        }
        mod with_portable {
            use super::*;
            $(#[test] fn $name() { use crate::hazmat::portable as $engine; $body })+
        }
    };
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

both_engines! {
    /// NIST, "The Galois/Counter Mode of Operation (GCM)", test case 16.
    fn aes_256_gcm_gives_the_submission_s_test_case(primitives) {
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = hex("cafebabefacedbaddecaf888");
        let aad: [u8; 20] = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plaintext: [u8; 60] = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                                       1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        let mut bytes = plaintext;
        let cipher = primitives::Aes256Gcm::new(&key);
        let tag = cipher.seal(&nonce, &aad, &mut bytes);
        assert_eq!(tag, hex("76fc6ece0f4e1768cddf8853bb2d551b"));
        assert_eq!(bytes, hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                               8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"));
        assert_eq!(cipher.open(&nonce, &aad, &mut bytes, &tag), Ok(()));
        assert_eq!(bytes, plaintext);
        assert_eq!(cipher.open(&nonce, &aad[1..], &mut bytes, &tag), Err(Refused));
    }

    /// FIPS 197, appendix C.3.
    fn aes_256_gives_the_standard_s_example(primitives) {
        let key = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let block: [u8; 16] = hex("00112233445566778899aabbccddeeff");
        let mut blocks = [block, block].concat();
        primitives::Aes256::new(&key).encrypt_blocks(&mut blocks);
        assert_eq!(hex::encode(blocks), "8ea2b7ca516745bfeafc49904b496089".repeat(2));
    }

    /// SP 800-38A, F.2.5, and a block of padding.
    fn aes_256_cbc_gives_the_standard_s_example(primitives) {
        let key = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let iv = hex("000102030405060708090a0b0c0d0e0f");
        let plaintext: [u8; 32] = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        let mut bytes = plaintext.to_vec();
        primitives::cbc_encrypt(&key, &iv, &mut bytes);
        let expected = "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d";
        assert_eq!((bytes.len(), hex::encode(&bytes[..32])), (48, expected.to_owned()));
        assert_eq!(primitives::cbc_decrypt(&key, &iv, &mut bytes), Ok(()));
        assert_eq!(bytes, plaintext);
        for length in [0, 15, 17] {
            assert_eq!(primitives::cbc_decrypt(&key, &iv, &mut vec![0; length]), Err(Refused));
        }
    }

    /// RFC 4231, test case 2.
    fn hmac_sha256_gives_the_rfc_s_example(primitives) {
        let mac = primitives::HmacSha256::new(b"Jefe").mac(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(mac, hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    }

    /// FIPS 180-4, as NIST's examples have it.
    fn sha256_gives_the_standard_s_example(primitives) {
        let digest = primitives::sha256(&[b"a", b"bc"]);
        assert_eq!(digest, hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }

    /// RFC 5869, appendix A.1; its output goes on for another 10 bytes.
    fn hkdf_sha256_gives_the_rfc_s_example(primitives) {
        let mut out = [0; 32];
        let salt: [u8; 13] = hex("000102030405060708090a0b0c");
        let info: [u8; 10] = hex("f0f1f2f3f4f5f6f7f8f9");
        primitives::hkdf_sha256(&salt, &[0x0b; 22], &[&info[..3], &info[3..]], &mut out);
        assert_eq!(out, hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"));
    }

    /// RFC 7914, section 11; its output goes on for another 32 bytes.
    fn pbkdf2_gives_the_rfc_s_example(primitives) {
        let mut out = [0; 32];
        primitives::pbkdf2_hmac_sha256(b"passwd", b"salt", std::num::NonZeroU32::MIN, &mut out);
        assert_eq!(out, hex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"));
    }
}

// https://c2sp.org/XAES-256-GCM: the two vectors, the top bit of L clear and set.
#[test]
fn xaes_256_gcm_gives_the_specification_s_vectors() {
    let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
    for (key, aad, expected) in [
        ([1; 32], "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        ([3; 32], "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ] {
        let cipher = Xaes256Gcm::new(&key);
        let mut bytes = *b"XAES-256-GCM";
        let tag = cipher.seal(nonce, aad.as_bytes(), &mut bytes);
        assert_eq!(hex::encode([&bytes[..], &tag].concat()), expected);
        assert_eq!(cipher.open(nonce, aad.as_bytes(), &mut bytes, &tag), Ok(()));
        assert_eq!(&bytes, b"XAES-256-GCM");
    }
}

// The specification's accumulated test: 10,000 inputs of random sizes from one SHAKE-128 stream.
#[test]
fn xaes_256_gcm_gives_the_specification_s_accumulated_hash() {
    use sha3::digest::{ExtendableOutput, Update, XofReader};

    let mut stream = sha3::Shake128::default().finalize_xof();
    let mut hash = sha3::Shake128::default();
    let mut draw = |bytes: usize| {
        let mut drawn = vec![0; bytes];
        stream.read(&mut drawn);
        drawn
    };
    for _ in 0..10_000 {
        let (key, nonce) = (draw(32).try_into().unwrap(), draw(24).try_into().unwrap());
        let plaintext_bytes = usize::from(draw(1)[0]);
        let mut bytes = draw(plaintext_bytes);
        let aad_bytes = usize::from(draw(1)[0]);
        let aad = draw(aad_bytes);
        let tag = Xaes256Gcm::new(&key).seal(&nonce, &aad, &mut bytes);
        hash.update(&bytes);
        hash.update(&tag);
    }
    let mut result = [0; 32];
    hash.finalize_xof().read(&mut result);
    assert_eq!(result, hex("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"));
}

#[cfg(feature = "aws-lc")]
#[test]
fn what_one_engine_s_file_key_seals_the_other_s_opens() {
    let bits = crate::filekey::RsaBits::Rsa2048;
    let a = aws_lc::RsaPrivate::generate(bits);
    one_key_in_both_engines(&a, &portable::RsaPrivate::from_pkcs8(a.to_pkcs8().expose()).unwrap());
    let b = portable::RsaPrivate::generate(bits);
    one_key_in_both_engines(&aws_lc::RsaPrivate::from_pkcs8(b.to_pkcs8().expose()).unwrap(), &b);
}

#[cfg(feature = "aws-lc")]
fn one_key_in_both_engines(a: &aws_lc::RsaPrivate, b: &portable::RsaPrivate) {
    assert_eq!(a.public().to_spki(), b.public().to_spki());
    assert_eq!((a.bits(), a.public().bits()), (b.bits(), b.public().bits()));
    let sealed = portable::RsaPublic::from_spki(&a.public().to_spki()).unwrap().seal_oaep_sha256(b"key");
    assert_eq!(a.open_oaep_sha256(&sealed.unwrap()).unwrap().expose(), b"key");
    let sealed = aws_lc::RsaPublic::from_spki(&b.public().to_spki()).unwrap().seal_oaep_sha256(b"key");
    assert_eq!(b.open_oaep_sha256(&sealed.unwrap()).unwrap().expose(), b"key");
    assert_eq!(a.to_pkcs8().expose(), b.to_pkcs8().expose());
}
