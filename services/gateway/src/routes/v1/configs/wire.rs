//! What the domain says, as it travels; and names as they come.

use coffer_api::configs::ConfigMeta;
use coffer_api::contract::configs::{check_category, check_environment, check_key};
use coffer_server::Failure;

use crate::domain::configs::{Address, Condition, Meta};

/// What is known of a configuration.
pub(super) fn meta(config: impl Into<Meta>) -> ConfigMeta {
    let Meta { id, key, environment, category, version, bytes, created_at, updated_at } = config.into();
    ConfigMeta { id, key, environment, category, version, size_bytes: bytes, created_at, updated_at }
}

/// Where a key and an environment lead, if they can be names.
pub(super) fn address<'a>(key: &'a str, environment: Option<&'a str>) -> Result<Address<'a>, Failure> {
    check_key(key).map_err(|_| Failure::field("key", "is empty or over 255 characters"))?;
    environment_in("environment", environment)?;
    Ok(Address { key, environment })
}

/// Refuses what can be no environment.
pub(super) fn environment_in(field: &'static str, environment: Option<&str>) -> Result<(), Failure> {
    let checked = environment.map_or(Ok(()), check_environment);
    checked.map_err(|_| Failure::field(field, "is empty or over 100 characters"))
}

/// Refuses what can be no category.
pub(super) fn category_in(category: Option<&str>) -> Result<(), Failure> {
    let checked = category.map_or(Ok(()), check_category);
    checked.map_err(|_| Failure::field("category", "is over 100 characters"))
}

/// The condition that two fields state.
pub(super) fn condition(if_version: Option<u64>, if_absent: bool) -> Result<Condition, Failure> {
    match (if_version, if_absent) {
        (Some(_), true) => Err(Failure::field("if_version", "only one condition at a time")),
        (Some(version), false) => Ok(Condition::Version(version)),
        (None, true) => Ok(Condition::Absent),
        (None, false) => Ok(Condition::None),
    }
}
