//! What a shell has: `curl` and `openssl`. No code of Coffer's is involved.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use tokio::process::Command;

/// Runs a program to its end and returns what it printed.
///
/// # Panics
/// When it fails, with what it said.
pub async fn run<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.unwrap_or_else(|err| panic!("{program}: {err}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed: {said}");
    output.stdout
}

/// `curl` with a directory for bodies.
#[derive(Debug)]
pub struct Curl {
    /// Where bodies and working files are.
    pub directory: PathBuf,
}

impl Curl {
    /// A working directory is made below `directory`.
    pub fn new(directory: &Path) -> Self {
        fs::create_dir_all(directory).expect("the directory can be made");
        Self { directory: directory.to_owned() }
    }

    /// POST of a JSON body; gives HTTP status and body.
    pub async fn post(&self, url: &str, sid: &str, body: &Value) -> (u16, Value) {
        let file = self.directory.join("request.json");
        fs::write(&file, body.to_string()).expect("the directory can be written");
        let data = format!("@{}", file.display());
        self.call(&["-H", "content-type: application/json", "--data-binary", &data, url], sid).await
    }

    /// GET with a query parameter.
    pub async fn get(&self, url: &str, sid: &str, parameter: &str) -> (u16, Value) {
        self.call(&["--get", "--data-urlencode", parameter, url], sid).await
    }

    async fn call(&self, arguments: &[&str], sid: &str) -> (u16, Value) {
        let answer = self.directory.join("answer.json");
        let path = answer.display().to_string();
        let sid = format!("sid: {sid}");
        let mut all = vec!["-sS", "--max-time", "60", "-o", &path, "-w", "%{http_code}", "-H", &sid];
        all.extend(arguments);
        let status = String::from_utf8(run("curl", &all).await).expect("a status is digits");
        let body = fs::read(&answer).expect("curl wrote the answer");
        let json = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        (status.parse().expect("a status is digits"), json.expect("the answer is JSON"))
    }

    fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.directory.join(name);
        fs::write(&path, content).expect("the directory can be written");
        path.display().to_string()
    }

    /// A classic envelope of `plaintext` for a public key as the KMS gives it, made by `openssl`.
    pub async fn seal(&self, name: &str, public_key: &str, plaintext: &[u8]) -> Value {
        let key = self.write("public.pem", &BASE64.decode(public_key).expect("a key is base64"));
        let input = self.write("plain", plaintext);
        let secret = run("openssl", &["rand", "48"]).await;
        let (content_key, iv) = secret.split_at(32);
        let data = self.cipher("-e", &input, content_key, iv).await;
        let mut wrapped = Vec::new();
        for part in [content_key, iv] {
            let input = self.write("part", part);
            let pubin = ["pkeyutl", "-encrypt", "-pubin", "-inkey", &key, "-in", &input];
            wrapped.push(BASE64.encode(run("openssl", &[&pubin[..], OAEP].concat()).await));
        }
        serde_json::json!({
            "file_name": name,
            "encrypted_data": BASE64.encode(data),
            "encrypted_aes_key": wrapped[0],
            "encrypted_aes_initial_vector": wrapped[1],
        })
    }

    /// Opens a downloaded classic envelope with a private key as the KMS gives it.
    pub async fn open(&self, private_key: &str, envelope: &Value) -> Vec<u8> {
        let pem = BASE64.decode(private_key).expect("a key is base64");
        assert!(pem.starts_with(b"-----BEGIN RSA PRIVATE KEY-----"), "an exported key is PKCS#1");
        let key = self.write("private.pem", &pem);
        let field = |name: &str| {
            BASE64.decode(envelope[name].as_str().expect("a text")).expect("envelopes are base64")
        };
        let mut opened = Vec::new();
        for name in ["encrypted_aes_key", "encrypted_aes_initial_vector"] {
            let input = self.write("part", &field(name));
            let decrypt = ["pkeyutl", "-decrypt", "-inkey", &key, "-in", &input];
            opened.push(run("openssl", &[&decrypt[..], OAEP].concat()).await);
        }
        let input = self.write("sealed", &field("encrypted_data"));
        self.cipher("-d", &input, &opened[0], &opened[1]).await
    }

    async fn cipher(&self, direction: &str, input: &str, key: &[u8], iv: &[u8]) -> Vec<u8> {
        let (key, iv) = (hex::encode(key), hex::encode(iv));
        run("openssl", &["enc", direction, "-aes-256-cbc", "-K", &key, "-iv", &iv, "-in", input]).await
    }
}

const OAEP: &[&str] = &[
    "-pkeyopt",
    "rsa_padding_mode:oaep",
    "-pkeyopt",
    "rsa_oaep_md:sha256",
    "-pkeyopt",
    "rsa_mgf1_md:sha256",
];
