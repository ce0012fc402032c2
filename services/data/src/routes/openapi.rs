//! The OpenAPI document of the public listener.
//!
//! What is served is the file that is kept beside the code, and a test says whether it is what the code describes. To
//! make it anew at every start would touch code and memory that a running service has no other use for.

use coffer_server::SessionSchemes;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::{contract, file, native};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Coffer data service", description = "Ciphertext and nothing else."),
    paths(
        contract::upload, contract::download, contract::list_files,
        native::files, file::put, file::get, file::head,
        file::kept::delete, file::kept::history, file::kept::trash, file::kept::restore,
        file::copies::copy, file::copies::rename,
    ),
    modifiers(&SessionSchemes)
)]
struct Document;

/// The document as it is kept and served.
pub(crate) const KEPT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto-docs/openapi/data.json"));

/// The document as the code describes it.
#[cfg_attr(not(test), expect(dead_code, reason = "what is served was made by the test"))]
fn document() -> OpenApi {
    Document::openapi()
}

#[cfg(test)]
mod tests {
    use coffer_server::testing::assert_kept;

    use super::*;

    #[test]
    fn the_document_that_is_kept_is_the_one_that_the_code_describes() {
        assert_kept("data.json", &document());
    }
}
