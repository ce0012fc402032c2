//! Configurations as a text: what is exported, and what is imported.

use actix_web::http::header;
use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse};
use coffer_api::configs::{
    ConfigExportQuery, ConfigFormat, ConfigImportMode, ConfigImportOutcome, ConfigImportQuery,
    ConfigImported, ConfigImportedItem,
};
use coffer_api::contract::configs::{check_category, check_key};
use coffer_api::{ErrorCode, Problem};
use coffer_server::{BytesBody, BytesInFlight, Failure, HeldBody, HttpError, Native, ValidQuery};

use super::wire;
use crate::domain::configs::{DEFAULT_ENVIRONMENT, Format, Import, Imported, Item, Outcome};
use crate::routes::contract::configs::Keyed;

/// The configurations of an environment as a text that can be imported. Values are plain in it.
#[utoipa::path(get, path = "/api/v1/configs/export", tag = "configurations", params(ConfigExportQuery),
    security(("user_key" = [])),
    responses(
        (status = 200, description = "`coffer_configs` 1, the deployment's `salt`, the `environment`, and `configs` by key, each with its \
            `category`, its `value` and its `schema`, or as `json` and `schema_json` what the format cannot say exactly; as `.env`, variables named by category and key in \
            upper case, each with a comment for the import"),
        (status = 409, description = "`env_names_collide`: two configurations would be the same variable; both are named", body = Problem),
        (status = 422, description = "`invalid_input`, also of what would be too long to be imported in this format", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 503, description = "`unavailable`, with `Retry-After`", body = Problem)))]
pub(in crate::routes) async fn export(
    keyed: Keyed<Native>,
    in_flight: BytesInFlight,
    query: ValidQuery<ConfigExportQuery>,
) -> Result<HttpResponse, HttpError> {
    wire::environment_in("environment", query.environment.as_deref())?;
    let environment = query.environment.as_deref().unwrap_or(DEFAULT_ENVIRONMENT);
    let share = keyed.share_of_all(&in_flight).await?;
    let text = keyed.holder.export(environment, format(query.format)).await?;
    Ok(HttpResponse::Ok()
        .content_type(query.format.media_type())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .body(HeldBody::new(text, share)))
}

/// Stores configurations from a text: what an export gave, or one like that. Everything is looked at before anything is stored; then they are
/// stored in groups of at most 100, each group at once. After a failure in between the same import goes on where it ended. A `schema` that comes
/// with a configuration becomes its own where it is stored; where none comes, the one that is there stays, and what is stored matches it.
#[utoipa::path(post, path = "/api/v1/configs/import", tag = "configurations", params(ConfigImportQuery),
    security(("user_key" = [])), request_body(content = String, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "What was done; with `dry_run`, what would be", body = ConfigImported),
        (status = 413, description = "`body_too_large`: over what a name space can hold, 6 MiB of YAML or 1 MiB of TOML", body = Problem),
        (status = 422, description = "`invalid_input`: names the place in the text, or the configuration; `schema_mismatch`: names the configuration, \
            the place in its value and the rule", body = Problem),
        (status = 429, description = "`rate_limited`, with `Retry-After`", body = Problem),
        (status = 507, description = "`storage_full`", body = Problem)))]
pub(in crate::routes) async fn import(
    keyed: Keyed<Native>,
    query: ValidQuery<ConfigImportQuery>,
    in_flight: BytesInFlight,
    (request, payload): (HttpRequest, Payload),
) -> Result<Json<ConfigImported>, HttpError> {
    let ConfigImportQuery { environment, format: from, mode, dry_run } = query.into_inner();
    let from = format(from);
    let bytes_max = keyed.holder.document_bytes_max(from);
    let body = BytesBody::of(&request, &mut payload.into_inner(), bytes_max).await.map_err(|error| {
        let failure = error.into_failure();
        let is_too_large = failure.code == ErrorCode::BodyTooLarge;
        let said = format!("a document has at most {bytes_max} bytes in this format");
        if is_too_large { failure.with_detail(said) } else { failure }
    })?;
    let (bytes, _reservation) = body.into_parts();
    // Parsers take many times the document, and what they make of it lives until it is stored.
    let _parsed = in_flight.share(bytes.len().saturating_mul(from.memory_factor() - 1))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::field("body", "is not UTF-8"))?.to_owned();
    let (document, same_deployment) = keyed.holder.document(text, from).await?;
    wire::environment_in("environment", environment.as_deref())?;
    wire::environment_in("body", document.environment.as_deref())?;
    document.items.iter().try_for_each(check)?;
    let environment = environment.or(document.environment).unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned());
    let overwrite = mode == ConfigImportMode::Overwrite;
    let how = Import { environment: &environment, overwrite, dry_run };
    let done = keyed.holder.import(&document.items, how).await?;
    let count = |outcome| done.iter().filter(|one| one.outcome == outcome).count() as u64;
    let (created, changed) = (count(Outcome::Created), count(Outcome::Changed));
    let left = count(Outcome::Left);
    let items = done.into_iter().map(item).collect();
    let key_advice = keyed.holder.advice().map(str::to_owned);
    Ok(Json(ConfigImported {
        environment,
        dry_run,
        same_deployment,
        created,
        changed,
        left,
        items,
        key_advice,
    }))
}

fn format(format: ConfigFormat) -> Format {
    match format {
        ConfigFormat::Json => Format::Json,
        ConfigFormat::Yaml => Format::Yaml,
        ConfigFormat::Toml => Format::Toml,
        ConfigFormat::Env => Format::Env,
    }
}

fn item(Imported { key, outcome, version }: Imported) -> ConfigImportedItem {
    let outcome = match outcome {
        Outcome::Created => ConfigImportOutcome::Created,
        Outcome::Changed => ConfigImportOutcome::Changed,
        Outcome::Left => ConfigImportOutcome::Left,
    };
    ConfigImportedItem { key, outcome, version }
}

/// Refuses names that cannot be.
fn check(item: &Item) -> Result<(), Failure> {
    let shown: String = item.key.chars().take(40).collect();
    check_key(&item.key)
        .map_err(|_| Failure::field("body", format!("the key '{shown}' is empty or over 255 characters")))?;
    let category = item.category.as_deref().map_or(Ok(()), check_category);
    category.map_err(|_| Failure::field("body", format!("the category of '{shown}' is over 100 characters")))
}
