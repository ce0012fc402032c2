//! Reading everything that becomes a variable.

use coffer_api::configs::{ConfigBatch, ConfigListQuery, ConfigMeta, ConfigName, ConfigOutcome};
use coffer_client::ConfigsClient;

use super::RunError;
use super::variables::{Read, Variables};
use crate::error::CliError;

/// Configurations that one call reads.
const BATCH: usize = 100;
const NOT_FOUND: u16 = 404;

/// What is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) environment: String,
    /// Only of these; of all if there is none.
    pub(super) categories: Vec<String>,
    /// Whether the configuration wins over variables that are set already.
    pub(super) replace: bool,
}

impl Wanted {
    fn has(&self, meta: &ConfigMeta) -> bool {
        self.categories.is_empty() || meta.category.as_ref().is_some_and(|one| self.categories.contains(one))
    }
}

/// Reads all configurations that are wanted, as variables.
pub(super) async fn fetch(configs: &ConfigsClient, wanted: &Wanted) -> Result<Variables, CliError> {
    let of_environment = |err| CliError::of_config(&wanted.environment, err);
    let query =
        ConfigListQuery { environment: Some(wanted.environment.clone()), ..ConfigListQuery::default() };
    let all = configs.list_all(query).await.map_err(of_environment)?;
    let all: Vec<_> = all.into_iter().filter(|meta| wanted.has(meta)).collect();
    let mut read = Vec::with_capacity(all.len());
    for part in all.chunks(BATCH) {
        let batch = ConfigBatch { items: part.iter().map(name).collect(), resolve: false };
        let results = configs.batch(&batch).await.map_err(of_environment)?.results;
        for (meta, outcome) in part.iter().zip(results) {
            read.extend(value(meta, outcome)?);
        }
    }
    let variables = Variables::of(read)?;
    if !wanted.replace {
        variables.check_against(|name| std::env::var_os(name))?;
    }
    Ok(variables)
}

fn name(meta: &ConfigMeta) -> ConfigName {
    ConfigName { key: meta.key.clone(), environment: Some(meta.environment.clone()) }
}

/// A value; none if it was deleted since it was listed.
fn value(meta: &ConfigMeta, outcome: ConfigOutcome) -> Result<Option<Read>, RunError> {
    match outcome.value {
        Some(value) => {
            let category = outcome.meta.map_or_else(|| meta.category.clone(), |meta| meta.category);
            Ok(Some(Read { key: meta.key.clone(), category, json: value.get().into() }))
        }
        None if outcome.status == NOT_FOUND => Ok(None),
        None => Err(RunError::NotRead { key: meta.key.clone(), status: outcome.status }),
    }
}
