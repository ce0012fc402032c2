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
    use coffer_server::testing::assert_kept;

    use super::*;

    #[test]
    fn the_document_that_is_kept_is_the_one_that_is_served() {
        assert_kept("data.json", &document());
    }
}
