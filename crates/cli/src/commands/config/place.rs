//! Which configuration is meant.

use coffer_api::configs::{ConfigMeta, ConfigQuery};

use crate::output::printable;

/// A configuration, as commands name it.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The key: any text of at most 255 characters
    pub(super) key: String,
    #[command(flatten)]
    pub(super) environment: Environment,
}

/// The option that names an environment.
#[derive(Debug, clap::Args)]
pub(super) struct Environment {
    /// The environment; the key's only one if not given, or else the default one
    #[arg(long = "env", short, value_name = "NAME")]
    pub(super) environment: Option<String>,
}

impl Place {
    /// The configuration as calls take it.
    pub(super) fn query(&self) -> ConfigQuery {
        ConfigQuery { key: self.key.clone(), environment: self.environment.environment.clone() }
    }
}

/// A configuration as people read it.
pub(super) fn shown(meta: &ConfigMeta) -> String {
    format!("{} in {}", printable(&meta.key), printable(&meta.environment))
}
