//! The OpenAPI document of the public listener.

use coffer_server::SessionSchemes;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::{contract, native};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Coffer data service", description = "Ciphertext and nothing else."),
    paths(contract::upload, contract::download, contract::list_files, native::files),
    modifiers(&SessionSchemes)
)]
struct Document;

/// The document.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_document_that_is_kept_is_the_one_that_is_served() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs/openapi/data.json");
        let served = document().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("COFFER_RENEW").is_some() {
            std::fs::write(&path, &served).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(kept == served, "proto-docs/openapi/data.json is stale: COFFER_RENEW=1 renews it");
    }
}
