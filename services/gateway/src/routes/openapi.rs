//! The OpenAPI document of the public listener.
//!
//! What is served is the file that is kept beside the code, and a test says whether it is what the code describes. To
//! make it anew at every start would touch code and memory that a running service has no other use for.

use coffer_api::contract::configs::USER_KEY;
use coffer_server::SessionSchemes;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::contract::{configs, kv, people, usage};
use super::v1;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Coffer gateway",
        description = "The front door. Beside what is listed here, it passes on the native calls of the KMS and the data \
            service, and the file contract's calls of the data service; their own documents describe them. \
            Browsers log in at `/api/v1/sessions` with the header `coffer-session: cookie`: the session's token then \
            goes into a cookie that no script can read, and every call that changes something carries the header \
            `coffer-csrf` and an `Origin` of the gateway's own."
    ),
    paths(
        people::register,
        people::verify_register,
        people::login,
        people::verify_login,
        people::logout,
        people::me,
        people::users,
        people::about,
        kv::store,
        kv::retrieve,
        kv::delete,
        kv::keys,
        configs::create,
        configs::list,
        configs::read,
        configs::update,
        configs::delete,
        configs::rekey,
        configs::cluster_status,
        configs::cluster_health,
        usage::stats,
        usage::analysis,
        v1::usage::overview,
        v1::usage::days,
        v1::usage::hours,
        v1::usage::top,
        v1::usage::recent,
        v1::kv::value::get,
        v1::kv::value::put,
        v1::kv::value::delete,
        v1::kv::value::meta,
        v1::kv::items::list,
        v1::kv::items::copy,
        v1::kv::items::rename,
        v1::kv::batch::batch,
        v1::kv::history::history,
        v1::kv::history::diff,
        v1::kv::history::restore,
        v1::kv::trash::list,
        v1::kv::trash::restore,
        v1::kv::trash::purge,
        v1::kv::sharing::grant,
        v1::kv::sharing::revoke,
        v1::kv::sharing::grants,
        v1::kv::sharing::shared,
        v1::kv::changes::changes,
        v1::kv::watch::watch,
        v1::usage::unread,
        v1::usage::key,
        v1::configs::items::list,
        v1::configs::items::summary,
        v1::configs::items::rekey,
        v1::configs::value::get,
        v1::configs::value::put,
        v1::configs::value::delete,
        v1::configs::history::history,
        v1::configs::history::diff,
        v1::configs::history::rollback,
        v1::configs::batch::batch,
        v1::configs::batch::promote,
        v1::configs::watch::watch,
        v1::configs::transfer::export,
        v1::configs::transfer::import,
        v1::configs::unread::unread,
        v1::configs::schema::get,
        v1::configs::schema::put,
        v1::configs::schema::delete
    ),
    modifiers(&SessionSchemes, &UserKeyScheme)
)]
struct Document;

/// Names in the document how configurations are opened: `user_key`.
struct UserKeyScheme;

impl utoipa::Modify for UserKeyScheme {
    fn modify(&self, document: &mut OpenApi) {
        let about = "What configurations are opened with; at least 8 characters, better 16 random ones";
        let header = ApiKeyValue::with_description(USER_KEY, about);
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("user_key", SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// The document as it is kept and served.
pub(crate) const KEPT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto-docs/openapi/gateway.json"));

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
        assert_kept("gateway.json", &document());
    }
}
