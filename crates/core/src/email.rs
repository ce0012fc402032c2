//! E-mail addresses, normalised so that one mailbox is one account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::invisible::is_invisible;
use crate::limits::EMAIL_BYTES_MAX;

/// A normalised e-mail address: trimmed, in lower case, one `@`, a dot-atom or UTF-8 local part
/// (RFC 5322, RFC 6531) and a plausible domain, without characters that cannot be seen. Whether it exists only a code sent there can tell.
///
/// Both halves are lowered: no mail system in use tells `Ann@` from `ann@`, while people type both.
/// The address is personal data: `Debug` shows only its domain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

/// Why a text is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Longer than [`EMAIL_BYTES_MAX`].
    #[error("an e-mail address has at most {EMAIL_BYTES_MAX} bytes")]
    TooLong,
    /// Not `local@domain`.
    #[error("not a valid e-mail address")]
    Invalid,
}

impl EmailAddress {
    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn local_is_valid(local: &str) -> bool {
    let atom = |c: char| {
        c.is_alphanumeric()
            || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
    };
    !local.is_empty()
        && local.len() <= 64
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

fn domain_is_valid(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    !domain.is_empty() && domain.split('.').all(label)
}

impl FromStr for EmailAddress {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.len() > EMAIL_BYTES_MAX {
            return Err(EmailError::TooLong);
        }
        // Lowered before it is judged: some letters become several, and what is stored is read by the same rules.
        let text = text.to_lowercase();
        if text.len() > EMAIL_BYTES_MAX {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Invalid)?;
        if text.chars().any(is_invisible) || !local_is_valid(local) || !domain_is_valid(domain) {
            return Err(EmailError::Invalid);
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress(…@{})", self.0.rsplit_once('@').map_or("", |(_, domain)| domain))
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_form() {
        let address: EmailAddress = "  Ann.Example@EXAMPLE.com ".parse().unwrap();
        assert_eq!(address.as_str(), "ann.example@example.com");
    }

    #[test]
    fn what_was_read_once_is_read_again() {
        // A capital I with a dot becomes two characters, of which the second is no letter.
        assert!("ann@İ.com".parse::<EmailAddress>().is_err());
        let longer = "Ⱥ".repeat(32);
        for text in ["İ@example.com", "ΌΣΟΣ@EXAMPLE.com", "ẞ@example.com", &format!("{longer}@example.com")]
        {
            let Ok(address) = text.parse::<EmailAddress>() else { continue };
            assert_eq!(address.as_str().parse(), Ok(address), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let too_long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "a b@example.com",
            "ann@-x.com",
            "a..b@x.com",
            "ann@example..com",
            "a\r\nBcc: b@x.com",
            "<ann@example.com>",
            &too_long,
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(EmailError::Invalid), "{text:?}");
        }
        let far_too_long = format!("a@{}", "b".repeat(300));
        assert_eq!(far_too_long.parse::<EmailAddress>(), Err(EmailError::TooLong));
    }

    #[test]
    fn an_address_with_characters_that_cannot_be_seen_is_refused() {
        for hidden in
            ['\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{ad}', '\u{3164}', '\u{85}']
        {
            for text in [format!("an{hidden}n@example.com"), format!("ann@exam{hidden}ple.com")] {
                assert_eq!(text.parse::<EmailAddress>(), Err(EmailError::Invalid), "{text:?}");
            }
        }
        for text in ["jürgen@example.com", "用户@例子.中国", "آنا@example.com"] {
            assert!(text.parse::<EmailAddress>().is_ok(), "{text}");
        }
    }

    #[test]
    fn debug_hides_the_person() {
        let address: EmailAddress = "ann@example.com".parse().unwrap();
        assert_eq!(format!("{address:?}"), "EmailAddress(…@example.com)");
    }
}
