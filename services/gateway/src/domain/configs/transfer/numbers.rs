//! Which numbers survive being read as 64-bit integers and floating-point numbers.

use crate::domain::json;

/// Decimals of so many digits come back from a 64-bit floating-point number as they were (IEEE 754 double: 15.95).
const DIGITS_MAX: usize = 15;
/// Far within what such a number reaches.
const EXPONENT_MAX: i32 = 300;

/// Whether all numbers in this JSON do.
pub(super) fn are_exact(json: &str) -> bool {
    let (bytes, mut at) = (json.as_bytes(), 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at += json::text_bytes(&bytes[at..]),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let length = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                if !is_exact(&json[at..at + length]) {
                    return false;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    true
}

fn is_exact(number: &str) -> bool {
    if number != "-0" && (number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok()) {
        return true;
    }
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let significant: String = digits.chars().filter(char::is_ascii_digit).collect();
    let significant = significant.trim_start_matches('0').trim_end_matches('0').len();
    let is_near = exponent.parse::<i32>().is_ok_and(|exponent| exponent.abs() <= EXPONENT_MAX);
    // As many digits without any meaning would move the point as far as an exponent does.
    significant <= DIGITS_MAX && is_near && digits.len() <= 2 * DIGITS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_up_to_what_64_bits_hold() {
        for exact in [
            "0",
            "-0",
            "-0.0",
            "1.50",
            "9223372036854775807",
            "18446744073709551615",
            "-9223372036854775808",
            "0.123456789012345",
            "1e300",
            "[1, {\"a\": 2.5}]",
            "\"0.12345678901234567890 \\\" 99999999999999999999\"",
            "{\"123456789012345678901234567890\": true}",
        ] {
            assert!(are_exact(exact), "{exact}");
        }
        for inexact in [
            "18446744073709551616",
            "-9223372036854775809",
            "0.1234567890123456",
            "1e301",
            "1e99999999999",
            "[\"a\", [3.14159265358979323846]]",
        ] {
            assert!(!are_exact(inexact), "{inexact}");
        }
    }
}
