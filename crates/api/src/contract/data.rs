//! What the data service reads of the file contract. Its answers, and what clients send, are in
//! [`crate::files`]; these types read the same bodies faster and check them.

use std::borrow::Cow;
use std::fmt;

use coffer_core::{EmailAddress, FileName, base64};
use serde::{Deserialize, Deserializer, de};
use utoipa::{IntoParams, ToSchema};

use super::validation::{Field, Request, Violation};

const NOT_BASE64: &str = "not valid base64 (RFC 4648, section 4, with padding)";

/// Bytes that travel as base64 (RFC 4648, section 4), decoded while they are read, without a copy of the
/// text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Base64Bytes(pub Vec<u8>);

impl fmt::Debug for Base64Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64Bytes({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Base64Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Base64Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Base64Bytes, E> {
                base64::decode(text.as_bytes()).map(Base64Bytes).ok_or_else(|| E::custom(NOT_BASE64))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Body of `/upload`. Empty fields are read, because the contract answers them with 400 and not 422.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Upload {
    /// The name; `None` when it was empty.
    #[serde(deserialize_with = "name_or_empty")]
    #[schema(value_type = String)]
    pub file_name: Option<FileName>,
    /// The ciphertext.
    #[schema(value_type = String, format = Byte)]
    pub encrypted_data: Base64Bytes,
    /// The content key, encrypted for the file key.
    #[schema(value_type = String, format = Byte)]
    pub encrypted_aes_key: Base64Bytes,
    /// The initial vector, encrypted for the file key.
    #[schema(value_type = String, format = Byte)]
    pub encrypted_aes_initial_vector: Base64Bytes,
    /// Whose name space is meant.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub owner: Option<EmailAddress>,
}

fn name_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FileName>, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(de::Error::custom) }
}

fn check_name(text: &str) -> Result<(), Violation> {
    if text.is_empty() {
        return Ok(());
    }
    text.parse::<FileName>().map(drop).map_err(|error| Violation::value(&error.to_string()))
}

fn check_owner(text: &str) -> Result<(), Violation> {
    text.parse::<EmailAddress>().map(drop).map_err(|error| Violation::value(&error.to_string()))
}

fn check_base64(text: &str) -> Result<(), Violation> {
    base64::decode(text.as_bytes()).map(drop).ok_or_else(|| Violation::value(NOT_BASE64))
}

impl Request for Upload {
    const FIELDS: &'static [Field] = &[
        Field::text("file_name", check_name),
        Field::text("encrypted_data", check_base64),
        Field::text("encrypted_aes_key", check_base64),
        Field::text("encrypted_aes_initial_vector", check_base64),
        Field::text("owner", check_owner).optional(),
    ];
}

/// Query of `/download`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DownloadQuery {
    /// The name.
    #[param(value_type = String)]
    pub file_name: FileName,
    /// Whose file is meant, where several users have one of this name.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub owner: Option<EmailAddress>,
}

impl Request for DownloadQuery {
    const FIELDS: &'static [Field] = &[
        Field::text("file_name", |text| {
            text.parse::<FileName>().map(drop).map_err(|error| Violation::value(&error.to_string()))
        }),
        Field::text("owner", check_owner).optional(),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_decoded_while_it_is_read() {
        let json = r#"{"file_name":"\u5831 2026.bin","encrypted_data":"aGVsbG8=","encrypted_aes_key":"",
            "encrypted_aes_initial_vector":"AA=="}"#;
        let upload: Upload = serde_json::from_str(json).unwrap();
        assert_eq!(upload.encrypted_data.0, b"hello");
        assert_eq!(upload.encrypted_aes_key.0, b"");
        assert_eq!(upload.file_name.unwrap().as_str(), "報 2026.bin");
    }

    #[test]
    fn base64_has_one_spelling() {
        for text in ["aGVsbG8", "aGVsbG9=", "aGVs\nbG8=", "aGVsbG8-", "?"] {
            assert!(serde_json::from_value::<Base64Bytes>(text.into()).is_err(), "{text:?}");
        }
    }
}
