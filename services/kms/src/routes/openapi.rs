//! The OpenAPI document of the public listener.
//!
//! What is served is the file that is kept beside the code, and a test says whether it is what the code describes. To
//! make it anew at every start would touch code and memory that a running service has no other use for.

use coffer_server::SessionSchemes;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::{contract, events, file_keys, v1};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Coffer KMS", description = "Who you are and which key opens what."),
    paths(
        contract::identity::register,
        contract::identity::verify_register,
        contract::identity::login,
        contract::identity::verify_login,
        v1::registrations::register,
        v1::registrations::verify,
        v1::registrations::resend,
        v1::log_in::log_in,
        v1::log_in::verify,
        v1::sessions::list,
        v1::sessions::end_all,
        v1::sessions::end_current,
        v1::sessions::end_one,
        v1::sessions::me,
        v1::passwords::change,
        v1::passwords::request_reset,
        v1::passwords::reset,
        v1::users::list,
        v1::users::change,
        events::list,
    ),
    modifiers(&SessionSchemes)
)]
struct Document;

/// The document as it is kept and served.
pub(crate) const KEPT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto-docs/openapi/kms.json"));

/// The document as the code describes it.
#[cfg_attr(not(test), expect(dead_code, reason = "what is served was made by the test"))]
fn document() -> OpenApi {
    Document::openapi().merge_from(file_keys::document())
}

#[cfg(test)]
mod tests {
    use coffer_server::testing::assert_kept;

    use super::*;

    #[test]
    fn the_document_that_is_kept_is_the_one_that_the_code_describes() {
        assert_kept("kms.json", &document());
    }
}
