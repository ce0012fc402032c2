//! `coffer-all mailbox`: the mail that a running installation keeps, for who cannot reach its listener.
//!
//! The mailbox answers on loopback alone. In a container that is the container's own, and its image holds no HTTP client.

use std::fmt::Write as _;
use std::net::SocketAddr;

use coffer_server::{Cause, ask};
use serde::Deserialize;
use url::form_urlencoded;

const PATH: &str = "/dev/mailbox";

#[derive(Deserialize)]
struct Letters {
    messages: Vec<Letter>,
}

#[derive(Deserialize)]
struct Letter {
    to: String,
    subject: String,
    text: String,
    received_at: String,
}

/// What is in the mailbox at the KMS's internal listener, as text; only letters to `to` if given.
pub(crate) fn read(kms: SocketAddr, to: Option<&str>) -> Result<String, Cause> {
    let path = match to {
        None => PATH.to_owned(),
        Some(to) => {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
            format!("{PATH}?{query}")
        }
    };
    let asked = ask(kms, &path)?;
    match asked.status {
        200 => Ok(shown(&serde_json::from_slice(&asked.body)?)),
        404 => Err("there is no mailbox: mail goes through `smtp.host`, or the internal listener is not on \
                    loopback"
            .into()),
        status => Err(format!("the mailbox answers {status}").into()),
    }
}

fn shown(letters: &Letters) -> String {
    let mut text = String::new();
    for Letter { to, subject, text: body, received_at } in &letters.messages {
        // Writing to a text cannot fail.
        let _ = write!(text, "To: {to}\nSubject: {subject}\nDate: {received_at}\n\n{}\n\n", body.trim_end());
    }
    // What others wrote must not move the cursor of whoever reads it.
    text.retain(|character| character == '\n' || !character.is_control());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_shown_one_after_the_other_and_steer_no_terminal() {
        let letter = |to: &str, text: &str| Letter {
            to: to.to_owned(),
            subject: "A code".to_owned(),
            text: text.to_owned(),
            received_at: "2026-01-02T03:04:05Z".to_owned(),
        };
        let messages = vec![letter("a@example.com", "one\u{1b}[2J\n"), letter("b@example.com", "two")];
        let expected = "To: a@example.com\nSubject: A code\nDate: 2026-01-02T03:04:05Z\n\none[2J\n\n\
                        To: b@example.com\nSubject: A code\nDate: 2026-01-02T03:04:05Z\n\ntwo\n\n";
        assert_eq!(shown(&Letters { messages }), expected);
    }
}
