//! Texts of requests as names, addresses and bytes; what is wrong is named by its field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_api::file_keys::UNWRAP_CIPHERTEXTS_MAX;
use coffer_core::{EmailAddress, FileName};
use coffer_server::Failure;

/// The base64 of what the largest key (RSA-4096) wraps is not longer.
const CIPHERTEXT_CHARS_MAX: usize = 684;

pub(super) fn name(text: &str) -> Result<FileName, Failure> {
    text.parse::<FileName>().map_err(|error| Failure::field("name", error.to_string()))
}

pub(super) fn email(field: &'static str, text: &str) -> Result<EmailAddress, Failure> {
    text.parse::<EmailAddress>().map_err(|error| Failure::field(field, error.to_string()))
}

pub(super) fn owner(text: Option<&str>) -> Result<Option<EmailAddress>, Failure> {
    text.map(|text| email("owner", text)).transpose()
}

pub(super) fn ciphertexts(texts: &[String]) -> Result<Vec<Vec<u8>>, Failure> {
    if texts.is_empty() || texts.len() > UNWRAP_CIPHERTEXTS_MAX {
        let message = format!("has 1 to {UNWRAP_CIPHERTEXTS_MAX} items");
        return Err(Failure::field("ciphertexts", message));
    }
    let decode = |(place, text): (usize, &String)| ciphertext(|| format!("ciphertexts[{place}]"), text);
    texts.iter().enumerate().map(decode).collect()
}

/// A ciphertext in base64, of the field of this name.
pub(super) fn ciphertext(field: impl Fn() -> String, text: &str) -> Result<Vec<u8>, Failure> {
    if text.len() > CIPHERTEXT_CHARS_MAX {
        return Err(Failure::field(field(), format!("has at most {CIPHERTEXT_CHARS_MAX} characters")));
    }
    STANDARD.decode(text).map_err(|_| Failure::field(field(), "is not valid base64 (RFC 4648, section 4)"))
}

/// Each of 1 to `max` items; what is wrong with one is named by its place.
pub(super) fn items<T, U>(
    items: &[T],
    max: usize,
    read: impl Fn(&T, &dyn Fn(&str) -> String) -> Result<U, Failure>,
) -> Result<Vec<U>, Failure> {
    if items.is_empty() || items.len() > max {
        return Err(Failure::field("items", format!("has 1 to {max} items")));
    }
    items
        .iter()
        .enumerate()
        .map(|(place, item)| read(item, &|field| format!("items[{place}].{field}")))
        .collect()
}

/// The name of one of several files.
pub(super) fn name_of(field: String, text: &str) -> Result<FileName, Failure> {
    text.parse::<FileName>().map_err(|error| Failure::field(field, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<T>(result: Result<T, Failure>) -> Option<String> {
        result.err().map(|failure| failure.fields[0].field.clone().into_owned())
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        assert_eq!(field(name("../x")).as_deref(), Some("name"));
        assert_eq!(field(owner(Some("nobody"))).as_deref(), Some("owner"));
        assert_eq!(field(email("grantee_email", "@")).as_deref(), Some("grantee_email"));
        assert_eq!(field(ciphertexts(&[])).as_deref(), Some("ciphertexts"));
        let nine: Vec<_> = (0..9).map(|_| "AA==".to_owned()).collect();
        assert_eq!(field(ciphertexts(&nine)).as_deref(), Some("ciphertexts"));
        let second = |text: &str| field(ciphertexts(&["AA==".into(), text.into()]));
        for wrong in ["A", "AA=", "?", &"A".repeat(688)] {
            assert_eq!(second(wrong).as_deref(), Some("ciphertexts[1]"), "{wrong}");
        }
        assert_eq!(ciphertexts(&nine[..8]).unwrap().len(), 8);
    }
}
