//! Secrets that have to travel: passwords, one-time codes, session tokens.
//!
//! The wire types must write them, so they cannot do without `Serialize`; this type is the one place
//! where a secret has it. Everything else stays as with every secret: no `Clone`, nothing in `Debug`,
//! wiped when dropped.

use std::fmt;

use coffer_core::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// A secret text on the wire.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct WireSecret(SecretString);

impl WireSecret {
    /// The text itself; hand it to what checks or stores it, never keep it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The secret in the form that the domain takes.
    pub fn into_secret(self) -> SecretString {
        self.0
    }
}

impl<T: Into<SecretString>> From<T> for WireSecret {
    fn from(secret: T) -> Self {
        Self(secret.into())
    }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_travels_as_text_and_never_prints() {
        let secret: WireSecret = serde_json::from_str("\"hunter2hunter2\"").unwrap();
        assert_eq!(format!("{secret:?}"), "WireSecret(redacted)");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"hunter2hunter2\"");
    }
}
