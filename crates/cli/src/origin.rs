//! Where a server is: scheme, host and port, nothing else.
//!
//! A session token belongs to the origins that it was made for. Everything that decides which server may
//! see a token compares values of this type, never the text that somebody typed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use url::{Host, Url};

/// An http or https origin (RFC 6454) in its one normal form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Origin(String);

/// Why a text is not the address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OriginError {
    #[error("expected an address such as https://kms.example.com or http://127.0.0.1:3000")]
    Form,
    #[error("the address must not contain a user name or a password")]
    Credentials,
    #[error("the address must end after host and port")]
    Path,
}

impl Origin {
    /// The origin as text, without a slash at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent there can be read on the way: plain http to another machine.
    pub(crate) fn is_exposed(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return true };
        let local = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        url.scheme() != "https" && !local
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text.trim()).map_err(|_| OriginError::Form)?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(OriginError::Form);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::Credentials);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError::Path);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<Origin, OriginError> {
        text.parse()
    }

    #[test]
    fn one_server_has_one_form() {
        for text in ["https://KMS.example.com", "https://kms.example.com/", "https://kms.example.com:443"] {
            assert_eq!(origin(text).unwrap().as_str(), "https://kms.example.com", "{text}");
        }
        assert_ne!(origin("http://kms.example.com"), origin("https://kms.example.com"));
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        assert_eq!(origin("127.0.0.1:3000"), Err(OriginError::Form));
        assert_eq!(origin("file:///etc/passwd"), Err(OriginError::Form));
        assert_eq!(origin(""), Err(OriginError::Form));
        assert_eq!(origin("http://kms.example.com@evil.example"), Err(OriginError::Credentials));
        assert_eq!(origin("http://kms.example.com/x"), Err(OriginError::Path));
        assert_eq!(origin("http://kms.example.com?x"), Err(OriginError::Path));
    }

    #[test]
    fn plain_http_is_exposed_unless_it_stays_on_this_machine() {
        for text in
            ["http://127.0.0.1:3000", "http://[::1]:3000", "http://localhost:3000", "https://a.example"]
        {
            assert!(!origin(text).unwrap().is_exposed(), "{text}");
        }
        for text in ["http://10.0.0.1:3000", "http://kms.example.com", "http://localhost.example"] {
            assert!(origin(text).unwrap().is_exposed(), "{text}");
        }
    }
}
