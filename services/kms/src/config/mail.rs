//! `smtp.*`: how mail leaves.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// Not at all: for a relay on the same machine.
    None,
    /// `STARTTLS`, and nothing is sent without it.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// The mail server. Without a host no mail leaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmtpSettings {
    /// The server's name.
    pub host: Option<String>,
    /// Its port; by default 25 without TLS, 587 with `starttls` and 465 with `tls`.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Certificates (PEM) to trust for the server, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whom to log in as, if the server asks for it.
    pub username: Option<String>,
    /// The password that belongs to it.
    pub password: Option<SecretString>,
    /// A file that holds that password.
    pub password_file: Option<PathBuf>,
    /// The sender of all mail: an address, or a name with an address in angle brackets.
    pub from: String,
    /// A delivery is given up, and tried again later, after so many seconds.
    pub timeout_s: u32,
    /// Deliveries at the same time, in this process.
    pub connections_max: u32,
    /// Keeps mail in memory, to be read at `/dev/mailbox` on an internal listener on loopback, if no
    /// host is set. For development: whoever reaches that listener reads every code.
    pub dev_mailbox: bool,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: SmtpTls::Starttls,
            ca_file: None,
            username: None,
            password: None,
            password_file: None,
            from: "Coffer <coffer@localhost>".to_owned(),
            timeout_s: 30,
            connections_max: 4,
            dev_mailbox: false,
        }
    }
}
