//! `/configs`: what the user key in `x-user-key` opens.

mod about;
mod keyed;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, HttpResponseBuilder};
use coffer_api::contract::configs::{
    Config, CreateConfig, Done, KEY_ADVICE, ListQuery, OneQuery, Rekey, UpdateConfig,
};
use coffer_api::contract::validation::ValidationErrors;
use coffer_server::{BytesInFlight, ConfigsContract, ContractQuery, Failure, HeldBody, HttpError, JsonBody};
use serde_json::value::RawValue;

use crate::domain::configs::{self, Address, Filter, NewConfig, Update};

pub(in crate::routes) use about::{about, cluster_health, cluster_status};
pub(in crate::routes) use keyed::{ConfigKey, Keyed};
// The macro of the document looks for what it made beside the handler.
pub(in crate::routes) use about::{__path_cluster_health, __path_cluster_status};

type Answered = Result<HttpResponse, HttpError<ConfigsContract>>;
type Body<T> = JsonBody<T, ConfigsContract>;

/// Makes a configuration.
#[utoipa::path(post, path = "/configs", tag = "configurations", request_body = CreateConfig, security(("user_key" = [])),
    responses(
        (status = 201, body = Config<'_>),
        (status = 400, description = "`Configuration with key '…' already exists`"),
        (status = 401, description = "The user key is too short"),
        (status = 403, description = "An API key is asked for"),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors),
        (status = 429, description = "Too many new user keys, with `Retry-After`"),
        (status = 507, description = "There is no room for more")))]
pub(in crate::routes) async fn create(keyed: Keyed, body: Body<CreateConfig>) -> Answered {
    // The share of the bytes in flight is kept until the answer is made: it repeats the value.
    let (CreateConfig { key, value, category, environment }, _reservation) = body.into_parts();
    let (category, environment) = (category.as_deref(), environment.as_deref());
    let new = NewConfig { key: &key, environment, category, value: value.get() };
    let made = keyed.holder.create(new).await?;
    answer(&keyed, StatusCode::CREATED, &made)
}

/// Lists configurations.
#[utoipa::path(get, path = "/configs", tag = "configurations", security(("user_key" = [])),
    params(("category" = Option<String>, Query, description = "Only of this category"),
        ("environment" = Option<String>, Query, description = "Only of this environment")),
    responses(
        (status = 200, body = Vec<Config<'_>>),
        (status = 401, description = "The user key is too short"),
        (status = 422, description = "No user key", body = ValidationErrors),
        (status = 429, description = "Too many new user keys, with `Retry-After`")))]
pub(in crate::routes) async fn list(
    keyed: Keyed,
    in_flight: BytesInFlight,
    query: ContractQuery<ListQuery>,
) -> Answered {
    let share = keyed.share_of_all(&in_flight).await?;
    let (category, environment) = (query.category.as_deref(), query.environment.as_deref());
    let configs = keyed.holder.read_all(Filter { category, environment }).await?;
    let configs: Vec<_> = configs.iter().map(wire).collect::<Result<_, _>>()?;
    let list = serde_json::to_vec(&configs).map_err(Failure::internal)?;
    // In memory until the last of it is sent, and so is its share.
    Ok(response(&keyed, StatusCode::OK).content_type(ContentType::json()).body(HeldBody::new(list, share)))
}

/// Reads a configuration.
#[utoipa::path(get, path = "/configs/{key}", tag = "configurations", security(("user_key" = [])),
    params(("key" = String, Path, description = "The key; `/` in it is part of the name"),
        ("environment" = Option<String>, Query, description = "The environment, where the key is in several")),
    responses(
        (status = 200, body = Config<'_>),
        (status = 400, description = "The key is in several environments, which are named"),
        (status = 404, description = "`Configuration with key '…' not found`"),
        (status = 422, description = "No user key, or no key", body = ValidationErrors),
        (status = 429, description = "Too many new user keys, with `Retry-After`")))]
pub(in crate::routes) async fn read(
    keyed: Keyed,
    ConfigKey(key): ConfigKey,
    query: ContractQuery<OneQuery>,
) -> Answered {
    let config = keyed.holder.get(address(&key, &query)).await?;
    answer(&keyed, StatusCode::OK, &config)
}

