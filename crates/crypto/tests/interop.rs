//! What others write we open, and what we write others open: OpenSSL's command line, and Python's
//! `cryptography`.

#![expect(clippy::unwrap_used, reason = "everything here is a test")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_core::SystemRandom;
use coffer_crypto::classic::{self, ClassicEnvelope};
use coffer_crypto::filekey::{FileKeyPair, PrivateKey, PublicKey, RsaBits};
use serde_json::{Map, Value};
use tempfile::TempDir;

const PLAINTEXT: &[u8] = "Grüße aus der Kiste: 報告 2026\n".as_bytes();

fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Runs a program and gives what it wrote; fails with its own words if it does.
fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|err| panic!("{command:?}: {err}"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    stdout
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    run(Command::new("openssl").args(arguments), input)
}

/// The Python that has `cryptography`.
fn python() -> Command {
    let venv = repository().join(".tools/venv/bin/python");
    let python = std::env::var_os("COFFER_PYTHON").map_or(venv, PathBuf::from);
    assert!(python.exists(), "{} is missing: scripts/test installs what the tests need", python.display());
    Command::new(python)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Asks `interop.py` to do a task on byte strings.
fn ask_python(task: &str, fields: &[(&str, &[u8])]) -> impl Fn(&str) -> Vec<u8> + use<> {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), STANDARD.encode(value).into()));
    let request = Value::Object(fields.collect::<Map<_, _>>()).to_string();
    let answer = run(python().arg(script("interop.py")).arg(task), request.as_bytes());
    let answer: Map<String, Value> = serde_json::from_slice(&answer).unwrap();
    move |field| STANDARD.decode(answer[field].as_str().unwrap()).unwrap()
}

/// A file in a folder of its own, as OpenSSL wants its keys.
struct KeyFile(TempDir);

impl KeyFile {
    fn new(pem: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("key.pem"), pem).unwrap();
        Self(folder)
    }

    fn path(&self) -> String {
        self.0.path().join("key.pem").to_str().unwrap().to_owned()
    }
}

const OAEP: [&str; 6] =
    ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"];

fn openssl_oaep(mode: &[&str], key: &KeyFile, input: &[u8]) -> Vec<u8> {
    let path = key.path();
    openssl(&[&["pkeyutl"], mode, &["-inkey", &path], &OAEP].concat(), input)
}

#[test]
fn openssl_opens_our_classic_envelope() {
    let pair = FileKeyPair::generate(RsaBits::Rsa2048);
    let envelope = classic::seal(&SystemRandom, pair.public(), PLAINTEXT);
    let key_file = KeyFile::new(&pair.private_key_pkcs1_pem());
    let key = hex::encode(openssl_oaep(&["-decrypt"], &key_file, &envelope.encrypted_key));
    let iv = hex::encode(openssl_oaep(&["-decrypt"], &key_file, &envelope.encrypted_iv));
    let plaintext = openssl(&["enc", "-d", "-aes-256-cbc", "-K", &key, "-iv", &iv], &envelope.encrypted_data);
    assert_eq!(plaintext, PLAINTEXT);
}

#[test]
fn we_open_openssl_s_classic_envelope() {
    let pem = String::from_utf8(openssl(&["genrsa", "-traditional", "2048"], b"")).unwrap();
    assert!(pem.contains("BEGIN RSA PRIVATE KEY"));
    let public = KeyFile::new(&String::from_utf8(openssl(&["rsa", "-pubout"], pem.as_bytes())).unwrap());
    let (key, iv) = ([3; 32], [4; 16]);
    let (key_hex, iv_hex) = (hex::encode(key), hex::encode(iv));
    let envelope = ClassicEnvelope {
        encrypted_data: openssl(&["enc", "-aes-256-cbc", "-K", &key_hex, "-iv", &iv_hex], PLAINTEXT),
        encrypted_key: openssl_oaep(&["-encrypt", "-pubin"], &public, &key),
        encrypted_iv: openssl_oaep(&["-encrypt", "-pubin"], &public, &iv),
    };
    let private = PrivateKey::from_pem(&pem).unwrap();
    assert_eq!(classic::open(&private, &envelope).unwrap().expose(), PLAINTEXT);
}

#[test]
fn openssl_finds_our_keys_sound_in_every_form() {
    for bits in [RsaBits::Rsa2048, RsaBits::Rsa3072] {
        let pair = FileKeyPair::generate(bits);
        let checked = openssl(&["rsa", "-check", "-noout"], pair.private_key_pkcs1_pem().as_bytes());
        assert_eq!(String::from_utf8_lossy(&checked).trim(), "RSA key ok");
        let pkcs8 = pair.private_key_pkcs8_der();
        let from_pkcs8 = openssl(&["rsa", "-inform", "DER", "-traditional"], pkcs8.expose());
        assert_eq!(String::from_utf8_lossy(&from_pkcs8), *pair.private_key_pkcs1_pem());
        let public = openssl(&["rsa", "-pubout"], pair.private_key_pkcs1_pem().as_bytes());
        assert_eq!(String::from_utf8_lossy(&public), pair.public_key_pem_spki());
    }
}

#[test]
fn python_opens_our_classic_envelope() {
    let pair = FileKeyPair::generate(RsaBits::Rsa2048);
    for plaintext in [PLAINTEXT, b"", &vec![7; 100_000]] {
        let envelope = classic::seal(&SystemRandom, pair.public(), plaintext);
        let answer = ask_python(
            "open",
            &[
                ("private_pem", pair.private_key_pkcs1_pem().as_bytes()),
                ("encrypted_data", &envelope.encrypted_data),
                ("encrypted_key", &envelope.encrypted_key),
                ("encrypted_iv", &envelope.encrypted_iv),
            ],
        );
        assert!(answer("plaintext") == plaintext);
    }
}

#[test]
fn we_open_python_s_classic_envelope() {
    let pair = FileKeyPair::generate(RsaBits::Rsa2048);
    let pem = pair.public_key_pem_spki();
    for plaintext in [PLAINTEXT, b"", &vec![7; 100_000]] {
        let answer = ask_python("seal", &[("public_pem", pem.as_bytes()), ("plaintext", plaintext)]);
        let [encrypted_data, encrypted_key, encrypted_iv] =
            ["encrypted_data", "encrypted_key", "encrypted_iv"].map(answer);
        let envelope = ClassicEnvelope { encrypted_data, encrypted_key, encrypted_iv };
        assert!(classic::open(pair.private(), &envelope).unwrap().expose() == plaintext);
    }
}

#[test]
fn python_s_keys_read_in_every_form() {
    let answer = ask_python("generate", &[]);
    let text = |field| String::from_utf8(answer(field)).unwrap();
    let public = PublicKey::from_pem(&text("public_pem")).unwrap();
    let sealed = public.seal_oaep_sha256(b"key").unwrap();
    for form in ["pkcs1_pem", "pkcs8_pem"] {
        let private = PrivateKey::from_pem(&text(form)).unwrap();
        assert_eq!(private.open_oaep_sha256(&sealed).unwrap().expose(), b"key", "{form}");
        assert_eq!(*private.to_pkcs1_pem(), text("pkcs1_pem"), "{form}");
        assert_eq!(private.public_key().to_pem(), text("public_pem"), "{form}");
    }
}

#[test]
fn a_reader_written_from_the_format_document_agrees_on_every_envelope_v1_vector() {
    let vectors = repository().join("proto-docs/vectors/envelope-v1");
    let checked = run(python().arg(script("envelope_v1.py")).arg(vectors), b"");
    assert_eq!(String::from_utf8_lossy(&checked).trim(), "98");
}
