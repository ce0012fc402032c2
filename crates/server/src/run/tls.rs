//! TLS of the public listener.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{Error, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings::{SecretError, TlsSettings, check_mode};

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One file without the other.
    #[error("`http.tls.cert_file` and `http.tls.key_file` must be set together")]
    Half,
    /// A file cannot be read, or is not PEM.
    #[error("reading {} of `http.tls`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Others could change the key.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// Certificate and key cannot be used together.
    #[error("certificate and key of `http.tls` cannot be used")]
    Pair(#[source] rustls::Error),
}

/// What rustls needs, or `None` for plain HTTP. TLS 1.2 and 1.3 with the library's suites.
pub(super) fn config(settings: &TlsSettings) -> Result<Option<ServerConfig>, TlsError> {
    let (cert, key) = match (&settings.cert_file, &settings.key_file) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert.as_path(), key.as_path()),
        _ => return Err(TlsError::Half),
    };
    let file_error = |path: &Path, source| TlsError::File { path: path.to_owned(), source };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| file_error(cert, source))?;
    let metadata = std::fs::metadata(key).map_err(|source| file_error(key, Error::Io(source)))?;
    check_mode("http.tls.key", key, &metadata)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|source| file_error(key, source))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map(Some)
        .map_err(TlsError::Pair)
}
