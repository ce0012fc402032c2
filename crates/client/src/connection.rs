//! What all HTTP connections between services have in common.

use std::time::Duration;

use reqwest::ClientBuilder;
use url::Url;

use crate::ClientError;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections from a service to the one at `base`. No proxy is ever used: these calls stay between services, and an
/// `HTTP_PROXY` in the environment is not meant for them.
pub(crate) fn between_services(base: &Url) -> ClientBuilder {
    let builder = reqwest::Client::builder();
    // To an address without TLS there is nobody to verify, and the machine's certificates would take up memory in
    // every client. Without any, a connection with TLS fails.
    let builder = if base.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        // Shorter than servers keep idle connections, so that none is reused as it is being closed.
        .pool_idle_timeout(Duration::from_secs(4))
}

/// Why there is no answer, or no whole one, of `server`. The URL is left out: it may hold what is not to be logged.
pub(crate) fn failed(server: String, source: reqwest::Error) -> ClientError {
    let source = source.without_url();
    if source.is_connect() {
        ClientError::Unreachable { server, source }
    } else {
        ClientError::Lost { server, source }
    }
}
