//! The file contract as calls: one method for each row of its tables.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::{Answer, Http};

/// The two base URLs of the contract, and the client that calls them.
#[derive(Clone, Debug)]
pub struct Surface {
    /// What sends the calls.
    pub http: Http,
    /// Base URL of the KMS.
    pub kms: String,
    /// Base URL of the data service.
    pub data: String,
}

impl Surface {
    /// POST to the KMS; `sid` is left out when empty.
    pub async fn kms(&self, path: &str, sid: &str, body: Value) -> Answer {
        self.post(&format!("{}{path}", self.kms), sid, &body).await
    }

    async fn post(&self, url: &str, sid: &str, body: &Value) -> Answer {
        self.http.send("POST", url, Some(sid).filter(|sid| !sid.is_empty()), Some(body)).await
    }

    /// `/register`
    pub async fn register(&self, email: &str, password: &str) -> Answer {
        self.kms("/register", "", json!({ "email": email, "password": password })).await
    }

    /// `/verify_register`
    pub async fn verify_register(&self, email: &str, otp: &str) -> Answer {
        self.kms("/verify_register", "", json!({ "email": email, "otp": otp })).await
    }

    /// `/login`
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        self.kms("/login", "", json!({ "email": email, "password": password })).await
    }

    /// `/verify_login`
    pub async fn verify_login(&self, email: &str, otp: &str) -> Answer {
        self.kms("/verify_login", "", json!({ "email": email, "otp": otp })).await
    }

    /// `/get_public_key`
    pub async fn public_key(&self, sid: &str, name: &str) -> Answer {
        self.kms("/get_public_key", sid, json!({ "file_name": name })).await
    }

    /// `/get_private_key`
    pub async fn private_key(&self, sid: &str, name: &str) -> Answer {
        self.kms("/get_private_key", sid, json!({ "file_name": name })).await
    }

    /// `/grant_access`
    pub async fn grant(&self, sid: &str, name: &str, friend: &str) -> Answer {
        self.kms("/grant_access", sid, json!({ "file_name": name, "friend_email": friend })).await
    }

    /// Takes a grant back. The contract has no row for it: this is the native surface.
    pub async fn revoke(&self, sid: &str, name: &str, friend: &str) -> Answer {
        self.kms("/api/v1/grants/revoke", sid, json!({ "name": name, "grantee_email": friend })).await
    }

    /// Ends the session that the call is made in, on the native surface.
    pub async fn log_out(&self, sid: &str) -> Answer {
        self.http.send("DELETE", &format!("{}/api/v1/sessions/current", self.kms), Some(sid), None).await
    }

    /// `/upload` of any bytes as ciphertext, with keys that are only looked at by clients.
    pub async fn upload(&self, sid: &str, name: &str, data: &[u8]) -> Answer {
        self.post(&format!("{}/upload", self.data), sid, &envelope(name, data)).await
    }

    /// `/download`
    pub async fn download(&self, sid: &str, name: &str) -> Answer {
        let url = reqwest::Url::parse_with_params(&format!("{}/download", self.data), [("file_name", name)]);
        let url = url.expect("the base URL is valid");
        self.http.send("GET", url.as_str(), Some(sid).filter(|sid| !sid.is_empty()), None).await
    }

    /// `/list_files`, in order.
    pub async fn list(&self, sid: &str) -> Vec<String> {
        let answer = self.http.send("GET", &format!("{}/list_files", self.data), Some(sid), None).await;
        let answer = answer.expect(200, 200, "list_files_success").json();
        let names = answer["files"].as_array().expect("a list").iter();
        let mut names: Vec<String> = names.map(|name| name.as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    }

    /// Makes a key and uploads: what a client does to store a file.
    pub async fn store(&self, sid: &str, name: &str, data: &[u8]) {
        self.public_key(sid, name).await.expect(200, 200, "public_key_saved");
        self.upload(sid, name, data).await.expect(200, 200, "upload_success");
    }
}

/// The body of an upload.
pub fn envelope(name: &str, data: &[u8]) -> Value {
    json!({
        "file_name": name,
        "encrypted_data": BASE64.encode(data),
        "encrypted_aes_key": BASE64.encode([1; 256]),
        "encrypted_aes_initial_vector": BASE64.encode([2; 256]),
    })
}

impl Answer {
    /// The ciphertext of a download.
    pub fn data(&self) -> Vec<u8> {
        let json = self.json();
        let text = json["encrypted_data"].as_str().unwrap_or_else(|| panic!("no data: {self}"));
        BASE64.decode(text).expect("data is base64")
    }
}
