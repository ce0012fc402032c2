//! A certificate authority of the test's own.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority and one server certificate for `localhost` and 127.0.0.1, as PEM files.
#[derive(Debug)]
pub struct Authority {
    /// What a client trusts.
    pub certificate: PathBuf,
    /// The server's certificate.
    pub server_certificate: PathBuf,
    /// The server's private key.
    pub server_key: PathBuf,
}

impl Authority {
    /// Makes both, in `directory`.
    pub fn make(directory: &Path) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).expect("no names are valid names");
        // Unlike the server's, else the chain looks self-signed.
        authority.distinguished_name.push(DnType::CommonName, "Authority of the Coffer tests");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().expect("a key can be made");
        let authority_certificate = authority.self_signed(&authority_key).expect("an authority signs itself");

        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let server = CertificateParams::new(names).expect("the names are valid");
        let server_key = KeyPair::generate().expect("a key can be made");
        let issuer = Issuer::new(authority, authority_key);
        let server_certificate = server.signed_by(&server_key, &issuer).expect("an authority signs");

        let write = |name: &str, pem: String| {
            let path = directory.join(name);
            fs::write(&path, pem).expect("the directory can be written");
            path
        };
        Self {
            certificate: write("ca.pem", authority_certificate.pem()),
            server_certificate: write("server.pem", server_certificate.pem()),
            server_key: write("server.key", server_key.serialize_pem()),
        }
    }
}
