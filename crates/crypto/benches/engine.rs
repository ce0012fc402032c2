//! Figures of the engine that this build uses: `cargo bench -p coffer-crypto`, and for the other one
//! `cargo bench -p coffer-crypto --no-default-features --features portable`.

#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use coffer_core::{FileId, Random as _, SystemClock, SystemRandom, make_secret_key};
use coffer_crypto::envelope::{Compression, Details, Options, Reader, Recipient, Writer, read_head};
use coffer_crypto::filekey::{FileKeyPair, PrivateKey, PublicKey, RsaBits};
use coffer_crypto::keyring::Keyring;
use coffer_crypto::stream::{PART_OVERHEAD_BYTES, Part, StreamKey};
use coffer_crypto::{classic, hash, index, mac, root};

/// Runs `work` for a second and prints how often it ran.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn measure(name: &str, bytes: usize, mut work: impl FnMut()) {
    let started = Instant::now();
    let mut runs = 0u32;
    while started.elapsed() < Duration::from_secs(1) {
        work();
        runs += 1;
    }
    let each = started.elapsed() / runs;
    let per_second = f64::from(runs) / started.elapsed().as_secs_f64();
    let rate = per_second * f64::from(u32::try_from(bytes).expect("a small size")) / 1e9;
    println!("{name:<32} {each:>12?} {per_second:>12.0}/s {rate:>8.3} GB/s");
}

fn keyring() {
    use coffer_core::Clock as _;
    let keyring = Keyring::create(SystemClock.now(), &SystemRandom);
    for bytes in [1024, 64 * 1024, 1024 * 1024] {
        let plaintext = vec![7; bytes];
        let sealed = keyring.seal(&SystemRandom, b"table/partition/sort", &plaintext);
        measure(&format!("keyring seal {} KiB", bytes / 1024), bytes, || {
            black_box(keyring.seal(&SystemRandom, b"table/partition/sort", &plaintext));
        });
        measure(&format!("keyring open {} KiB", bytes / 1024), bytes, || {
            black_box(keyring.open(b"table/partition/sort", &sealed).expect("it was sealed here"));
        });
    }
}

fn stream() {
    let key = StreamKey::new(&make_secret_key(&SystemRandom));
    let part = Part { index: 0, last: false };
    let bytes = 1024 * 1024;
    let mut buffer = Vec::with_capacity(bytes + PART_OVERHEAD_BYTES);
    buffer.resize(bytes, 7);
    // Seals one part over and over, which is for a benchmark alone.
    measure("stream seal + open 1 MiB", 2 * bytes, || {
        key.seal_part(part, b"", &mut buffer);
        key.open_part(part, b"", &mut buffer).expect("it was sealed here");
    });
}

fn file_keys() {
    for bits in [RsaBits::Rsa2048, RsaBits::Rsa3072, RsaBits::Rsa4096] {
        measure(&format!("RSA-{} generate", bits.bits()), 0, || drop(black_box(FileKeyPair::generate(bits))));
        let pair = FileKeyPair::generate(bits);
        let sealed = pair.public().seal_oaep_sha256(&[7; 32]).expect("32 bytes fit");
        let (der, pem) = (pair.private_key_pkcs8_der(), pair.public_key_pem_spki());
        measure(&format!("RSA-{} open", bits.bits()), 0, || {
            drop(black_box(pair.private().open_oaep_sha256(&sealed).expect("it was sealed here")));
        });
        measure(&format!("RSA-{} seal", bits.bits()), 0, || {
            black_box(pair.public().seal_oaep_sha256(&[7; 32]).expect("32 bytes fit"));
        });
        measure(&format!("RSA-{} parse private", bits.bits()), 0, || {
            black_box(PrivateKey::from_pkcs8_der(der.expose()).expect("it was written here"));
        });
        measure(&format!("RSA-{} parse public PEM", bits.bits()), 0, || {
            black_box(PublicKey::from_pem(&pem).expect("it was written here"));
        });
        measure(&format!("RSA-{} PKCS#8 to PEM", bits.bits()), 0, || {
            black_box(coffer_crypto::filekey::pkcs8_der_to_pkcs1_pem(der.expose()).expect("it is PKCS#8"));
        });
    }
}

fn envelopes() {
    let pair = FileKeyPair::generate(RsaBits::Rsa2048);
    let plaintext = vec![7; 1024 * 1024];
    let envelope = classic::seal(&SystemRandom, pair.public(), &plaintext);
    measure("classic seal 1 MiB", plaintext.len(), || {
        black_box(classic::seal(&SystemRandom, pair.public(), &plaintext));
    });
    measure("classic open 1 MiB", plaintext.len(), || {
        black_box(classic::open(pair.private(), &envelope).expect("it was sealed here"));
    });
}

fn envelope_v1() {
    let pair = FileKeyPair::generate(RsaBits::Rsa2048);
    let file_key = FileId::from_bytes([7; 16]);
    let recipients = [Recipient { file_key, version: 1, key: pair.public() }];
    let mut plaintext = vec![0; 16 * 1024 * 1024];
    SystemRandom.fill(&mut plaintext);
    for compression in [Compression::None, Compression::Lz4] {
        let options = Options { compression, ..Options::default() };
        let seal = || {
            let mut writer =
                Writer::new(Vec::new(), &SystemRandom, options, &recipients).expect("16 MiB fit");
            writer.write_all(&plaintext).expect("memory takes it");
            writer.finish(Details::default(), &SystemRandom).expect("memory takes it").0
        };
        let envelope = seal();
        measure(&format!("envelope seal 16 MiB {compression:?}"), plaintext.len(), || {
            drop(black_box(seal()));
        });
        measure(&format!("envelope open 16 MiB {compression:?}"), plaintext.len(), || {
            let mut source = &envelope[..];
            let head = read_head(&mut source).expect("it was sealed here");
            let content = head.stanzas.stanzas()[0].unwrap(pair.private()).expect("it was sealed here");
            let mut reader = Reader::new(source, &head, &content).expect("it was sealed here");
            black_box(std::io::copy(&mut reader, &mut std::io::sink()).expect("it was sealed here"));
        });
    }
}

fn small() {
    let root = root::RootKey::from_bytes(&[7; 32]).expect("32 bytes");
    let index: index::IndexKey = root.derive_index_key();
    let key = root.derive_secret("measure");
    measure("blind", 0, || {
        black_box(index.blind("email", b"ann@example.com"));
    });
    measure("mac", 0, || {
        black_box(mac::mac(&key, &[b"login", b"123456"]));
    });
    measure("sha256 of 32 bytes", 0, || {
        black_box(hash::sha256(&[7; 32]));
    });
    let params = root::PasswordParams::make(&SystemRandom);
    measure("root key from a password", 0, || {
        black_box(root::RootKey::from_password("correct horse", &params).expect("within the limits"));
    });
}

fn main() {
    println!("engine: {}", coffer_crypto::ENGINE);
    keyring();
    stream();
    small();
    envelopes();
    envelope_v1();
    file_keys();
}
