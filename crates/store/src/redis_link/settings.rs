//! What a Redis URL says.

use redis::{Client, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, TlsCertificates};
use url::Url;

use crate::records::StoreError;

/// A server, and how to use it.
#[derive(Clone)]
pub(crate) struct RedisSettings {
    pub(crate) client: Client,
    /// What every key begins with, so that installations can share a server.
    pub(crate) prefix: String,
    /// Replicas that must confirm each write.
    pub(crate) wait_replicas: Option<usize>,
    /// Whether the server's own durability is checked at start.
    pub(crate) check_durability: bool,
    /// Whether a server is refused that answers before a write is on its disk.
    pub(crate) require_sync: bool,
    /// Whether it may be away when it is opened, and is then waited for.
    pub(crate) may_be_away: bool,
}

const DEFAULT_PREFIX: &str = "coffer";
const PREFIX_BYTES_MAX: usize = 32;

impl RedisSettings {
    /// Reads `redis://` or `rediss://` with the options `prefix`, `wait_replicas`, `durability` and `tls_ca`.
    /// What is wrong is said without repeating a value, which may be a password in the wrong place.
    pub(crate) fn parse(mut url: Url) -> Result<Self, StoreError> {
        let settings = |what: &str| StoreError::Settings(format!("redis URL: {what}"));
        if url.fragment().is_some() {
            return Err(settings("it has no part after `#`"));
        }
        let (mut prefix, mut wait_replicas, mut check_durability) = (DEFAULT_PREFIX.to_owned(), None, true);
        let mut root_cert = None;
        for (option, value) in url.query_pairs() {
            match &*option {
                "prefix" if is_prefix(&value) => prefix = value.into_owned(),
                "prefix" => return Err(settings("`prefix` has 1 to 32 of a-z, A-Z, 0-9, `_`, `-` and `.`")),
                "wait_replicas" => match value.parse() {
                    Ok(replicas @ 1..=16) => wait_replicas = Some(replicas),
                    _ => return Err(settings("`wait_replicas` is a number from 1 to 16")),
                },
                "durability" if value == "unchecked" => check_durability = false,
                "durability" => return Err(settings("`durability` can only be `unchecked`")),
                "tls_ca" => {
                    let pem = std::fs::read(&*value);
                    root_cert = Some(pem.map_err(|err| settings(&format!("the file of `tls_ca`: {err}")))?);
                }
                _ => {
                    return Err(settings(
                        "its options are `prefix`, `wait_replicas`, `durability`, `tls_ca`",
                    ));
                }
            }
        }
        url.set_query(None);
        let tls = url.scheme() == "rediss";
        if tls {
            // Whoever was first to choose an engine for the process has done it for us too.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let info = connection(&url).map_err(|err| settings(err.category()))?;
        let client = match root_cert {
            None => Client::open(info),
            Some(_) if !tls => return Err(settings("`tls_ca` needs rediss://")),
            Some(_) => Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert }),
        };
        let client = client.map_err(|err| settings(&err.to_string()))?;
        Ok(Self { client, prefix, wait_replicas, check_durability, require_sync: false, may_be_away: true })
    }

    /// For what must not be lost even if the power fails the moment after it was answered. Whoever keeps such things reads
    /// them before anything else, so nothing is gained by going on without the server.
    pub(crate) fn synced(self) -> Self {
        Self { require_sync: true, may_be_away: false, ..self }
    }
}

fn connection(url: &Url) -> redis::RedisResult<ConnectionInfo> {
    let info = url.clone().into_connection_info()?;
    // The protocol that tells of a lost connection without being asked.
    let server = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(server))
}

fn is_prefix(text: &str) -> bool {
    // No brace among them: the hash tag comes after the prefix.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=PREFIX_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RedisSettings, StoreError> {
        RedisSettings::parse(Url::parse(text).unwrap())
    }

    #[test]
    fn options_are_taken_out_of_the_url() {
        let settings =
            parse("redis://ann:secret@host:1234/2?prefix=a.b&wait_replicas=2&durability=unchecked");
        let settings = settings.unwrap();
        assert_eq!(
            (&*settings.prefix, settings.wait_replicas, settings.check_durability),
            ("a.b", Some(2), false)
        );
        let server = settings.client.get_connection_info().redis_settings();
        assert_eq!((server.username(), server.password(), server.db()), (Some("ann"), Some("secret"), 2));
        let plain = parse("redis://host").unwrap();
        assert_eq!((&*plain.prefix, plain.wait_replicas, plain.check_durability), ("coffer", None, true));
    }

    #[test]
    fn a_mistake_is_explained_and_no_value_repeated() {
        for wrong in [
            "redis://ann:hunter2@host/?prefix={hunter2}",
            "redis://host/?prefix=",
            "redis://host/?wait_replicas=hunter2",
            "redis://host/?wait_replicas=0",
            "redis://host/?durability=hunter2",
            "redis://host/?password=hunter2",
            "redis://host/hunter2",
            "redis://host/#insecure",
            "redis://host/?tls_ca=/hunter2",
            "rediss://host/?tls_ca=/no/such/hunter2",
            "redis:///0",
        ] {
            let Err(StoreError::Settings(text)) = parse(wrong) else { panic!("{wrong} was taken") };
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
