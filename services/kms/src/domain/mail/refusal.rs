//! Why a letter did not leave by SMTP, in words that may be logged.
//!
//! A mail server likes to repeat what it refuses ("550 5.1.1 <ann@example.com> rejected"). Addresses are personal
//! data and in no log, so of a reply only its numbers are kept: the status and, where there is one, the
//! enhanced status code (RFC 3463), which says as much.

use std::error::Error as _;
use std::fmt;

use lettre::transport::smtp;

/// Why a letter did not leave.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The server said no.
    #[error("the mail server answered {status}{enhanced}")]
    Answered {
        /// RFC 5321, section 4.2.3.
        status: u16,
        /// RFC 3463, if the server sent one.
        enhanced: Enhanced,
    },
    /// What the server sent is no reply.
    #[error("the mail server sent something that is no SMTP reply")]
    Reply,
    /// The server cannot do what the letter needs.
    #[error("the mail server does not support what is needed to send the letter")]
    Unsupported,
    /// The server was not reached, or was lost.
    #[error("talking to the mail server")]
    Connection(#[source] smtp::Error),
}

/// An enhanced status code, shown with a space before it; nothing where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Enhanced(Option<[u16; 3]>);

impl From<smtp::Error> for Refusal {
    fn from(error: smtp::Error) -> Self {
        if let Some(status) = error.status() {
            let words = error.source().map(ToString::to_string).unwrap_or_default();
            return Self::Answered { status: status.into(), enhanced: Enhanced::at_start_of(&words) };
        }
        if error.is_response() {
            Self::Reply
        } else if error.is_client() {
            Self::Unsupported
        } else {
            Self::Connection(error)
        }
    }
}

impl Enhanced {
    fn at_start_of(words: &str) -> Self {
        let first = words.split_ascii_whitespace().next().unwrap_or_default();
        let number = |part: &str| part.parse().ok().filter(|number| *number < 1000);
        let numbers: Option<Vec<u16>> = first.split('.').map(number).collect();
        Self(numbers.and_then(|numbers| numbers.try_into().ok()))
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some([class, subject, detail]) => write!(f, " {class}.{subject}.{detail}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::time::Duration;

    use coffer_auth::code::Purpose;
    use coffer_core::Timestamp;

    use crate::config::{SmtpSettings, SmtpTls};
    use crate::domain::mail::{Letter, SmtpTransport, Transport as _, TransportError};

    use super::*;

    /// The port of a server that answers these lines, one to each command; the first greets.
    fn server(replies: &'static [&'static str]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut commands = BufReader::new(stream.try_clone().unwrap()).lines();
            for reply in replies {
                write!(stream, "{reply}\r\n").unwrap();
                if commands.next().is_none_or(|command| command.is_err()) {
                    break;
                }
            }
        });
        port
    }

    async fn deliver(replies: &'static [&'static str]) -> TransportError {
        let settings = SmtpSettings {
            host: Some("127.0.0.1".to_owned()),
            port: Some(server(replies)),
            tls: SmtpTls::None,
            ..SmtpSettings::default()
        };
        let to = "ann@example.com".parse().unwrap();
        let (now, good_for) = (Timestamp::from_ms(1_700_000_000_000), Duration::from_mins(10));
        let letter = Letter::with_code(to, (Purpose::LogIn, "123456"), (now, good_for));
        SmtpTransport::new(&settings).unwrap().deliver(letter).await.unwrap_err()
    }

    /// Everything that a log could show of an error.
    fn shown(error: &TransportError) -> String {
        let mut shown = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(error) = source {
            shown.extend([error.to_string(), format!("{error:?}")]);
            source = error.source();
        }
        shown
    }

    #[tokio::test]
    async fn of_a_refusal_only_its_numbers_are_kept() {
        let replies = &["220 x", "250 x", "250 ok", "550 5.1.1 <ann@example.com> rejected"];
        let refused = deliver(replies).await;
        assert!(refused.permanent);
        let shown = shown(&refused);
        assert!(shown.contains("550 5.1.1"), "{shown}");
        assert!(!shown.contains("ann"), "{shown}");
    }

    #[tokio::test]
    async fn what_is_no_reply_is_not_repeated() {
        let refused = deliver(&["220 x", "250 x", "250 ok", "ann@example.com who is that"]).await;
        assert!(!refused.permanent);
        assert!(!shown(&refused).contains("ann"), "{}", shown(&refused));
    }

    #[test]
    fn an_enhanced_status_is_three_numbers_at_the_start() {
        let shown = |words| Enhanced::at_start_of(words).to_string();
        assert_eq!(shown("5.7.26 no"), " 5.7.26");
        for words in ["", "no", "5.1 no", "5.1.1.1 no", "5.1.x no", "<5.1.1@example.com>", "5.1.1000 no"] {
            assert_eq!(shown(words), "", "{words}");
        }
    }
}
