//! Message authentication codes: HMAC-SHA256 (RFC 2104) over a list of parts.
//!
//! Every part goes in with its length before it, so no two different lists have the same input.

use coffer_core::SecretKey;

use crate::hazmat::HmacSha256;
use crate::safe::equal::equal;

/// The code of `parts` under `key`. The first part should name what the code is for.
#[must_use]
pub fn mac(key: &SecretKey, parts: &[&[u8]]) -> [u8; 32] {
    let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
    let input: Vec<&[u8]> =
        lengths.iter().zip(parts).flat_map(|(length, part)| [&length[..], part]).collect();
    HmacSha256::new(key.expose()).mac(&input)
}

/// Whether `code` is the code of `parts` under `key`, in constant time.
#[must_use]
pub fn verify(key: &SecretKey, parts: &[&[u8]], code: &[u8]) -> bool {
    equal(&mac(key, parts), code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::init_with(|key| key.fill(7))
    }

    #[test]
    fn a_code_belongs_to_its_list_of_parts() {
        let code = mac(&key(), &[b"login", b"123456"]);
        assert!(verify(&key(), &[b"login", b"123456"], &code));
        for parts in [&[b"login".as_slice(), b"123457"], &[b"login1", b"23456"], &[b"register", b"123456"]] {
            assert!(!verify(&key(), parts, &code));
        }
        assert!(!verify(&key(), &[b"login", b"123456"], &code[..31]));
        assert!(!verify(&SecretKey::init_with(|key| key.fill(8)), &[b"login", b"123456"], &code));
    }
}
