//! Comparison of secrets.

use subtle::ConstantTimeEq;

/// Whether two byte strings are the same, in a time that depends only on their lengths.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn equal_means_the_same_length_and_bytes() {
        assert!(equal(b"", b"") && equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"ab") && !equal(b"", b"a"));
    }
}
