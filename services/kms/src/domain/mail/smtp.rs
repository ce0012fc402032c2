//! Letters leave by SMTP: without TLS, with STARTTLS (and never without it), or with TLS from the start.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use coffer_core::ExposeSecret;
use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::letter::Letter;
use super::postman::{Transport, TransportError};
use super::refusal::Refusal;
use crate::config::{SmtpSettings, SmtpTls};

/// Why the settings describe no usable mail server.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// There is no host.
    #[error("smtp.host is not set")]
    NoHost,
    /// The sender is no address.
    #[error("smtp.from is no sender: give an address, or a name with an address in angle brackets")]
    From(#[source] AddressError),
    /// A user name without a password, or the reverse.
    #[error("smtp.username and smtp.password belong together")]
    Credentials,
    /// A password without TLS would be sent in the clear.
    #[error(
        "smtp.tls is `none`, so smtp.password would be sent in the clear to {host}: use `starttls` or `tls`"
    )]
    PasswordInTheClear {
        /// The server.
        host: String,
    },
    /// The certificates cannot be read.
    #[error("reading smtp.ca_file {path}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// TLS cannot be set up.
    #[error("setting up TLS for {host}")]
    Tls {
        /// The server.
        host: String,
        /// Why.
        #[source]
        source: smtp::Error,
    },
}

/// A mail server.
pub struct SmtpTransport {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpTransport")
    }
}

impl SmtpTransport {
    /// The server that `settings` describe. Connections are made when there is something to send.
    pub fn new(settings: &SmtpSettings) -> Result<Self, SmtpError> {
        let host = settings.host.clone().ok_or(SmtpError::NoHost)?;
        let from = settings.from.parse().map_err(SmtpError::From)?;
        let pool = PoolConfig::new().max_size(settings.connections_max);
        let timeout = Duration::from_secs(settings.timeout_s.into());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
            .port(settings.port.unwrap_or(default_port(settings.tls)))
            .tls(tls(settings, &host)?)
            .timeout(Some(timeout))
            .pool_config(pool);
        match (&settings.username, &settings.password) {
            (None, None) => {}
            (Some(_), Some(_)) if settings.tls == SmtpTls::None && !is_loopback(&host) => {
                return Err(SmtpError::PasswordInTheClear { host });
            }
            (Some(user), Some(password)) => {
                let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
                builder =
                    builder.credentials(credentials).authentication(vec![Mechanism::Plain, Mechanism::Login]);
            }
            _ => return Err(SmtpError::Credentials),
        }
        Ok(Self { server: builder.build(), from })
    }

    fn message(&self, letter: &Letter) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
        let to: Address = letter.to.as_str().parse()?;
        let written_ms = u64::try_from(letter.written_at.as_ms()).unwrap_or(0);
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(UNIX_EPOCH + Duration::from_millis(written_ms))
            .message_id(None)
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.expose_secret().to_owned())?;
        Ok(message)
    }
}

fn default_port(tls: SmtpTls) -> u16 {
    match tls {
        SmtpTls::None => 25,
        SmtpTls::Starttls => 587,
        SmtpTls::Tls => 465,
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn tls(settings: &SmtpSettings, host: &str) -> Result<Tls, SmtpError> {
    if settings.tls == SmtpTls::None {
        return Ok(Tls::None);
    }
    let failed = |source| SmtpError::Tls { host: host.to_owned(), source };
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_file {
        let certificates = read(path)?;
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(&certificates).map_err(failed)?);
    }
    let parameters = parameters.build_rustls().map_err(failed)?;
    Ok(match settings.tls {
        SmtpTls::Tls => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, SmtpError> {
    std::fs::read(path).map_err(|source| SmtpError::CaFile { path: path.to_owned(), source })
}

#[async_trait]
impl Transport for SmtpTransport {
    async fn deliver(&self, letter: Letter) -> Result<(), TransportError> {
        let message = self.message(&letter).map_err(|source| TransportError { permanent: true, source })?;
        // A 5xx that the server answers to this letter stands; one to the log-in is the operator's to mend.
        self.server.send(message).await.map(drop).map_err(|error| TransportError {
            permanent: is_refusal_of_letter(&error),
            source: Box::new(Refusal::from(error)),
        })
    }
}

/// Whether the server refused this recipient or this letter for good (RFC 5321, section 4.2.3).
fn is_refusal_of_letter(error: &smtp::Error) -> bool {
    error.is_permanent() && error.status().is_some_and(|code| matches!(u16::from(code), 550..=554))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SmtpSettings {
        SmtpSettings { host: Some("mail.example.com".to_owned()), ..SmtpSettings::default() }
    }

    fn refusal(change: impl FnOnce(&mut SmtpSettings)) -> String {
        let mut settings = settings();
        change(&mut settings);
        SmtpTransport::new(&settings).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn settings_that_cannot_work_or_would_leak_are_refused_by_name() {
        assert!(refusal(|smtp| smtp.host = None).contains("smtp.host"));
        assert!(refusal(|smtp| smtp.from = "no address".to_owned()).contains("smtp.from"));
        assert!(refusal(|smtp| smtp.username = Some("ann".to_owned())).contains("smtp.password"));
        assert!(refusal(|smtp| smtp.ca_file = Some("/nowhere/ca.pem".into())).contains("/nowhere/ca.pem"));
        let in_the_clear = refusal(|smtp| {
            smtp.tls = SmtpTls::None;
            smtp.username = Some("ann".to_owned());
            smtp.password = Some("planted".to_owned().into());
        });
        assert!(in_the_clear.contains("smtp.tls") && !in_the_clear.contains("planted"), "{in_the_clear}");
    }

    #[tokio::test]
    async fn a_message_is_plain_text_that_clients_can_search() {
        let transport = SmtpTransport::new(&settings()).unwrap();
        let to = "ann@example.com".parse().unwrap();
        let (now, good_for) = (coffer_core::Timestamp::from_ms(1_700_000_000_000), Duration::from_mins(10));
        let purpose = coffer_auth::code::Purpose::LogIn;
        let letter = Letter::with_code(to, (purpose, "123456"), (now, good_for));
        let text = String::from_utf8(transport.message(&letter).unwrap().formatted()).unwrap();
        for line in [
            "Subject: Your 2FA Code\r\n",
            "To: ann@example.com\r\n",
            "Content-Transfer-Encoding: 7bit\r\n",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
            "Your verification code is: 123456\r\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
