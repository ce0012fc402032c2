//! Hashing of what is already random or public. For anything that can be guessed use [`mac`](crate::mac)
//! or [`IndexKey`](crate::index::IndexKey): a plain hash of a guessable value is as good as the value.

use crate::hazmat;

/// SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    hazmat::sha256(&[data])
}

#[cfg(test)]
mod tests {
    use super::sha256;

    #[test]
    fn sha256_gives_the_standard_s_example() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(sha256(b"abc")), digest);
    }
}
