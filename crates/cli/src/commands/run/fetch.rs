//! Reading everything that becomes a variable, with its references resolved.
//!
//! Values are read as they were stored first, and only those that may refer to others once more. So it is known whether
//! there are any: where there are none, what happens in other environments is of no interest.
//!
//! What is gone when it is to be read was deleted, or everything has moved to another user key meanwhile. Which of the
//! two is not known, so it is listed anew: a program gets what there was at one time, and never half of it.

use coffer_api::configs::{ConfigBatch, ConfigListQuery, ConfigMeta, ConfigName, ConfigOutcome};
use coffer_api::{ErrorCode, Problem};
use coffer_client::ConfigsClient;

use super::RunError;
use super::variables::{Read, Variables};
use crate::error::CliError;

/// Configurations that one call reads, and their values together, in bytes, unless there is one alone: answers have a
/// limit.
const BATCH: usize = 100;
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// How often it is listed if something of it is gone before it is read.
const LISTED_MAX: usize = 3;
/// What a value has that refers to others. Not everything that has it does.
const REFERENCE: &str = "${";

/// What is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) environment: String,
    /// Only of these; of all if there is none.
    pub(super) categories: Vec<String>,
    /// Whether the configuration wins over variables that are set already.
    pub(super) replace: bool,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) variables: Variables,
    /// Whether one of them may depend on other environments.
    pub(super) refers: bool,
    /// Whether there is anything in the environment, wanted or not: then the user key opens it.
    pub(super) found: bool,
}

impl Wanted {
    fn has(&self, meta: &ConfigMeta) -> bool {
        self.categories.is_empty() || meta.category.as_ref().is_some_and(|one| self.categories.contains(one))
    }
}

/// Reads all configurations that are wanted, as variables.
pub(super) async fn fetch(configs: &ConfigsClient, wanted: &Wanted) -> Result<Fetched, CliError> {
    for _ in 1..LISTED_MAX {
        match at_once(configs, wanted).await {
            Err(err) if err.code() == Some(ErrorCode::ConfigNotFound) => {}
            other => return other,
        }
    }
    at_once(configs, wanted).await
}

async fn at_once(configs: &ConfigsClient, wanted: &Wanted) -> Result<Fetched, CliError> {
    let of_environment = |err| CliError::of_config(&wanted.environment, err);
    let query =
        ConfigListQuery { environment: Some(wanted.environment.clone()), ..ConfigListQuery::default() };
    let all = configs.list_all(query).await.map_err(of_environment)?;
    let found = !all.is_empty();
    let all: Vec<_> = all.iter().filter(|meta| wanted.has(meta)).collect();
    let (mut read, mut referring) = (Vec::with_capacity(all.len()), Vec::new());
    for part in parts(&all) {
        for (meta, outcome) in part.iter().zip(batch(configs, part, false).await.map_err(of_environment)?) {
            if outcome.value.as_ref().is_some_and(|value| value.get().contains(REFERENCE)) {
                referring.push(*meta);
            } else {
                read.push(value(meta, outcome)?);
            }
        }
    }
    for part in parts(&referring) {
        for (meta, outcome) in part.iter().zip(batch(configs, part, true).await.map_err(of_environment)?) {
            read.push(value(meta, outcome)?);
        }
    }
    let variables = Variables::of(read)?;
    if !wanted.replace {
        variables.check_against(|name| std::env::var_os(name))?;
    }
    Ok(Fetched { variables, refers: !referring.is_empty(), found })
}

/// Parts that one call reads each.
fn parts<'a, 'm>(all: &'a [&'m ConfigMeta]) -> impl Iterator<Item = &'a [&'m ConfigMeta]> {
    let mut rest = all;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |meta: &&&ConfigMeta| {
            bytes += meta.size_bytes;
            bytes <= BATCH_BYTES
        };
        let length = rest.iter().take(BATCH).take_while(fits).count().max(1);
        let (part, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(part)
    })
}

async fn batch(
    configs: &ConfigsClient,
    part: &[&ConfigMeta],
    resolve: bool,
) -> Result<Vec<ConfigOutcome>, coffer_client::ClientError> {
    let name = |meta: &&ConfigMeta| ConfigName {
        key: meta.key.clone(),
        environment: Some(meta.environment.clone()),
    };
    let batch = ConfigBatch { items: part.iter().map(name).collect(), resolve };
    Ok(configs.batch(&batch).await?.results)
}

fn value(meta: &ConfigMeta, outcome: ConfigOutcome) -> Result<Read, RunError> {
    match outcome.value {
        Some(value) => {
            let category = outcome.meta.map_or_else(|| meta.category.clone(), |meta| meta.category);
            Ok(Read { key: meta.key.clone(), category, json: value.get().into() })
        }
        None => Err(not_read(&meta.key, outcome.status, outcome.problem)),
    }
}

fn not_read(key: &str, status: u16, problem: Option<Problem>) -> RunError {
    let code = problem.as_ref().and_then(Problem::error_code);
    let said = problem.map_or_else(
        || format!("the gateway answered {status}"),
        |problem| problem.detail.unwrap_or(problem.title).into_owned(),
    );
    RunError::NotRead { key: key.to_owned(), code, said }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_call_reads_no_more_than_fits_into_an_answer() {
        let sizes = |sizes: &[u64]| {
            let meta = |size_bytes: &u64| ConfigMeta {
                id: 1,
                key: "k".into(),
                environment: "e".into(),
                category: None,
                version: 1,
                size_bytes: *size_bytes,
                created_at: coffer_core::Timestamp::from_ms(0),
                updated_at: coffer_core::Timestamp::from_ms(0),
            };
            let all: Vec<_> = sizes.iter().map(meta).collect();
            let all: Vec<_> = all.iter().collect();
            parts(&all).map(<[_]>::len).collect::<Vec<_>>()
        };
        assert!(sizes(&[]).is_empty());
        assert_eq!(sizes(&[1; 250]), [100, 100, 50]);
        assert_eq!(sizes(&[BATCH_BYTES, 1, BATCH_BYTES + 1, BATCH_BYTES - 1, 1]), [1, 1, 1, 2]);
    }

    #[test]
    fn why_a_configuration_was_not_read_is_told_as_the_gateway_said_it() {
        let detail = Some("a@e refers to b@f, which does not exist".into());
        let problem = Problem { detail, ..Problem::of(ErrorCode::ReferenceUnresolved) };
        let refused = not_read("a", 409, Some(problem));
        assert_eq!(refused.to_string(), "a was not read: a@e refers to b@f, which does not exist");
        assert_eq!((refused.exit(), refused.code()), (Exit::Usage, Some(ErrorCode::ReferenceUnresolved)));
        assert!(refused.hint().is_some());
        let unknown = not_read("a", 503, None);
        assert_eq!(unknown.to_string(), "a was not read: the gateway answered 503");
        assert_eq!(unknown.exit(), Exit::Unavailable);
    }
}
