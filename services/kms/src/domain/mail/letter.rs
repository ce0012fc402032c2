//! What a letter says.

use std::fmt;
use std::time::Duration;

use coffer_api::AddressHash;
use coffer_auth::code::{OneTimeCode, Purpose};
use coffer_core::{CodeId, EmailAddress, SecretString, Timestamp};

/// The subject of every letter: clients of the file contract look for it.
const SUBJECT: &str = "Your 2FA Code";

/// A code on its way to an address.
#[derive(Debug)]
pub struct CodeMail {
    /// Where to.
    pub to: EmailAddress,
    /// The same address, blinded.
    pub account: AddressHash,
    /// What the code is for.
    pub purpose: Purpose,
    /// Which code it is.
    pub id: CodeId,
    /// The code.
    pub digits: OneTimeCode,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// A letter, ready to be sent. Its `Debug` shows neither the address nor the text.
pub struct Letter {
    /// Where to.
    pub to: EmailAddress,
    /// The subject.
    pub subject: &'static str,
    /// The text, with the code in it.
    pub text: SecretString,
    /// When it was written.
    pub written_at: Timestamp,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(redacted)")
    }
}

impl Letter {
    /// The letter that carries a code for `purpose`, good from now for `good_for`.
    pub fn with_code(
        to: EmailAddress,
        (purpose, code): (Purpose, &str),
        (now, good_for): (Timestamp, Duration),
    ) -> Self {
        let what = match purpose {
            Purpose::Registration => "Somebody, probably you, is registering this address with Coffer.",
            Purpose::LogIn => "Somebody, probably you, is logging in to Coffer with your password.",
            Purpose::Reset => "Somebody, probably you, wants to set a new password for Coffer.",
        };
        let otherwise = match purpose {
            Purpose::Registration => "If this was not you, ignore this message: nothing will happen.",
            Purpose::LogIn => "If this was not you, somebody knows your password: change it.",
            Purpose::Reset => "If this was not you, ignore this message: your password stays as it is.",
        };
        let minutes = match good_for.as_secs().div_ceil(60) {
            0 | 1 => "one minute".to_owned(),
            more => format!("{more} minutes"),
        };
        let text = format!(
            "{what}\n\n\
             Your verification code is: {code}\n\n\
             It is good for {minutes} and for nothing else.\n\
             Enter it only where you asked for it. Nobody from Coffer will ever ask\n\
             you for it.\n\n\
             {otherwise}\n"
        );
        Self { to, subject: SUBJECT, text: SecretString::from(text), written_at: now }
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::ExposeSecret;

    use super::*;

    #[test]
    fn a_letter_has_the_line_that_clients_look_for_and_says_what_for() {
        let to: EmailAddress = "ann@example.com".parse().unwrap();
        for (purpose, word) in [
            (Purpose::Registration, "registering"),
            (Purpose::LogIn, "logging in"),
            (Purpose::Reset, "new password"),
        ] {
            let letter = Letter::with_code(
                to.clone(),
                (purpose, "123456"),
                (Timestamp::from_ms(0), Duration::from_mins(10)),
            );
            let text = letter.text.expose_secret();
            assert!(text.contains("\nYour verification code is: 123456\n"), "{text}");
            assert!(text.contains(word) && text.contains("will ever ask\nyou for it"), "{text}");
            // Longer lines, or others than ASCII, would be sent in an encoding that clients do not search.
            assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 76), "{text}");
            assert_eq!(letter.subject, "Your 2FA Code");
            assert_eq!(format!("{letter:?}"), "Letter(redacted)");
        }
    }
}
