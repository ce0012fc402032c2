//! The test vectors in `proto-docs/vectors/envelope-v1`: what they are made of, and that they hold.
//!
//! The files are made by this code from fixed seeds and keys. A test makes them anew and compares, so they
//! cannot drift from the implementation; `COFFER_UPDATE_VECTORS=1 cargo test -p coffer-crypto` writes them.

mod good;
mod hostile;

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_core::{FileId, Random};
use serde::{Deserialize, Serialize};

use super::*;
use crate::filekey::{PrivateKey, PublicKey};
use crate::hazmat;

/// A file key of the vectors.
#[derive(Deserialize)]
struct VectorKey {
    name: String,
    file_key: FileId,
    version: u32,
    private_key_pkcs8_pem: String,
    public_key_spki_pem: String,
}

static KEYS: LazyLock<Vec<VectorKey>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<VectorKey>,
    }
    serde_json::from_str::<Keys>(&std::fs::read_to_string(path("keys.json")).unwrap()).unwrap().keys
});

fn path(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto-docs/vectors/envelope-v1")).join(file)
}

/// Compares a file with what it must be, or writes it if told to.
fn check_file(file: &str, vectors: &impl Serialize) {
    let expected = serde_json::to_string_pretty(vectors).unwrap() + "\n";
    if std::env::var_os("COFFER_UPDATE_VECTORS").is_some() {
        std::fs::write(path(file), &expected).unwrap();
    }
    let found = std::fs::read_to_string(path(file)).unwrap_or_default();
    assert!(found == expected, "{file} is not what this code makes; see the module's documentation");
}

/// A stanza with an OAEP seed from `random`, so that the whole envelope is the same each time.
fn stanza(key: &VectorKey, content: &ContentKey, random: &dyn Random) -> Stanza {
    let public = PublicKey::from_pem(&key.public_key_spki_pem).unwrap();
    let wrapped = hazmat::seal_oaep_sha256_with(random, &public.to_spki_der(), content.expose());
    Stanza { file_key: key.file_key, version: key.version, wrapped }
}

/// Opens an envelope as a stream, in pieces that fit nothing.
fn open_stream(mut envelope: &[u8], content: &ContentKey) -> Result<(Vec<u8>, LastPart), Refusal> {
    let start = envelope.first_chunk().ok_or(Refusal::Truncated)?;
    let (head, frames) = envelope.split_at_checked(Head::length(start)?).ok_or(Refusal::Truncated)?;
    envelope = frames;
    let mut opener = Opener::new(&Head::parse(head)?, content)?;
    let mut plaintext = Vec::new();
    for piece in envelope.chunks(1009) {
        opener.push(piece, &mut plaintext)?;
    }
    Ok((plaintext, opener.finish()?))
}

/// Opens an envelope by ranges: first its second half, then its first.
fn open_ranges(envelope: &[u8], content: &ContentKey) -> std::io::Result<(Vec<u8>, LastPart)> {
    let head = read_head(&mut &*envelope)?;
    let mut reader = RangeReader::new(Cursor::new(envelope), &head, content)?;
    let size = reader.last_part().plaintext_bytes;
    let mut second = Vec::new();
    reader.read(&(size / 2..size), &mut second)?;
    let mut plaintext = Vec::new();
    reader.read(&(0..size / 2), &mut plaintext)?;
    plaintext.append(&mut second);
    Ok((plaintext, reader.last_part().clone()))
}

fn content_key(hex_digits: &str) -> ContentKey {
    ContentKey::from_bytes(&hex::decode(hex_digits).unwrap()).unwrap()
}

fn private_key(name: &str) -> PrivateKey {
    let key = KEYS.iter().find(|key| key.name == name).unwrap();
    PrivateKey::from_pem(&key.private_key_pkcs8_pem).unwrap()
}

#[test]
fn the_keys_of_the_vectors_belong_together() {
    for key in KEYS.iter() {
        assert_eq!(private_key(&key.name).public_key().to_pem().trim(), key.public_key_spki_pem.trim());
    }
}

#[test]
fn the_format_document_names_every_refusal_and_limit() {
    let document = std::fs::read_to_string(path("../../envelope.md")).unwrap();
    let variants = include_str!("../refusal.rs").lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.split(['(', ',']).next()?;
        name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name)
    });
    let variants: Vec<_> = variants.collect();
    assert_eq!(variants.len(), 25);
    for variant in variants {
        let (alone, numbered) = (format!("| `{variant}` |"), format!("| `{variant}("));
        assert!(document.contains(&alone) || document.contains(&numbered), "{variant}");
    }
    for limit in ["prefix (96)", "1 to 16 stanzas", "at most 16,777,216", "pages of 1,024 frames", "4,128"] {
        assert!(document.contains(limit), "{limit}");
    }
    assert_eq!((PREFIX_BYTES, STANZAS_MAX, FRAMES_MAX), (96, 16, 16_777_216));
    assert_eq!((index::PAGE_FRAMES, Ranges::END_BYTES), (1024, 4128));
}