/// Gives a configuration a new value.
#[utoipa::path(put, path = "/configs/{key}", tag = "configurations", request_body = UpdateConfig,
    security(("user_key" = [])),
    params(("key" = String, Path, description = "The key; `/` in it is part of the name"),
        ("environment" = Option<String>, Query, description = "The environment, where the key is in several")),
    responses(
        (status = 200, body = Config<'_>),
        (status = 400, description = "The key is in several environments, or already in the one it is to move to"),
        (status = 404, description = "`Configuration with key '…' not found`"),
        (status = 422, description = "A field is absent or not valid", body = ValidationErrors),
        (status = 429, description = "Too many new user keys, with `Retry-After`"),
        (status = 507, description = "There is no room for more")))]
pub(in crate::routes) async fn update(
    keyed: Keyed,
    ConfigKey(key): ConfigKey,
    query: ContractQuery<OneQuery>,
    body: Body<UpdateConfig>,
) -> Answered {
    let (UpdateConfig { value, category, environment }, _reservation) = body.into_parts();
    let (category, environment) = (category.as_deref(), environment.as_deref());
    let update = Update { value: value.get(), category, environment };
    let config = keyed.holder.update(address(&key, &query), update).await?;
    answer(&keyed, StatusCode::OK, &config)
}

/// Deletes a configuration, with its history.
#[utoipa::path(delete, path = "/configs/{key}", tag = "configurations", security(("user_key" = [])),
    params(("key" = String, Path, description = "The key; `/` in it is part of the name"),
        ("environment" = Option<String>, Query, description = "The environment, where the key is in several")),
    responses(
        (status = 200, body = Done),
        (status = 400, description = "The key is in several environments, which are named"),
        (status = 404, description = "`Configuration with key '…' not found`"),
        (status = 422, description = "No user key, or no key", body = ValidationErrors),
        (status = 429, description = "Too many new user keys, with `Retry-After`")))]
pub(in crate::routes) async fn delete(
    keyed: Keyed,
    ConfigKey(key): ConfigKey,
    query: ContractQuery<OneQuery>,
) -> Answered {
    keyed.holder.delete(address(&key, &query)).await?;
    let message = format!("Configuration '{key}' deleted successfully");
    Ok(response(&keyed, StatusCode::OK).json(Done { message }))
}

/// Moves everything under the user key to another one, at once.
#[utoipa::path(post, path = "/configs/rekey", tag = "configurations", request_body = Rekey,
    security(("user_key" = [])),
    responses(
        (status = 200, body = Done),
        (status = 404, description = "Nothing is kept under the user key"),
        (status = 409, description = "The new user key has configurations already"),
        (status = 422, description = "The new user key is too short, or the old one", body = ValidationErrors),
        (status = 429, description = "Too many new user keys, with `Retry-After`")))]
pub(in crate::routes) async fn rekey(keyed: Keyed, body: Body<Rekey>) -> Answered {
    let Rekey { new_user_key } = body.into_inner();
    let advice = keyed.rekey(new_user_key.expose()).await?;
    let mut response = HttpResponse::Ok();
    if let Some(advice) = advice {
        response.insert_header((KEY_ADVICE, advice));
    }
    Ok(response.json(Done { message: "Configurations moved to the new user key".to_owned() }))
}

fn address<'a>(key: &'a str, query: &'a OneQuery) -> Address<'a> {
    Address { key, environment: query.environment.as_deref() }
}

fn wire(config: &configs::Config) -> Result<Config<'_>, Failure> {
    let value: &RawValue = serde_json::from_str(&config.value).map_err(Failure::internal)?;
    Ok(Config {
        id: config.id,
        key: &config.key,
        value,
        category: config.category.as_deref(),
        environment: &config.environment,
        created_at: config.created_at,
        updated_at: config.updated_at,
    })
}

fn answer(keyed: &Keyed, status: StatusCode, config: &configs::Config) -> Answered {
    Ok(response(keyed, status).json(wire(config)?))
}

/// An answer, with advice about the user key if there is any to give.
fn response(keyed: &Keyed, status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if let Some(advice) = keyed.holder.advice() {
        response.insert_header((KEY_ADVICE, advice));
    }
    response
}
