//! The OpenAPI document of the public listener.

use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi as _};

use super::{contract, native};

struct Sessions;

impl Modify for Sessions {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let header = ApiKeyValue::with_description("sid", "The token of a session");
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("sid", SecurityScheme::ApiKey(ApiKey::Header(header)));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Coffer data service", description = "Ciphertext and nothing else."),
    paths(contract::upload, contract::download, contract::list_files, native::files),
    modifiers(&Sessions)
)]
struct Document;

/// The document.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}
