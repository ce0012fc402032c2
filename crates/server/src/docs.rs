//! `/openapi.json` and `/docs` on a public listener, from the OpenAPI document of its service.
//!
//! The page and its scripts are in the binary; nothing is fetched from elsewhere, and the content
//! security policy forbids it.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use coffer_api::ErrorCode;
use coffer_api::paths::documents;
use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_swagger_ui::Config;

use crate::failure::Failure;
use crate::routes::native;
use crate::surface::{Native, Surface as _};

/// The page sets styles on its elements; scripts come from us alone.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
);
const DOCS_FILES: &str = "/docs/{file}";

/// Names in a document the two ways to send a session's token: `sid` and `bearer`.
#[derive(Clone, Copy, Debug)]
pub struct SessionSchemes;

impl Modify for SessionSchemes {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let header = ApiKeyValue::with_description("sid", "The token of a session");
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("sid", SecurityScheme::ApiKey(ApiKey::Header(header)));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The documents of one service.
#[derive(Clone)]
pub(crate) struct Documents {
    openapi: &'static str,
    page: Arc<Config<'static>>,
}

impl Documents {
    pub(crate) fn new(openapi: &'static str) -> Self {
        // Nothing of the page is kept between visits: a token typed there is gone with the tab.
        let page = Config::from(documents::OPENAPI).persist_authorization(false);
        Self { openapi, page: Arc::new(page) }
    }

    /// Registers the documents.
    pub(crate) fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()))
            .service(native(documents::OPENAPI).get(openapi))
            .service(native(documents::DOCS).get(entrance))
            .service(native(DOCS_FILES).get(file))
            .service(native("/docs/").get(index));
    }

    fn file(&self, name: &str) -> HttpResponse {
        let file = match utoipa_swagger_ui::serve(name, Arc::clone(&self.page)) {
            Ok(Some(file)) => file,
            Ok(None) => return Native::answer(&Failure::of(ErrorCode::NotFound)),
            Err(error) => return Native::answer(&Failure::internal(error.to_string())),
        };
        let mut response = HttpResponse::Ok();
        if file.gzpipped {
            response.insert_header((header::CONTENT_ENCODING, "gzip"));
        }
        response.content_type(file.content_type).insert_header(POLICY).body(file.bytes.into_owned())
    }
}

async fn openapi(documents: web::Data<Documents>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(documents.openapi)
}

/// Relative names on the page need the slash.
async fn entrance() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn index(documents: web::Data<Documents>) -> HttpResponse {
    documents.file("index.html")
}

async fn file(documents: web::Data<Documents>, name: web::Path<String>) -> HttpResponse {
    documents.file(&name)
}
